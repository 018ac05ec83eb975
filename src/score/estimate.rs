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

use super::{ComparisonModel, Model};
use crate::terms::profile::{Comparison, LinkageProfile, VALUE_CLASSES};
use crate::terms::{ComparisonVector, Level};

/// A comparison vector and how many pairs have it.
pub type PatternCount = (ComparisonVector, u64);

/// Log odds from which the other comparisons are taken to have decided, bits.
const SURE_BITS: f64 = 8.0;

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
    /// Pairs of one person that m was counted on, by comparison.
    pub m_pairs: Vec<f64>,
    /// Random pairs that u was counted on, by comparison; 0: u is the profile's.
    pub u_pairs: Vec<f64>,
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
        alternatives: Vec::new(),
    };
    model.derive_alternatives(profile);
    let lowest_prior = 1.0 / total_pairs.max(2.0);
    let mut tied = vec![0.0; model.comparisons.len()];
    for _ in 0..ROUNDS {
        refine_u(&mut model, profile, random);
        tied = refine_m(&mut model, profile, candidates);
        refine_shares(&mut model, profile, candidates);
        model.derive_alternatives(profile);
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
    let u_pairs = profile.comparisons.iter().enumerate();
    let u_pairs = u_pairs
        .map(|(index, comparison)| match measures_u(comparison) {
            true => compared(profile, random, index),
            false => 0.0,
        })
        .collect();
    Estimate {
        model,
        m_pairs: tied,
        u_pairs,
        warnings,
    }
}

/// Whether any candidate pair could be compared here.
fn seen(candidates: &[PatternCount], comparison: usize) -> bool {
    candidates
        .iter()
        .any(|(vector, _)| vector.level(comparison) != Level::MISSING)
}

fn starting_model(comparison: &Comparison) -> ComparisonModel {
    // Where u will be measured, start from a value that makes agreement count for something.
    let u_rungs = comparison.rungs.iter().map(|rung| rung.u.unwrap_or(0.01));
    let mut u = by_level(comparison, u_rungs);
    u.push((1.0 - u.iter().sum::<f64>()).max(0.5));
    normalise(&mut u);
    let mut m = by_level(comparison, comparison.rungs.iter().map(|rung| rung.m));
    m.push(1.0 - m.iter().sum::<f64>());
    ComparisonModel { m, u }
}

/// Probabilities of rungs as probabilities of levels: classes of values begin as equals.
fn by_level(comparison: &Comparison, rungs: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut levels: Vec<f64> = rungs.collect();
    if comparison.by_frequency {
        let part = levels[0] / VALUE_CLASSES as f64;
        levels.splice(0..1, std::iter::repeat_n(part, VALUE_CLASSES));
    }
    levels
}

fn normalise(probabilities: &mut [f64]) {
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|p| *p /= sum);
}

/// Counts u on random pairs, each weighted by how surely it is two persons; where the profile asks
/// for it, only on those that agree on certain other comparisons (given names depend on sex).
fn refine_u(model: &mut Model, profile: &LinkageProfile, random: &[PatternCount]) {
    let weights: Vec<f64> = random
        .iter()
        .map(|(vector, count)| *count as f64 * (1.0 - model.weight(vector).probability()))
        .collect();
    for (index, comparison) in profile.comparisons.iter().enumerate() {
        if !measures_u(comparison) {
            continue;
        }
        // Half a pair for each level that was never seen.
        let mut counts = vec![0.5; comparison.levels()];
        let counted = random
            .iter()
            .zip(&weights)
            .filter(|((vector, _), _)| agree_best(profile, vector, &comparison.u_among));
        add_levels(&mut counts, index, counted);
        normalise(&mut counts);
        model.comparisons[index].u = counts;
    }
}

/// Whether u is counted, and not the profile's.
fn measures_u(comparison: &Comparison) -> bool {
    comparison.rungs.iter().all(|rung| rung.u.is_none())
}

/// How many of the pairs u of a comparison is counted on.
fn compared(profile: &LinkageProfile, random: &[PatternCount], index: usize) -> f64 {
    let among = &profile.comparisons[index].u_among;
    let counted = random.iter().filter(|(vector, _)| {
        vector.level(index) != Level::MISSING && agree_best(profile, vector, among)
    });
    counted.map(|(_, count)| *count as f64).sum()
}

/// Adds the weights of pairs to the levels of one comparison.
fn add_levels<'a>(
    counts: &mut [f64],
    comparison: usize,
    pairs: impl Iterator<Item = (&'a PatternCount, &'a f64)>,
) {
    for ((vector, _), weight) in pairs {
        let level = vector.level(comparison);
        if level != Level::MISSING {
            counts[usize::from(level.0)] += weight;
        }
    }
}

/// Whether a pair reaches the first rung of all these comparisons.
fn agree_best(profile: &LinkageProfile, vector: &ComparisonVector, comparisons: &[usize]) -> bool {
    comparisons.iter().all(|comparison| {
        let level = vector.level(*comparison);
        level != Level::MISSING
            && profile.comparisons[*comparison].rung_of_level(usize::from(level.0)) == Some(0)
    })
}

/// Counts how common the alternatives are among the candidates; the profile's share is the most.
///
/// What the sources hold decides it: a register of one household each has no relatives.
fn refine_shares(model: &mut Model, profile: &LinkageProfile, candidates: &[PatternCount]) {
    let mut pairs = vec![0.0; model.alternatives.len()];
    let mut one_person = 0.0;
    for (vector, count) in candidates {
        let probability = *count as f64 * model.weight(vector).probability();
        one_person += probability;
        for (sum, alternative) in pairs.iter_mut().zip(&model.alternatives) {
            *sum += probability * model.odds_of(alternative, vector);
        }
    }
    let shares = profile.alternatives.iter().zip(pairs);
    for (alternative, (stated, pairs)) in model.alternatives.iter_mut().zip(shares) {
        // A few pairs' worth of the stated share, so that it never runs to nothing.
        let counted = (pairs + stated.share * START_PAIRS) / (one_person + START_PAIRS);
        if stated.counted {
            alternative.share = counted.min(stated.share);
        }
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
            // No strangers, then; but perhaps twins or relatives.
            let one_person = 1.0 / (1.0 + model.alternative_odds(vector));
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
