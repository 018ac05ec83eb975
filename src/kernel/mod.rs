//! How many bits do two filters share? Plain slices in, counts and matches out.
//!
//! `ones`, `common_ones` and `dice` answer for one pair. `scan` answers for many: filters are laid
//! out in a [`Tile`] eight side by side, so that one instruction works on eight of them, and four
//! queries go over the tile together, so that what is loaded once is used four times. The bits
//! are read up to a prefix first; the rest only if both filters could still reach the threshold.
//! That bound is exact: no pair is lost to it.
//!
//! The same scan exists for several instruction sets ([`Path`]); one set of tests holds all of
//! them against a naive count. This is the only room that may hold `unsafe`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod path;
mod plan;
mod portable;
mod tile;

pub use path::{Path, PathError};
pub use plan::{Plan, PlanError};
pub use tile::{Queries, Tile};

/// A pair whose similarity reaches the threshold of the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// Index of the query, from 0.
    pub query: u32,
    /// Index of the row in its tile, from 0.
    pub row: u32,
    /// Bits set in both.
    pub common: u32,
    /// Bits set in the one plus bits set in the other.
    pub total: u32,
}

impl Match {
    /// Sørensen–Dice similarity, in `(0, 1]`.
    #[must_use]
    pub fn similarity(&self) -> f64 {
        similarity(self.common, self.total)
    }
}

/// Number of set bits.
#[must_use]
pub fn ones(filter: &[u64]) -> u32 {
    filter.iter().map(|word| word.count_ones()).sum()
}

/// Number of bits set in both.
///
/// # Shape
/// `a` and `b`: `[words]`, of equal length; words past the shorter one are not counted.
#[must_use]
#[allow(unsafe_code)]
pub fn common_ones(a: &[u64], b: &[u64]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("popcnt") {
        // SAFETY: the function needs POPCNT, which the line above found this processor to have.
        return unsafe { common_ones_popcnt(a, b) };
    }
    a.iter().zip(b).map(|(x, y)| (x & y).count_ones()).sum()
}

/// The same count with one instruction a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn common_ones_popcnt(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(x, y)| (x & y).count_ones()).sum()
}

/// Sørensen–Dice similarity, `2·|a ∧ b| / (|a| + |b|)`, in `[0, 1]`.
///
/// Two empty filters give 0: absence of data is not agreement.
///
/// # Source
/// Dice 1945; for Bloom filters Schnell, Bachteler, Reiher 2009.
#[must_use]
pub fn dice(a: &[u64], b: &[u64]) -> f64 {
    similarity(common_ones(a, b), ones(a) + ones(b))
}

fn similarity(common: u32, total: u32) -> f64 {
    if total == 0 {
        return 0.0;
    }
    f64::from(2 * common) / f64::from(total)
}

/// Adds to `found` the pairs of a query and a row of the tile that reach the plan's threshold,
/// query by query, rows ascending.
///
/// # Panics
/// If the tile or the queries were laid out for a plan of another shape.
pub fn scan(plan: &Plan, queries: &Queries, tile: &Tile, found: &mut Vec<Match>) {
    let shape = plan.shape();
    assert!(
        tile.shape() == shape && queries.shape() == shape,
        "tile and queries are laid out for the plan that scans them"
    );
    for group in queries.groups() {
        let start = found.len();
        plan.path().scan(group, tile, plan.threshold(), found);
        found[start..].sort_unstable();
    }
}

#[cfg(test)]
mod tests;
