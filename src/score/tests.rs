use super::*;
use crate::terms::{MatchWeight, Thresholds};

/// A profile of comparisons of two levels, by name and start of m, with further lines at its end.
pub(super) fn binary_profile(comparisons: &[(&str, f64)], more: &str) -> LinkageProfile {
    let mut text = String::from(
        r#"
name = "test"
version = 1
summary = "Comparisons of two levels."
[[tag]]
name = "t"
attributes = ["surname"]
block = true
"#,
    );
    for (name, m) in comparisons {
        text +=
            &format!("[[comparison]]\nname = \"{name}\"\nrungs = [{{ tag = \"t\", m = {m} }}]\n");
    }
    LinkageProfile::parse(&(text + more)).expect("a valid profile")
}

const COMPARISONS: [(&str, f64); 4] = [("a", 0.6), ("b", 0.6), ("c", 0.6), ("d", 0.6)];

fn profile() -> LinkageProfile {
    binary_profile(&COMPARISONS, "")
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
pub(super) fn twins(share: &str) -> LinkageProfile {
    let twins = format!(
        "[[alternative]]\nname = \"twins\"\n{share}\nshared = {{ b = 0.5, c = 1.0, d = 1.0 }}\n"
    );
    binary_profile(&COMPARISONS, &twins)
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
    let mut profile = binary_profile(
        &COMPARISONS,
        "[[alternative]]\nname = \"relatives\"\nshare = 1.0\nshared = { b = 1.0 }\n",
    );
    profile.comparisons[1].rungs[0].personal = true;
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
fn a_target_of_false_links_is_kept_by_the_lowest_cut() {
    let (m, u) = ([0.95, 0.9, 0.8, 0.97], [0.02, 0.05, 0.1, 0.01]);
    let candidates = merged(patterns(10_000.0, m), &patterns(10_000_000.0, u));
    let random = patterns(5_000_000.0, u);
    let model = estimate(&profile(), &candidates, &random, 10_010_000.0, 4_474).model;
    let expected = |cut: f64| -> f64 {
        let weighted = candidates
            .iter()
            .map(|(vector, count)| (model.weight(vector).0, *count));
        let linked = weighted.filter(|(weight, _)| *weight >= cut);
        let wrong =
            linked.map(|(bits, count)| count as f64 * (1.0 - MatchWeight(bits).probability()));
        wrong.sum()
    };
    let mut last = f64::INFINITY;
    for target in [0.5, 20.0, 200.0] {
        let choice = choose_by_false_links(&model, &candidates, target, 4_000.0);
        let cut = choice.thresholds.upper_bits;
        assert!(
            expected(cut) <= 4.0 * target + 1e-9,
            "{target}: {}",
            expected(cut)
        );
        // The next weight below would be too many, or below even odds.
        let weights = candidates.iter().map(|(vector, _)| model.weight(vector).0);
        let next = weights
            .filter(|bits| *bits < cut)
            .fold(f64::NEG_INFINITY, f64::max);
        assert!(
            next < 0.0 || expected(next) > 4.0 * target,
            "{target} at {cut}"
        );
        assert!(cut <= last && choice.thresholds.lower_bits <= cut);
        assert_eq!(
            choice.rule,
            crate::terms::run::ThresholdRule::TargetFalseLinks(target)
        );
        last = cut;
    }
    let none = choose_by_false_links(&model, &candidates, 1e-12, 1.0);
    assert_eq!(
        expected(none.thresholds.upper_bits),
        0.0,
        "nothing is a link"
    );
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
