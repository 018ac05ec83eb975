//! The scan with NEON: two rows in a register.
#![allow(unsafe_code)]

use std::arch::aarch64::{
    uint8x16_t, uint64x2_t, vaddq_u8, vaddq_u64, vandq_u64, vcntq_u8, vdupq_n_u8, vdupq_n_u64,
    vgetq_lane_u64, vld1q_u64, vpaddlq_u8, vpaddlq_u16, vpaddlq_u32, vreinterpretq_u8_u64,
};

use super::Match;
use super::tile::{Group, LANES, Line, Tile};

/// Rows of a register, and registers of a line.
const ROWS: usize = 2;
const QUARTERS: usize = LANES / ROWS;
/// Words whose counts, at most 8 a byte, fit into a byte together.
const WORDS_OF_BYTES: usize = 31;

/// See [`super::scan`].
#[target_feature(enable = "neon")]
pub(super) fn scan<const Q: usize>(
    group: &Group<Q>,
    tile: &Tile,
    threshold: f64,
    found: &mut Vec<Match>,
) {
    let (prefix_words, rest_words) = group.words();
    for (block, (prefix, rest)) in tile.blocks().enumerate() {
        for quarter in 0..QUARTERS {
            let common = count::<Q, Q>(prefix, prefix_words, 0, quarter);
            for (query, prefix_sum) in common.into_iter().enumerate() {
                let begun = lanes(prefix_sum);
                let need =
                    |lane: usize| tile.need[block].0[quarter * ROWS + lane] + group.need[query];
                let most = |lane: usize| {
                    begun[lane] + tile.rest[block].0[quarter * ROWS + lane].min(group.rest[query])
                };
                if !(0..ROWS).any(|lane| most(lane) >= need(lane)) {
                    continue;
                }
                let [more] = count::<Q, 1>(rest, rest_words, query, quarter);
                let sums = lanes(vaddq_u64(prefix_sum, more));
                for lane in (0..ROWS).filter(|lane| sums[*lane] >= need(*lane)) {
                    let pair = (query, block * LANES + quarter * ROWS + lane);
                    group.settle(pair, sums[lane], (tile, threshold), found);
                }
            }
        }
    }
}

/// Common ones of two rows and the `N` queries from `first` on.
#[target_feature(enable = "neon")]
#[inline]
fn count<const Q: usize, const N: usize>(
    lines: &[Line],
    words: &[[u64; Q]],
    first: usize,
    quarter: usize,
) -> [uint64x2_t; N] {
    let mut sums = [vdupq_n_u64(0); N];
    let chunks = lines.chunks(WORDS_OF_BYTES);
    for (lines, words) in chunks.zip(words.chunks(WORDS_OF_BYTES)) {
        let mut bytes: [uint8x16_t; N] = [vdupq_n_u8(0); N];
        for (line, words) in lines.iter().zip(words) {
            let rows = load(line, quarter);
            for (count, word) in bytes.iter_mut().zip(&words[first..]) {
                let both = vandq_u64(rows, vdupq_n_u64(*word));
                *count = vaddq_u8(*count, vcntq_u8(vreinterpretq_u8_u64(both)));
            }
        }
        for (sum, count) in sums.iter_mut().zip(bytes) {
            *sum = vaddq_u64(*sum, vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(count))));
        }
    }
    sums
}

#[target_feature(enable = "neon")]
#[inline]
fn lanes(pair: uint64x2_t) -> [u64; ROWS] {
    [vgetq_lane_u64::<0>(pair), vgetq_lane_u64::<1>(pair)]
}

#[target_feature(enable = "neon")]
#[inline]
fn load(line: &Line, quarter: usize) -> uint64x2_t {
    let lanes = &line.0[quarter * ROWS..][..ROWS];
    // SAFETY: reads 16 bytes, of any alignment NEON takes, from `lanes`, which has two words, as
    // the slicing checked, and which the reference keeps alive and initialised.
    unsafe { vld1q_u64(lanes.as_ptr()) }
}
