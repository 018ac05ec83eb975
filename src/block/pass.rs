//! One pass: rows that share a value of a tag, by a partitioned sort. Values are spread over
//! partitions that fit a core's cache; each is sorted on its own, on all cores.

use rayon::prelude::*;

use super::Pass;
use super::pairs::{PairSets, Spread};
use crate::terms::{RecordTable, RowIndex};

/// Values that are in memory at once; a tag with more is read in several rounds.
pub(super) const ROUND_ENTRIES: usize = 1 << 25;

/// Values of a partition, about.
const PARTITION_ENTRIES: usize = 1 << 14;

/// Rows that one task reads.
const TASK_ROWS: usize = 1 << 17;

/// Partitions that one task joins, at least.
const TASK_PARTITIONS: usize = 8;

/// A value of the tag, and a row that has it.
type Entry = (u64, RowIndex);

/// Joins the rows that share a value of `tag` and adds their pairs to `sets`.
pub(super) fn run(table: &RecordTable, tag: usize, block_rows_max: usize, sets: &PairSets) -> Pass {
    let slots = table.layout().tag_range(tag).len();
    let bit = table.layout().tag_bit(tag);
    let rows = table.len() as RowIndex;
    let holding = (0..rows).into_par_iter();
    let holding = holding
        .filter(|row| table.presence(*row) & bit != 0)
        .count();
    let mut done = Pass {
        tag,
        rows: holding as u64,
        ..Pass::default()
    };
    let entries = holding * slots;
    let bits = entries
        .div_ceil(PARTITION_ENTRIES)
        .next_power_of_two()
        .ilog2();
    let partitions = 1_usize << bits;
    let rounds = entries.div_ceil(ROUND_ENTRIES).max(1);
    for round in 0..rounds {
        let range = partitions * round / rounds..partitions * (round + 1) / rounds;
        let parts = gather(table, tag, bits, range.clone());
        let joined = (0..range.len())
            .into_par_iter()
            .with_min_len(TASK_PARTITIONS)
            .fold(
                || (Joiner::new(sets, block_rows_max), Vec::new()),
                |(mut joiner, mut entries), partition| {
                    entries.clear();
                    parts
                        .iter()
                        .for_each(|part| entries.extend_from_slice(part.of(partition)));
                    joiner.join(&mut entries);
                    (joiner, entries)
                },
            )
            .map(|(joiner, _)| joiner.finish());
        for part in joined.collect::<Vec<_>>() {
            done.pairs += part.pairs;
            done.capped_blocks += part.capped_blocks;
            done.capped_rows += part.capped_rows;
        }
    }
    done
}

/// The entries of some rows, by partition.
struct Part {
    entries: Vec<Entry>,
    /// First entry of each partition of the round, and the end.
    starts: Vec<u32>,
}

impl Part {
    fn of(&self, partition: usize) -> &[Entry] {
        &self.entries[self.starts[partition] as usize..self.starts[partition + 1] as usize]
    }
}

/// Values of a tag that fall into a range of the `2^bits` partitions, by task and partition.
fn gather(table: &RecordTable, tag: usize, bits: u32, range: std::ops::Range<usize>) -> Vec<Part> {
    let partition = |value: u64| {
        let of_all = if bits == 0 {
            0
        } else {
            (mixed(value) >> (64 - bits)) as usize
        };
        range.contains(&of_all).then(|| of_all - range.start)
    };
    let rows = table.len();
    (0..rows.div_ceil(TASK_ROWS))
        .into_par_iter()
        .map(|task| {
            let own =
                (task * TASK_ROWS) as RowIndex..((task + 1) * TASK_ROWS).min(rows) as RowIndex;
            let mut placed: Vec<(u32, Entry)> = Vec::new();
            let mut starts = vec![0_u32; range.len() + 1];
            for row in own {
                for value in table.tag(row, tag).unwrap_or_default() {
                    if let Some(at) = partition(*value) {
                        starts[at + 1] += 1;
                        placed.push((at as u32, (*value, row)));
                    }
                }
            }
            for at in 0..range.len() {
                starts[at + 1] += starts[at];
            }
            let mut next = starts.clone();
            let mut entries = vec![(0, 0); placed.len()];
            for (at, entry) in placed {
                let next = &mut next[at as usize];
                entries[*next as usize] = entry;
                *next += 1;
            }
            Part { entries, starts }
        })
        .collect()
}

/// Spreads any values evenly (the finaliser of MurmurHash3; equal only for equal values).
pub(super) fn mixed(value: u64) -> u64 {
    let mut mixed = value;
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// Finds the blocks of partitions and hands their pairs on.
struct Joiner<'a> {
    spread: Spread<'a>,
    block_rows_max: usize,
    done: Pass,
}

impl<'a> Joiner<'a> {
    fn new(sets: &'a PairSets, block_rows_max: usize) -> Self {
        Self {
            spread: sets.spread(),
            block_rows_max,
            done: Pass::default(),
        }
    }

    fn join(&mut self, entries: &mut Vec<Entry>) {
        entries.sort_unstable();
        // A row may hold a value in two slots.
        entries.dedup();
        for block in entries.chunk_by(|x, y| x.0 == y.0) {
            if block.len() > self.block_rows_max {
                self.done.capped_blocks += 1;
                self.done.capped_rows += block.len() as u64;
                continue;
            }
            for (index, (_, a)) in block.iter().enumerate() {
                for (_, b) in &block[index + 1..] {
                    self.spread.add(*a, *b);
                }
            }
            self.done.pairs += (block.len() * (block.len() - 1) / 2) as u64;
        }
    }

    fn finish(self) -> Pass {
        self.spread.finish();
        self.done
    }
}
