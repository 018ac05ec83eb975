//! Makes a snapshot: from the rows of a run and their entities, or from an older snapshot without
//! the records that were erased.

use std::sync::Arc;

use rayon::prelude::*;

use super::history::{Follows, HistoricRun, History};
use super::{Lines, NONE, Published, ROWS_TOGETHER, Snapshot};
use crate::store::table::{LoadedTable, RowRefs};
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

/// The snapshot of a run. Rows that are not to be kept are left out. Tells how IDs changed; `None` if more
/// IDs were ever published than a snapshot can name.
pub(in crate::store) fn made(
    made: &Made<'_>,
    keep: impl Fn(&SourceId, &str) -> bool + Sync,
) -> Option<(Published, Churn)> {
    let (rows, entities) = (made.rows, made.entities);
    let source = |row: RowIndex| usize::from(rows.table.source(row));
    let order: Vec<RowIndex> = (rows.order().par_iter().copied())
        .filter(|row| !RecordFlag::Tracer.is_in(rows.table.flags(*row)))
        .filter(|row| keep(&rows.sources[source(*row)], rows.refs.text(*row)))
        .collect();
    let before = made.before.map(|it| &*it.0);
    let rows_before = match before {
        Some(before) => before.lines.rows_of(rows, &order),
        None => vec![NONE; order.len()],
    };
    let run = HistoricRun {
        run: made.run,
        created_unix_s: made.created_unix_s,
    };
    let entity = |at: usize| entities[order[at] as usize].as_u128();
    let Follows {
        history,
        entities: places,
        churn,
    } = History::after(before, run, entity, &rows_before)?;
    drop(rows_before);
    let start = |rank: usize| order.partition_point(|row| source(*row) < rank) as u64;
    let lines = Lines {
        run: made.run,
        sources: rows.sources.clone(),
        starts: (0..=rows.sources.len()).map(start).collect(),
        entities: places,
        refs: labels(&order, |row| rows.refs.text(*row)),
    };
    Some((Published(Arc::new(Snapshot::new(lines, history))), churn))
}

/// A snapshot with the records that are to be kept only.
pub(in crate::store) fn without(
    published: &Published,
    keep: impl Fn(&SourceId, &str) -> bool,
) -> Published {
    let (lines, history) = (&published.0.lines, &published.0.history);
    let kept: Vec<u32> = (0..published.len() as u32)
        .filter(|row| {
            let source = &lines.sources[lines.source(*row as usize)];
            keep(source, lines.refs.text(*row))
        })
        .collect();
    let start = |start: &u64| kept.partition_point(|row| u64::from(*row) < *start) as u64;
    let lines = Lines {
        run: lines.run,
        sources: lines.sources.clone(),
        starts: lines.starts.iter().map(start).collect(),
        entities: (kept.iter().map(|row| lines.entities[*row as usize])).collect(),
        refs: labels(&kept, |row| lines.refs.text(*row)),
    };
    Published(Arc::new(Snapshot::new(lines, history.clone())))
}

/// The labels of rows, in their order.
fn labels<'a>(rows: &[u32], label: impl Fn(&u32) -> &'a str + Sync) -> RowRefs {
    let parts = rows.par_chunks(ROWS_TOGETHER).map(|rows| {
        let mut part = RowRefs::default();
        rows.iter().for_each(|row| part.push(label(row)));
        part
    });
    let mut all = RowRefs::default();
    for part in parts.collect::<Vec<_>>() {
        all.append(&part);
    }
    all
}
