//! Invented people as rows of a table, with a truth: names and places with skewed frequencies, households,
//! errors, moves and marriages.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::terms::profile::LinkageProfile;
use crate::terms::{EventKind, RecordFlag, RecordTable, Row};

pub(super) const PROFILE: &str = r#"
name = "simulated"
version = 1
summary = "Five fields, compared exactly."
[event]
year = true
[[tag]]
name = "surname"
attributes = ["surname_kana"]
[[tag]]
name = "given"
attributes = ["given_kana"]
[[tag]]
name = "birth"
attributes = ["birth_date"]
[[tag]]
name = "place"
attributes = ["postcode"]
[[tag]]
name = "number"
attributes = ["insured_person"]
block = true
[[tag]]
name = "given+birth"
attributes = ["given_kana", "birth_date"]
block = true
[[tag]]
name = "surname+birth"
attributes = ["surname_kana", "birth_date"]
block = true
[[tag]]
name = "surname+given+place"
attributes = ["surname_kana", "given_kana", "postcode"]
block = true
[[alternative]]
name = "relatives"
share = 1.5
counted = true
shared = { surname = 0.9, place = 0.9 }
[[comparison]]
name = "surname"
rungs = [{ tag = "surname", m = 0.9 }]
[[comparison]]
name = "given"
rungs = [{ tag = "given", m = 0.9 }]
[[comparison]]
name = "birth"
rungs = [{ tag = "birth", m = 0.9 }]
[[comparison]]
name = "place"
rungs = [{ tag = "place", m = 0.7 }]
[[comparison]]
name = "number"
rungs = [{ tag = "number", m = 0.7 }]
"#;

/// Places of the fields in a record.
const SURNAME: usize = 0;
const GIVEN: usize = 1;
const BIRTH: usize = 2;
const PLACE: usize = 3;
const NUMBER: usize = 4;

const FIELDS: usize = 5;

/// One record before it becomes a row; 0 is missing.
pub(super) struct Simulated {
    pub(super) person: u32,
    pub(super) source: u16,
    pub(super) year: u16,
    pub(super) is_tracer: bool,
    fields: [u32; FIELDS],
}

/// What a set is like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Share of records that their source holds twice.
    pub(super) twice: f64,
    /// Factor on all error rates.
    pub(super) noise: f64,
    /// Whether tracers are in every source, as `musubi-encode` plants them; else as people are.
    pub(super) tracers_everywhere: bool,
}

/// The sources and the kind of their events.
pub(super) const SOURCES: [(&str, EventKind); 4] = [
    ("a", EventKind::Hospital),
    ("b", EventKind::Hospital),
    ("c", EventKind::Claim),
    ("d", EventKind::AdultCheckup),
];

/// A value with frequencies that fall off as names' do, from 1.
fn skewed(random: &mut ChaCha8Rng, values: f64) -> u32 {
    let x: f64 = random.random();
    values.powf(x) as u32
}

/// `persons` people in households, each in each source with a probability, with errors, moves, new
/// surnames and numbers.
pub(super) fn simulate(
    random: &mut ChaCha8Rng,
    persons: u32,
    is_tracer: bool,
    shape: Shape,
) -> Vec<Simulated> {
    let mut records = Vec::new();
    let mut household = (1, 1);
    let in_source = match is_tracer && shape.tracers_everywhere {
        true => 1.0,
        false => 0.6,
    };
    for person in 0..persons {
        if person == 0 || random.random_bool(0.5) {
            household = (skewed(random, 400.0), random.random_range(1..300));
        }
        let given = skewed(random, 300.0);
        let birth = random.random_range(1..9_000);
        let married = random.random_bool(0.04 * shape.noise);
        for source in 0..SOURCES.len() as u16 {
            if !random.random_bool(in_source) {
                continue;
            }
            let times = 1 + u32::from(!is_tracer && random.random_bool(shape.twice));
            for _ in 0..times {
                let mut fields = [household.0, given, birth, household.1, 1_000_000 + person];
                if married && random.random_bool(0.5) {
                    fields[SURNAME] = 20_000 + person;
                }
                if random.random_bool(0.2) {
                    fields[PLACE] = random.random_range(1..300);
                }
                if random.random_bool(0.6) {
                    fields[NUMBER] = 0;
                }
                for (field, chance) in [(SURNAME, 0.02), (GIVEN, 0.02), (BIRTH, 0.01)] {
                    if random.random_bool(chance * shape.noise) {
                        fields[field] = 10_000 + random.random_range(0..4_000);
                    }
                }
                records.push(Simulated {
                    person,
                    source,
                    year: random.random_range(2018..2022),
                    is_tracer,
                    fields,
                });
            }
        }
    }
    records
}

/// The tag values of a record, by the tags of the profile.
fn tags(record: &Simulated) -> [u64; 8] {
    let parts: [&[usize]; 8] = [
        &[SURNAME],
        &[GIVEN],
        &[BIRTH],
        &[PLACE],
        &[NUMBER],
        &[GIVEN, BIRTH],
        &[SURNAME, BIRTH],
        &[SURNAME, GIVEN, PLACE],
    ];
    parts.map(|parts| {
        let values = parts.iter().map(|part| u64::from(record.fields[*part]));
        match values.clone().any(|value| value == 0) {
            true => 0,
            false => values.fold(1, |hash, value| {
                (hash ^ value)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(31)
            }),
        }
    })
}

pub(super) fn table(profile: &LinkageProfile, records: &[Simulated]) -> RecordTable {
    let layout = profile.layout();
    let mut table = RecordTable::with_capacity(layout.clone(), records.len());
    for (key, record) in (1_u64..).zip(records) {
        let tags = tags(record);
        let present = (0..tags.len()).filter(|tag| tags[*tag] != 0);
        table.push(Row {
            filters: &[],
            tags: &tags,
            presence: present.fold(0, |mask, tag| mask | layout.tag_bit(tag)),
            kind: SOURCES[usize::from(record.source)].1,
            year: record.year,
            flags: match record.is_tracer {
                true => RecordFlag::Tracer.bit(),
                false => 0,
            },
            source: record.source,
            key: key.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        });
    }
    table
}
