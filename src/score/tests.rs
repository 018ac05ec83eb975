use super::*;
use crate::terms::Thresholds;

const PROFILE: &str = r#"
name = "test"
version = 1
summary = "Three binary comparisons."
[[filter]]
name = "f"
bits = 64
features = [{ attribute = "surname", grams = "whole", bits_per_gram = 8 }]
[[tag]]
name = "t"
attributes = ["surname"]
block = true
[[comparison]]
name = "a"
rungs = [{ filter = "f", at_least = 0.9, m = 0.6 }]
[[comparison]]
name = "b"
rungs = [{ filter = "f", at_least = 0.9, m = 0.6 }]
[[comparison]]
name = "c"
rungs = [{ filter = "f", at_least = 0.9, m = 0.6 }]
[[comparison]]
name = "d"
rungs = [{ filter = "f", at_least = 0.9, m = 0.6 }]
"#;

fn profile() -> LinkageProfile {
    LinkageProfile::parse(PROFILE).expect("a valid profile")
}

/// All 16 patterns of four binary comparisons with their expected counts.
fn patterns(pairs: f64, agree: [f64; 4]) -> Vec<PatternCount> {
    (0..16_u8)
        .map(|bits| {
            let mut vector = ComparisonVector::missing();
            let mut probability = 1.0;
            for (index, p) in agree.iter().enumerate() {
                let agrees = bits >> index & 1 == 1;
                vector.set(index, Level(u8::from(!agrees)));
                probability *= if agrees { *p } else { 1.0 - p };
            }
            (vector, (pairs * probability).round() as u64)
        })
        .collect()
}

fn merged(one: Vec<PatternCount>, two: &[PatternCount]) -> Vec<PatternCount> {
    one.into_iter()
        .zip(two)
        .map(|((vector, x), (_, y))| (vector, x + y))
        .collect()
}

/// A model of binary comparisons with these m and u of agreement.
fn model(m: &[f64], u: f64, prior_probability: f64) -> Model {
    let comparison = |m: &f64| ComparisonModel {
        m: vec![*m, 1.0 - m],
        u: vec![u, 1.0 - u],
    };
    Model {
        prior_probability,
        comparisons: m.iter().map(comparison).collect(),
        alternatives: Vec::new(),
    }
}

#[test]
fn weights_add_up_and_missing_ones_do_not_count() {
    let model = model(&[0.5, 0.5, 0.5], 0.125, 0.2);
    let mut vector = ComparisonVector::missing();
    assert!(
        (model.weight(&vector).0 + 2.0).abs() < 1e-9,
        "missing carries no evidence"
    );
    (0..3).for_each(|index| vector.set(index, Level(0)));
    assert!(
        (model.weight(&vector).0 - 4.0).abs() < 1e-9,
        "-2 + 2 + 2 + 2"
    );
}

/// Four binary comparisons, of which twins share all but the first, and the second partly.
fn twins(share: &str) -> LinkageProfile {
    let text = format!(
        "{PROFILE}\n[[alternative]]\nname = \"twins\"\n{share}\nshared = {{ b = 0.5, c = 1.0, d = 1.0 }}\n"
    );
    LinkageProfile::parse(&text).expect("a valid profile")
}

#[test]
fn twins_are_an_alternative_that_a_shared_household_does_not_refute() {
    let profile = twins("share = 0.02");
    let mut scored = model(&[0.98, 0.9, 0.99, 0.9], 0.001, 1e-6);
    let alone = scored.clone();
    scored.derive_alternatives(&profile);
    let mut vector = ComparisonVector::missing();
    (0..4).for_each(|index| vector.set(index, Level(0)));
    let one_person = scored.weight(&vector).0;
    assert!(
        one_person > alone.weight(&vector).0.min(14.0),
        "an equal name speaks against twins: {one_person}"
    );
    vector.set(0, Level(1));
    // Against twins: 0.02 wrong names over 0.02 twins, who share the second fact half of the time.
    let against_twins = -(0.02 * (0.999 / 0.02) * (0.5 + 0.5 * 0.001 / 0.9_f64)).log2();
    let likely_twins = scored.weight(&vector).0;
    assert!(
        (likely_twins - against_twins).abs() < 0.2,
        "{likely_twins} against {against_twins}"
    );
    assert!(
        alone.weight(&vector).0 > 4.0,
        "against strangers alone it would be a link"
    );
}

#[test]
fn what_is_personal_is_not_shared() {
    let text = PROFILE.replace(
        "name = \"b\"\nrungs = [{ filter = \"f\", at_least = 0.9, m = 0.6 }]",
        "name = \"b\"\nrungs = [{ filter = \"f\", at_least = 0.9, m = 0.6, personal = true }]",
    );
    let text = format!(
        "{text}\n[[alternative]]\nname = \"relatives\"\nshare = 1.0\nshared = {{ b = 1.0 }}\n"
    );
    let profile = LinkageProfile::parse(&text).expect("a valid profile");
    let mut scored = model(&[0.9; 4], 0.01, 0.001);
    scored.derive_alternatives(&profile);
    assert_eq!(scored.alternatives[0].u[1], vec![0.0, 1.0]);
    assert_eq!(scored.alternatives[0].u[0], vec![0.01, 0.99]);
}

#[test]
fn how_common_an_alternative_is_comes_from_the_data() {
    // One person's pairs, strangers, and no relatives at all: the stated share must not hold.
    let profile = twins("share = 1.0\ncounted = true");
    let (m, u) = ([0.95, 0.9, 0.8, 0.97], [0.002, 0.005, 0.01, 0.001]);
    let all = merged(patterns(50_000.0, m), &patterns(500_000_000.0, u));
    let random = patterns(5_000_000.0, u);
    let found = estimate(&profile, &all, &random, 500_050_000.0, 32_000);
    let share = found.model.alternatives[0].share;
    assert!(share < 0.2, "share {share}");
    let fixed = twins("share = 1.0");
    let kept = estimate(&fixed, &all, &random, 500_050_000.0, 32_000);
    assert!((kept.model.alternatives[0].share - 1.0).abs() < 1e-9);
}

/// Plain EM on candidate pairs: m, u and λ all free, as textbooks have it for unblocked pairs.
fn plain_em(candidates: &[PatternCount]) -> f64 {
    let (mut prior, mut m, mut u) = (0.1, [0.9; 4], [0.1; 4]);
    let agrees = |vector: &ComparisonVector, index: usize| vector.level(index) == Level(0);
    for _ in 0..500 {
        let (mut matching, mut total) = (0.0, 0.0);
        let (mut m_counts, mut u_counts) = ([0.0; 4], [0.0; 4]);
        for (vector, count) in candidates {
            let likelihood = |p: &[f64; 4]| -> f64 {
                (0..4)
                    .map(|i| if agrees(vector, i) { p[i] } else { 1.0 - p[i] })
                    .product()
            };
            let (one, two) = (prior * likelihood(&m), (1.0 - prior) * likelihood(&u));
            let (count, share) = (*count as f64, one / (one + two));
            matching += count * share;
            total += count;
            for index in (0..4).filter(|index| agrees(vector, *index)) {
                m_counts[index] += count * share;
                u_counts[index] += count * (1.0 - share);
            }
        }
        prior = matching / total;
        for index in 0..4 {
            m[index] = (m_counts[index] / matching).clamp(1e-6, 1.0 - 1e-6);
            u[index] = (u_counts[index] / (total - matching)).clamp(1e-6, 1.0 - 1e-6);
        }
    }
    prior
}

#[test]
fn plain_em_on_candidates_collapses_and_ours_does_not() {
    let (m, u) = ([0.95, 0.9, 0.8, 0.97], [0.002, 0.005, 0.01, 0.001]);
    let (matching, different) = (50_000.0, 500_000_000.0);
    let all = merged(patterns(matching, m), &patterns(different, u));
    let blocked = |(vector, _): &PatternCount| (0..4).any(|i| vector.level(i) == Level(0));
    let candidates: Vec<PatternCount> = all.into_iter().filter(blocked).collect();
    let pairs: u64 = candidates.iter().map(|(_, count)| count).sum();
    let truth = matching / pairs as f64;

    let plain = plain_em(&candidates);
    assert!(
        (plain / truth - 1.0).abs() > 0.5,
        "plain EM says {plain} of the candidates match, where {truth} do"
    );
    let random = patterns(5_000_000.0, u);
    let ours = estimate(
        &profile(),
        &candidates,
        &random,
        matching + different,
        32_000,
    );
    let ours = ours.model.prior_probability * (matching + different) / pairs as f64;
    assert!(
        (ours / truth - 1.0).abs() < 0.1,
        "ours says {ours}, where {truth} do"
    );
}

#[test]
fn the_model_is_recovered_without_truth() {
    let (m, u) = ([0.95, 0.9, 0.8, 0.97], [0.002, 0.005, 0.01, 0.001]);
    let (matching, different) = (50_000.0, 500_000_000.0);
    let random = patterns(5_000_000.0, u);
    let all = merged(patterns(matching, m), &patterns(different, u));
    // Blocking: only pairs that agree somewhere are candidates.
    let candidates: Vec<PatternCount> = all
        .into_iter()
        .filter(|(vector, _)| (0..4).any(|index| vector.level(index) == Level(0)))
        .collect();
    let found = estimate(
        &profile(),
        &candidates,
        &random,
        matching + different,
        32_000,
    );
    for (index, comparison) in found.model.comparisons.iter().enumerate() {
        assert!(
            (comparison.m[0] - m[index]).abs() < 0.03,
            "m of {index}: {}",
            comparison.m[0]
        );
        assert!(
            (comparison.u[0] / u[index] - 1.0).abs() < 0.05,
            "u of {index}: {}",
            comparison.u[0]
        );
    }
    let prior = matching / (matching + different);
    let ratio = found.model.prior_probability / prior;
    assert!(
        (0.9..1.1).contains(&ratio),
        "prior off by a factor of {ratio}"
    );
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

#[test]
fn nothing_to_learn_from_leaves_the_profile_and_says_so() {
    let found = estimate(&profile(), &[], &[], 0.0, 0);
    assert!(found.warnings.is_empty(), "nothing was compared at all");
    assert!(found.model.prior_probability.is_finite() && found.model.prior_probability > 0.0);
    for comparison in &found.model.comparisons {
        assert!((comparison.m[0] - 0.6).abs() < 1e-9);
        assert!(comparison.u.iter().all(|u| u.is_finite() && *u > 0.0));
    }
}

#[test]
fn too_few_pairs_to_learn_from_are_a_warning() {
    let few = patterns(50.0, [0.9, 0.9, 0.9, 0.9]);
    let found = estimate(
        &profile(),
        &few,
        &patterns(1000.0, [0.01; 4]),
        50_000.0,
        316,
    );
    assert_eq!(found.warnings.len(), 4, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("'a'"));
}

#[test]
fn all_records_identical_does_not_break_the_arithmetic() {
    let mut vector = ComparisonVector::missing();
    (0..4).for_each(|index| vector.set(index, Level(0)));
    let found = estimate(
        &profile(),
        &[(vector, 4_950)],
        &[(vector, 4_950)],
        4_950.0,
        100,
    );
    assert!(found.model.weight(&vector).0.is_finite());
    let choice = choose(&found.model, &[(vector, 4_950)], None);
    assert!(choice.thresholds.upper_bits.is_finite() && choice.expected_precision.is_finite());
}

#[test]
fn the_chosen_cut_keeps_its_promise_under_the_model() {
    let (m, u) = ([0.95, 0.9, 0.8, 0.97], [0.02, 0.05, 0.1, 0.01]);
    let candidates = merged(patterns(10_000.0, m), &patterns(10_000_000.0, u));
    let found = estimate(
        &profile(),
        &candidates,
        &patterns(5_000_000.0, u),
        10_010_000.0,
        4_474,
    );
    let choice = choose(&found.model, &candidates, None);
    let cut = choice.thresholds.upper_bits;
    let share = |counts: &[PatternCount]| -> f64 {
        let linked = counts
            .iter()
            .filter(|(vector, _)| found.model.weight(vector).0 >= cut);
        linked.map(|(_, count)| *count as f64).sum()
    };
    let (right, wrong) = (
        share(&patterns(10_000.0, m)),
        share(&patterns(10_000_000.0, u)),
    );
    assert!(right > 5_000.0, "the cut links something: {right}");
    assert!(
        right / (right + wrong) >= TARGET_PRECISION - 0.005,
        "{right} right, {wrong} wrong"
    );
    assert!(choice.thresholds.lower_bits <= cut);
}

#[test]
fn given_thresholds_are_kept() {
    let fixed = Thresholds {
        upper_bits: 7.0,
        lower_bits: 1.0,
    };
    let model = estimate(&profile(), &[], &[], 10.0, 5).model;
    assert_eq!(choose(&model, &[], Some(fixed)).thresholds, fixed);
}

#[test]
fn the_histogram_counts_every_pair_once() {
    let candidates = patterns(1_000_000.0, [0.5, 0.5, 0.5, 0.5]);
    let model = estimate(&profile(), &candidates, &candidates, 1e9, 1000).model;
    let total: u64 = candidates.iter().map(|(_, count)| count).sum();
    assert_eq!(
        histogram(&model, &candidates).counts.iter().sum::<u64>(),
        total
    );
}

mod bad_input {
    use proptest::prelude::*;

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
}
