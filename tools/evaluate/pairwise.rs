//! Pairwise quality: of the pairs of records that were put together, how many belong together, and
//! the reverse. Large persons weigh with the square of their records.

use super::{Contingency, Quality, share};

/// Pairs counted from sizes, never enumerated.
pub(super) struct Pairs {
    /// Pairs of records of one person.
    pub truly: u64,
    /// Pairs of records of one entity.
    pub found: u64,
    /// Pairs that are both.
    pub correct: u64,
}

fn pairs_of(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.map(|n| n * n.saturating_sub(1) / 2).sum()
}

/// Counts pairs: the sum of n(n−1)/2 over persons, entities, and cells of the contingency table.
pub(super) fn count(table: &Contingency) -> Pairs {
    Pairs {
        truly: pairs_of(table.persons.values().copied()),
        found: pairs_of(table.entities.values().copied()),
        correct: pairs_of(table.cells.values().copied()),
    }
}

/// Precision = correct / found; recall = correct / true.
pub(super) fn quality(pairs: &Pairs) -> Quality {
    Quality::of(
        share(pairs.correct, pairs.found),
        share(pairs.correct, pairs.truly),
    )
}
