//! What to block on, from what the rows hold: a sweep over a sample of values tells how many rows
//! have each tag and how many pairs its pass would propose.

use rayon::prelude::*;

use super::pass::mixed;
use crate::terms::{PassReason, RecordTable, RowIndex};

/// Largest blocks that a plan may allow, in the order in which they are tried.
const BLOCK_ROWS_MAX: [usize; 4] = [1_000, 300, 100, 30];

/// Pairs for each row that all passes together may propose.
const PAIRS_OF_A_ROW: u64 = 500;

/// Of this many rows and fewer, all values are looked at; of more, a share.
const ROWS_IN_FULL: usize = 1 << 14;

/// The smallest share of the values that is looked at, as a power of ½.
const SHARE_BITS_MAX: u32 = 6;

/// Rows that one task sweeps.
const TASK_ROWS: usize = 1 << 16;

/// What to block on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlan {
    /// Tags, by index in the profile; one pass each.
    pub tags: Vec<usize>,
    /// Blocks with more rows than this are left out.
    pub block_rows_max: usize,
}

/// What the planner saw of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagOutlook {
    /// The tag, by index in the profile.
    pub tag: usize,
    /// Rows that have it.
    pub rows: u64,
    /// Pairs that its pass is expected to propose.
    pub estimated_pairs: u64,
    /// Whether it gets a pass, and why.
    pub reason: PassReason,
}

/// A plan with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The plan.
    pub plan: BlockPlan,
    /// One for each tag asked about, in that order.
    pub tags: Vec<TagOutlook>,
    /// Pairs that the plan may propose.
    pub pairs_max: u64,
}

/// Plans the passes over `tags`: each tag that two rows have gets one, and the largest blocks are as
/// large as the number of pairs allows.
#[must_use]
pub fn plan(table: &RecordTable, tags: &[usize]) -> Outlook {
    let bits = (table.len() / ROWS_IN_FULL).next_power_of_two().ilog2();
    let bits = bits.min(SHARE_BITS_MAX);
    let (rows, mut values) = sweep(table, tags, bits);
    values.par_sort_unstable();
    // Expected pairs by tag and by the largest block that is allowed.
    let mut pairs = vec![[0_u64; BLOCK_ROWS_MAX.len()]; tags.len()];
    for block in values.chunk_by(|x, y| x == y) {
        let size = block.len();
        let of_block = ((size * (size - 1) / 2) as u64) << bits;
        for (largest, pairs) in BLOCK_ROWS_MAX
            .iter()
            .zip(&mut pairs[usize::from(block[0].0)])
        {
            *pairs += if size <= *largest { of_block } else { 0 };
        }
    }
    let pairs_max = PAIRS_OF_A_ROW * table.len() as u64;
    let total = |choice: &usize| pairs.iter().map(|pairs| pairs[*choice]).sum::<u64>();
    let choices = 0..BLOCK_ROWS_MAX.len();
    let choice = choices.clone().find(|choice| total(choice) <= pairs_max);
    let choice = choice.unwrap_or(choices.end - 1);
    let outlooks = tags.iter().zip(rows).zip(&pairs);
    let outlooks: Vec<TagOutlook> = outlooks
        .map(|((tag, rows), pairs)| TagOutlook {
            tag: *tag,
            rows,
            estimated_pairs: pairs[choice],
            reason: match rows {
                0 | 1 => PassReason::Empty,
                _ => PassReason::Shared,
            },
        })
        .collect();
    let wanted = outlooks
        .iter()
        .filter(|one| one.reason == PassReason::Shared);
    Outlook {
        plan: BlockPlan {
            tags: wanted.map(|one| one.tag).collect(),
            block_rows_max: BLOCK_ROWS_MAX[choice],
        },
        tags: outlooks,
        pairs_max,
    }
}

/// Rows that have each of the tags, and one in `2^bits` of the values with the tag's place in `tags`.
fn sweep(table: &RecordTable, tags: &[usize], bits: u32) -> (Vec<u64>, Vec<(u16, u64)>) {
    let rows = table.len();
    let nothing = || (vec![0; tags.len()], Vec::new());
    let tasks = (0..rows.div_ceil(TASK_ROWS)).into_par_iter();
    let swept = tasks.map(|task| {
        let (mut holding, mut values) = nothing();
        for row in task * TASK_ROWS..((task + 1) * TASK_ROWS).min(rows) {
            for (place, tag) in tags.iter().enumerate() {
                let Some(slots) = table.tag(row as RowIndex, *tag) else {
                    continue;
                };
                holding[place] += 1;
                let sampled = |value: &&u64| mixed(**value).trailing_zeros() >= bits;
                values.extend(
                    slots
                        .iter()
                        .filter(sampled)
                        .map(|value| (place as u16, *value)),
                );
            }
        }
        (holding, values)
    });
    swept.reduce(nothing, |(mut rows, mut values), (more_rows, more)| {
        rows.iter_mut().zip(more_rows).for_each(|(x, y)| *x += y);
        values.extend(more);
        (rows, values)
    })
}
