//! Quality by stratum: how well the hard cases go.
//!
//! A stratum is a set of pairs of records. Precision is over its pairs that were put together, recall
//! over its pairs that belong together. Most strata hold the pairs of which at least one record, or
//! one record's person, is special; a pair is in as many strata as apply.

mod page;

use serde::Serialize;

use super::about::{FOREIGN, NAMESAKE, TWIN};
use super::{Partition, Truth, share};
use crate::tools::synth::flags;

/// Entities with more records than this are left out of precision by stratum: their pairs are too
/// many to look at.
pub const ENTITY_RECORDS_MAX: usize = 5_000;

/// Strata of which one record of the pair must have one of these flags.
const BY_FLAG: [(&str, u32); 13] = [
    ("swapped_names", flags::SWAPPED),
    ("birth_date_error", flags::BIRTH_DATE),
    ("birth_date_missing", flags::NO_BIRTH_DATE),
    ("sex_error", flags::SEX),
    ("kana_error", flags::SURNAME_KANA | flags::GIVEN_KANA),
    ("misread_given_name", flags::MISREAD),
    (
        "kanji_error",
        flags::SURNAME_KANJI | flags::GIVEN_KANJI | flags::UNKNOWN_CHARACTER | flags::VARIANT,
    ),
    ("former_surname", flags::OLD_NAME),
    ("alias", flags::ALIAS),
    ("former_address", flags::OLD_ADDRESS),
    ("kanji_only", flags::KANJI_ONLY),
    ("kana_only", flags::KANA_ONLY),
    ("duplicate", flags::DUPLICATE),
];

/// Strata of which one person of the pair must be so.
const BY_PERSON: [(&str, u8); 3] = [
    ("twins", TWIN),
    ("namesakes", NAMESAKE),
    ("foreigners", FOREIGN),
];

/// Strata of a rule of their own, and their bits.
const OWN: [&str; 3] = ["no_error", "surname_changed", "birth_to_death"];
const OWN_FIRST: usize = BY_FLAG.len() + BY_PERSON.len();
const NO_ERROR: u32 = 1 << OWN_FIRST;
const SURNAME_CHANGED: u32 = 1 << (OWN_FIRST + 1);
const BIRTH_TO_DEATH: u32 = 1 << (OWN_FIRST + 2);
const STRATA: usize = OWN_FIRST + OWN.len();

/// The sources between which `birth_to_death` is.
const BIRTHS: &str = "birth_registry";
const DEATHS: &str = "death_registry";

/// Pairs of one stratum and what became of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StratumQuality {
    /// Its name; for a pair of sources both names.
    pub stratum: String,
    /// Pairs of one person.
    pub true_pairs: u64,
    /// Pairs of one entity; absent where the stratum holds only pairs of one person.
    pub found_pairs: Option<u64>,
    /// Pairs that are both.
    pub correct_pairs: u64,
    /// Share of pairs found that are right; absent where nothing was found.
    pub precision: Option<f64>,
    /// Share of true pairs that were found; absent where there is none.
    pub recall: Option<f64>,
}

/// All strata that hold a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strata {
    /// By what is special about records and persons.
    pub strata: Vec<StratumQuality>,
    /// By pair of sources.
    pub source_pairs: Vec<StratumQuality>,
    /// Entities of more than [`ENTITY_RECORDS_MAX`] records: their pairs found are not counted, so
    /// that precision is too good.
    pub entities_left_out: u64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    truly: u64,
    found: u64,
    /// Of the true pairs.
    correct: u64,
    /// Of the pairs found; the same unless entities are left out.
    right: u64,
}

/// A record as strata see it.
#[derive(Clone, Copy)]
struct Seen {
    person: u32,
    entity: u32,
    source: u16,
    /// Strata that this record puts a pair into.
    strata: u32,
    surname_state: u8,
    wrong: bool,
}

struct Counts {
    strata: [Count; STRATA],
    /// By number of the one source times the number of sources plus that of the other.
    sources: Vec<Count>,
    source_count: usize,
    births: Option<u16>,
    deaths: Option<u16>,
}

impl Counts {
    fn strata_of(&self, a: Seen, b: Seen) -> u32 {
        let mut strata = a.strata | b.strata;
        if !a.wrong && !b.wrong {
            strata |= NO_ERROR;
        }
        if a.person == b.person && a.surname_state != b.surname_state {
            strata |= SURNAME_CHANGED;
        }
        let (from, to) = (Some(a.source.min(b.source)), Some(a.source.max(b.source)));
        if (from, to) == (self.births.min(self.deaths), self.births.max(self.deaths)) {
            strata |= BIRTH_TO_DEATH;
        }
        strata
    }

    /// Counts all pairs among some records.
    fn add(&mut self, records: &[Seen], count: impl Fn(&mut Count, bool)) {
        for (index, a) in records.iter().enumerate() {
            for b in &records[index + 1..] {
                let right = a.person == b.person && a.entity == b.entity;
                let mut strata = self.strata_of(*a, *b);
                while strata != 0 {
                    count(&mut self.strata[strata.trailing_zeros() as usize], right);
                    strata &= strata - 1;
                }
                let (low, high) = (a.source.min(b.source), a.source.max(b.source));
                let place = usize::from(low) * self.source_count + usize::from(high);
                count(&mut self.sources[place], right);
            }
        }
    }
}

/// Records of a truth, with their entities.
fn records(partition: &Partition, truth: &Truth) -> Vec<Seen> {
    let known = truth.persons_of_rows().iter().zip(truth.records());
    let seen = |((person, (source, about)), entity): ((&u32, _), &u32)| {
        let about: super::about::RecordAbout = about;
        let mut strata = 0;
        for (bit, (_, wanted)) in BY_FLAG.iter().enumerate() {
            strata |= u32::from(about.flags & wanted != 0) << bit;
        }
        let person_about = truth.about_person(*person);
        for (bit, (_, wanted)) in (BY_FLAG.len()..).zip(BY_PERSON) {
            strata |= u32::from(person_about & wanted != 0) << bit;
        }
        Seen {
            person: *person,
            entity: *entity,
            source,
            strata,
            surname_state: about.surname_state,
            wrong: about.flags & flags::ERRORS != 0,
        }
    };
    known.zip(&partition.entity_of_row).map(seen).collect()
}

impl Partition {
    /// Quality by stratum and by pair of sources.
    #[must_use]
    pub fn strata(&self, truth: &Truth) -> Strata {
        let names: Vec<&str> = truth.sources().collect();
        let place = |wanted| names.iter().position(|name| *name == wanted);
        let mut counts = Counts {
            strata: [Count::default(); STRATA],
            sources: vec![Count::default(); names.len() * names.len()],
            source_count: names.len(),
            births: place(BIRTHS).map(|number| number as u16),
            deaths: place(DEATHS).map(|number| number as u16),
        };
        let mut records = records(self, truth);
        records.sort_unstable_by_key(|record| record.person);
        for person in records.chunk_by(|a, b| a.person == b.person) {
            counts.add(person, |count, right| {
                count.truly += 1;
                count.correct += u64::from(right);
            });
        }
        records.sort_unstable_by_key(|record| record.entity);
        let mut entities_left_out = 0;
        for entity in records.chunk_by(|a, b| a.entity == b.entity) {
            if entity.len() > ENTITY_RECORDS_MAX {
                entities_left_out += 1;
            } else {
                counts.add(entity, |count, right| {
                    count.found += 1;
                    count.right += u64::from(right);
                });
            }
        }
        counts.quality(&names, entities_left_out)
    }
}

impl Counts {
    fn quality(&self, names: &[&str], entities_left_out: u64) -> Strata {
        let by_flag = BY_FLAG.iter().map(|(name, _)| *name);
        let by_person = BY_PERSON.iter().map(|(name, _)| *name);
        let strata = by_flag.chain(by_person).chain(OWN).zip(self.strata);
        let mut strata: Vec<_> = strata
            .filter_map(|(name, count)| stratum(name.to_owned(), count))
            .collect();
        for changed in strata.iter_mut().filter(|s| s.stratum == OWN[1]) {
            (changed.found_pairs, changed.precision) = (None, None);
        }
        let mut source_pairs = Vec::new();
        for (place, count) in self.sources.iter().enumerate() {
            let (a, b) = (place / self.source_count, place % self.source_count);
            source_pairs.extend(stratum(format!("{} - {}", names[a], names[b]), *count));
        }
        Strata {
            strata,
            source_pairs,
            entities_left_out,
        }
    }
}

fn stratum(name: String, count: Count) -> Option<StratumQuality> {
    let known = |part: u64, whole: u64| (whole > 0).then(|| share(part, whole));
    (count.truly + count.found > 0).then(|| StratumQuality {
        stratum: name,
        true_pairs: count.truly,
        found_pairs: Some(count.found),
        correct_pairs: count.correct,
        precision: known(count.right, count.found),
        recall: known(count.correct, count.truly),
    })
}
