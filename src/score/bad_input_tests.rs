//! Whatever comes in, figures stay figures.

use proptest::prelude::*;

use super::tests::twins;
use super::*;
use crate::terms::SourceId;

/// Any few patterns, with missing levels, in any number.
fn counts() -> impl Strategy<Value = Vec<PatternCount>> {
    let level = prop_oneof![Just(0_u8), Just(1), Just(u8::MAX)];
    let pattern = (prop::array::uniform4(level), 0_u64..1_000_000);
    prop::collection::vec(pattern, 0..6).prop_map(|patterns| {
        let vector = |levels: [u8; 4]| {
            let mut vector = ComparisonVector::missing();
            let set = |(index, level): (usize, u8)| vector.set(index, Level(level));
            levels.into_iter().enumerate().for_each(set);
            vector
        };
        let counted = patterns.into_iter();
        counted.map(|(levels, n)| (vector(levels), n)).collect()
    })
}

proptest! {
    /// No decoys, one record, all missing, all identical: figures stay figures, and a run that
    /// has nothing to learn from says so.
    #[test]
    fn no_input_gives_nan_or_panics(
        candidates in counts(),
        random in counts(),
        records in prop::collection::vec(0_u64..2_000, 1..4),
        entities in 0_u64..2_000,
    ) {
        let all: u64 = records.iter().sum();
        let pairs = all as f64 * (all as f64 - 1.0) / 2.0;
        let profile = twins("share = 0.5\ncounted = true");
        let found = estimate(&profile, &candidates, &random, pairs.max(0.0), all);
        let choice = choose(&found.model, &candidates, None);
        prop_assert!(choice.thresholds.upper_bits.is_finite());
        prop_assert!(choice.thresholds.lower_bits <= choice.thresholds.upper_bits);
        prop_assert!((0.0..=1.0).contains(&choice.expected_precision));
        let mut counts = LinkCounts::new(choice.thresholds.upper_bits, records.len());
        for (index, (vector, pairs)) in candidates.iter().enumerate() {
            let weight = found.model.weight(vector);
            prop_assert!(weight.0.is_finite());
            let sources = ((index % records.len()) as u16, (index / 2 % records.len()) as u16);
            counts.add(weight, sources, *pairs);
        }
        let errors = estimate_errors(&counts, &records, entities);
        for cut in &errors.cuts {
            let figures = [cut.precision, cut.precision_interval.low, cut.relative_recall];
            prop_assert!(figures.iter().all(|x| (-1e-9..=1.0 + 1e-9).contains(x)), "{cut:?}");
            prop_assert!(cut.precision_interval.low <= cut.precision + 1e-9);
            prop_assert!(cut.precision <= cut.precision_interval.high + 1e-9);
            prop_assert!(cut.false_links_per_1000.is_finite());
        }
        let links = errors.cuts.iter().find(|cut| cut.cut_bits == choice.thresholds.upper_bits);
        prop_assert!(links.is_none_or(|cut| cut.links > 0) || !errors.fallbacks.is_empty());
        let names: Vec<SourceId> = (0..records.len())
            .map(|source| SourceId::new(format!("s{source}")).expect("a good name"))
            .collect();
        let sheet = methods_sheet(&profile, &found, errors, &names);
        prop_assert_eq!(sheet.model_fingerprint.len(), 64);
        prop_assert!(sheet.comparisons.iter().flat_map(|c| &c.m).all(|m| m.low <= m.high));
    }
}
