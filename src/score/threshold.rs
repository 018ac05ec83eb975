//! Which two cuts? Chosen from the model's own expectation, never from a truth.

use super::{Model, PatternCount};
use crate::terms::Thresholds;
use crate::terms::run::{ThresholdRule, WeightHistogram};

/// Expected share of links that are right which the chosen upper cut promises.
pub const TARGET_PRECISION: f64 = 0.995;

/// The upper cut is never below even odds.
const UPPER_MIN_BITS: f64 = 0.0;

/// Below odds of 1 to 16 a pair is not worth a person's time.
const LOWER_BITS: f64 = -4.0;

/// Bin width of the histogram, bits.
const BIN_BITS: f64 = 1.0;

/// The histogram ends here on both sides; what lies outside counts in the last bins.
const HISTOGRAM_BITS: (f64, f64) = (-40.0, 60.0);

/// Two cuts, and what they promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The cuts.
    pub thresholds: Thresholds,
    /// Expected share of links that are right, if the model holds.
    pub expected_precision: f64,
    /// How they were chosen.
    pub rule: ThresholdRule,
}

/// Chooses the cuts: the upper one is the lowest at which the expected share of right links is at
/// least [`TARGET_PRECISION`], but never below even odds. `fixed` overrules it.
#[must_use]
pub fn choose(model: &Model, candidates: &[PatternCount], fixed: Option<Thresholds>) -> Choice {
    let mut weighted: Vec<(f64, u64)> = candidates
        .iter()
        .map(|(vector, count)| (model.weight(vector).0, *count))
        .collect();
    weighted.sort_by(|x, y| y.0.total_cmp(&x.0));
    if let Some(thresholds) = fixed {
        let expected_precision = precision_above(&weighted, thresholds.upper_bits);
        return Choice {
            thresholds,
            expected_precision,
            rule: ThresholdRule::Given,
        };
    }

    let mut upper_bits = f64::INFINITY;
    let (mut right, mut all) = (0.0, 0.0);
    for (weight, count) in weighted
        .iter()
        .filter(|(weight, _)| *weight >= UPPER_MIN_BITS)
    {
        right += *count as f64 * crate::terms::MatchWeight(*weight).probability();
        all += *count as f64;
        if right / all >= TARGET_PRECISION {
            upper_bits = *weight;
        }
    }
    // No pair reaches even odds: the cut stands where even odds are.
    let upper_bits = if upper_bits.is_finite() {
        upper_bits
    } else {
        UPPER_MIN_BITS
    };
    let thresholds = Thresholds {
        upper_bits,
        lower_bits: LOWER_BITS.min(upper_bits),
    };
    let rule = ThresholdRule::TargetPrecision(TARGET_PRECISION);
    Choice {
        thresholds,
        expected_precision: precision_above(&weighted, upper_bits),
        rule,
    }
}

/// Chooses the cuts by the number of false links: the upper one is the lowest, not below even odds, at
/// which the model expects at most `per_1000` of them for 1,000 of `people`. What decoys say of that cut
/// is in the methods sheet.
#[must_use]
pub fn choose_by_false_links(
    model: &Model,
    candidates: &[PatternCount],
    per_1000: f64,
    people: f64,
) -> Choice {
    let mut weighted: Vec<(f64, u64)> = candidates
        .iter()
        .map(|(vector, count)| (model.weight(vector).0, *count))
        .filter(|(weight, _)| *weight >= UPPER_MIN_BITS)
        .collect();
    weighted.sort_by(|x, y| y.0.total_cmp(&x.0));
    let allowed = per_1000 * people / 1000.0;
    // Where not even the surest pair is allowed, no pair is a link.
    let mut upper_bits = weighted
        .first()
        .map_or(UPPER_MIN_BITS, |(weight, _)| weight + 1.0);
    let mut wrong = 0.0;
    for equals in weighted.chunk_by(|x, y| x.0 == y.0) {
        let pairs: u64 = equals.iter().map(|(_, count)| count).sum();
        wrong += pairs as f64 * (1.0 - crate::terms::MatchWeight(equals[0].0).probability());
        if wrong > allowed {
            break;
        }
        upper_bits = equals[0].0;
    }
    Choice {
        thresholds: Thresholds {
            upper_bits,
            lower_bits: LOWER_BITS.min(upper_bits),
        },
        expected_precision: precision_above(&weighted, upper_bits),
        rule: ThresholdRule::TargetFalseLinks(per_1000),
    }
}

/// Expected share of right pairs among those at or above a cut; 1 if there is none.
fn precision_above(weighted: &[(f64, u64)], cut: f64) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for (weight, count) in weighted.iter().filter(|(weight, _)| *weight >= cut) {
        right += *count as f64 * crate::terms::MatchWeight(*weight).probability();
        all += *count as f64;
    }
    if all > 0.0 { right / all } else { 1.0 }
}

/// Match weights of all candidate pairs, in bins of one bit.
#[must_use]
pub fn histogram(model: &Model, candidates: &[PatternCount]) -> WeightHistogram {
    let (from_bits, to_bits) = HISTOGRAM_BITS;
    let bins = ((to_bits - from_bits) / BIN_BITS) as usize;
    let mut counts = vec![0; bins];
    for (vector, count) in candidates {
        let bin = ((model.weight(vector).0 - from_bits) / BIN_BITS).floor();
        counts[bin.clamp(0.0, (bins - 1) as f64) as usize] += count;
    }
    WeightHistogram {
        from_bits,
        bin_bits: BIN_BITS,
        counts,
    }
}
