//! Hardening of a filter: balance, permutation, flips.
//!
//! Balance appends the complement, so that every filter has the same number of ones and its
//! weight tells nothing about the length of a name. The permutation, the same for all records,
//! hides which half is which. Flips add noise that is fixed for each (source secret, record): fresh
//! noise on every upload would average out.

use super::key::{Key, KeyStream};
use crate::terms::RecordRef;

/// Where each base bit goes in the finished filter.
pub(super) struct Placement {
    /// The finished filter of an empty base.
    empty: Vec<u64>,
    /// Base bit → bit that is set for it.
    set_at: Vec<usize>,
    /// Base bit → bit of its complement, which is cleared; empty without balance.
    clear_at: Vec<usize>,
}

impl Placement {
    /// Base bits are the filter's bits.
    pub(super) fn plain(bits: u32) -> Self {
        Self {
            empty: vec![0; bits as usize / 64],
            set_at: (0..bits as usize).collect(),
            clear_at: Vec::new(),
        }
    }

    /// Half of the bits are the base, half its complement, all permuted by the key.
    pub(super) fn balanced(bits: u32, key: &Key) -> Self {
        let permutation = permutation(bits as usize, key);
        let (set_at, clear_at) = permutation.split_at(bits as usize / 2);
        let mut empty = vec![0; bits as usize / 64];
        for bit in clear_at {
            empty[bit / 64] |= 1 << (bit % 64);
        }
        Self {
            empty,
            set_at: set_at.into(),
            clear_at: clear_at.into(),
        }
    }

    /// Bits that grams can set.
    pub(super) fn base_bits(&self) -> u32 {
        // A filter has at most 8192 bits.
        self.set_at.len() as u32
    }

    /// The finished filter of an empty base.
    pub(super) fn start(&self, out: &mut [u64]) {
        out.copy_from_slice(&self.empty);
    }

    /// Sets one base bit in the finished filter.
    pub(super) fn set(&self, position: usize, out: &mut [u64]) {
        let bit = self.set_at[position];
        out[bit / 64] |= 1 << (bit % 64);
        if let Some(bit) = self.clear_at.get(position) {
            out[bit / 64] &= !(1 << (bit % 64));
        }
    }
}

/// Fisher–Yates shuffle of `0..n`, drawn from the key. Index *i*, from the last down to 1, is
/// swapped with `(w · (i + 1)) >> 64` for the next 64-bit word *w*: the bias is below 2⁻⁵⁰.
fn permutation(n: usize, key: &Key) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut words = Words::new(key, &[]);
    for i in (1..n).rev() {
        let j = (u128::from(words.next_word()) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
    order
}

/// The fixed noise of one filter.
pub(super) struct Flips {
    key: Key,
    /// Probability in units of 2⁻³².
    probability: u32,
}

impl Flips {
    /// `key`: key of the filter under the source secret. `probability`: `[0, 0.4]`.
    pub(super) fn new(key: Key, probability: f64) -> Self {
        Self {
            key,
            probability: (probability * f64::from(u32::MAX)).round() as u32,
        }
    }

    /// Flips each bit with the probability.
    ///
    /// Each bit draws a random binary fraction and flips if that is below the probability. 64 bits
    /// are compared at once, digit by digit from the highest, until none is undecided; the digits
    /// are 64-bit words of the keyed stream over `u32 LE length ‖ record ref`.
    pub(super) fn apply(&self, record_ref: &RecordRef, out: &mut [u64]) {
        let label = record_ref.as_str().as_bytes();
        let mut message = Vec::with_capacity(4 + label.len());
        message.extend((label.len() as u32).to_le_bytes());
        message.extend(label);
        let mut words = Words::new(&self.key, &message);
        for slot in out {
            let mut flipped = 0;
            let mut undecided = u64::MAX;
            for digit in (0..32).rev() {
                let drawn = words.next_word();
                if (self.probability >> digit) & 1 == 1 {
                    flipped |= undecided & !drawn;
                    undecided &= drawn;
                } else {
                    undecided &= !drawn;
                }
                if undecided == 0 {
                    break;
                }
            }
            *slot ^= flipped;
        }
    }
}

/// Bytes of a stream that are made together.
const BLOCK_BYTES: usize = 1024;

/// A keyed stream as 64-bit little-endian words.
struct Words<'a> {
    stream: KeyStream<'a>,
    block: [u8; BLOCK_BYTES],
    next: usize,
}

impl<'a> Words<'a> {
    fn new(key: &'a Key, message: &'a [u8]) -> Self {
        Self {
            stream: key.stream(message),
            block: [0; BLOCK_BYTES],
            next: BLOCK_BYTES,
        }
    }

    fn next_word(&mut self) -> u64 {
        if self.next == BLOCK_BYTES {
            self.stream.fill(&mut self.block);
            self.next = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.next..self.next + 8]);
        self.next += 8;
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encode::key::{LinkageSecret, SourceSecret};
    use crate::terms::profile::Suite;

    fn key(byte: u8) -> Key {
        LinkageSecret::from_bytes([byte; 32]).root(Suite::Blake3)
    }

    #[test]
    fn a_permutation_holds_every_index_once_and_follows_its_key() {
        let order = permutation(1024, &key(1));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1024).collect::<Vec<_>>());
        assert_eq!(order, permutation(1024, &key(1)));
        assert_ne!(order, permutation(1024, &key(2)));
        let fixed = order.iter().enumerate().filter(|(i, to)| i == *to).count();
        assert!(fixed < 10, "{fixed} indices stay in place");
    }

    proptest! {
        #[test]
        fn balanced_placement_equals_appending_the_complement_and_permuting(
            set in prop::collection::vec(0_usize..256, 0..200),
        ) {
            let mut base = vec![false; 256];
            set.iter().for_each(|position| base[*position] = true);
            let whole: Vec<bool> = base.iter().copied().chain(base.iter().map(|b| !b)).collect();
            let mut expected = vec![0_u64; 8];
            for (from, to) in permutation(512, &key(3)).into_iter().enumerate() {
                expected[to / 64] |= u64::from(whole[from]) << (to % 64);
            }
            let placement = Placement::balanced(512, &key(3));
            let mut out = vec![0; 8];
            placement.start(&mut out);
            set.iter().for_each(|position| placement.set(*position, &mut out));
            prop_assert_eq!(placement.base_bits(), 256);
            prop_assert_eq!(out.iter().map(|w| w.count_ones()).sum::<u32>(), 256);
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn flips_are_fixed_for_secret_and_record_and_as_many_as_asked() {
        let flips = |byte: u8, probability| {
            Flips::new(
                SourceSecret::from_bytes([byte; 32]).root(Suite::Blake3),
                probability,
            )
        };
        let noise = |flips: &Flips, label: &str| {
            let mut out = vec![0_u64; 16];
            flips.apply(&RecordRef::new(label).expect("valid"), &mut out);
            out
        };
        let half = flips(1, 0.2);
        assert_eq!(noise(&half, "A1"), noise(&flips(1, 0.2), "A1"));
        assert_ne!(noise(&half, "A1"), noise(&half, "A2"));
        assert_ne!(noise(&half, "A1"), noise(&flips(2, 0.2), "A1"));
        for probability in [0.0, 0.05, 0.2, 0.4] {
            let flips = flips(1, probability);
            let records = 400;
            let ones: u32 = (0..records)
                .flat_map(|i| noise(&flips, &i.to_string()))
                .map(u64::count_ones)
                .sum();
            let bits = f64::from(records * 1024);
            let spread = (probability * (1.0 - probability) / bits).sqrt();
            let rate = f64::from(ones) / bits;
            assert!(
                (rate - probability).abs() <= 5.0 * spread,
                "{rate} instead of {probability}"
            );
        }
    }

    #[test]
    fn every_bit_of_a_filter_is_flipped_equally_often() {
        let flips = Flips::new(key(5), 0.2);
        let mut counts = [0_u32; 128];
        for record in 0..4000 {
            let mut out = [0_u64; 2];
            let record_ref = RecordRef::new(&record.to_string()).expect("valid");
            flips.apply(&record_ref, &mut out);
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += ((out[bit / 64] >> (bit % 64)) & 1) as u32;
            }
        }
        for (bit, count) in counts.iter().enumerate() {
            // 800 expected, standard deviation 25.3.
            assert!((650..950).contains(count), "bit {bit}: {count}");
        }
    }
}
