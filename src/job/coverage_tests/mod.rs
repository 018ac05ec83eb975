//! Do the stated intervals hold the truth? On simulated sets, from evidence through blocking, scoring
//! and clustering to the figures of the methods sheet.

mod simulated;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::simulated::{PROFILE, SOURCES, Shape, Simulated, simulate, table};
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
use crate::terms::{EventKind, RowIndex, SourceId};

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
    let found = block::candidates(&table, &block_plan(&profile, &table), &|_| ());
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
    let missed = cluster::uncompared(table.len(), &scored.links, &found.pairs, 200, &|_| true);
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
            let counted = group.counted.expect("no small source");
            parts.add_people(&counted, outcome.people(|record| record.source == source));
        }
        for group in &count.years {
            let year: u16 = group.name.parse().expect("a year");
            let Some(counted) = &group.counted else {
                continue;
            };
            parts.add_people(counted, outcome.people(|record| record.year == year));
        }
        for overlap in &count.overlaps {
            let Some(counted) = &overlap.counted else {
                continue;
            };
            let of = |wanted: EventKind| {
                outcome.people(move |record| SOURCES[usize::from(record.source)].1 == wanted)
            };
            let either = outcome.people(|record| {
                overlap
                    .kinds
                    .contains(&SOURCES[usize::from(record.source)].1)
            });
            let [first, second] = overlap.kinds;
            overlaps.add_people(counted, of(first) + of(second) - either);
        }
    }
    // What is corrected needs it.
    assert!(entities.held * 2 < entities.of);
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
