//! Do the stated intervals hold the truth? On simulated sets, from evidence through blocking, scoring
//! and clustering to the figures of the methods sheet.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::people::{self, Linkage};
use super::{block_plan, clustering, scoring, tracers};
use crate::block;
use crate::cluster::{self, ClusterRules, Evidence};
use crate::compare::Comparer;
use crate::score;
use crate::terms::methods::{Interval, TracerRecall};
use crate::terms::people::{CountedPeople, PeopleBasis, PeopleCount};
use crate::terms::profile::LinkageProfile;
use crate::terms::run::ThresholdPolicy;
use crate::terms::{EventKind, RecordFlag, RecordTable, Row, RowIndex, SourceId};

const PROFILE: &str = r#"
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
struct Simulated {
    person: u32,
    source: u16,
    year: u16,
    is_tracer: bool,
    fields: [u32; FIELDS],
}

/// What a set is like.
#[derive(Clone, Copy)]
struct Shape {
    /// Share of records that their source holds twice.
    twice: f64,
    /// Factor on all error rates.
    noise: f64,
    /// Whether tracers are in every source, as `musubi-encode` plants them; else as people are.
    tracers_everywhere: bool,
}

const SOURCES: [(&str, EventKind); 4] = [
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
fn simulate(
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

fn table(profile: &LinkageProfile, records: &[Simulated]) -> RecordTable {
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

/// What a run said about a set, beside the truth.
struct Outcome {
    records: Vec<Simulated>,
    precision: f64,
    precision_interval: Interval,
    /// Pairs of one person: found, and all.
    pairs: (u64, u64),
    tracers: Option<TracerRecall>,
    count: PeopleCount,
}

impl Outcome {
    /// People with a record for which `holds`.
    fn people(&self, holds: impl Fn(&Simulated) -> bool) -> f64 {
        let records = self.records.iter().filter(|record| !record.is_tracer);
        let mut people: Vec<u32> = records
            .filter(|one| holds(one))
            .map(|one| one.person)
            .collect();
        people.sort_unstable();
        people.dedup();
        people.len() as f64
    }
}

/// Links a set as the pipeline does.
fn linked(random: &mut ChaCha8Rng, persons: u32, tracer_count: u32, shape: Shape) -> Outcome {
    let profile = LinkageProfile::parse(PROFILE).expect("a valid profile");
    let mut records = simulate(random, persons, false, shape);
    records.extend(simulate(random, tracer_count, true, shape));
    let table = table(&profile, &records);
    let found = block::candidates(&table, &block_plan(&profile), &|_| ());
    let comparer = Comparer::new(&profile, &table);
    let vectors = scoring::compare(&comparer, &found.pairs, &|_| ());
    let sources = SOURCES.len();
    let mut scored = scoring::score(
        &profile,
        &table,
        sources,
        &comparer,
        &found.pairs,
        &vectors,
        ThresholdPolicy::Precision,
    );
    let missed = cluster::uncompared(table.len(), &scored.links, &found.pairs, 200);
    let vectors = scoring::compare(&comparer, &missed, &|_| ());
    scored.add(&table, &missed, &vectors);
    scored.retain(|pair| tracers::may_be_one(&table, pair));
    let rules = ClusterRules::of(&profile, scored.choice.thresholds.upper_bits);
    let evidence = Evidence {
        links: &scored.links,
        supporting: &scored.supporting,
        verdicts: &[],
    };
    let clusters = cluster::solve(&table, evidence, &rules);
    clustering::report(&table, &clusters, &rules);
    let partition = &clusters.partition;
    let mut of_source = vec![0; sources];
    let real = records.iter().filter(|record| !record.is_tracer);
    real.for_each(|record| of_source[usize::from(record.source)] += 1);
    let errors = score::estimate_errors(&scored.counts, &of_source, u64::from(persons));
    let mut invented = vec![Vec::new(); tracer_count as usize];
    for (row, record) in (0..).zip(&records).filter(|(_, record)| record.is_tracer) {
        invented[record.person as usize].push(row);
    }
    let names = SOURCES.map(|(name, _)| SourceId::new(name).expect("a name"));
    let (count, _) = people::count(&Linkage {
        table: &table,
        sources: &names,
        partition,
        scored: &scored,
        errors: &errors,
        tracers: &invented,
    });
    let is_one = |a: RowIndex, b: RowIndex| {
        let (a, b) = (&records[a as usize], &records[b as usize]);
        a.person == b.person && a.is_tracer == b.is_tracer
    };
    let across = scored.links.iter().filter(|link| {
        let [a, b] = [link.pair.a, link.pair.b].map(|row| &records[row as usize]);
        a.source != b.source && !a.is_tracer
    });
    let right: Vec<bool> = across
        .map(|link| is_one(link.pair.a, link.pair.b))
        .collect();
    let cluster_of = partition.cluster_of_rows();
    let mut pairs = (0, 0);
    for a in 0..records.len() {
        for b in a + 1..records.len() {
            // Records of a person lie side by side.
            if records[a].is_tracer || !is_one(a as RowIndex, b as RowIndex) {
                break;
            }
            pairs.0 += u64::from(cluster_of[a] == cluster_of[b]);
            pairs.1 += 1;
        }
    }
    Outcome {
        precision: right.iter().filter(|right| **right).count() as f64 / right.len() as f64,
        precision_interval: errors.at_upper().precision_interval,
        pairs,
        tracers: tracers::recall(&invented, partition),
        count,
        records,
    }
}

fn holds(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

/// How many of some intervals held the truth, and how wide they were on average.
#[derive(Default)]
struct Coverage {
    held: u32,
    of: u32,
    width: f64,
}

impl Coverage {
    fn add(&mut self, interval: Interval, truth: f64) {
        self.held += u32::from(holds(interval, truth));
        self.of += 1;
        self.width += interval.high - interval.low;
    }

    /// Adds an interval of a number of people; its width counts as a share of the number.
    fn add_people(&mut self, counted: &CountedPeople, truth: f64) {
        let width = (counted.interval.high - counted.interval.low) / truth.max(1.0);
        self.held += u32::from(holds(counted.interval, truth));
        self.of += 1;
        self.width += width;
    }

    fn check(&self, what: &str, percent: u32, seed: u64) {
        let width = self.width / f64::from(self.of);
        println!(
            "{what}: {} of {} hold the truth, mean width {width:.4}",
            self.held, self.of
        );
        assert!(
            self.held * 100 >= self.of * percent,
            "{what}: {} of {}, seed {seed}",
            self.held,
            self.of
        );
    }
}

const SETS: u64 = 160;

#[test]
fn stated_intervals_hold_the_truth_in_95_of_100_sets() {
    let seed = 20_261_122;
    println!("seed {seed}");
    let outcomes: Vec<(usize, Outcome)> = (0..SETS)
        .into_par_iter()
        .map(|set| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(set);
            let kind = (set % 8) as usize;
            let shape = Shape {
                twice: [0.0, 0.02, 0.05, 0.01][kind % 4],
                noise: [1.0, 3.0][kind / 4],
                tracers_everywhere: false,
            };
            (kind, linked(&mut random, 500, 250, shape))
        })
        .collect();
    // The recall that tracers have a sample of: that of people of the same kind of set, all together.
    let mut recall = [(0, 0); 8];
    for (kind, outcome) in &outcomes {
        recall[*kind].0 += outcome.pairs.0;
        recall[*kind].1 += outcome.pairs.1;
    }
    let [mut precision, mut tracers, mut people] = [(); 3].map(|()| Coverage::default());
    let [mut parts, mut overlaps, mut entities] = [(); 3].map(|()| Coverage::default());
    for (kind, outcome) in &outcomes {
        precision.add(outcome.precision_interval, outcome.precision);
        let (found, all) = recall[*kind];
        let of_tracers = outcome.tracers.expect("tracers were planted");
        tracers.add(of_tracers.interval, found as f64 / all as f64);
        let count = &outcome.count;
        assert_eq!(count.basis, PeopleBasis::Tracers);
        let truth = outcome.people(|_| true);
        people.add_people(&count.all, truth);
        entities.add_people(
            &CountedPeople {
                interval: Interval {
                    low: count.all.entities as f64,
                    high: count.all.entities as f64,
                },
                ..count.all
            },
            truth,
        );
        for (source, group) in (0..).zip(&count.sources) {
            parts.add_people(
                &group.counted,
                outcome.people(|record| record.source == source),
            );
        }
        for group in &count.years {
            let year: u16 = group.name.parse().expect("a year");
            parts.add_people(&group.counted, outcome.people(|record| record.year == year));
        }
        for overlap in &count.overlaps {
            let of = |wanted: EventKind| {
                outcome.people(move |record| SOURCES[usize::from(record.source)].1 == wanted)
            };
            let either = outcome.people(|record| {
                overlap
                    .kinds
                    .contains(&SOURCES[usize::from(record.source)].1)
            });
            let [first, second] = overlap.kinds;
            overlaps.add_people(&overlap.counted, of(first) + of(second) - either);
        }
    }
    println!(
        "entities as they are: {} of {} are the truth",
        entities.held, entities.of
    );
    precision.check("precision of links", 95, seed);
    tracers.check("recall on tracers", 95, seed);
    people.check("people", 95, seed);
    parts.check("people by source and year", 90, seed);
    overlaps.check("people of two kinds", 90, seed);
    assert!(
        people.width < 0.1 * f64::from(people.of),
        "an interval that says nothing"
    );
}

#[test]
fn tracers_in_every_source_still_count_the_people() {
    let seed = 20_261_123;
    println!("seed {seed}");
    let outcomes: Vec<Outcome> = (0..40)
        .into_par_iter()
        .map(|set| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(set);
            let shape = Shape {
                twice: 0.02,
                noise: 1.0,
                tracers_everywhere: true,
            };
            linked(&mut random, 500, 250, shape)
        })
        .collect();
    let mut people = Coverage::default();
    for outcome in &outcomes {
        people.add_people(&outcome.count.all, outcome.people(|_| true));
    }
    people.check("people", 90, seed);
}

#[test]
fn without_tracers_the_model_counts_and_says_so() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let shape = Shape {
        twice: 0.0,
        noise: 1.0,
        tracers_everywhere: false,
    };
    let outcome = linked(&mut random, 500, 0, shape);
    assert_eq!(outcome.count.basis, PeopleBasis::Model);
    assert_eq!(outcome.tracers, None);
    let all = outcome.count.all;
    assert!(all.interval.low <= all.people && all.people <= all.interval.high);
}
