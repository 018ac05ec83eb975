//! How common is a value? Agreement on a rare name tells more than on a common one.
//!
//! An encoded value is counted without being read: equal values have equal encodings. Each row's
//! value falls into a class by the share of records that hold the same.

use std::collections::HashMap;

use crate::terms::profile::{Comparison, Evidence, VALUE_CLASS_SHARES};
use crate::terms::{RecordTable, RowIndex};

/// Class of each row's value in one comparison, 0 the rarest. `[rows]`
pub(super) struct ValueClasses {
    class_of_row: Vec<u8>,
}

impl ValueClasses {
    /// Counts the values of a comparison's first rung; `None` if the comparison does not ask.
    pub(super) fn of(comparison: &Comparison, table: &RecordTable) -> Option<Self> {
        if !comparison.by_frequency {
            return None;
        }
        let value = |row: RowIndex| match comparison.rungs[0].evidence {
            Evidence::Filter { index, .. } => table.filter(row, index).map(digest),
            Evidence::Tag(tag) => table.tag(row, tag).map(digest),
            Evidence::Attribute(_) | Evidence::Near(_) | Evidence::Bucket(_) => None,
        };
        let rows = table.len() as RowIndex;
        let mut counts: HashMap<u64, u32> = HashMap::new();
        let mut held = 0_u32;
        for value in (0..rows).filter_map(value) {
            *counts.entry(value).or_default() += 1;
            held += 1;
        }
        let class = |row: RowIndex| {
            let share = value(row).map_or(0.0, |value| f64::from(counts[&value]) / f64::from(held));
            VALUE_CLASS_SHARES
                .iter()
                .filter(|end| share >= **end)
                .count() as u8
        };
        Some(Self {
            class_of_row: (0..rows).map(class).collect(),
        })
    }

    /// Class of a pair: of the commoner of the two values, should they differ in a bit or two.
    pub(super) fn of_pair(&self, a: RowIndex, b: RowIndex) -> usize {
        usize::from(self.class_of_row[a as usize].max(self.class_of_row[b as usize]))
    }
}

/// 64 bits of a value's words (the finaliser of MurmurHash3, chained). Two values in one class by
/// a collision cost a little evidence, nothing else.
fn digest(words: &[u64]) -> u64 {
    words.iter().fold(0, |state, word| {
        let mut mixed = (state ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^= mixed >> 33;
        mixed = mixed.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        mixed ^ (mixed >> 33)
    })
}
