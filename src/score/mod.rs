//! How much evidence is that? Comparison vector → match weight (bits) → decision.
//!
//! Fellegi and Sunter 1969: a level of a comparison is worth log2(m/u) bits, where m is its
//! probability among pairs of one person and u among pairs of different persons; the weights add
//! up to the log odds of the prior λ. `estimate` finds m, u and λ without any truth, `threshold`
//! chooses the two cuts.

mod estimate;
mod threshold;

pub use estimate::{Estimate, PatternCount, estimate};
pub use threshold::{Choice, TARGET_PRECISION, choose, histogram};

use crate::terms::profile::LinkageProfile;
use crate::terms::run::{ComparisonReport, LevelReport};
use crate::terms::{ComparisonVector, Level, MatchWeight};

/// m and u of one comparison: one value per rung, best first, then *disagree*. Each sums to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonModel {
    /// P(level | same person).
    pub m: Vec<f64>,
    /// P(level | different persons).
    pub u: Vec<f64>,
    /// Index of the capped group, if any.
    pub group: Option<usize>,
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

/// A scoring model: what every level is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// λ, P(a random pair is one person).
    pub prior_probability: f64,
    /// One per comparison of the profile.
    pub comparisons: Vec<ComparisonModel>,
    /// Most that each group of comparisons may add together, bits.
    pub group_caps_bits: Vec<f64>,
}

impl Model {
    /// The match weight of a pair with this comparison vector.
    ///
    /// log2(λ/(1−λ)) + Σ log2(m/u); the sum of a group is cut at the group's cap.
    #[must_use]
    pub fn weight(&self, vector: &ComparisonVector) -> MatchWeight {
        self.weight_without(vector, None)
    }

    /// The match weight that the pair would have without one comparison.
    pub(crate) fn weight_without(
        &self,
        vector: &ComparisonVector,
        left_out: Option<usize>,
    ) -> MatchWeight {
        let mut bits = (self.prior_probability / (1.0 - self.prior_probability)).log2();
        let mut groups = [0.0; GROUPS_MAX];
        for (index, comparison) in self.comparisons.iter().enumerate() {
            if left_out == Some(index) {
                continue;
            }
            let weight = comparison.weight_bits(vector.level(index));
            match comparison.group {
                Some(group) => groups[group] += weight,
                None => bits += weight,
            }
        }
        for (sum, cap) in groups.iter().zip(&self.group_caps_bits) {
            bits += sum.min(*cap);
        }
        MatchWeight(bits)
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

/// Most capped groups in a profile; no more than there are comparisons.
const GROUPS_MAX: usize = crate::terms::COMPARISONS_MAX;

#[cfg(test)]
mod tests;
