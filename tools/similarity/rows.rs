//! Filters in memory, and pairs of them.

use crate::kernel;

/// Filters of one length, one after the other.
///
/// # Privacy
/// Holds encodings: no `Debug`.
pub struct Filters {
    bits: usize,
    words: Vec<u64>,
    origin: Option<String>,
}

impl Filters {
    /// No filter yet, of `bits` bits each.
    #[must_use]
    pub fn new(bits: usize) -> Self {
        Self {
            bits,
            words: Vec::new(),
            origin: None,
        }
    }

    /// Adds a filter from its bytes, filled up with zeros to whole words.
    ///
    /// # Panics
    /// If there are more or fewer bytes than the bits need.
    pub fn push(&mut self, bytes: &[u8]) {
        assert_eq!(
            bytes.len(),
            self.bits.div_ceil(8),
            "a filter has its length"
        );
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push(u64::from_le_bytes(word));
        }
    }

    /// Adds a filter from its words.
    ///
    /// # Panics
    /// If there are more or fewer words than the bits need.
    pub fn push_words(&mut self, words: &[u64]) {
        assert_eq!(words.len(), self.words(), "a filter has its length");
        self.words.extend_from_slice(words);
    }

    /// Adds a filter without a bit: it is like no other.
    pub fn push_empty(&mut self) {
        self.words.resize(self.words.len() + self.words(), 0);
    }

    /// Says what the filters were made with; only equal ones are comparable.
    #[must_use]
    pub fn made_with(mut self, origin: String) -> Self {
        self.origin = Some(origin);
        self
    }

    /// What the filters were made with, if known.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Bits of a filter.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Words of a filter.
    #[must_use]
    pub fn words(&self) -> usize {
        self.bits.div_ceil(64)
    }

    /// Number of filters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len().checked_div(self.words()).unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// All filters, one after the other.
    #[must_use]
    pub fn all(&self) -> &[u64] {
        &self.words
    }

    /// One filter.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u64] {
        &self.words[row * self.words()..][..self.words()]
    }

    /// Number of ones of each filter.
    #[must_use]
    pub fn ones(&self) -> Vec<u32> {
        let rows = self.words.chunks_exact(self.words().max(1));
        rows.map(kernel::ones).collect()
    }
}

/// Two rows that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Row of the one side, from 0.
    pub a: u32,
    /// Row of the other side, from 0.
    pub b: u32,
    /// Bits set in both.
    pub common: u32,
    /// Bits set in the one plus bits set in the other.
    pub total: u32,
}

impl Pair {
    /// Sørensen–Dice similarity.
    #[must_use]
    pub fn similarity(&self) -> f64 {
        f64::from(2 * self.common) / f64::from(self.total.max(1))
    }

    /// Bits in which the two differ.
    #[must_use]
    pub fn differing(&self) -> u32 {
        self.total - 2 * self.common
    }
}
