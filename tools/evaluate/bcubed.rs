//! B-cubed quality: for each record, the share of its entity that is the same person, and the share
//! of its person that is in the same entity; then the mean over records. Every record weighs the
//! same, however many its person has.
//!
//! Source: Bagga and Baldwin 1998, "Algorithms for scoring coreference chains".

use super::{Contingency, Quality};

/// A cell of n records of one entity and one person adds n·n/|entity| to precision and
/// n·n/|person| to recall. Without records both are 1.
pub(super) fn quality(table: &Contingency) -> Quality {
    let records: u64 = table.entities.values().sum();
    if records == 0 {
        return Quality::of(1.0, 1.0);
    }
    // Sorted, so that the rounding of the sums is the same in every run.
    let mut cells: Vec<_> = table.cells.iter().collect();
    cells.sort_unstable();
    let (mut precision, mut recall) = (0.0, 0.0);
    for ((entity, person), &shared) in cells {
        let squared = (shared * shared) as f64;
        precision += squared / table.entities[entity] as f64;
        recall += squared / table.persons[person] as f64;
    }
    Quality::of(precision / records as f64, recall / records as f64)
}
