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

#[test]
fn weights_add_up_and_groups_are_capped() {
    let comparison = |group| ComparisonModel {
        m: vec![0.5, 0.5],
        u: vec![0.125, 0.875],
        group,
    };
    let mut model = Model {
        prior_probability: 0.2,
        comparisons: vec![comparison(None), comparison(Some(0)), comparison(Some(0))],
        group_caps_bits: vec![3.0],
        twins: None,
    };
    let mut vector = ComparisonVector::missing();
    assert!(
        (model.weight(&vector).0 + 2.0).abs() < 1e-9,
        "missing carries no evidence"
    );
    (0..3).for_each(|index| vector.set(index, Level(0)));
    assert!(
        (model.weight(&vector).0 - 3.0).abs() < 1e-9,
        "-2 + 2 + min(2 + 2, 3)"
    );
    model.group_caps_bits = vec![100.0];
    assert!((model.weight(&vector).0 - 4.0).abs() < 1e-9);
}

#[test]
fn twins_are_an_alternative_that_a_shared_household_does_not_refute() {
    let comparison = |agree: f64| ComparisonModel {
        m: vec![agree, 1.0 - agree],
        u: vec![0.001, 0.999],
        group: None,
    };
    let mut model = Model {
        prior_probability: 1e-6,
        comparisons: vec![
            comparison(0.98),
            comparison(0.9),
            comparison(0.99),
            comparison(0.9),
        ],
        group_caps_bits: Vec::new(),
        twins: Some(TwinModel {
            share: 0.02,
            same_sex: 0.65,
            given: 0,
            given_equal: vec![true, false],
            sex: 2,
        }),
    };
    let mut vector = ComparisonVector::missing();
    (0..4).for_each(|index| vector.set(index, Level(0)));
    let one_person = model.weight(&vector).0;
    vector.set(0, Level(1));
    let likely_twins = model.weight(&vector).0;
    // Against twins: 0.02 error rate of given names, over 0.02 twins, two in three of one sex.
    let against_twins = (0.02 / 0.999 / 0.02 * 0.99 / 0.65_f64).log2();
    assert!(
        (likely_twins - against_twins).abs() < 0.2,
        "{likely_twins} against {against_twins}"
    );
    model.twins = None;
    assert!(
        model.weight(&vector).0 > 4.0,
        "against strangers alone it would be a link"
    );
    vector.set(0, Level(0));
    assert!(
        (model.weight(&vector).0 - one_person).abs() < 1e-9,
        "equal names are not twins"
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
