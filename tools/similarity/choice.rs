//! How many bits and how many tables does a promised recall take?

use super::rows::Pair;

/// Bits of a key that are tried.
const KEY_BITS: std::ops::RangeInclusive<u32> = 10..=32;
/// More tables than this are no gain over an exact scan.
const TABLES_MAX: u32 = 512;
/// Share of the pairs that may be lost which is kept in reserve: the sample is not the whole.
const RESERVE: f64 = 0.25;
/// Nanoseconds to make and sort one key, and to compare two filters found in one bucket.
const KEY_NS: f64 = 30.0;
const PAIR_NS: f64 = 70.0;

/// What a search does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) key_bits: u32,
    pub(super) tables: u32,
    /// Share of the sample's pairs that it finds on average.
    pub(super) expected_recall: f64,
}

/// The share of pairs that `tables` tables of `key_bits` random bits find.
///
/// A pair that differs in `d` of `n` bits agrees in `k` of them, drawn without order, with
/// probability `(1 − d/n)^k`; one table out of several is enough.
///
/// # Source
/// Indyk and Motwani 1998, bit sampling for the Hamming distance.
fn recall(sample: &[f64], key_bits: u32, tables: u32) -> f64 {
    let found = |agree: &f64| {
        let miss = 1.0 - agree.powi(key_bits.cast_signed());
        1.0 - miss.powi(tables.cast_signed())
    };
    sample.iter().map(found).sum::<f64>() / sample.len() as f64
}

/// The cheapest search that keeps the promise on the sample; `None` if none does.
///
/// `candidates(k)` estimates how many pairs of rows share a bucket of one table of `k` bits;
/// `rows` counts both sides.
pub(super) fn choose(
    sample: &[Pair],
    bits: usize,
    promised: f64,
    rows: usize,
    mut candidates: impl FnMut(u32) -> f64,
) -> Option<Choice> {
    let agree = |pair: &Pair| 1.0 - f64::from(pair.differing()) / bits as f64;
    let sample: Vec<f64> = sample.iter().map(agree).collect();
    if sample.is_empty() {
        return None;
    }
    let goal = promised + (1.0 - promised) * RESERVE;
    let mut best: Option<(f64, Choice)> = None;
    for key_bits in KEY_BITS {
        let enough = |tables: u32| recall(&sample, key_bits, tables) >= goal;
        if !enough(TABLES_MAX) {
            break;
        }
        let tables = first(1, TABLES_MAX, enough);
        let cost = f64::from(tables) * (rows as f64 * KEY_NS + candidates(key_bits) * PAIR_NS);
        if best.is_none_or(|(least, _)| cost < least) {
            let choice = Choice {
                key_bits,
                tables,
                expected_recall: recall(&sample, key_bits, tables),
            };
            best = Some((cost, choice));
        }
    }
    best.map(|(_, choice)| choice)
}

/// The smallest number from `low` to `high` for which `holds`, if it holds from some number on.
fn first(mut low: u32, mut high: u32, holds: impl Fn(u32) -> bool) -> u32 {
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(differing: u32, count: usize) -> Vec<Pair> {
        let pair = Pair {
            a: 0,
            b: 0,
            common: 400 - differing / 2,
            total: 800,
        };
        vec![pair; count]
    }

    #[test]
    fn the_choice_keeps_the_promise_and_farther_pairs_take_more_tables() {
        let near = choose(&pairs(60, 50), 1024, 0.95, 1000, |_| 0.0).expect("a choice");
        let far = choose(&pairs(150, 50), 1024, 0.95, 1000, |_| 0.0).expect("a choice");
        assert!(near.expected_recall >= 0.95 && far.expected_recall >= 0.95);
        assert!(far.tables > near.tables, "{far:?} {near:?}");
    }

    #[test]
    fn many_candidates_ask_for_longer_keys() {
        let dense = |bits: u32| 1e12 / 2_f64.powi(bits.cast_signed());
        let crowded = choose(&pairs(100, 50), 1024, 0.99, 1000, dense).expect("a choice");
        let quiet = choose(&pairs(100, 50), 1024, 0.99, 1000, |_| 0.0).expect("a choice");
        assert!(crowded.key_bits > quiet.key_bits, "{crowded:?} {quiet:?}");
    }

    #[test]
    fn without_pairs_to_learn_from_there_is_no_choice() {
        assert_eq!(choose(&[], 1024, 0.9, 1000, |_| 0.0), None);
        assert_eq!(choose(&pairs(800, 10), 1024, 0.9, 1000, |_| 0.0), None);
    }
}
