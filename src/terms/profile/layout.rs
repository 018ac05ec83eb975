//! Shape of a row: where each filter and tag of an encoding lies.

use std::ops::Range;

/// Where each filter and tag lies in the packed form of an encoding.
///
/// # Units
/// Filters in 64-bit words; tags in slots of one 64-bit value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// First word of each filter, and the total at the end: `filter_count + 1` numbers.
    filter_starts: Vec<usize>,
    /// First slot of each tag, and the total at the end: `tag_count + 1` numbers.
    tag_starts: Vec<usize>,
    event_year: bool,
}

impl Layout {
    /// Most filters and tags together: one bit each in the presence mask.
    pub const PARTS_MAX: usize = 64;

    /// Layout of filters with these lengths (bits, multiples of 64) and tags with so many slots.
    pub(super) fn new(filter_bits: &[u32], tag_slots: &[u32], event_year: bool) -> Self {
        let words: Vec<u32> = filter_bits.iter().map(|bits| bits / 64).collect();
        Self {
            filter_starts: starts(&words),
            tag_starts: starts(tag_slots),
            event_year,
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
        self.tag_starts.len() - 1
    }

    /// Whether a row may tell the calendar year of its event.
    #[must_use]
    pub fn event_year(&self) -> bool {
        self.event_year
    }

    /// Words of all filters together.
    #[must_use]
    pub fn filter_words(&self) -> usize {
        self.filter_starts[self.filter_count()]
    }

    /// Tag values of one row.
    #[must_use]
    pub fn tag_slots(&self) -> usize {
        self.tag_starts[self.tag_count()]
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
    ///
    /// # Panics
    /// If `tag` is not an index of a tag.
    #[must_use]
    pub fn tag_range(&self, tag: usize) -> Range<usize> {
        self.tag_starts[tag]..self.tag_starts[tag + 1]
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
        let parts = self.filter_count() + self.tag_count();
        if parts == 64 {
            u64::MAX
        } else {
            (1 << parts) - 1
        }
    }
}

/// Where each of these lengths begins when they follow one another, and the end of the last.
fn starts(lengths: &[u32]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut end = 0;
    for length in lengths {
        end += *length as usize;
        starts.push(end);
    }
    starts
}
