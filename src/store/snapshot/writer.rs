//! Writes a snapshot from the rows of a run and their entities.

use super::{directory, encode_source, header};
use crate::store::disk::{self, Disk, PartialFile};
use crate::store::fault::StorageFault;
use crate::store::sealed::{Seal, SealedWriter};
use crate::store::table::LoadedTable;
use crate::terms::{EntityId, RowIndex, RunId};

/// Writes the snapshot under a temporary name; its content is on stable storage on return.
///
/// `entities[i]` belongs to row `i` of `rows`.
pub(in crate::store) fn write(
    disk: &Disk,
    run: RunId,
    rows: &LoadedTable,
    entities: &[EntityId],
) -> Result<(PartialFile, Seal), StorageFault> {
    let path = directory(disk.root()).join(format!("{run}.{}", disk::PARTIAL));
    let mut body = SealedWriter::create(disk, &path)?;
    body.write(&header(run))?;

    let ranks = source_ranks(rows);
    let rank = |row: RowIndex| ranks[usize::from(rows.table.source(row))];
    let mut order: Vec<RowIndex> = (0..rows.refs.len() as RowIndex).collect();
    order.sort_unstable_by(|left, right| {
        (rank(*left), rows.refs.text(*left)).cmp(&(rank(*right), rows.refs.text(*right)))
    });

    let mut named: Vec<usize> = (0..rows.sources.len()).collect();
    named.sort_unstable_by_key(|source| ranks[*source]);
    for source in &named {
        let start = order.partition_point(|row| rank(*row) < ranks[*source]);
        body.write(&encode_source(&rows.sources[*source], start as u64))?;
    }
    body.align()?;
    for row in &order {
        body.write(&entities[*row as usize].as_u128().to_le_bytes())?;
    }
    body.align()?;
    let mut refs_bytes = 0;
    for row in &order {
        refs_bytes += rows.refs.text(*row).len() as u64;
        body.write(&refs_bytes.to_le_bytes())?;
    }
    body.align()?;
    for row in &order {
        body.write(rows.refs.text(*row).as_bytes())?;
    }
    body.align()?;
    let entity_at = |position: u32| entities[order[position as usize] as usize];
    let mut by_entity: Vec<u32> = (0..order.len() as u32).collect();
    by_entity.sort_unstable_by_key(|position| (entity_at(*position), *position));
    for position in &by_entity {
        body.write(&position.to_le_bytes())?;
    }
    body.align()?;
    let changes = by_entity
        .windows(2)
        .filter(|pair| entity_at(pair[0]) != entity_at(pair[1]))
        .count();
    let entity_count = changes + usize::from(!by_entity.is_empty());
    body.finish([
        order.len() as u64,
        named.len() as u64,
        refs_bytes,
        entity_count as u64,
    ])
}

/// Place of each source of the table in the order of names.
fn source_ranks(rows: &LoadedTable) -> Vec<u16> {
    let mut order: Vec<usize> = (0..rows.sources.len()).collect();
    order.sort_unstable_by_key(|source| &rows.sources[*source]);
    let mut ranks = vec![0; order.len()];
    for (rank, source) in (0..).zip(order) {
        ranks[source] = rank;
    }
    ranks
}
