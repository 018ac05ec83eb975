//! The union of all passes' pairs, each once. Pairs are spread by their first row over sets that are
//! sorted and folded on their own, so that memory stays near the size of the union however often the
//! passes propose the same pair.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::terms::{CandidatePair, RowIndex};

/// Rows whose pairs are one set, as a power of two.
const SET_ROWS_BITS: u32 = 16;

/// Pairs that a task collects for a set before it hands them over.
const TASK_PAIRS: usize = 1 << 10;

/// New pairs of a set are not sorted for less than this.
const FRESH_MIN: usize = 1 << 16;

/// Pairs of rows, packed: the smaller row, then the larger.
#[derive(Default)]
struct PairSet {
    /// Ascending, each once.
    known: Vec<u64>,
    /// Not yet looked at.
    fresh: Vec<u64>,
}

/// The sets, by the smaller row.
pub(super) struct PairSets(Vec<Mutex<PairSet>>);

impl PairSets {
    /// No pairs of this many rows.
    pub(super) fn new(rows: usize) -> Self {
        let sets = (rows >> SET_ROWS_BITS) + 1;
        Self((0..sets).map(|_| Mutex::default()).collect())
    }

    /// Takes pairs in, for one task.
    pub(super) fn spread(&self) -> Spread<'_> {
        Spread {
            sets: self,
            held: vec![Vec::new(); self.0.len()],
        }
    }

    /// Sorts in what is new. Gives the number of pairs.
    pub(super) fn fold(&self) -> u64 {
        let sets = self.0.par_iter();
        sets.map(|set| {
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            set.fold();
            set.known.len() as u64
        })
        .sum()
    }

    /// Number of pairs that were sorted in.
    pub(super) fn len(&self) -> u64 {
        let sets = self.0.iter();
        sets.map(|set| {
            set.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .known
                .len() as u64
        })
        .sum()
    }

    /// The pairs, ascending.
    pub(super) fn into_pairs(self) -> Vec<CandidatePair> {
        let mut pairs = Vec::with_capacity(self.fold() as usize);
        for set in self.0 {
            let set = set.into_inner().unwrap_or_else(PoisonError::into_inner);
            pairs.extend(set.known.into_iter().map(|packed| CandidatePair {
                a: (packed >> 32) as RowIndex,
                b: packed as RowIndex,
            }));
        }
        pairs
    }
}

impl PairSet {
    fn add(&mut self, pairs: &mut Vec<u64>) {
        self.fresh.append(pairs);
        if self.fresh.len() >= FRESH_MIN.max(self.known.len() / 2) {
            self.fold();
        }
    }

    fn fold(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        self.fresh.sort_unstable();
        self.fresh.dedup();
        let known = &self.known;
        let mut at = 0;
        self.fresh.retain(|pair| {
            while known.get(at).is_some_and(|other| other < pair) {
                at += 1;
            }
            known.get(at) != Some(pair)
        });
        // Merged from the end, in place.
        let (mut left, mut right) = (self.known.len(), self.fresh.len());
        self.known.resize(left + right, 0);
        while right > 0 {
            let to = left + right - 1;
            if left > 0 && self.known[left - 1] > self.fresh[right - 1] {
                left -= 1;
                self.known[to] = self.known[left];
            } else {
                right -= 1;
                self.known[to] = self.fresh[right];
            }
        }
        self.fresh.clear();
    }
}

/// Collects the pairs of one task by set.
pub(super) struct Spread<'a> {
    sets: &'a PairSets,
    held: Vec<Vec<u64>>,
}

impl Spread<'_> {
    /// Adds a pair of rows, the smaller first.
    pub(super) fn add(&mut self, a: RowIndex, b: RowIndex) {
        let set = (a >> SET_ROWS_BITS) as usize;
        let held = &mut self.held[set];
        held.push(u64::from(a) << 32 | u64::from(b));
        if held.len() >= TASK_PAIRS {
            self.sets.hand_over(set, held);
        }
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) {
        for (set, held) in self.held.iter_mut().enumerate() {
            self.sets.hand_over(set, held);
        }
    }
}

impl PairSets {
    fn hand_over(&self, set: usize, pairs: &mut Vec<u64>) {
        let mut set = self.0[set].lock().unwrap_or_else(PoisonError::into_inner);
        set.add(pairs);
    }
}
