//! The scan with AVX2: four rows in a register, bits counted by looking up half bytes.
//!
//! # Source
//! The look-up by `pshufb` is Muła's; see Muła, Kurz, Lemire 2018, "Faster population counts using
//! AVX2 instructions".
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_add_epi64, _mm256_and_si256, _mm256_blendv_epi8,
    _mm256_cmpgt_epi64, _mm256_load_si256, _mm256_movemask_epi8, _mm256_sad_epu8, _mm256_set1_epi8,
    _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::Match;
use super::tile::{Group, LANES, Line, Tile};

/// Rows of a register, and registers of a line.
const ROWS: usize = 4;
const HALVES: usize = LANES / ROWS;
/// Words whose counts, at most 8 a byte, fit into a byte together.
const WORDS_OF_BYTES: usize = 31;

/// See [`super::scan`].
#[target_feature(enable = "avx2")]
pub(super) fn scan<const Q: usize>(
    group: &Group<Q>,
    tile: &Tile,
    threshold: f64,
    found: &mut Vec<Match>,
) {
    let (prefix_words, rest_words) = group.words();
    for (block, (prefix, rest)) in tile.blocks().enumerate() {
        for half in 0..HALVES {
            let common = count::<Q, Q>(prefix, prefix_words, 0, half);
            let (need, left) = (load(&tile.need[block], half), load(&tile.rest[block], half));
            for (query, begun) in common.into_iter().enumerate() {
                let least = _mm256_add_epi64(need, all(group.need[query]));
                let most = _mm256_add_epi64(begun, smaller(left, all(group.rest[query])));
                if reached(most, least) == 0 {
                    continue;
                }
                let [more] = count::<Q, 1>(rest, rest_words, query, half);
                let sum = _mm256_add_epi64(begun, more);
                let lanes = reached(sum, least);
                let counts = store(sum);
                for lane in (0..ROWS).filter(|lane| lanes >> (8 * lane) & 1 == 1) {
                    let pair = (query, block * LANES + half * ROWS + lane);
                    group.settle(pair, counts[lane], (tile, threshold), found);
                }
            }
        }
    }
}

/// Common ones of four rows and the `N` queries from `first` on.
#[target_feature(enable = "avx2")]
#[inline]
fn count<const Q: usize, const N: usize>(
    lines: &[Line],
    words: &[[u64; Q]],
    first: usize,
    half: usize,
) -> [__m256i; N] {
    let zero = _mm256_setzero_si256();
    let mut sums = [zero; N];
    let chunks = lines.chunks(WORDS_OF_BYTES);
    for (lines, words) in chunks.zip(words.chunks(WORDS_OF_BYTES)) {
        let mut bytes = [zero; N];
        for (line, words) in lines.iter().zip(words) {
            let rows = load(line, half);
            for (count, word) in bytes.iter_mut().zip(&words[first..]) {
                let both = _mm256_and_si256(rows, all(*word));
                *count = _mm256_add_epi8(*count, ones_of_bytes(both));
            }
        }
        for (sum, count) in sums.iter_mut().zip(bytes) {
            *sum = _mm256_add_epi64(*sum, _mm256_sad_epu8(count, zero));
        }
    }
    sums
}

/// The number of ones in each byte.
#[target_feature(enable = "avx2")]
#[inline]
fn ones_of_bytes(bits: __m256i) -> __m256i {
    let ones_of_half = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, //
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let low_half = _mm256_set1_epi8(0x0f);
    let low = _mm256_and_si256(bits, low_half);
    let high = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low_half);
    _mm256_add_epi8(
        _mm256_shuffle_epi8(ones_of_half, low),
        _mm256_shuffle_epi8(ones_of_half, high),
    )
}

/// Of each lane the smaller number; both below 2⁶³.
#[target_feature(enable = "avx2")]
#[inline]
fn smaller(a: __m256i, b: __m256i) -> __m256i {
    _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b))
}

/// A mask of the bytes of those lanes in which `sum` is at least `least`; both below 2⁶³.
#[target_feature(enable = "avx2")]
#[inline]
fn reached(sum: __m256i, least: __m256i) -> u32 {
    !_mm256_movemask_epi8(_mm256_cmpgt_epi64(least, sum)).cast_unsigned()
}

#[target_feature(enable = "avx2")]
#[inline]
fn all(value: u64) -> __m256i {
    _mm256_set1_epi64x(value.cast_signed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(line: &Line, half: usize) -> __m256i {
    let lanes = &line.0[half * ROWS..][..ROWS];
    // SAFETY: reads 32 bytes at an address that is a multiple of 32. `lanes` has four words, which
    // the slicing checked, and begins 0 or 32 bytes after the start of a `Line`, aligned to 64.
    unsafe { _mm256_load_si256(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(lanes: __m256i) -> [u64; ROWS] {
    let mut words = [0; ROWS];
    // SAFETY: writes 32 bytes, of any alignment, into four words that nothing else refers to.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), lanes) };
    words
}
