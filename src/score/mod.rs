//! How much evidence is that? Comparison vector → match weight (bits) → decision.
//!
//! Fellegi and Sunter 1969: a level of a comparison is worth log2(m/u) bits, where m is its
//! probability among pairs of one person and u among pairs of different persons; the weights add
//! up to the log odds of the prior λ. `estimate` finds m, u and λ without any truth, `threshold`
//! chooses the two cuts, `precision` says how many links at each cut are false, `people` how many people
//! there are, and `methods` writes down how all that came about.

mod estimate;
mod methods;
mod people;
mod precision;
mod threshold;
mod tracer;

pub use estimate::{Estimate, PatternCount, estimate};
pub use methods::{estimate_of, methods_sheet, wilson};
pub use people::{
    Estimated, Part, Pieces, excess_by_model, excess_by_tracers, hidden_people, missed_ties,
};
pub use precision::{ErrorEstimates, LinkCounts, estimate_errors};
pub use threshold::{Choice, TARGET_PRECISION, choose, choose_by_false_links, histogram};
pub use tracer::{TracerPairs, tracer_recall};

use crate::terms::profile::{Alternative, Comparison, LinkageProfile};
use crate::terms::run::{ComparisonReport, LevelReport};
use crate::terms::{ComparisonVector, Level, MatchWeight};

/// m and u of one comparison: one value per level, best first, *disagree* last. Each sums to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonModel {
    /// P(level | same person).
    pub m: Vec<f64>,
    /// P(level | different persons).
    pub u: Vec<f64>,
}

impl ComparisonModel {
    /// log2(m/u) of a level, bits; 0 if it is missing.
    #[must_use]
    pub fn weight_bits(&self, level: Level) -> f64 {
        if level == Level::MISSING {
            return 0.0;
        }
        (self.m[usize::from(level.0)] / self.u[usize::from(level.0)]).log2()
    }
}

/// Pairs of different people who share facts, as an alternative to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct AlternativeModel {
    /// Pairs of records of such people for each pair of one person's.
    pub share: f64,
    /// P(level | such people), by comparison and level.
    pub u: Vec<Vec<f64>>,
}

/// A scoring model: what every level is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// λ, P(a random pair is one person).
    pub prior_probability: f64,
    /// One per comparison of the profile.
    pub comparisons: Vec<ComparisonModel>,
    /// Who else two alike records may be.
    pub alternatives: Vec<AlternativeModel>,
}

impl Model {
    /// The match weight of a pair with this comparison vector.
    ///
    /// Against two strangers: log2(λ/(1−λ)) + Σ log2(m/u). Against an alternative:
    /// −log2(share) + Σ log2(m/u of the alternative). The alternatives' odds add up, so the weight
    /// is −log2(Σ 2^−bits) over all of them.
    #[must_use]
    pub fn weight(&self, vector: &ComparisonVector) -> MatchWeight {
        let strangers = (-self.stranger_bits(vector, None)).exp2();
        MatchWeight(-(strangers + self.alternative_odds(vector)).log2())
    }

    /// Log odds of one person against two strangers, one comparison left out if wanted.
    pub(crate) fn stranger_bits(&self, vector: &ComparisonVector, left_out: Option<usize>) -> f64 {
        let prior = (self.prior_probability / (1.0 - self.prior_probability)).log2();
        let counted = self
            .comparisons
            .iter()
            .enumerate()
            .filter(|(index, _)| left_out != Some(*index));
        let weights =
            counted.map(|(index, comparison)| comparison.weight_bits(vector.level(index)));
        prior + weights.sum::<f64>()
    }

    /// Odds that the pair is one of the alternatives and not one person; 0 if there are none.
    pub(crate) fn alternative_odds(&self, vector: &ComparisonVector) -> f64 {
        let odds = self.alternatives.iter();
        odds.map(|alternative| self.odds_of(alternative, vector))
            .sum()
    }

    /// Odds that the pair is this alternative and not one person.
    pub(crate) fn odds_of(&self, alternative: &AlternativeModel, vector: &ComparisonVector) -> f64 {
        let ratios = self.comparisons.iter().zip(&alternative.u).enumerate();
        ratios
            .filter(|(index, _)| vector.level(*index) != Level::MISSING)
            .fold(alternative.share, |odds, (index, (comparison, u))| {
                let level = usize::from(vector.level(index).0);
                odds * u[level] / comparison.m[level]
            })
    }

    /// Derives the alternatives' tables from m and u: a shared fact agrees as one person's does, but
    /// for what is personal; any other agrees as strangers' do.
    pub(crate) fn derive_alternatives(&mut self, profile: &LinkageProfile) {
        let tables = |alternative: &Alternative| {
            let comparisons = profile.comparisons.iter().zip(&self.comparisons);
            comparisons
                .zip(&alternative.shared)
                .map(|((comparison, model), shared)| {
                    let of_shared = impersonal(comparison, &model.m);
                    let mixed = of_shared.iter().zip(&model.u);
                    mixed
                        .map(|(m, u)| shared * m + (1.0 - shared) * u)
                        .collect()
                })
                .collect()
        };
        let derived = profile.alternatives.iter().enumerate();
        self.alternatives = derived
            .map(|(index, alternative)| AlternativeModel {
                share: self
                    .alternatives
                    .get(index)
                    .map_or(alternative.share, |known| known.share),
                u: tables(alternative),
            })
            .collect();
    }

    /// The model as people read it.
    #[must_use]
    pub fn report(&self, profile: &LinkageProfile) -> Vec<ComparisonReport> {
        let named = profile.comparisons.iter().zip(&self.comparisons);
        named
            .map(|(comparison, model)| ComparisonReport {
                name: comparison.name.clone(),
                levels: (0..model.m.len())
                    .map(|level| LevelReport {
                        m_probability: model.m[level],
                        u_probability: model.u[level],
                        weight_bits: model.weight_bits(Level(level as u8)),
                    })
                    .collect(),
            })
            .collect()
    }
}

/// m with the mass of personal rungs moved to the level below.
fn impersonal(comparison: &Comparison, m: &[f64]) -> Vec<f64> {
    let mut moved = m.to_vec();
    for level in 0..m.len() - 1 {
        let rung = comparison.rung_of_level(level);
        if rung.is_some_and(|rung| comparison.rungs[rung].personal) {
            moved[level + 1] += moved[level];
            moved[level] = 0.0;
        }
    }
    moved
}

#[cfg(test)]
mod bad_input_tests;
#[cfg(test)]
mod tests;
