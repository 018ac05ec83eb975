//! Which pairs are worth comparing?
//!
//! Blocking is a union of passes. Each pass sorts the rows by one tag and pairs the rows that
//! share one of its slots. A value that very many rows share tells little and would cost a quadratic
//! number of pairs: such a block is left out, and reported.

use rayon::prelude::*;

use crate::terms::{CandidatePair, RecordTable, RowIndex};

/// What to block on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlan {
    /// Tags, by index in the profile; one pass each.
    pub tags: Vec<usize>,
    /// Blocks with more rows than this are left out.
    pub block_rows_max: usize,
}

/// Blocks that one pass left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappedBlocks {
    /// The pass's tag, by index in the profile.
    pub tag: usize,
    /// How many blocks.
    pub blocks: u64,
    /// How many rows in them.
    pub rows: u64,
}

/// What blocking found.
pub struct Candidates {
    /// Each pair once, ordered.
    pub pairs: Vec<CandidatePair>,
    /// What was left out, by pass.
    pub capped: Vec<CappedBlocks>,
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
    let mut packed: Vec<u64> = Vec::new();
    let mut capped = Vec::new();
    for (done, tag) in plan.tags.iter().enumerate() {
        let (pairs, left_out) = pass(table, *tag, plan.block_rows_max);
        packed.extend(pairs);
        // Passes overlap heavily: folding them together after each keeps the memory at the size
        // of the union.
        packed.par_sort_unstable();
        packed.dedup();
        if left_out.blocks > 0 {
            capped.push(left_out);
        }
        progress(done as u64 + 1);
    }
    Candidates {
        pairs: packed.into_iter().map(unpack).collect(),
        capped,
    }
}

fn pass(table: &RecordTable, tag: usize, block_rows_max: usize) -> (Vec<u64>, CappedBlocks) {
    let rows = table.len() as RowIndex;
    let mut keyed: Vec<(u64, RowIndex)> = Vec::with_capacity(table.len());
    for row in 0..rows {
        let slots = table.tag(row, tag).unwrap_or_default();
        keyed.extend(slots.iter().map(|value| (*value, row)));
    }
    keyed.par_sort_unstable();
    // A row may hold a value in two slots.
    keyed.dedup();

    let mut pairs = Vec::new();
    let mut capped = CappedBlocks {
        tag,
        blocks: 0,
        rows: 0,
    };
    for block in keyed.chunk_by(|x, y| x.0 == y.0) {
        if block.len() > block_rows_max {
            capped.blocks += 1;
            capped.rows += block.len() as u64;
            continue;
        }
        for (i, (_, a)) in block.iter().enumerate() {
            pairs.extend(
                block[i + 1..]
                    .iter()
                    .map(|(_, b)| pack(CandidatePair::new(*a, *b))),
            );
        }
    }
    (pairs, capped)
}

fn pack(pair: CandidatePair) -> u64 {
    u64::from(pair.a) << 32 | u64::from(pair.b)
}

fn unpack(packed: u64) -> CandidatePair {
    CandidatePair {
        a: (packed >> 32) as RowIndex,
        b: packed as RowIndex,
    }
}

#[cfg(test)]
mod tests;
