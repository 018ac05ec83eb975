//! A person's life as the sources could see it: names, homes and insurance by date.

use super::calendar::Day;
use super::insurance::{Cover, Job, elder_cover, municipal_cover};
use super::names::NameId;
use super::places::{Home, Places};

/// Age at which everyone moves to the insurance of the old-old (prefix 39).
pub const ELDER_AGE: i32 = 75;

/// Sex as registers hold it. The number is an index into tables of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Male.
    Man = 0,
    /// Female.
    Woman = 1,
}

impl Sex {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Man => Self::Woman,
            Self::Woman => Self::Man,
        }
    }
}

/// Where someone stands in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Index of the household.
    pub household: u32,
    /// 0 is the insured head, 1 the spouse, children follow. Printed as the branch number.
    pub position: u8,
}

/// One invented person.
pub struct Person {
    /// Sex at birth.
    pub sex: Sex,
    /// Date of birth.
    pub birth: Day,
    /// Date of death, if before the end of the period.
    pub death: Option<Day>,
    /// Given name.
    pub given: NameId,
    /// Surnames and the day from which each holds.
    pub surnames: Vec<(Day, NameId)>,
    /// Households and the day from which each holds.
    pub memberships: Vec<(Day, Membership)>,
    /// First and last day in the region that the sources cover.
    pub seen: (Day, Day),
    /// Index of the father, if he is part of the population.
    pub father: Option<u32>,
    /// Index of the mother, if she is part of the population.
    pub mother: Option<u32>,
    /// Name by which a foreigner also goes: surname, given name.
    pub alias: Option<(NameId, NameId)>,
    /// First marriage.
    pub married: Option<Day>,
    /// End of the first marriage by divorce.
    pub divorced: Option<Day>,
    /// Whether the surname changed at that marriage.
    pub changed_surname: bool,
    /// The first-born of the twins that this person is one of.
    pub twin: Option<u32>,
    /// Someone else with the same name, date of birth and sex, whom this person was planted beside.
    pub namesake: Option<u32>,
    /// Of foreign nationality, with a name in Latin letters or in kanji.
    pub nationality: Option<Nationality>,
}

/// How a foreigner's name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nationality {
    /// In Latin letters.
    LatinName,
    /// In kanji.
    KanjiName,
}

/// People who share a home and an insurance.
pub struct Household {
    /// Homes and the day from which each holds.
    pub homes: Vec<(Day, Home)>,
    /// Insurance of the head and the day from which each holds.
    pub jobs: Vec<(Day, Job)>,
}

/// People who may know each other: everyone, or a shard of everyone. All indexes are of the shard.
pub struct Population {
    /// The people.
    pub persons: Vec<Person>,
    /// Their households.
    pub households: Vec<Household>,
    /// Number of the first of these people among everyone.
    pub first: u32,
}

/// What holds at `day`: the last entry that began by then, or the first.
pub fn at<T>(spells: &[(Day, T)], day: Day) -> &T {
    let begun = spells.partition_point(|(from, _)| *from <= day);
    &spells[begun.saturating_sub(1)].1
}

/// What held before the spell of `day`, if there was an earlier one.
pub fn before<T>(spells: &[(Day, T)], day: Day) -> Option<&T> {
    let begun = spells.partition_point(|(from, _)| *from <= day);
    let earlier = begun.checked_sub(2)?;
    Some(&spells[earlier].1)
}

impl Person {
    /// Whether the person lives in the region on that day.
    #[must_use]
    pub fn present(&self, day: Day) -> bool {
        day >= self.birth
            && self.death.is_none_or(|death| day <= death)
            && (self.seen.0..=self.seen.1).contains(&day)
    }
}

impl Population {
    /// Number of a person among everyone.
    #[must_use]
    pub fn number(&self, person: u32) -> u32 {
        self.first + person
    }

    /// Number of a household among everyone's: there are never more than two per person.
    #[must_use]
    pub fn household_number(&self, household: u32) -> u32 {
        2 * self.first + household
    }

    /// Home of a person.
    #[must_use]
    pub fn home(&self, person: &Person, day: Day) -> &Home {
        let member = at(&person.memberships, day);
        at(&self.households[member.household as usize].homes, day)
    }

    /// The home before the present one, in this household or an earlier one.
    #[must_use]
    pub fn former_home(&self, person: &Person, day: Day) -> Option<&Home> {
        let member = at(&person.memberships, day);
        let homes = &self.households[member.household as usize].homes;
        before(homes, day).or_else(|| {
            let earlier = before(&person.memberships, day)?;
            Some(at(&self.households[earlier.household as usize].homes, day))
        })
    }

    /// Insurance of a person: one's own from 75, else the household's.
    #[must_use]
    pub fn cover(&self, index: u32, day: Day, places: &Places) -> Cover {
        let person = &self.persons[index as usize];
        let member = at(&person.memberships, day);
        let home = self.home(person, day);
        let municipality = places.municipality(home).code;
        if person.birth.age_at(day) >= ELDER_AGE {
            return elder_cover(municipality, self.number(index));
        }
        match at(&self.households[member.household as usize].jobs, day) {
            Job::Employed(cover) => Cover {
                branch: member.position,
                ..*cover
            },
            Job::Municipal => {
                let household = self.household_number(member.household);
                municipal_cover(municipality, household, member.position)
            }
        }
    }
}
