//! The scan in plain Rust, for any processor.

use super::Match;
use super::tile::{Group, LANES, Line, Tile};

/// See [`super::scan`].
pub(super) fn scan<const Q: usize>(
    group: &Group<Q>,
    tile: &Tile,
    threshold: f64,
    found: &mut Vec<Match>,
) {
    let (prefix_words, rest_words) = group.words();
    for (block, (prefix, rest)) in tile.blocks().enumerate() {
        let (need, left) = (&tile.need[block].0, &tile.rest[block].0);
        for query in 0..Q {
            let mut common = [0_u64; LANES];
            count(prefix, prefix_words, query, &mut common);
            let could = |lane: &usize| {
                let most = common[*lane] + left[*lane].min(group.rest[query]);
                most >= need[*lane] + group.need[query]
            };
            if !(0..LANES).any(|lane| could(&lane)) {
                continue;
            }
            count(rest, rest_words, query, &mut common);
            for lane in 0..LANES {
                if common[lane] >= need[lane] + group.need[query] {
                    let pair = (query, block * LANES + lane);
                    group.settle(pair, common[lane], (tile, threshold), found);
                }
            }
        }
    }
}

/// Adds the common ones of a query and eight rows.
fn count<const Q: usize>(
    lines: &[Line],
    words: &[[u64; Q]],
    query: usize,
    common: &mut [u64; LANES],
) {
    for (line, word) in lines.iter().zip(words) {
        for (count, bits) in common.iter_mut().zip(line.0) {
            *count += u64::from((bits & word[query]).count_ones());
        }
    }
}
