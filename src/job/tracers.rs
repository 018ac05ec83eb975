//! Tracers in a run: they are linked like people, so that it is known how many true pairs are found,
//! and they are nobody: never tied to a person, never counted, never published.

use std::collections::HashMap;

use crate::cluster::Partition;
use crate::score::{TracerPairs, tracer_recall};
use crate::store::LoadedTable;
use crate::terms::methods::TracerRecall;
use crate::terms::{CandidatePair, RecordFlag, RecordTable, RowIndex, tracer_number};

/// Whether a row is of an invented person.
pub(super) fn is_tracer(table: &RecordTable, row: RowIndex) -> bool {
    RecordFlag::Tracer.is_in(table.flags(row))
}

/// Whether a pair may be one person as far as tracers go: both ends are tracers, or none is.
pub(super) fn may_be_one(table: &RecordTable, pair: CandidatePair) -> bool {
    is_tracer(table, pair.a) == is_tracer(table, pair.b)
}

/// Share of the tracers' true pairs that the run put into one entity; `None` if no tracer has two
/// records.
pub(super) fn recall(loaded: &LoadedTable, partition: &Partition) -> Option<TracerRecall> {
    let table = &loaded.table;
    // Entities of each invented person's records.
    let mut people: HashMap<u32, Vec<u32>> = HashMap::new();
    for (entity, rows) in (0_u32..).zip(partition.iter()) {
        for row in rows.iter().filter(|row| is_tracer(table, **row)) {
            let number = tracer_number(&loaded.refs.record_ref(*row), table.flags(*row));
            if let Some(number) = number {
                people.entry(number).or_default().push(entity);
            }
        }
    }
    let people: Vec<TracerPairs> = people.into_values().map(pairs).collect();
    let (recall, interval) = tracer_recall(&people)?;
    Some(TracerRecall {
        people: people.iter().filter(|one| one.planted > 0).count() as u64,
        pairs: people.iter().map(|one| one.planted).sum(),
        recall,
        interval,
    })
}

/// Pairs of one person's records, and those in one entity; `entities` ascend.
fn pairs(entities: Vec<u32>) -> TracerPairs {
    let pairs = |records: usize| (records * records.saturating_sub(1) / 2) as u64;
    let together = entities.chunk_by(|one, next| one == next);
    TracerPairs {
        planted: pairs(entities.len()),
        found: together.map(|group| pairs(group.len())).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_in_one_entity_are_found() {
        let found = |entities: &[u32]| pairs(entities.to_vec());
        let of = |planted, found| TracerPairs { planted, found };
        assert_eq!(found(&[3, 3, 3, 8]), of(6, 3));
        assert_eq!(found(&[1, 2]), of(1, 0));
        assert_eq!(found(&[1]), of(0, 0));
    }
}
