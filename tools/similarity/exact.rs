//! Every filter of one side against every filter of the other.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::rows::{Filters, Pair};
use crate::kernel::{self, Plan, Queries, Tile};

/// Queries laid out at once: enough that laying out the tile again for them costs nothing.
const QUERIES: usize = 8192;

/// All pairs that reach the plan's threshold, ordered.
pub(super) fn pairs(plan: &Plan, a: &Filters, b: &Filters, bar: &ProgressBar) -> Vec<Pair> {
    let words = plan.words();
    let queries: Vec<(usize, &[u64])> = a.all().chunks(QUERIES * words).enumerate().collect();
    let tiles: Vec<(usize, &[u64])> = b.all().chunks(Tile::ROWS_MAX * words).enumerate().collect();
    bar.set_message("compare");
    bar.set_length((a.len() * b.len()) as u64);
    let mut found: Vec<Pair> = Vec::new();
    for (query_chunk, some) in queries {
        let laid_out = Queries::new(plan, some);
        let of_chunk: Vec<Vec<Pair>> = tiles
            .par_iter()
            .map(|(tile_index, rows)| {
                let tile = Tile::new(plan, rows);
                let mut matches = Vec::new();
                kernel::scan(plan, &laid_out, &tile, &mut matches);
                bar.inc((some.len() / words * tile.len()) as u64);
                let place = |it: kernel::Match| Pair {
                    a: (query_chunk * QUERIES) as u32 + it.query,
                    b: (tile_index * Tile::ROWS_MAX) as u32 + it.row,
                    common: it.common,
                    total: it.total,
                };
                matches.into_iter().map(place).collect()
            })
            .collect();
        let start = found.len();
        found.extend(of_chunk.into_iter().flatten());
        found[start..].par_sort_unstable();
    }
    found
}
