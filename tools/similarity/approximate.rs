//! Pairs by locality-sensitive hashing: rows that agree in some random bits are compared.
//!
//! Each table draws bit positions, sorts both sides by those bits, and compares rows that agree in
//! all of them. How many bits and tables: `choice`, from the pairs that an exact scan of a sample
//! finds. The same sample then tells which share was really found.

use indicatif::ProgressBar;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::Serialize;

use super::choice::{Choice, choose};
use super::exact;
use super::rows::{Filters, Pair};
use crate::kernel::{self, Plan};
use crate::score;

/// Comparisons that the sample may cost.
const SAMPLE_COMPARISONS: usize = 2_000_000_000;
/// Rows of a sample, at most.
const SAMPLE_ROWS: usize = 4000;
/// Seed of the bit positions: equal files, equal result.
const SEED: u64 = 0x6d75_7375_6269;
/// Larger buckets are compared in pieces by several threads.
const PIECE: usize = 4096;

/// What an approximate search did, and what it found of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApproximateReport {
    /// Share of the pairs that was promised.
    pub promised_recall: f64,
    /// Bits of a key; 0 if every pair was compared after all.
    pub key_bits: u32,
    /// Tables.
    pub tables: u32,
    /// Pairs compared.
    pub compared: u64,
    /// Pairs of the sample, all found by an exact scan.
    pub sample_pairs: usize,
    /// Share of the sample's pairs that the search found.
    pub sample_recall: f64,
    /// 95 % interval of that share (Wilson 1927).
    pub sample_recall_interval: [f64; 2],
}

impl ApproximateReport {
    pub(super) fn text(&self) -> String {
        if self.key_bits == 0 {
            return "every pair was compared: the sample gave no cheaper way that keeps the promise\n"
                .into();
        }
        let [low, high] = self.sample_recall_interval;
        format!(
            "{} tables of {} bits, {} pairs compared; found {:.4} ({low:.4} to {high:.4}) of the {} \
             pairs of a sample, {} promised\n",
            self.tables,
            self.key_bits,
            self.compared,
            self.sample_recall,
            self.sample_pairs,
            self.promised_recall
        )
    }
}

/// A share `promised` of the pairs that reach the plan's threshold, ordered.
pub(super) fn pairs(
    plan: &Plan,
    a: &Filters,
    b: &Filters,
    promised: f64,
    bar: &ProgressBar,
) -> (Vec<Pair>, ApproximateReport) {
    let sample = sample(plan, a, b);
    let mut draw = ChaCha8Rng::seed_from_u64(SEED);
    let trial = |key_bits: u32| {
        let mut draw = ChaCha8Rng::seed_from_u64(SEED ^ u64::from(key_bits));
        let positions = positions(&mut draw, a.bits(), key_bits);
        in_buckets(&keys(a, &positions), &keys(b, &positions))
    };
    let rows = a.len() + b.len();
    let Some(choice) = choose(&sample, a.bits(), promised, rows, trial) else {
        let all = exact::pairs(plan, a, b, bar);
        let compared = a.len() as u64 * b.len() as u64;
        let report = report(promised, None, compared, &sample, &all);
        return (all, report);
    };
    bar.set_message("tables");
    bar.set_position(0);
    bar.set_length(u64::from(choice.tables));
    let (ones_a, ones_b) = (a.ones(), b.ones());
    let mut found = Vec::new();
    let mut compared = 0;
    for _ in 0..choice.tables {
        let positions = positions(&mut draw, a.bits(), choice.key_bits);
        let (keys_a, keys_b) = (keys(a, &positions), keys(b, &positions));
        let near: Vec<(Vec<Pair>, u64)> = pieces(&keys_a)
            .into_par_iter()
            .map(|piece| join(plan, piece, &keys_b, (a, &ones_a), (b, &ones_b)))
            .collect();
        compared += near.iter().map(|(_, count)| count).sum::<u64>();
        let mut near: Vec<Pair> = near.into_iter().flat_map(|(pairs, _)| pairs).collect();
        near.par_sort_unstable();
        found = united(found, near);
        bar.inc(1);
    }
    let report = report(promised, Some(choice), compared, &sample, &found);
    (found, report)
}

/// The pairs of some rows of `a`, evenly spread, by an exact scan; rows of `a` as in the whole.
fn sample(plan: &Plan, a: &Filters, b: &Filters) -> Vec<Pair> {
    let rows = (SAMPLE_COMPARISONS / b.len().max(1)).clamp(1, SAMPLE_ROWS);
    let step = a.len().div_ceil(rows).max(1);
    let mut some = Filters::new(a.bits());
    for row in (0..a.len()).step_by(step) {
        some.push_words(a.row(row));
    }
    let mut pairs = exact::pairs(plan, &some, b, &ProgressBar::hidden());
    for pair in &mut pairs {
        pair.a *= step as u32;
    }
    pairs
}

/// Word and shift of each drawn bit.
fn positions(draw: &mut ChaCha8Rng, bits: usize, key_bits: u32) -> Vec<(usize, u32)> {
    let drawn = index::sample(draw, bits, bits.min(key_bits as usize));
    drawn
        .iter()
        .map(|bit| (bit / 64, (bit % 64) as u32))
        .collect()
}

/// Key in the upper half, row in the lower half, sorted. Empty filters have no key.
fn keys(filters: &Filters, positions: &[(usize, u32)]) -> Vec<u64> {
    let words = filters.words().max(1);
    let rows = filters.all().par_chunks_exact(words).enumerate();
    let key = |(row, filter): (usize, &[u64])| {
        let take = |key: u64, (word, shift): &(usize, u32)| key << 1 | filter[*word] >> shift & 1;
        let key = positions.iter().fold(0, take);
        filter
            .iter()
            .any(|word| *word != 0)
            .then_some(key << 32 | row as u64)
    };
    let mut keys: Vec<u64> = rows.filter_map(key).collect();
    keys.par_sort_unstable();
    keys
}

/// Pairs of rows that share a bucket.
fn in_buckets(a: &[u64], b: &[u64]) -> f64 {
    let mut start = 0;
    let mut count = 0.0;
    for bucket in a.chunk_by(|x, y| x >> 32 == y >> 32) {
        let others = bucket_of(b, &mut start, bucket[0] >> 32);
        count += bucket.len() as f64 * others.len() as f64;
    }
    count
}

/// The keys equal to `key`, looked for from `start` on, which moves behind them.
fn bucket_of<'k>(keys: &'k [u64], start: &mut usize, key: u64) -> &'k [u64] {
    while keys.get(*start).is_some_and(|it| it >> 32 < key) {
        *start += 1;
    }
    let rest = &keys[*start..];
    let end = rest
        .iter()
        .position(|it| it >> 32 != key)
        .unwrap_or(rest.len());
    *start += end;
    &rest[..end]
}

/// Cuts sorted keys into pieces; a key may begin in one and end in the next.
fn pieces(keys: &[u64]) -> Vec<&[u64]> {
    keys.chunks(PIECE).collect()
}

/// Compares the rows of a piece of one side with those of the other that share their bucket.
fn join(
    plan: &Plan,
    piece: &[u64],
    keys_b: &[u64],
    (a, ones_a): (&Filters, &[u32]),
    (b, ones_b): (&Filters, &[u32]),
) -> (Vec<Pair>, u64) {
    let row = |key: &u64| (key & u64::from(u32::MAX)) as usize;
    let first = piece.first().map_or(0, |key| key >> 32);
    let mut start = keys_b.partition_point(|key| key >> 32 < first);
    let (mut found, mut compared) = (Vec::new(), 0);
    for bucket in piece.chunk_by(|x, y| x >> 32 == y >> 32) {
        let others = bucket_of(keys_b, &mut start, bucket[0] >> 32);
        compared += bucket.len() as u64 * others.len() as u64;
        for other in others.iter().map(row) {
            let filter = b.row(other);
            for one in bucket.iter().map(row) {
                let pair = Pair {
                    a: one as u32,
                    b: other as u32,
                    common: kernel::common_ones(a.row(one), filter),
                    total: ones_a[one] + ones_b[other],
                };
                if pair.similarity() >= plan.threshold() {
                    found.push(pair);
                }
            }
        }
    }
    (found, compared)
}

/// Both ordered lists in one, each pair once.
fn united(one: Vec<Pair>, other: Vec<Pair>) -> Vec<Pair> {
    if one.is_empty() {
        return other;
    }
    let new: Vec<Pair> = other
        .into_iter()
        .filter(|pair| one.binary_search(pair).is_err())
        .collect();
    let mut all = Vec::with_capacity(one.len() + new.len());
    let (mut one, mut new) = (one.into_iter().peekable(), new.into_iter().peekable());
    while let (Some(x), Some(y)) = (one.peek(), new.peek()) {
        let next = if x < y { one.next() } else { new.next() };
        all.extend(next);
    }
    all.extend(one);
    all.extend(new);
    all
}

fn report(
    promised: f64,
    choice: Option<Choice>,
    compared: u64,
    sample: &[Pair],
    found: &[Pair],
) -> ApproximateReport {
    let hits = sample
        .iter()
        .filter(|pair| found.binary_search(pair).is_ok())
        .count();
    // Nothing known of an empty sample: all of it was found, and the interval is whole.
    let recall = match sample.len() {
        0 => 1.0,
        pairs => hits as f64 / pairs as f64,
    };
    let interval = score::wilson(recall, sample.len() as f64);
    ApproximateReport {
        promised_recall: promised,
        key_bits: choice.map_or(0, |choice| choice.key_bits),
        tables: choice.map_or(0, |choice| choice.tables),
        compared,
        sample_pairs: sample.len(),
        sample_recall: recall,
        sample_recall_interval: [interval.low, interval.high],
    }
}
