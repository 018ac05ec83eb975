//! Shape of a row: where each filter and tag of an encoding lies.

use std::ops::Range;

/// Where each filter and tag lies in the packed form of an encoding.
///
/// # Units
/// Filters in 64-bit words; tags in slots of one 64-bit value. Each tag has one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// First word of each filter, and the total at the end: `filter_count + 1` numbers.
    filter_starts: Vec<usize>,
    tag_count: usize,
}

impl Layout {
    /// Most filters and tags together: one bit each in the presence mask.
    pub const PARTS_MAX: usize = 64;

    /// Layout of filters with these lengths (bits, multiples of 64) and this many tags.
    pub(super) fn new(filter_bits: &[u32], tag_count: usize) -> Self {
        let mut filter_starts = vec![0];
        let mut end = 0;
        for bits in filter_bits {
            end += (*bits / 64) as usize;
            filter_starts.push(end);
        }
        Self {
            filter_starts,
            tag_count,
        }
    }

    /// How many filters.
    #[must_use]
    pub fn filter_count(&self) -> usize {
        self.filter_starts.len() - 1
    }

    /// How many tags.
    #[must_use]
    pub fn tag_count(&self) -> usize {
        self.tag_count
    }

    /// Words of all filters together.
    #[must_use]
    pub fn filter_words(&self) -> usize {
        self.filter_starts[self.filter_count()]
    }

    /// Tag values of one row.
    #[must_use]
    pub fn tag_slots(&self) -> usize {
        self.tag_count
    }

    /// Words of one filter within the row's words.
    ///
    /// # Panics
    /// If `filter` is not an index of a filter.
    #[must_use]
    pub fn filter_range(&self, filter: usize) -> Range<usize> {
        self.filter_starts[filter]..self.filter_starts[filter + 1]
    }

    /// Slots of one tag within the row's slots.
    #[must_use]
    pub fn tag_range(&self, tag: usize) -> Range<usize> {
        tag..tag + 1
    }

    /// Presence bit of a filter.
    #[must_use]
    pub fn filter_bit(&self, filter: usize) -> u64 {
        1 << filter
    }

    /// Presence bit of a tag.
    #[must_use]
    pub fn tag_bit(&self, tag: usize) -> u64 {
        1 << (self.filter_count() + tag)
    }

    /// All presence bits that may be set.
    #[must_use]
    pub fn presence_all(&self) -> u64 {
        let parts = self.filter_count() + self.tag_count;
        if parts == 64 {
            u64::MAX
        } else {
            (1 << parts) - 1
        }
    }
}
