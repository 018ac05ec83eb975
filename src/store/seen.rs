//! "Have we seen this record?", answered from memory: a Bloom filter in front of the index, so that
//! records that are new, as most are, cost no look-up.

use fastbloom::BloomFilter;

/// Room of the first filter, records.
const FIRST_CAPACITY: usize = 1 << 20;
const FALSE_POSITIVES: f64 = 0.01;

/// Filters of doubling size; a record is in one of them. Never denies a record that was added.
pub(super) struct SeenFilter {
    filters: Vec<Filter>,
}

struct Filter {
    bits: BloomFilter,
    room: usize,
}

impl Filter {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            bits: BloomFilter::with_false_pos(FALSE_POSITIVES).expected_items(capacity),
            room: capacity,
        }
    }
}

impl SeenFilter {
    /// A filter that has seen nothing.
    pub(super) fn new() -> Self {
        Self {
            filters: vec![Filter::with_capacity(FIRST_CAPACITY)],
        }
    }

    /// Adds a record by its key.
    pub(super) fn add(&mut self, key: &[u8]) {
        let count = self.filters.len();
        if self.filters.last().is_none_or(|filter| filter.room == 0) {
            self.filters
                .push(Filter::with_capacity(FIRST_CAPACITY << count));
        }
        if let Some(filter) = self.filters.last_mut() {
            filter.bits.insert(key);
            filter.room -= 1;
        }
    }

    /// Whether a record may have been added. `false` is certain.
    pub(super) fn may_contain(&self, key: &[u8]) -> bool {
        self.filters.iter().any(|filter| filter.bits.contains(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_added_is_denied_and_growth_keeps_errors_rare() {
        let mut seen = SeenFilter {
            filters: vec![Filter::with_capacity(100)],
        };
        let key = |number: u32| number.to_le_bytes();
        for number in 0..5_000 {
            seen.add(&key(number));
        }
        assert!((0..5_000).all(|number| seen.may_contain(&key(number))));
        let wrong = (10_000..20_000)
            .filter(|number| seen.may_contain(&key(*number)))
            .count();
        assert!(wrong < 1_000, "{wrong} of 10,000 wrongly held as seen");
    }
}
