//! Which pairs are worth comparing?
//!
//! `plan` says on what to block, from what the rows hold. Blocking is a union of passes. Each pass joins the rows that share a slot of one tag. A value that
//! very many rows share tells little and would cost a quadratic number of pairs: such a block is left
//! out, and reported. `exact` finds the pairs of some rows without passes and without a cap, so that
//! a run can say what blocking missed.
//!
//! # Memory
//! Besides the table: 8 bytes for each pair of the union, half as much again while it is made, and at
//! most [`ROUND_ENTRIES`](pass::ROUND_ENTRIES) values of 16 bytes.

mod exact;
mod more;
mod pairs;
mod pass;
mod plan;

pub use exact::{sample_rows, sharing_rows};
pub use more::more_candidates;
pub use plan::{BlockPlan, Outlook, TagOutlook, plan};

use self::pairs::PairSets;
use crate::terms::{CandidatePair, RecordTable};

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Its tag, by index in the profile.
    pub tag: usize,
    /// Rows that have the tag.
    pub rows: u64,
    /// Pairs that the pass proposed, a pair that shares several slots as often.
    pub pairs: u64,
    /// Pairs that no pass before had proposed.
    pub new_pairs: u64,
    /// Blocks that were too large, and left out.
    pub capped_blocks: u64,
    /// Rows in them.
    pub capped_rows: u64,
}

/// What blocking found.
pub struct Candidates {
    /// Each pair once, ordered.
    pub pairs: Vec<CandidatePair>,
    /// The passes, in the order of the plan.
    pub passes: Vec<Pass>,
}

/// All pairs of rows that share at least one of the plan's tags.
///
/// `progress` is told how many passes are done.
#[must_use]
pub fn candidates(
    table: &RecordTable,
    plan: &BlockPlan,
    progress: &(dyn Fn(u64) + Sync),
) -> Candidates {
    let sets = PairSets::new(table.len());
    let mut passes = Vec::with_capacity(plan.tags.len());
    for tag in &plan.tags {
        let before = sets.len();
        let mut done = pass::run(table, *tag, plan.block_rows_max, &sets);
        done.new_pairs = sets.fold() - before;
        passes.push(done);
        progress(passes.len() as u64);
    }
    Candidates {
        pairs: sets.into_pairs(),
        passes,
    }
}

#[cfg(test)]
mod tests;
