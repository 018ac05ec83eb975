//! What clustering says: why links were set aside, what people decided about pairs, how entities
//! changed from run to run. Counts may be shown; verdicts and single links name rows of one run only.

use serde::{Deserialize, Serialize};

use super::{CandidatePair, MatchWeight};

/// Why a link joins no two rows of one entity. The codes are those of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideReason {
    /// A person decided that two rows are different people.
    CannotLink,
    /// Nobody is born twice (C1). Two sources may report one birth of one year, and one source if name
    /// and birth date agree.
    TwoBirths,
    /// Nobody dies twice (C2). Two sources may report one death of one year.
    TwoDeaths,
    /// An event later than the year after a death (C3; bills come late).
    AfterDeath,
    /// An event earlier than the year before a birth was filed (C4).
    BeforeBirth,
    /// One insured number with two branches: members of one household (C9).
    Branch,
    /// Two given names, each in two sources or more, with one date of birth and sex (C9: twins).
    Twins,
    /// The source found the dates of a row to contradict each other or the insurer (C5, C10), and
    /// without the bits taken off for it the evidence is no link.
    SourceCheck,
    /// The component was too large, and its weak links were left out.
    Oversize,
    /// Too few of the pairs between the two clusters are links.
    Support,
}

impl SetAsideReason {
    /// All reasons. Where several hold, the first is told.
    pub const ALL: [Self; 10] = [
        Self::CannotLink,
        Self::TwoBirths,
        Self::TwoDeaths,
        Self::AfterDeath,
        Self::BeforeBirth,
        Self::Branch,
        Self::Twins,
        Self::SourceCheck,
        Self::Oversize,
        Self::Support,
    ];

    /// The code used in reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CannotLink => "cannot_link",
            Self::TwoBirths => "two_births",
            Self::TwoDeaths => "two_deaths",
            Self::AfterDeath => "after_death",
            Self::BeforeBirth => "before_birth",
            Self::Branch => "branch",
            Self::Twins => "twins",
            Self::SourceCheck => "source_check",
            Self::Oversize => "oversize",
            Self::Support => "support",
        }
    }

    /// The reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Whether a life course forbids the merge: a conflict for people to look at.
    #[must_use]
    pub fn is_life_course(self) -> bool {
        matches!(
            self,
            Self::TwoBirths
                | Self::TwoDeaths
                | Self::AfterDeath
                | Self::BeforeBirth
                | Self::Branch
                | Self::Twins
        )
    }
}

/// A link that joins no two rows of one entity.
#[derive(Clone, Copy, PartialEq)]
pub struct LinkSetAside {
    /// The two rows.
    pub pair: CandidatePair,
    /// How much evidence.
    pub weight: MatchWeight,
    /// Why.
    pub reason: SetAsideReason,
}

/// What a person decided about a pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Verdict {
    /// The two rows.
    pub pair: CandidatePair,
    /// Whether they are one person: must be linked, or must not.
    pub same: bool,
}

/// Links set aside for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideCount {
    /// Why.
    pub reason: SetAsideReason,
    /// Links.
    pub links: u64,
}

/// Components of links that were too large to be one person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OversizeReport {
    /// Components with more rows than are allowed.
    pub components: u64,
    /// Rows in them.
    pub rows: u64,
    /// Rows of the largest.
    pub largest_rows: u64,
    /// The highest cut, bits, that one of them had to be raised to.
    pub cut_bits: f64,
    /// Rows in parts that no cut divides: solved whole.
    pub undivided: u64,
}

/// False merges, estimated from broken rules alone: no model, no truth.
///
/// A rule that a random false merge breaks with probability *v* sees the share *v* of all false
/// merges. With *n* merges refused for a broken rule, about *n·(1 − v)/v* went through. Errors in dates
/// that refuse a right merge make it too high.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FalseMergeEstimate {
    /// Merges that the evidence asked for and a rule of the life course refused.
    pub refused_merges: u64,
    /// Pairs of different entities with one date of birth and sex that were merged for trial.
    pub trial_merges: u64,
    /// Of these, how many a rule refuses.
    pub trial_refusals: u64,
    /// Estimated false merges among the published entities.
    pub false_merges: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How entity IDs changed from one publication to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Churn {
    /// IDs in force before.
    pub existing: u64,
    /// IDs that are new.
    pub created: u64,
    /// IDs that ended because all their records went to another.
    pub merged: u64,
    /// IDs of which some records went to another.
    pub split: u64,
    /// IDs that ended without records.
    pub retired: u64,
}

impl Churn {
    /// Existing IDs that changed, per 1,000; 0 if there were none.
    #[must_use]
    pub fn per_thousand(&self) -> f64 {
        let changed = self.merged + self.split + self.retired;
        1000.0 * changed as f64 / self.existing.max(1) as f64
    }
}

/// What clustering and publishing did in a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusteringReport {
    /// Links set aside by reason; only reasons that occurred.
    pub set_aside: Vec<SetAsideCount>,
    /// Components too large to be one person.
    pub oversize: OversizeReport,
    /// False merges, estimated from broken rules.
    pub false_merges: Option<FalseMergeEstimate>,
    /// How IDs changed.
    pub churn: Churn,
}
