//! Simulates families: who is born, marries, divorces, moves, and dies, between 1910 and 2024.
//!
//! Founding couples have children, children marry people from outside and have children in turn.
//! Rates are those of vital statistics where a source is named, else plausible round figures.

mod children;
mod founders;

use rand::Rng;

use super::calendar::{Day, YEAR_DAYS};
use super::insurance::{Employers, Job};
use super::names::{NameId, Names};
use super::person::{Household, Membership, Person, Population, Sex, at};
use super::places::{Home, Places};

/// Wives who take the husband's surname: 478,199 of 504,930 marriages of 2022 (Gender Equality
/// Bureau, on surnames of married couples).
pub const WIFE_CHANGES: f64 = 0.947;
/// People who marry.
const MARRIES: f64 = 0.74;
/// Marriages that end in divorce, if both live so long: 183,808 divorces of 2023 to 504,930
/// marriages of 2022 (vital statistics).
pub const DIVORCES: f64 = 0.364;
/// Divorced people who return to the surname of birth; the rest keep the married one.
const RETURNS_TO_BIRTH_SURNAME: f64 = 0.6;
/// Residents who came into, and who leave, the region during the period.
const MIGRATES: (f64, f64) = (0.08, 0.04);
/// Mean years between moves, and between changes of job. Together with moves to another
/// municipality, marriage and the 75th birthday they change the insurance of about 11 % of people a
/// year: so many had other NDB IDs a year later (Kubo 2017, jjhr 38:11).
const MEAN_STAY_YEARS: (f64, f64) = (20.0, 10.5);
/// Moves inside the municipality.
const MOVES_NEARBY: f64 = 0.55;
/// Mortality by Gompertz: hazard at birth, growth per year of age. Median age at death is then 82
/// (men); women's growth sets in [`WOMEN_LIVE_LONGER`] years later.
const GOMPERTZ: (f64, f64) = (3.0e-5, 0.093);
const WOMEN_LIVE_LONGER: f64 = 5.0;

/// First day that any source covers with deaths: no one dies before it.
fn first_day() -> Day {
    Day::of(1995, 1, 1)
}

/// Last day of the simulation.
#[must_use]
pub fn last_day() -> Day {
    Day::of(2024, 12, 31)
}

/// A couple, and when they may have children.
struct Couple {
    husband: u32,
    wife: u32,
    married: Day,
    divorced: Option<Day>,
    household: u32,
    returned: bool,
}

struct Simulation<'a, R> {
    names: &'a Names,
    places: &'a Places,
    employers: &'a Employers,
    rng: &'a mut R,
    limit: usize,
    namesakes: f64,
    made: Population,
    /// Children whose adult life is still to be told.
    growing: Vec<u32>,
}

/// What a population is made from.
pub struct World<'a> {
    /// Names and their frequencies.
    pub names: &'a Names,
    /// Municipalities.
    pub places: &'a Places,
    /// Who insures.
    pub employers: &'a Employers,
    /// Share of people who are planted as the namesake of someone else.
    pub namesakes: f64,
}

/// Simulates exactly `limit` people, of whom the first is number `first` among everyone.
pub fn simulate(world: &World, first: u32, limit: u32, rng: &mut impl Rng) -> Population {
    let mut simulation = Simulation {
        names: world.names,
        places: world.places,
        employers: world.employers,
        rng,
        limit: limit as usize,
        namesakes: world.namesakes,
        made: Population {
            persons: Vec::with_capacity(limit as usize),
            households: Vec::new(),
            first,
        },
        growing: Vec::new(),
    };
    while simulation.made.persons.len() < simulation.limit {
        simulation.found();
        while let Some(child) = simulation.growing.pop() {
            simulation.adult_life(child);
        }
    }
    simulation.made
}

impl<R: Rng> Simulation<'_, R> {
    fn full(&self) -> bool {
        self.made.persons.len() >= self.limit
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.rng.random::<f64>()
    }

    fn person(&self, index: u32) -> &Person {
        &self.made.persons[index as usize]
    }

    /// Years lived: inverse of the Gompertz survival function.
    fn lifetime(&mut self, sex: Sex) -> f64 {
        let (hazard, growth) = GOMPERTZ;
        let survival = self.rng.random::<f64>().max(1e-12);
        let years = (1.0 - growth / hazard * survival.ln()).ln() / growth;
        if sex == Sex::Woman {
            years + WOMEN_LIVE_LONGER
        } else {
            years
        }
    }

    fn new_person(
        &mut self,
        sex: Sex,
        birth: Day,
        surname: NameId,
        household: u32,
        position: u8,
    ) -> u32 {
        let mut death = birth.plus_years(self.lifetime(sex));
        for _ in 0..100 {
            if death >= first_day() {
                break;
            }
            death = birth.plus_years(self.lifetime(sex));
        }
        let given = self.names.given(sex, birth, self.rng);
        let mut seen = (birth, last_day());
        let period = (Day::of(1990, 1, 1), Day::of(2022, 1, 1));
        if self.rng.random_bool(MIGRATES.0) {
            seen.0 = seen
                .0
                .max(Day(self.rng.random_range(period.0.0..period.1.0)));
        } else if self.rng.random_bool(MIGRATES.1) {
            let left = Day(self.rng.random_range(period.0.0..period.1.0));
            seen.1 = if left > birth { left } else { seen.1 };
        }
        self.made.persons.push(Person {
            sex,
            birth,
            death: (death >= first_day() && death <= last_day()).then_some(death),
            given,
            surnames: vec![(birth, surname)],
            memberships: vec![(
                birth,
                Membership {
                    household,
                    position,
                },
            )],
            seen,
            father: None,
            mother: None,
            alias: None,
            married: None,
            divorced: None,
            changed_surname: false,
            twin: None,
            namesake: None,
            nationality: None,
        });
        (self.made.persons.len() - 1) as u32
    }

    /// A household and its moves and jobs. `settled` is when its head is about 25.
    fn new_household(&mut self, from: Day, settled: Day, near: Option<Home>) -> u32 {
        let mut home = self.places.home(near.as_ref(), self.rng);
        let mut homes = vec![(from, home)];
        let retires = settled.plus_years(40.0);
        let mut day = from;
        loop {
            day = self.later(day, MEAN_STAY_YEARS.0);
            if day > last_day() {
                break;
            }
            let near = self.rng.random_bool(MOVES_NEARBY).then_some(&home);
            home = self.places.home(near, self.rng);
            homes.push((day, home));
        }
        let mut jobs = vec![(from, self.employers.job(self.rng))];
        let mut day = from;
        loop {
            day = self.later(day, MEAN_STAY_YEARS.1);
            if day > last_day() || day > retires {
                break;
            }
            jobs.push((day, self.employers.job(self.rng)));
        }
        if retires > from && retires <= last_day() {
            jobs.push((retires, Job::Municipal));
        }
        self.made.households.push(Household { homes, jobs });
        (self.made.households.len() - 1) as u32
    }

    /// A day after `day`, exponentially distributed.
    fn later(&mut self, day: Day, mean_years: f64) -> Day {
        let wait = -self.rng.random::<f64>().max(1e-9).ln() * mean_years;
        Day(day.0 + 1 + (wait * YEAR_DAYS) as i32)
    }

    fn join(&mut self, person: u32, day: Day, household: u32, position: u8) {
        let member = Membership {
            household,
            position,
        };
        self.made.persons[person as usize]
            .memberships
            .push((day, member));
    }

    fn alive(&self, person: u32, day: Day) -> bool {
        self.person(person).death.is_none_or(|death| day < death)
    }

    fn adult_life(&mut self, person: u32) {
        let birth = self.person(person).birth;
        let leaves = birth.plus_years(self.between(18.0, 30.0));
        if self.rng.random_bool(MARRIES) {
            return self.marry_outsider(person);
        }
        if leaves <= last_day() && self.alive(person, leaves) && self.rng.random_bool(0.7) {
            let home = *self.made.home(self.person(person), leaves);
            let near = self.rng.random_bool(0.5).then_some(home);
            let household = self.new_household(leaves, birth.plus_years(25.0), near);
            self.join(person, leaves, household, 0);
        }
    }

    /// Marries a person to a newcomer, who brings an own earlier life.
    fn marry_outsider(&mut self, person: u32) {
        let (sex, birth) = (self.person(person).sex, self.person(person).birth);
        let day = birth.plus_years(22.0 + self.between(0.0, 8.0) + self.between(0.0, 8.0));
        if self.full() || day > last_day() || !self.alive(person, day) {
            return;
        }
        let older = self.between(-1.5, 5.0);
        let sign = if sex == Sex::Man { 1.0 } else { -1.0 };
        let born = birth.plus_years(sign * older);
        let surname = self.names.surname(self.rng);
        let childhood = self.new_household(born, born.plus_years(-3.0), None);
        let spouse = self.new_person(sex.other(), born, surname, childhood, 2);
        if !self.alive(spouse, day) {
            return;
        }
        let home = *self.made.home(self.person(person), day);
        let near = self.rng.random_bool(0.5).then_some(home);
        let household = self.new_household(day, birth.plus_years(25.0), near);
        let (husband, wife) = if sex == Sex::Man {
            (person, spouse)
        } else {
            (spouse, person)
        };
        self.marry(husband, wife, day, household);
    }

    fn marry(&mut self, husband: u32, wife: u32, day: Day, household: u32) {
        let wife_changes = self.rng.random_bool(WIFE_CHANGES);
        let (changer, keeper) = if wife_changes {
            (wife, husband)
        } else {
            (husband, wife)
        };
        let surname = *at(&self.person(keeper).surnames, day);
        let birth_surname = *at(&self.person(changer).surnames, day);
        self.join(husband, day, household, 0);
        self.join(wife, day, household, 1);
        for spouse in [husband, wife] {
            self.made.persons[spouse as usize].married = Some(day);
        }
        let person = &mut self.made.persons[changer as usize];
        person.surnames.push((day, surname));
        person.changed_surname = true;
        let ends = day.plus_years(self.between(1.0, 12.0) + self.between(0.0, 12.0));
        let divorces = self.rng.random_bool(DIVORCES);
        let together = self.alive(husband, ends) && self.alive(wife, ends);
        let divorced = (divorces && together && ends <= last_day()).then_some(ends);
        let mut returned = false;
        if let Some(ends) = divorced {
            for spouse in [husband, wife] {
                self.made.persons[spouse as usize].divorced = Some(ends);
            }
            let home = *self.made.home(self.person(wife), ends);
            let own = self.new_household(ends, day, Some(home));
            self.join(wife, ends, own, 0);
            if self.rng.random_bool(RETURNS_TO_BIRTH_SURNAME) {
                let person = &mut self.made.persons[changer as usize];
                person.surnames.push((ends, birth_surname));
                returned = changer == wife;
            }
        }
        let married = day;
        self.raise(&Couple {
            husband,
            wife,
            married,
            divorced,
            household,
            returned,
        });
    }
}
