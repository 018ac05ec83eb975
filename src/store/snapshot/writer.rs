//! Writes a snapshot: from the rows of a run and their entities, or from an older snapshot without
//! the records that were erased.

use rayon::prelude::*;

use super::history::{HistoricRun, History};
use super::{HistoryCounts, Published, Snapshot, directory, encode_source, header};
use crate::store::disk::{self, PartialFile};
use crate::store::fault::StorageFault;
use crate::store::sealed::{Seal, SealedWriter};
use crate::store::table::LoadedTable;
use crate::store::vault::Vault;
use crate::terms::{Churn, EntityId, RecordFlag, RowIndex, RunId, SourceId};

/// What a run found, and what it follows.
pub(in crate::store) struct Made<'a> {
    /// The run.
    pub(in crate::store) run: RunId,
    /// When it was asked for, seconds since 1970, UTC.
    pub(in crate::store) created_unix_s: u64,
    /// Its rows.
    pub(in crate::store) rows: &'a LoadedTable,
    /// The entity of each row.
    pub(in crate::store) entities: &'a [EntityId],
    /// The publication before.
    pub(in crate::store) before: Option<&'a Published>,
}

/// Writes the snapshot under a temporary name; its content is on stable storage on return. Rows that
/// are not to be kept are left out. Tells how IDs changed.
pub(in crate::store) fn write(
    disk: &Vault,
    made: &Made<'_>,
    keep: impl Fn(&SourceId, &str) -> bool,
) -> Result<(PartialFile, Seal, Churn), StorageFault> {
    let (rows, entities) = (made.rows, made.entities);
    let source = |row: RowIndex| usize::from(rows.table.source(row));
    let order: Vec<RowIndex> = (rows.order().iter().copied())
        .filter(|row| !RecordFlag::Tracer.is_in(rows.table.flags(*row)))
        .filter(|row| keep(&rows.sources[source(*row)], rows.refs.text(*row)))
        .collect();
    let names: Vec<&SourceId> = rows.sources.iter().collect();
    let line = |at: usize| {
        let row = order[at];
        Line {
            source: source(row),
            label: rows.refs.text(row),
            entity: entities[row as usize],
        }
    };
    let run = HistoricRun {
        run: made.run,
        created_unix_s: made.created_unix_s,
    };
    let (history, churn) = History::after(made.before, run, order.len(), |at| {
        let Line {
            source,
            label,
            entity,
        } = line(at);
        (names[source], label, entity.as_u128())
    });
    let (file, seal) = write_lines(disk, made.run, &names, order.len(), &history, line)?;
    Ok((file, seal, churn))
}

/// Writes a snapshot anew with the records that are to be kept, as [`write`] does.
pub(in crate::store) fn rewrite(
    disk: &Vault,
    published: &Published,
    keep: impl Fn(&SourceId, &str) -> bool,
) -> Result<(PartialFile, Seal), StorageFault> {
    let snapshot: &Snapshot = &published.0;
    let kept: Vec<u32> = (0..published.len() as u32)
        .filter(|row| {
            let row = *row as usize;
            keep(&snapshot.sources[snapshot.source(row)], snapshot.label(row))
        })
        .collect();
    let names: Vec<&SourceId> = snapshot.sources.iter().collect();
    write_lines(
        disk,
        snapshot.run,
        &names,
        kept.len(),
        &snapshot.history,
        |at| {
            let row = kept[at] as usize;
            Line {
                source: snapshot.source(row),
                label: snapshot.label(row),
                entity: EntityId::from_u128(snapshot.entities[row]),
            }
        },
    )
}

/// One record of a snapshot.
struct Line<'a> {
    /// Place of the source in the order of names.
    source: usize,
    label: &'a str,
    entity: EntityId,
}

/// Writes `count` lines that come in (source, record ref) order.
fn write_lines<'a>(
    disk: &Vault,
    run: RunId,
    names: &[&SourceId],
    count: usize,
    history: &History,
    line: impl Fn(usize) -> Line<'a>,
) -> Result<(PartialFile, Seal), StorageFault> {
    let path = directory(disk.root()).join(format!("{run}.{}", disk::PARTIAL));
    let mut body = SealedWriter::create(disk, &path)?;
    body.write(&header(run, &HistoryCounts::of(history)))?;
    let mut start = 0;
    for (rank, name) in names.iter().enumerate() {
        while start < count && line(start).source < rank {
            start += 1;
        }
        body.write(&encode_source(name, start as u64))?;
    }
    body.align()?;
    for at in 0..count {
        body.write(&line(at).entity.as_u128().to_le_bytes())?;
    }
    body.align()?;
    let mut refs_bytes = 0;
    for at in 0..count {
        refs_bytes += line(at).label.len() as u64;
        body.write(&refs_bytes.to_le_bytes())?;
    }
    body.align()?;
    for at in 0..count {
        body.write(line(at).label.as_bytes())?;
    }
    body.align()?;
    let mut by_entity: Vec<(EntityId, u32)> = (0..count)
        .map(|position| (line(position).entity, position as u32))
        .collect();
    by_entity.par_sort_unstable();
    for (_, position) in &by_entity {
        body.write(&position.to_le_bytes())?;
    }
    body.align()?;
    write_history(&mut body, history)?;
    let changes = by_entity
        .windows(2)
        .filter(|pair| pair[0].0 != pair[1].0)
        .count();
    let entity_count = changes + usize::from(!by_entity.is_empty());
    body.finish([
        count as u64,
        names.len() as u64,
        refs_bytes,
        entity_count as u64,
    ])
}

fn write_history(body: &mut SealedWriter, history: &History) -> Result<(), StorageFault> {
    for run in &history.runs {
        body.write(&run.encode())?;
    }
    body.align()?;
    for id in &history.issued {
        body.write(&id.to_le_bytes())?;
    }
    body.align()?;
    for number in &history.issued_in {
        body.write(&number.to_le_bytes())?;
    }
    body.align()?;
    for event in &history.events {
        body.write(&event.encode())?;
    }
    body.align()
}
