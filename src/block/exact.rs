//! The exact scan: which rows share anything at all with some rows? No passes, no cap.

use rayon::prelude::*;

use super::pass::mixed;
use crate::terms::{CandidatePair, RecordTable, RowIndex};

/// Rows that one task scans.
const TASK_ROWS: usize = 1 << 14;

/// Bits of the first test for each value that is looked for.
const BITS_FOR_A_VALUE: usize = 16;

/// Pairs of a row of `sample` and any other row that share a value of any tag, each once, ordered.
///
/// Reads all tags of all rows, whether the profile blocks on them or not. Sample rows need not be
/// in order.
#[must_use]
pub fn sharing_rows(table: &RecordTable, sample: &[RowIndex]) -> Vec<CandidatePair> {
    let wanted = Wanted::new(table, sample);
    let rows = table.len();
    let mut found: Vec<CandidatePair> = (0..rows.div_ceil(TASK_ROWS))
        .into_par_iter()
        .flat_map_iter(|task| {
            let own = task * TASK_ROWS..((task + 1) * TASK_ROWS).min(rows);
            let mut found = Vec::new();
            for row in own {
                wanted.partners(table, row as RowIndex, &mut found);
            }
            found
        })
        .collect();
    found.par_sort_unstable();
    found.dedup();
    found
}

/// A random sample of rows, at most `count`, ascending: the same for the same rows and seed, whatever
/// their order.
#[must_use]
pub fn sample_rows(table: &RecordTable, count: usize, seed: u64) -> Vec<RowIndex> {
    let rows = table.len();
    let place = |row: RowIndex| mixed(table.key(row) ^ mixed(seed));
    // Twice as many as are wanted come below this, about: the smallest of them are among those.
    let share = 2.0 * count as f64 / rows.max(1) as f64;
    let below = (share.min(1.0) * u64::MAX as f64) as u64;
    let mut drawn: Vec<(u64, RowIndex)> = (0..rows as RowIndex)
        .into_par_iter()
        .map(|row| (place(row), row))
        .filter(|(place, _)| *place <= below)
        .collect();
    drawn.sort_unstable_by_key(|(place, row)| (*place, table.key(*row)));
    let mut drawn: Vec<RowIndex> = drawn.into_iter().take(count).map(|(_, row)| row).collect();
    drawn.sort_unstable();
    drawn
}

/// The values of the sample.
struct Wanted {
    /// (tag, value, row), ascending.
    values: Vec<(u16, u64, RowIndex)>,
    /// A set bit for the hash of each value.
    bits: Vec<u64>,
    mask: u64,
}

impl Wanted {
    fn new(table: &RecordTable, sample: &[RowIndex]) -> Self {
        let mut values = Vec::new();
        for row in sample {
            for_each_value(table, *row, |tag, value| values.push((tag, value, *row)));
        }
        values.sort_unstable();
        values.dedup();
        let bits = (values.len() * BITS_FOR_A_VALUE)
            .next_power_of_two()
            .max(64);
        let mut wanted = Self {
            bits: vec![0; bits / 64],
            mask: bits as u64 - 1,
            values,
        };
        for at in 0..wanted.values.len() {
            let bit = mixed(wanted.values[at].1) & wanted.mask;
            wanted.bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        wanted
    }

    /// Adds the pairs of a row with rows of the sample.
    fn partners(&self, table: &RecordTable, row: RowIndex, found: &mut Vec<CandidatePair>) {
        for_each_value(table, row, |tag, value| {
            let bit = mixed(value) & self.mask;
            if self.bits[(bit / 64) as usize] & 1 << (bit % 64) == 0 {
                return;
            }
            let start = (self.values).partition_point(|(t, v, _)| (*t, *v) < (tag, value));
            let equal = self.values[start..].iter();
            let equal = equal.take_while(|(t, v, _)| (*t, *v) == (tag, value));
            let others = equal
                .map(|(_, _, other)| *other)
                .filter(|other| *other != row);
            found.extend(others.map(|other| CandidatePair::new(row, other)));
        });
    }
}

/// Calls `each` with tag and value of every slot of the tags that the row has.
fn for_each_value(table: &RecordTable, row: RowIndex, mut each: impl FnMut(u16, u64)) {
    for tag in 0..table.layout().tag_count() {
        for value in table.tag(row, tag).unwrap_or_default() {
            each(tag as u16, *value);
        }
    }
}
