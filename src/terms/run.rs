//! A linkage run as a value: its state, its steps, and the report that people read.
//!
//! Counts and distributions only. Nothing here names a record, an entity or a person, so these
//! types may be printed, stored as JSON and shown.

use serde::{Deserialize, Serialize};

use super::methods::MethodsSheet;
use super::{BlockingReport, ClusteringReport, RunId, SourceId, Thresholds};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted, not started.
    Queued,
    /// Working.
    Running,
    /// Done; its entities are published.
    Succeeded,
    /// Ended with a reason; nothing was published.
    Failed,
}

/// One room's part of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Name of the step: `load`, `plan`, `block`, `compare`, `score`, `audit`,
    /// `complete`, `cluster`, `publish`.
    pub name: String,
    /// Time it took, seconds.
    pub seconds: f64,
    /// What it handled: rows, pairs, links, entities.
    pub items: u64,
}

/// Records of one source in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    /// The source.
    pub source: SourceId,
    /// Its live records.
    pub records: u64,
}

/// A histogram of match weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightHistogram {
    /// Lower end of the first bin, bits.
    pub from_bits: f64,
    /// Width of a bin, bits.
    pub bin_bits: f64,
    /// Candidate pairs per bin.
    pub counts: Vec<u64>,
}

/// One level of a comparison in the estimated model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelReport {
    /// P(level | same person).
    pub m_probability: f64,
    /// P(level | different persons).
    pub u_probability: f64,
    /// log2(m/u), bits.
    pub weight_bits: f64,
}

/// One comparison of the estimated model: its rungs, then *disagree*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonReport {
    /// Name in the profile.
    pub name: String,
    /// One per rung, best first, then *disagree*.
    pub levels: Vec<LevelReport>,
}

/// How the two cuts of a run came about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdRule {
    /// The upper cut is the lowest, not below even odds, at which the expected share of right
    /// links is at least this much.
    TargetPrecision(f64),
    /// The upper cut is the lowest, not below even odds, at which at most so many false links are
    /// expected for 1,000 people.
    TargetFalseLinks(f64),
    /// The cuts were given with the run.
    Given,
}

/// How a run is asked to choose its cuts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum ThresholdPolicy {
    /// By the share of links that are expected to be right.
    #[default]
    Precision,
    /// By the number of false links that are expected for 1,000 people, at most this many.
    FalseLinksPer1000(f64),
    /// These cuts.
    Given(Thresholds),
    /// The model and the cuts of the last run that succeeded: every pair weighs what it weighed then, so
    /// that IDs change by what is new in the records alone.
    AsBefore,
}

impl From<Option<Thresholds>> for ThresholdPolicy {
    fn from(given: Option<Thresholds>) -> Self {
        given.map_or(Self::Precision, Self::Given)
    }
}

impl ThresholdPolicy {
    /// Most false links for 1,000 people that may be asked for.
    pub const FALSE_LINKS_MAX: f64 = 1000.0;

    /// Whether the cuts are two numbers the right way round, and a target is above 0 and at most
    /// [`Self::FALSE_LINKS_MAX`].
    #[must_use]
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Precision | Self::AsBefore => true,
            Self::FalseLinksPer1000(target) => *target > 0.0 && *target <= Self::FALSE_LINKS_MAX,
            Self::Given(cuts) => {
                let finite = cuts.upper_bits.is_finite() && cuts.lower_bits.is_finite();
                finite && cuts.lower_bits <= cuts.upper_bits
            }
        }
    }
}

impl std::fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TargetPrecision(target) => {
                let percent = target * 100.0;
                write!(
                    f,
                    "the lowest cut, not below even odds, at which {percent:.1} % of links are \
                     expected to be right"
                )
            }
            Self::TargetFalseLinks(target) => write!(
                f,
                "the lowest cut, not below even odds, at which at most {target} false links are \
                 expected for 1,000 people"
            ),
            Self::Given => f.write_str("given with the run"),
        }
    }
}

/// What a finished run says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Records linked.
    pub records: u64,
    /// People found: entities published.
    pub entities: u64,
    /// Records per source.
    pub sources: Vec<SourceCount>,
    /// Candidate pairs compared.
    pub candidate_pairs: u64,
    /// Blocks that were too large, and left out.
    pub blocks_capped: u64,
    /// Pairs above the upper threshold.
    pub links: u64,
    /// Pairs between the thresholds.
    pub reviews: u64,
    /// Links that clustering set aside (constraints, too little support).
    pub links_set_aside: u64,
    /// The two cuts in force.
    pub thresholds: Thresholds,
    /// How the cuts were chosen.
    pub threshold_rule: ThresholdRule,
    /// λ, P(a random pair is one person), as estimated.
    pub prior_probability: f64,
    /// Expected share of links that are right, if the model holds.
    pub expected_precision: f64,
    /// Match weights of all candidate pairs.
    pub histogram: WeightHistogram,
    /// Number of entities with 1, 2, 3 … records; the last counts that many or more.
    pub entity_sizes: Vec<u64>,
    /// The model.
    pub comparisons: Vec<ComparisonReport>,
    /// What was planned and done to find the candidate pairs, and what an exact scan says of it.
    #[serde(default)]
    pub blocking: BlockingReport,
    /// What clustering and publishing did.
    #[serde(default)]
    pub clustering: ClusteringReport,
    /// How the model came about, and what it is expected to get wrong. `None`: a run from before
    /// there were methods sheets.
    #[serde(default)]
    pub methods: Option<MethodsSheet>,
    /// What a person should know: capped blocks, fallbacks.
    pub warnings: Vec<String>,
}

/// A run: one execution of the linkage job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its ID.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Seconds since 1970, UTC, when it was asked for.
    pub created_unix_s: u64,
    /// Steps so far.
    pub steps: Vec<StepReport>,
    /// Step under way: items done and planned (0: unknown).
    pub progress: Option<Progress>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The result.
    pub report: Option<RunReport>,
}

/// Progress of the step under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The step.
    pub step: String,
    /// Items handled.
    pub done: u64,
    /// Items planned; 0 if unknown.
    pub planned: u64,
}
