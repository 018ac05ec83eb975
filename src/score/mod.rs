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

/// Pairs of twins, as an alternative to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinModel {
    /// Share of people who have a twin: as many pairs of twins' records for each pair of one
    /// person's.
    pub share: f64,
    /// P(sex agrees | twins).
    pub same_sex: f64,
    /// Comparison that tells twins apart.
    pub given: usize,
    /// Levels of that comparison that twins never reach: equal given names.
    pub given_equal: Vec<bool>,
    /// Comparison of sex.
    pub sex: usize,
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
    /// Twins, if the profile allows to tell.
    pub twins: Option<TwinModel>,
}

impl Model {
    /// The match weight of a pair with this comparison vector.
    ///
    /// Against two strangers: log2(λ/(1−λ)) + Σ log2(m/u); the sum of a group is cut at the group's
    /// cap. Against twins only given name and sex count. The two alternatives' odds add up, so the
    /// weight is −log2(2^−strangers + 2^−twins).
    #[must_use]
    pub fn weight(&self, vector: &ComparisonVector) -> MatchWeight {
        let strangers = self.stranger_bits(vector, None);
        match self.twin_bits(vector) {
            Some(twins) => MatchWeight(-((-strangers).exp2() + (-twins).exp2()).log2()),
            None => MatchWeight(strangers),
        }
    }

    /// Log odds of one person against two strangers, one comparison left out if wanted.
    pub(crate) fn stranger_bits(&self, vector: &ComparisonVector, left_out: Option<usize>) -> f64 {
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
        bits
    }

    /// Log odds of one person against twins; `None` if they cannot be twins.
    pub(crate) fn twin_bits(&self, vector: &ComparisonVector) -> Option<f64> {
        let twins = self.twins.as_ref()?;
        let mut bits = -twins.share.log2();
        let given = vector.level(twins.given);
        if given != Level::MISSING {
            if twins.given_equal[usize::from(given.0)] {
                return None;
            }
            bits += self.comparisons[twins.given].weight_bits(given);
        }
        let sex = vector.level(twins.sex);
        if sex != Level::MISSING {
            let of_twins = if sex == Level(0) {
                twins.same_sex
            } else {
                1.0 - twins.same_sex
            };
            bits += (self.comparisons[twins.sex].m[usize::from(sex.0)] / of_twins).log2();
        }
        Some(bits)
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
