//! How far are filters read before it is decided whether to read on?

use super::tile::{LANES, Shape};
use super::{Path, ones};

/// Rows and queries that a plan looks at, at most, of each side.
const SAMPLE: usize = 128;
/// Cost of reading a word, of the test after the prefix, and of going on, in instructions.
const WORD_COST: f64 = 3.0;
const TEST_COST: f64 = 5.0;
const GO_ON_COST: f64 = 160.0;

/// What a scan does: with which instructions, down to which similarity, over which prefix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    path: Path,
    threshold: f64,
    shape: Shape,
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The threshold is no similarity.
    #[error("a threshold lies above 0 and is at most 1")]
    Threshold,
    /// Filters have no word.
    #[error("a filter has at least one word")]
    Words,
}

impl Plan {
    /// Plans a scan of filters of `words` words down to `threshold`.
    ///
    /// Looks at a sample of both sides to see how many pairs each prefix leaves, and takes the
    /// prefix with the least work. The prefix decides the time only, never the result.
    ///
    /// # Shape
    /// `queries` and `rows`: filters one after the other, `words` words each.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        path: Path,
        words: usize,
        threshold: f64,
        queries: &[u64],
        rows: &[u64],
    ) -> Result<Self, PlanError> {
        if words == 0 {
            return Err(PlanError::Words);
        }
        if !(threshold > 0.0 && threshold <= 1.0) {
            return Err(PlanError::Threshold);
        }
        let (queries, rows) = (sample(queries, words), sample(rows, words));
        let go_on = groups_left(&queries, &rows, words, threshold);
        let work = |prefix: usize| {
            let left = (words - prefix) as f64;
            prefix as f64 * WORD_COST
                + TEST_COST
                + go_on[prefix - 1] * (left * WORD_COST + GO_ON_COST)
        };
        let prefix = (1..=words).min_by(|x, y| work(*x).total_cmp(&work(*y)));
        let shape = Shape {
            words,
            prefix: prefix.unwrap_or(words),
            threshold_bits: threshold.to_bits(),
        };
        Ok(Self {
            path,
            threshold,
            shape,
        })
    }

    /// The instructions used.
    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// Words of a filter.
    #[must_use]
    pub fn words(&self) -> usize {
        self.shape.words
    }

    /// The least similarity that matches, in `(0, 1]`.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Words read of every pair.
    #[must_use]
    pub fn prefix(&self) -> usize {
        self.shape.prefix
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }
}

/// A filter, and its ones from every word on.
type Sampled<'f> = (&'f [u64], Vec<u32>);

/// Some filters of the whole, evenly spread.
fn sample(filters: &[u64], words: usize) -> Vec<Sampled<'_>> {
    let count = filters.len() / words;
    let step = count.div_ceil(SAMPLE).max(1);
    let mut some = Vec::new();
    for filter in filters.chunks_exact(words).step_by(step) {
        let ones_from = (0..=words).map(|word| ones(&filter[word..]));
        some.push((filter, ones_from.collect()));
    }
    some
}

/// For each prefix from one word on: the share of (query, eight rows) in which it leaves any pair.
fn groups_left(
    queries: &[Sampled<'_>],
    rows: &[Sampled<'_>],
    words: usize,
    threshold: f64,
) -> Vec<f64> {
    let mut left = vec![0_u32; words];
    let mut groups = 0_u32;
    for (query, query_ones) in queries {
        for eight in rows.chunks(LANES) {
            groups += 1;
            let mut any = vec![false; words];
            for (row, row_ones) in eight {
                let need = threshold * f64::from(query_ones[0] + row_ones[0]) - 4.0;
                let mut common = 0;
                for word in 0..words {
                    common += (query[word] & row[word]).count_ones();
                    let most = common + query_ones[word + 1].min(row_ones[word + 1]);
                    any[word] |= f64::from(2 * most) >= need;
                }
            }
            for (count, any) in left.iter_mut().zip(any) {
                *count += u32::from(any);
            }
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(groups.max(1));
    left.into_iter().map(share).collect()
}
