//! Tracers in a run: they are linked like people, so that it is known how many true pairs are found,
//! and they are nobody: never tied to a person, never counted, never published.

use std::collections::BTreeMap;

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

/// Records of each invented person, by number.
pub(super) fn people(loaded: &LoadedTable) -> Vec<Vec<RowIndex>> {
    let table = &loaded.table;
    let mut people: BTreeMap<u32, Vec<RowIndex>> = BTreeMap::new();
    for row in (0..table.len() as RowIndex).filter(|row| is_tracer(table, *row)) {
        let number = tracer_number(&loaded.refs.record_ref(row), table.flags(row));
        if let Some(number) = number {
            people.entry(number).or_default().push(row);
        }
    }
    people.into_values().collect()
}

/// Share of the tracers' true pairs that the run put into one entity; `None` if no tracer has two
/// records. `people`: the records of each.
pub(super) fn recall(people: &[Vec<RowIndex>], partition: &Partition) -> Option<TracerRecall> {
    let cluster_of = partition.cluster_of_rows();
    let people: Vec<TracerPairs> = people
        .iter()
        .map(|rows| {
            let entities = rows.iter().map(|row| cluster_of[*row as usize]);
            pairs(entities.collect())
        })
        .collect();
    let (recall, interval) = tracer_recall(&people)?;
    Some(TracerRecall {
        people: people.iter().filter(|one| one.planted > 0).count() as u64,
        pairs: people.iter().map(|one| one.planted).sum(),
        recall,
        interval,
    })
}

/// Pairs of one person's records, and those in one entity.
fn pairs(mut entities: Vec<u32>) -> TracerPairs {
    let pairs = |records: usize| (records * records.saturating_sub(1) / 2) as u64;
    entities.sort_unstable();
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
        assert_eq!(found(&[3, 8, 3, 3]), of(6, 3));
        assert_eq!(found(&[1, 2]), of(1, 0));
        assert_eq!(found(&[1]), of(0, 0));
    }
}
