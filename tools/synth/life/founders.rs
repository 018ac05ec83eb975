//! People who begin a family in the region, or come to it alone: founders, foreigners, namesakes.

use rand::Rng;

use super::Simulation;
use crate::tools::synth::calendar::Day;
use crate::tools::synth::person::{Nationality, Sex, at};

/// Foreign residents among founders; they become some 2.5 % of everyone, as in the resident
/// registers of 2023.
const FOREIGN_FOUNDERS: f64 = 0.11;
/// Founders without a family in the region.
const SINGLE_FOUNDERS: f64 = 0.2;
/// People per founder, roughly: turns a share of people into a share of founders.
const PEOPLE_PER_FOUNDER: f64 = 5.0;

impl<R: Rng> Simulation<'_, R> {
    /// Someone without relatives in the region so far, and whoever this person marries.
    pub(super) fn found(&mut self) {
        if self.rng.random_bool(self.founding_namesakes()) {
            return self.found_namesake();
        }
        if self.rng.random_bool(FOREIGN_FOUNDERS) {
            return self.found_foreigner();
        }
        let year = 1908.0 + self.between(0.0, 28.0) + self.between(0.0, 30.0);
        let birth = Day::of(1900, 1, 1).plus_years(year - 1900.0);
        let sex = if self.rng.random_bool(0.5) {
            Sex::Man
        } else {
            Sex::Woman
        };
        let surname = self.names.surname(self.rng);
        let household = self.new_household(birth, birth.plus_years(25.0), None);
        let founder = self.new_person(sex, birth, surname, household, 0);
        if !self.rng.random_bool(SINGLE_FOUNDERS) {
            self.marry_outsider(founder);
        }
    }

    fn found_foreigner(&mut self) {
        let birth = Day::of(1958, 1, 1).plus_years(self.between(0.0, 46.0));
        let sex = if self.rng.random_bool(0.5) {
            Sex::Man
        } else {
            Sex::Woman
        };
        let ((surname, given), nationality) = if self.rng.random_bool(0.55) {
            (self.names.latin(sex, self.rng), Nationality::LatinName)
        } else {
            let name = self.names.kanji_foreign(self.rng);
            (name, Nationality::KanjiName)
        };
        let household = self.new_household(birth, birth, None);
        let person = self.new_person(sex, birth, surname, household, 0);
        let came = birth.plus_years(self.between(18.0, 34.0));
        let alias = self.rng.random_bool(0.2).then(|| {
            (
                self.names.surname(self.rng),
                self.names.given(sex, birth, self.rng),
            )
        });
        let person = &mut self.made.persons[person as usize];
        person.given = given;
        person.alias = alias;
        person.nationality = Some(nationality);
        person.seen.0 = came.max(Day::of(1988, 1, 1)).min(Day::of(2023, 1, 1));
    }

    /// Chance that the next founder is a namesake, so that the asked share of all people is.
    fn founding_namesakes(&self) -> f64 {
        if self.made.persons.is_empty() {
            return 0.0;
        }
        (self.namesakes * PEOPLE_PER_FOUNDER).min(1.0)
    }

    /// Someone who shares surname, given name, date of birth and sex with one who is there already
    /// and no relation, and who lives alone.
    fn found_namesake(&mut self) {
        let other = self.rng.random_range(0..self.made.persons.len()) as u32;
        let (sex, birth, given) = {
            let person = self.person(other);
            (person.sex, person.birth, person.given)
        };
        let surname = *at(&self.person(other).surnames, birth);
        let household = self.new_household(birth, birth.plus_years(25.0), None);
        let made = self.new_person(sex, birth, surname, household, 0);
        let person = &mut self.made.persons[made as usize];
        person.given = given;
        person.namesake = Some(other);
    }
}
