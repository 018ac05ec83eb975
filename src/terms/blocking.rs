//! What a run says about blocking: what it planned and why, what each pass did, and what an exact
//! scan of some records found. Counts only; nothing here names a record.

use serde::{Deserialize, Serialize};

use super::methods::Interval;

/// Why a tag got a pass, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassReason {
    /// Records share its values: without the pass, pairs that share nothing else are missed.
    Shared,
    /// Fewer than two records have the tag.
    Empty,
}

impl PassReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::Shared, Self::Empty];

    /// The code used in reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Empty => "empty",
        }
    }

    /// The reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// One pass: planned, and done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassReport {
    /// The tag.
    pub tag: String,
    /// Why it got a pass, or none.
    pub reason: PassReason,
    /// Records that have the tag.
    pub rows: u64,
    /// Pairs that a sample of values let the planner expect.
    pub estimated_pairs: u64,
    /// Pairs that it proposed, a pair that shares several values as often.
    pub pairs: u64,
    /// Pairs that no pass before had proposed.
    pub new_pairs: u64,
    /// Blocks that were too large, and left out.
    pub capped_blocks: u64,
    /// Records in them.
    pub capped_rows: u64,
}

/// How an audit scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditScan {
    /// Every pair of a sampled record that shares a value of any tag, hot ones too. A pair that shares
    /// none cannot reach the lower cut.
    SharedValues,
    /// Every pair of a sampled record.
    AllPairs,
}

impl AuditScan {
    /// The code used in reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SharedValues => "shared_values",
            Self::AllPairs => "all_pairs",
        }
    }

    /// The scan with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::SharedValues, Self::AllPairs]
            .into_iter()
            .find(|scan| scan.code() == code)
    }
}

/// What an exact scan of a random sample of records found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BlockingAudit {
    /// How it scanned.
    pub scan: AuditScan,
    /// Records sampled.
    pub rows: u64,
    /// Their pairs, with all other records, at or above the lower cut.
    pub pairs: u64,
    /// Of these, how many blocking proposed.
    pub proposed: u64,
    /// Share of the pairs that blocking proposed; 1 if there was none.
    pub pair_completeness: f64,
    /// 95 % interval of the share. Pairs of one record are not independent: it rests on how the
    /// share differs between records.
    pub interval: Interval,
}

/// What a run did in order to find the pairs worth comparing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockingReport {
    /// Blocks with more records than this are left out: the largest limit at which the pairs
    /// expected stay within [`BlockingReport::pairs_max`].
    pub block_rows_max: u64,
    /// Pairs that the planner lets the passes propose.
    pub pairs_max: u64,
    /// One for each tag that the profile blocks on.
    pub passes: Vec<PassReport>,
    /// Records that were new, if only their pairs were looked for: pairs of the others, the model and
    /// the cuts are those of the run before.
    #[serde(default)]
    pub new_rows: Option<u64>,
    /// What an exact scan found.
    pub audit: Option<BlockingAudit>,
}
