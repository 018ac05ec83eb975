//! The scan with AVX-512 VPOPCNTDQ: eight rows in a register, one instruction counts their bits.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpge_epu64_mask, _mm512_load_si512,
    _mm512_min_epu64, _mm512_popcnt_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_store_si512,
};
use std::array;

use super::Match;
use super::tile::{Group, LANES, Line, Tile};

/// Words read between two branches: the fewer of them, the less is begun in vain at the end of a prefix.
const UNROLLED: usize = 4;

/// See [`super::scan`].
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
pub(super) fn scan<const Q: usize>(
    group: &Group<Q>,
    tile: &Tile,
    threshold: f64,
    found: &mut Vec<Match>,
) {
    let (prefix_words, rest_words) = group.words();
    let query_need: [__m512i; Q] = array::from_fn(|query| all(group.need[query]));
    let query_rest: [__m512i; Q] = array::from_fn(|query| all(group.rest[query]));
    for (block, (prefix, rest)) in tile.blocks().enumerate() {
        let mut common = [_mm512_setzero_si512(); Q];
        let (fours, prefix_left) = prefix.as_chunks::<UNROLLED>();
        let (fours_of_words, words_left) = prefix_words.as_chunks::<UNROLLED>();
        for (lines, words) in fours.iter().zip(fours_of_words) {
            for at in 0..UNROLLED {
                add_line(&mut common, &lines[at], &words[at]);
            }
        }
        for (line, words) in prefix_left.iter().zip(words_left) {
            add_line(&mut common, line, words);
        }
        let (need, left) = (load(&tile.need[block]), load(&tile.rest[block]));
        let mut could = [0_u8; Q];
        for query in 0..Q {
            let most = _mm512_add_epi64(common[query], _mm512_min_epu64(left, query_rest[query]));
            let least = _mm512_add_epi64(need, query_need[query]);
            could[query] = _mm512_cmpge_epu64_mask(most, least);
        }
        if could != [0; Q] {
            let lanes = Begun {
                block,
                common,
                could,
            };
            go_on(group, (tile, threshold), &lanes, (rest, rest_words), found);
        }
    }
}

/// What the prefix left of eight rows and `Q` queries.
struct Begun<const Q: usize> {
    block: usize,
    common: [__m512i; Q],
    could: [u8; Q],
}

/// Counts the rest of those queries that could still match one of the eight rows.
///
/// Never inlined: it is rare, and the registers belong to the loop that calls it.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
#[inline(never)]
fn go_on<const Q: usize>(
    group: &Group<Q>,
    (tile, threshold): (&Tile, f64),
    begun: &Begun<Q>,
    (rest, rest_words): (&[Line], &[[u64; Q]]),
    found: &mut Vec<Match>,
) {
    let need = load(&tile.need[begun.block]);
    for query in (0..Q).filter(|query| begun.could[*query] != 0) {
        let mut sum = begun.common[query];
        for (line, words) in rest.iter().zip(rest_words) {
            sum = add_common(sum, load(line), words[query]);
        }
        let least = _mm512_add_epi64(need, all(group.need[query]));
        let reached = _mm512_cmpge_epu64_mask(sum, least);
        let counts = store(sum);
        for lane in (0..LANES).filter(|lane| reached >> lane & 1 == 1) {
            let pair = (query, begun.block * LANES + lane);
            group.settle(pair, counts.0[lane], (tile, threshold), found);
        }
    }
}

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
#[inline]
fn add_line<const Q: usize>(common: &mut [__m512i; Q], line: &Line, words: &[u64; Q]) {
    let rows = load(line);
    for (sum, word) in common.iter_mut().zip(words) {
        *sum = add_common(*sum, rows, *word);
    }
}

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
#[inline]
fn add_common(sum: __m512i, rows: __m512i, word: u64) -> __m512i {
    _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_and_si512(rows, all(word))))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn all(value: u64) -> __m512i {
    _mm512_set1_epi64(value.cast_signed())
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(line: &Line) -> __m512i {
    // SAFETY: reads 64 bytes at an address that is a multiple of 64. `Line` is 64 bytes large and
    // aligned to 64, and the reference keeps it alive and initialised.
    unsafe { _mm512_load_si512(line.0.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(lanes: __m512i) -> Line {
    let mut line = Line([0; LANES]);
    // SAFETY: writes 64 bytes at an address that is a multiple of 64, into a `Line`, which has
    // that size and alignment and that nothing else refers to.
    unsafe { _mm512_store_si512(line.0.as_mut_ptr().cast(), lanes) };
    line
}
