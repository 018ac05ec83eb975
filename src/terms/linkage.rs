//! What linkage is made of: candidate pairs, comparison vectors, match weights, decisions, links.

use serde::{Deserialize, Serialize};

use super::RowIndex;

/// Two rows worth comparing, the smaller index first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidatePair {
    /// The smaller row index.
    pub a: RowIndex,
    /// The larger row index.
    pub b: RowIndex,
}

impl CandidatePair {
    /// Orders the two rows.
    ///
    /// # Panics
    /// If both are the same row.
    #[must_use]
    pub fn new(x: RowIndex, y: RowIndex) -> Self {
        assert_ne!(x, y, "a record is not paired with itself");
        Self {
            a: x.min(y),
            b: x.max(y),
        }
    }
}

/// Agreement level of one comparison: index of the rung that holds (0 is the best), the number
/// of rungs for *disagree*, or [`Level::MISSING`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub u8);

impl Level {
    /// Nothing could be compared. Carries no evidence.
    pub const MISSING: Self = Self(u8::MAX);
}

/// Most comparisons in a comparison vector.
pub const COMPARISONS_MAX: usize = 16;

/// One agreement level for each comparison of the profile (γ in Fellegi and Sunter 1969).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComparisonVector {
    levels: [Level; COMPARISONS_MAX],
}

impl std::hash::Hash for ComparisonVector {
    /// All levels in one go: every pair of a run is counted by its vector.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_le_bytes(self.levels.map(|level| level.0)));
    }
}

impl ComparisonVector {
    /// All comparisons missing.
    #[must_use]
    pub fn missing() -> Self {
        Self {
            levels: [Level::MISSING; COMPARISONS_MAX],
        }
    }

    /// Level of a comparison.
    #[must_use]
    pub fn level(&self, comparison: usize) -> Level {
        self.levels[comparison]
    }

    /// Sets the level of a comparison.
    pub fn set(&mut self, comparison: usize, level: Level) {
        self.levels[comparison] = level;
    }
}

/// Evidence that a pair is one person, bits: log2 of the posterior odds,
/// log2(λ/(1−λ)) + Σ log2(m/u).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MatchWeight(pub f64);

impl MatchWeight {
    /// Probability that the pair is one person, if the model holds.
    #[must_use]
    pub fn probability(self) -> f64 {
        1.0 / (1.0 + (-self.0).exp2())
    }
}

/// Two cuts on the match weight, bits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// From here up: link.
    pub upper_bits: f64,
    /// Below: non-link. Between the two: review.
    pub lower_bits: f64,
}

impl Thresholds {
    /// The machine's decision on a pair.
    #[must_use]
    pub fn decide(&self, weight: MatchWeight) -> Decision {
        if weight.0 >= self.upper_bits {
            Decision::Link
        } else if weight.0 >= self.lower_bits {
            Decision::Review
        } else {
            Decision::NonLink
        }
    }
}

/// What the machine says about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// One person.
    Link,
    /// A person should look.
    Review,
    /// Two persons.
    NonLink,
}

/// A scored pair that a clustering may use.
#[derive(Clone, Copy, PartialEq)]
pub struct Link {
    /// The two rows.
    pub pair: CandidatePair,
    /// How much evidence.
    pub weight: MatchWeight,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_follow_the_two_cuts() {
        let cuts = Thresholds {
            upper_bits: 3.0,
            lower_bits: -2.0,
        };
        assert_eq!(cuts.decide(MatchWeight(3.0)), Decision::Link);
        assert_eq!(cuts.decide(MatchWeight(2.9)), Decision::Review);
        assert_eq!(cuts.decide(MatchWeight(-2.0)), Decision::Review);
        assert_eq!(cuts.decide(MatchWeight(-2.1)), Decision::NonLink);
    }

    #[test]
    fn weights_are_log_odds() {
        assert!((MatchWeight(0.0).probability() - 0.5).abs() < 1e-12);
        assert!((MatchWeight(1.0).probability() - 2.0 / 3.0).abs() < 1e-12);
    }
}
