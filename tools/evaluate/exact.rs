//! Exact clusters: an entity counts only if it holds all records of one person and no other.

use super::{Contingency, Quality, share};

/// A cell is exact if it is its whole entity and its whole person. Precision is over entities,
/// recall over persons.
pub(super) fn quality(table: &Contingency) -> Quality {
    let whole = |((entity, person), count): (&(u32, u32), &u64)| {
        table.entities[entity] == *count && table.persons[person] == *count
    };
    let exact = table.cells.iter().filter(|cell| whole(*cell)).count() as u64;
    Quality::of(
        share(exact, table.entities.len() as u64),
        share(exact, table.persons.len() as u64),
    )
}
