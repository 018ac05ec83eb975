//! Blocking when rows were added at the end: only pairs with a new row, found in one sweep.

use rayon::prelude::*;

use super::pass::mixed;
use super::{BlockPlan, Candidates, Pass};
use crate::terms::{CandidatePair, RecordTable, RowIndex};

/// Rows that one task sweeps.
const TASK_ROWS: usize = 1 << 15;

/// Bits of the sweep's filter for each value of a new row.
const BITS_FOR_A_VALUE: usize = 32;

/// Bits of its first part for each value of a new row.
const FIRST_BITS_FOR_A_VALUE: usize = 4;

/// A tag by its place in the plan, its value, and a row that has it.
type Entry = (u16, u64, RowIndex);

/// Pairs of rows that share one of the plan's tags, at least one of them `first_new` or after it.
///
/// With the candidates of the rows before, they are what [`candidates`](super::candidates) finds among
/// all rows. `None` if a block has grown past the limit: what it proposed before would have to go.
#[must_use]
pub fn more_candidates(
    table: &RecordTable,
    plan: &BlockPlan,
    first_new: RowIndex,
) -> Option<Candidates> {
    let new_rows = first_new..table.len() as RowIndex;
    let values = new_rows.clone().map(|row| {
        let tags = plan.tags.iter().filter_map(|tag| table.tag(row, *tag));
        tags.map(<[u64]>::len).sum::<usize>()
    });
    let mut filter = Filter::with_room(values.sum());
    let mut passes: Vec<Pass> = plan
        .tags
        .iter()
        .map(|tag| Pass {
            tag: *tag,
            ..Pass::default()
        })
        .collect();
    for row in new_rows {
        for (pass, tag) in passes.iter_mut().zip(&plan.tags) {
            let slots = table.tag(row, *tag);
            pass.rows += u64::from(slots.is_some());
            slots
                .unwrap_or_default()
                .iter()
                .for_each(|value| filter.insert(*value));
        }
    }
    let mut entries = sweep(table, plan, &filter);
    entries.par_sort_unstable();
    // A row may hold a value in two slots.
    entries.dedup();
    let mut found: Vec<(CandidatePair, u16)> = Vec::new();
    for block in entries.chunk_by(|x, y| (x.0, x.1) == (y.0, y.1)) {
        let old = block.partition_point(|(_, _, row)| *row < first_new);
        let pass = &mut passes[usize::from(block[0].0)];
        if old == block.len() {
            continue;
        }
        if block.len() > plan.block_rows_max {
            if old > plan.block_rows_max {
                pass.capped_rows += (block.len() - old) as u64;
            } else if old < 2 {
                pass.capped_blocks += 1;
                pass.capped_rows += block.len() as u64;
            } else {
                return None;
            }
            continue;
        }
        for (index, (place, _, b)) in block.iter().enumerate().skip(old) {
            let before = block[..index].iter();
            found.extend(before.map(|(_, _, a)| (CandidatePair::new(*a, *b), *place)));
        }
    }
    found.par_sort_unstable();
    for (_, place) in &found {
        passes[usize::from(*place)].pairs += 1;
    }
    found.dedup_by_key(|(pair, _)| *pair);
    for (_, place) in &found {
        passes[usize::from(*place)].new_pairs += 1;
    }
    Some(Candidates {
        pairs: found.into_iter().map(|(pair, _)| pair).collect(),
        passes,
    })
}

/// All entries whose value may be one of a new row.
fn sweep(table: &RecordTable, plan: &BlockPlan, filter: &Filter) -> Vec<Entry> {
    let rows = table.len();
    let tasks = (0..rows.div_ceil(TASK_ROWS)).into_par_iter();
    let swept = tasks.map(|task| {
        let mut entries: Vec<Entry> = Vec::new();
        for row in task * TASK_ROWS..((task + 1) * TASK_ROWS).min(rows) {
            let row = row as RowIndex;
            for (place, tag) in plan.tags.iter().enumerate() {
                let slots = table.tag(row, *tag).unwrap_or_default().iter();
                let wanted = slots.filter(|value| filter.may_hold(**value));
                entries.extend(wanted.map(|value| (place as u16, *value, row)));
            }
        }
        entries
    });
    swept.flatten_iter().collect()
}

/// A set of values that now and then holds one that was never put in (Bloom 1970). A first, small part
/// that stays in a core's cache turns most other values away; in the second both bits of a value are in one word.
struct Filter {
    first: Vec<u64>,
    second: Vec<u64>,
}

impl Filter {
    fn with_room(values: usize) -> Self {
        let words = |bits| vec![0; values * bits / 64 + 1];
        Self {
            first: words(FIRST_BITS_FOR_A_VALUE),
            second: words(BITS_FOR_A_VALUE),
        }
    }

    /// Place and bits of a hash in a part: the word by its upper bits.
    fn place(part: &[u64], hash: u64) -> usize {
        ((u128::from(hash) * part.len() as u128) >> 64) as usize
    }

    fn bits(hash: u64) -> (u64, u64) {
        let one = 1 << (hash & 63);
        (one, one | 1 << (hash >> 6 & 63))
    }

    fn insert(&mut self, value: u64) {
        let hash = mixed(value);
        let (one, both) = Self::bits(hash);
        let (first, second) = (
            Self::place(&self.first, hash),
            Self::place(&self.second, hash),
        );
        self.first[first] |= one;
        self.second[second] |= both;
    }

    fn may_hold(&self, value: u64) -> bool {
        let hash = mixed(value);
        let (one, both) = Self::bits(hash);
        self.first[Self::place(&self.first, hash)] & one != 0
            && self.second[Self::place(&self.second, hash)] & both == both
    }
}

impl Candidates {
    /// Adds what more rows brought.
    pub fn add(&mut self, more: Self) {
        self.pairs.extend(more.pairs);
        // Two ascending runs: the stable sort merges them.
        self.pairs.sort();
        for pass in more.passes {
            match self.passes.iter_mut().find(|known| known.tag == pass.tag) {
                Some(known) => {
                    known.rows += pass.rows;
                    known.pairs += pass.pairs;
                    known.new_pairs += pass.new_pairs;
                    known.capped_blocks += pass.capped_blocks;
                    known.capped_rows += pass.capped_rows;
                }
                None => self.passes.push(pass),
            }
        }
    }
}

#[cfg(test)]
#[path = "more_tests.rs"]
mod tests;
