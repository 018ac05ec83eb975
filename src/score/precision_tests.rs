//! The stated interval holds the truth: on simulated sets whose truth is known.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::score::tests::binary_profile;
use crate::score::{PatternCount, choose, estimate, wilson};
use crate::terms::profile::LinkageProfile;
use crate::terms::{ComparisonVector, Level};

/// Four fields, compared exactly.
fn profile() -> LinkageProfile {
    let relatives = "[[alternative]]\nname = \"relatives\"\nshare = 1.5\ncounted = true\n\
                     shared = { surname = 0.9, place = 0.9 }\n";
    let fields = [
        ("surname", 0.9),
        ("given", 0.9),
        ("birth", 0.9),
        ("place", 0.7),
    ];
    binary_profile(&fields, relatives)
}

const FIELDS: usize = 4;

struct Simulated {
    person: u32,
    source: u16,
    fields: [u32; FIELDS],
}

/// A value with frequencies that fall off as names' do.
fn skewed(random: &mut ChaCha8Rng, values: f64) -> u32 {
    let x: f64 = random.random();
    (values.powf(x) - 1.0) as u32
}

/// `persons` people in households, each in each source with probability 0.5, with errors and moves;
/// a share of the records is in its source twice.
fn simulate(random: &mut ChaCha8Rng, persons: u32, sources: u16, twice: f64) -> Vec<Simulated> {
    let mut records = Vec::new();
    let (mut surname, mut place) = (0, 0);
    for person in 0..persons {
        if person == 0 || random.random_bool(0.5) {
            (surname, place) = (skewed(random, 500.0), random.random_range(0..300));
        }
        let truth = [
            surname,
            skewed(random, 300.0),
            random.random_range(0..8_000),
            place,
        ];
        for source in 0..sources {
            if !random.random_bool(0.5) {
                continue;
            }
            for _ in 0..1 + u32::from(random.random_bool(twice)) {
                let wrong = [0.05, 0.05, 0.03, 0.15];
                let mut fields = truth;
                for (field, chance) in fields.iter_mut().zip(wrong) {
                    if random.random_bool(chance) {
                        *field = 10_000 + random.random_range(0..400);
                    }
                }
                records.push(Simulated {
                    person,
                    source,
                    fields,
                });
            }
        }
    }
    records
}

/// Bits of agreement of a pair.
fn pattern(a: &Simulated, b: &Simulated) -> usize {
    let agree = |field: usize| usize::from(a.fields[field] == b.fields[field]) << field;
    (0..FIELDS).map(agree).sum()
}

fn vector(pattern: usize) -> ComparisonVector {
    let mut vector = ComparisonVector::missing();
    (0..FIELDS).for_each(|field| vector.set(field, Level(u8::from(pattern >> field & 1 == 0))));
    vector
}

/// Precision of the links between sources, and what was stated about it.
fn linked(random: &mut ChaCha8Rng, sources: u16, twice: f64) -> (f64, CutEstimate, EstimateBasis) {
    let profile = profile();
    let records = simulate(random, 500, sources, twice);
    // Pairs by pattern: between sources right and wrong, and inside each source.
    let mut cross = [[0_u64; 2]; 1 << FIELDS];
    let mut within = vec![[0_u64; 1 << FIELDS]; usize::from(sources)];
    for (index, a) in records.iter().enumerate() {
        for b in &records[index + 1..] {
            let pattern = pattern(a, b);
            if a.source == b.source {
                within[usize::from(a.source)][pattern] += 1;
            } else {
                cross[pattern][usize::from(a.person != b.person)] += 1;
            }
        }
    }
    let total = |pattern: usize| {
        cross[pattern].iter().sum::<u64>() + within.iter().map(|w| w[pattern]).sum::<u64>()
    };
    let all: Vec<PatternCount> = (0..1 << FIELDS).map(|p| (vector(p), total(p))).collect();
    let candidates: Vec<PatternCount> = all[1..].to_vec();
    let pairs = all.iter().map(|(_, count)| *count as f64).sum();
    let found = estimate(&profile, &candidates, &all, pairs, records.len() as u64);
    let choice = choose(&found.model, &candidates, None);
    let upper = choice.thresholds.upper_bits;
    let mut counts = LinkCounts::new(upper, usize::from(sources));
    let (mut right, mut wrong) = (0, 0);
    for pattern in 1..1 << FIELDS {
        let weight = found.model.weight(&vector(pattern));
        counts.add(weight, (0, 1), cross[pattern].iter().sum());
        for (source, within) in within.iter().enumerate() {
            counts.add(weight, (source as u16, source as u16), within[pattern]);
        }
        if weight.0 >= upper {
            right += cross[pattern][0];
            wrong += cross[pattern][1];
        }
    }
    let of_source = |source: u16| records.iter().filter(|r| r.source == source).count() as u64;
    let per_source: Vec<u64> = (0..sources).map(of_source).collect();
    let errors = estimate_errors(&counts, &per_source, 500);
    let precision = right as f64 / (right + wrong) as f64;
    (precision, errors.cuts[UPPER].clone(), errors.basis)
}

#[test]
fn the_interval_of_precision_holds_the_truth_in_95_of_100_sets() {
    let seed = 20_261_122;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut held, mut narrow) = (0, 0);
    let sets = 200;
    for set in 0..sets {
        let twice = 0.05 * f64::from(set % 6) / 5.0;
        let (truth, stated, basis) = linked(&mut random, 2 + (set % 3) as u16, twice);
        assert_eq!(basis, EstimateBasis::Decoys);
        let Interval { low, high } = stated.precision_interval;
        held += u32::from(low <= truth && truth <= high);
        narrow += u32::from(high - low < 0.2);
    }
    assert!(held * 100 >= sets * 95, "{held} of {sets}, seed {seed}");
    assert!(
        narrow * 2 >= sets,
        "an interval that says nothing is no estimate"
    );
}

#[test]
fn sources_with_many_repeats_give_no_decoys() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (truth, stated, basis) = linked(&mut random, 3, 0.5);
    assert_eq!(basis, EstimateBasis::Model);
    let Interval { low, high } = stated.precision_interval;
    assert!(low <= truth && truth <= high, "{truth} in {low} to {high}");
}

#[test]
fn one_source_falls_back_to_the_model_and_says_so() {
    let mut counts = LinkCounts::new(0.0, 1);
    counts.add(MatchWeight(6.0), (0, 0), 100);
    let errors = estimate_errors(&counts, &[50], 20);
    assert_eq!(errors.basis, EstimateBasis::Model);
    assert_eq!(errors.fallbacks.len(), 1);
    let cut = &errors.cuts[UPPER];
    assert_eq!(cut.links, 100);
    assert!(
        (cut.false_links - 100.0 / 65.0).abs() < 1e-9,
        "2^-6 odds each"
    );
    assert!((cut.false_links_per_1000 - 1000.0 * cut.false_links / 20.0).abs() < 1e-9);
}

#[test]
fn decoys_scale_to_the_pairs_between_sources() {
    // Two sources of 100: 10,000 pairs between, 9,900 inside.
    let mut counts = LinkCounts::new(0.0, 2);
    counts.add(MatchWeight(1.0), (0, 1), 500);
    counts.add(MatchWeight(1.0), (1, 1), 9);
    let cut = &estimate_errors(&counts, &[100, 100], 100).cuts[UPPER];
    let expected = 9.0 * 10_000.0 / 9_900.0;
    assert!(
        (cut.false_links - expected).abs() < 0.2,
        "{}",
        cut.false_links
    );
    assert!(cut.false_interval.low < expected && cut.false_interval.high > expected);
    assert!(
        cut.false_interval.high < 25.0,
        "{}",
        cut.false_interval.high
    );
}

#[test]
fn duplicates_widen_the_interval_downwards_only() {
    let of = |duplicates: u64| {
        let mut counts = LinkCounts::new(0.0, 2);
        counts.add(MatchWeight(1.0), (0, 1), 40);
        counts.add(MatchWeight(30.0), (0, 1), 1_000);
        counts.add(MatchWeight(1.0), (0, 0), 20);
        counts.add(MatchWeight(30.0), (0, 0), duplicates);
        estimate_errors(&counts, &[1_000, 1_000], 1_000).cuts[UPPER].clone()
    };
    let (clean, dirty) = (of(0), of(30));
    assert!(dirty.false_interval.high > clean.false_interval.high);
    assert!(dirty.false_interval.low <= clean.false_interval.low + 1.0);
}

#[test]
fn poisson_intervals_are_those_of_the_tables() {
    // Garwood 1936: 0 → 3.69; 1 → 0.025 to 5.57; 10 → 4.80 to 18.39.
    for (count, low, high) in [(0.0, 0.0, 3.69), (1.0, 0.025, 5.57), (10.0, 4.80, 18.39)] {
        let found = poisson(count, Z);
        assert!((found.low - low).abs() < 0.08, "{count}: {}", found.low);
        assert!((found.high - high).abs() < 0.08, "{count}: {}", found.high);
    }
}

#[test]
fn wilson_intervals_hold_a_known_proportion() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let held = (0..1_000)
        .filter(|_| {
            let found = (0..200).filter(|_| random.random_bool(0.93)).count() as f64;
            let interval = wilson(found / 200.0, 200.0);
            interval.low <= 0.93 && 0.93 <= interval.high
        })
        .count();
    assert!(held >= 930, "{held} of 1,000");
    assert_eq!(
        wilson(0.5, 0.0),
        Interval {
            low: 0.0,
            high: 1.0
        }
    );
}
