//! m, u and λ from the data, without any truth.
//!
//! * u is counted on random pairs, almost all of which are different persons; those that the model
//!   itself holds for one person are taken out. Where a comparison cannot be seen on random pairs
//!   (it needs other attributes to agree first) the profile's u stays.
//! * m of a comparison is counted on candidate pairs that the *other* comparisons already tie
//!   (log odds of at least [`SURE_BITS`]). Fitting m on all candidates by plain EM collapses:
//!   blocking makes different persons look alike, and a free λ runs to 1.
//! * λ is the expected number of tied candidate pairs among all pairs.
//!
//! The three depend on each other, so they are refined in rounds. Everything is a function of the
//! counts of distinct comparison vectors, a few thousand, so rounds cost next to nothing.

use super::{ComparisonModel, Model, TwinModel};
use crate::terms::profile::{Comparison, Evidence, LinkageProfile, Twins};
use crate::terms::{ComparisonVector, Level, MatchWeight};

/// A comparison vector and how many pairs have it.
pub type PatternCount = (ComparisonVector, u64);

/// Log odds from which the other comparisons are taken to have decided, bits.
const SURE_BITS: f64 = 8.0;

/// From this similarity on, the filters of two given names are taken to be of one name.
const EQUAL_SIMILARITY: f64 = 0.95;

/// Rounds of refinement; the figures settle within ten.
const ROUNDS: usize = 20;

/// How many pairs the profile's starting m weigh against what is counted.
const START_PAIRS: f64 = 20.0;

/// No level is rarer than this among pairs of one person: whatever is compared, one record in a
/// thousand is plain wrong.
const M_MIN: f64 = 0.001;

/// Fewer tied pairs than this, and m stays close to the profile's values: say so.
const TIED_PAIRS_MIN: f64 = 200.0;

/// An estimated model and what to know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The model.
    pub model: Model,
    /// Fallbacks taken, in words.
    pub warnings: Vec<String>,
}

/// Estimates a model.
///
/// `candidates`: comparison vectors of all candidate pairs; `random`: of random pairs;
/// `total_pairs`: how many pairs there are at all, `n·(n−1)/2`; `records`: n.
#[must_use]
pub fn estimate(
    profile: &LinkageProfile,
    candidates: &[PatternCount],
    random: &[PatternCount],
    total_pairs: f64,
    records: u64,
) -> Estimate {
    // Before anything is known: as many matching pairs as there are records.
    let start = (records.max(1) as f64 / total_pairs.max(1.0)).min(0.5);
    let mut model = Model {
        prior_probability: start,
        comparisons: profile.comparisons.iter().map(starting_model).collect(),
        group_caps_bits: profile.groups.iter().map(|group| group.cap_bits).collect(),
        twins: profile
            .twins
            .as_ref()
            .map(|twins| twin_model(profile, twins)),
    };
    let lowest_prior = 1.0 / total_pairs.max(2.0);
    let mut tied = vec![0.0; model.comparisons.len()];
    for _ in 0..ROUNDS {
        refine_u(&mut model, profile, random);
        tied = refine_m(&mut model, profile, candidates);
        let expected: f64 = candidates
            .iter()
            .map(|(vector, count)| *count as f64 * model.weight(vector).probability())
            .sum();
        model.prior_probability = (expected / total_pairs.max(1.0)).clamp(lowest_prior, 0.5);
    }
    let warnings = profile
        .comparisons
        .iter()
        .zip(&tied)
        .enumerate()
        // A field that no source has is no news.
        .filter(|(index, _)| seen(candidates, *index))
        .filter(|(_, (_, pairs))| **pairs < TIED_PAIRS_MIN)
        .map(|(_, (comparison, pairs))| {
            format!(
                "comparison '{}': only {pairs:.0} pairs to learn from; the linkage profile's values weigh in",
                comparison.name
            )
        })
        .collect();
    Estimate { model, warnings }
}

/// Whether any candidate pair could be compared here.
fn seen(candidates: &[PatternCount], comparison: usize) -> bool {
    candidates
        .iter()
        .any(|(vector, _)| vector.level(comparison) != Level::MISSING)
}

fn twin_model(profile: &LinkageProfile, twins: &Twins) -> TwinModel {
    let rungs = &profile.comparisons[twins.given].rungs;
    let equal = |evidence: &Evidence| match evidence {
        Evidence::Attribute(_) | Evidence::Tag(_) => true,
        Evidence::Near(_) => false,
        Evidence::Filter { at_least, .. } => *at_least >= EQUAL_SIMILARITY,
    };
    let mut given_equal: Vec<bool> = rungs.iter().map(|rung| equal(&rung.evidence)).collect();
    given_equal.push(false);
    TwinModel {
        share: twins.share,
        same_sex: twins.same_sex,
        given: twins.given,
        given_equal,
        sex: twins.sex,
    }
}

fn starting_model(comparison: &Comparison) -> ComparisonModel {
    let mut m: Vec<f64> = comparison.rungs.iter().map(|rung| rung.m).collect();
    m.push(1.0 - m.iter().sum::<f64>());
    // Where u will be measured, start from a value that makes agreement count for something.
    let mut u: Vec<f64> = comparison
        .rungs
        .iter()
        .map(|rung| rung.u.unwrap_or(0.01))
        .collect();
    u.push((1.0 - u.iter().sum::<f64>()).max(0.5));
    normalise(&mut u);
    ComparisonModel {
        m,
        u,
        group: comparison.group,
    }
}

fn normalise(probabilities: &mut [f64]) {
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|p| *p /= sum);
}

/// Counts u on random pairs, each weighted by how surely it is two persons.
fn refine_u(model: &mut Model, profile: &LinkageProfile, random: &[PatternCount]) {
    let weights: Vec<f64> = random
        .iter()
        .map(|(vector, count)| *count as f64 * (1.0 - model.weight(vector).probability()))
        .collect();
    for (index, comparison) in profile.comparisons.iter().enumerate() {
        if comparison.rungs.iter().any(|rung| rung.u.is_some()) {
            continue;
        }
        let levels = comparison.rungs.len() + 1;
        // Half a pair for each level that was never seen.
        let mut counts = vec![0.5; levels];
        for ((vector, _), weight) in random.iter().zip(&weights) {
            let level = vector.level(index);
            if level != Level::MISSING {
                counts[usize::from(level.0)] += weight;
            }
        }
        normalise(&mut counts);
        model.comparisons[index].u = counts;
    }
}

/// Counts m of each comparison on the pairs that the others tie; returns how many those were.
fn refine_m(model: &mut Model, profile: &LinkageProfile, candidates: &[PatternCount]) -> Vec<f64> {
    let mut refined = Vec::with_capacity(model.comparisons.len());
    let mut tied = Vec::with_capacity(model.comparisons.len());
    for (index, comparison) in profile.comparisons.iter().enumerate() {
        let start = starting_model(comparison).m;
        let mut counts: Vec<f64> = start.iter().map(|m| m * START_PAIRS).collect();
        let mut pairs = 0.0;
        for (vector, count) in candidates {
            let level = vector.level(index);
            let others = model.stranger_bits(vector, Some(index));
            if level == Level::MISSING || others < SURE_BITS {
                continue;
            }
            // No strangers, then; but perhaps twins.
            let one_person = model
                .twin_bits(vector)
                .map_or(1.0, |bits| MatchWeight(bits).probability());
            let weight = *count as f64 * one_person;
            counts[usize::from(level.0)] += weight;
            pairs += weight;
        }
        normalise(&mut counts);
        counts.iter_mut().for_each(|m| *m = m.max(M_MIN));
        normalise(&mut counts);
        refined.push(counts);
        tied.push(pairs);
    }
    for (comparison, m) in model.comparisons.iter_mut().zip(refined) {
        comparison.m = m;
    }
    tied
}
