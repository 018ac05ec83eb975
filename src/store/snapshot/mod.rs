//! A snapshot: which entity each record belongs to, as one run published it. A sealed file on
//! disk, compact arrays in memory, swapped in whole.

mod format;
mod history;
mod made;
mod reader;
mod writer;

pub(super) use made::{Made, made, without};
pub(super) use writer::write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use self::history::History;
use super::LoadedTable;
use super::table::RowRefs;
use crate::terms::{EntityId, RecordRef, RowIndex, RunId, SourceId};

/// Rows that one task looks up.
const ROWS_TOGETHER: usize = 1 << 16;

/// Stands for no row and no place.
const NONE: u32 = u32::MAX;

/// Path of a generation of a run's snapshot within a store.
pub(super) fn snapshot_path(store: &Path, run: RunId, generation: u32) -> PathBuf {
    directory(store).join(match generation {
        0 => format!("{run}.msnp"),
        _ => format!("{run}-{generation}.msnp"),
    })
}

/// Directory of the snapshots.
pub(super) fn directory(store: &Path) -> PathBuf {
    store.join("snapshots")
}

/// The published entities. Cheap to clone; stays as it is when a newer run is published.
///
/// # Privacy
/// Ties records to persons: no `Debug`.
#[derive(Clone)]
pub struct Published(Arc<Snapshot>);

/// Rows in (source, record ref) order.
struct Snapshot {
    lines: Lines,
    history: History,
    /// Rows in (entity, row) order.
    by_entity: Vec<u32>,
    /// First of `by_entity` of each ID of the history, and the end.
    entity_starts: Vec<u32>,
    /// IDs in force.
    entity_count: u64,
}

/// The records of a snapshot, each with its entity.
struct Lines {
    run: RunId,
    /// Ascending.
    sources: Vec<SourceId>,
    /// First row of each source, and the number of rows at the end.
    starts: Vec<u64>,
    /// Entity of each row: its place among the IDs that the history knows.
    entities: Vec<u32>,
    refs: RowRefs,
}

impl Published {
    /// The run that found these entities.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.0.lines.run
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lines.entities.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lines.entities.is_empty()
    }

    /// Number of entities.
    #[must_use]
    pub fn entity_count(&self) -> u64 {
        self.0.entity_count
    }

    /// The entity of a record.
    #[must_use]
    pub fn entity_of(&self, source: &SourceId, record_ref: &RecordRef) -> Option<EntityId> {
        let lines = &self.0.lines;
        let at = lines.sources.binary_search(source).ok()?;
        let rows = lines.starts[at] as u32..lines.starts[at + 1] as u32;
        let row = lines.first_from(rows.clone(), record_ref.as_str());
        let is_known = rows.contains(&row) && lines.refs.text(row) == record_ref.as_str();
        is_known.then(|| self.0.entity(row as usize))
    }

    /// The entity of each row of a table, in the order of its rows.
    #[must_use]
    pub fn entities_of(&self, rows: &LoadedTable) -> Vec<Option<EntityId>> {
        let order = rows.order();
        let found = self.0.lines.rows_of(rows, order);
        let mut entities = vec![None; order.len()];
        for (row, found) in order.iter().zip(found) {
            entities[*row as usize] = (found != NONE).then(|| self.0.entity(found as usize));
        }
        entities
    }

    /// The records of an entity in (source, record ref) order; none if there is no such entity.
    #[must_use]
    pub fn records_of(&self, entity: EntityId) -> Vec<(SourceId, RecordRef)> {
        let snapshot = &self.0;
        let Ok(place) = snapshot.history.issued.binary_search(&entity.as_u128()) else {
            return Vec::new();
        };
        let rows = snapshot.rows_of_entity(place).iter();
        rows.map(|row| snapshot.lines.record(*row as usize))
            .collect()
    }

    /// Whether there is a record of which `wanted` holds.
    pub(super) fn any(&self, wanted: impl Fn(&SourceId, &str) -> bool) -> bool {
        let lines = &self.0.lines;
        (0..self.len()).any(|row| {
            let source = &lines.sources[lines.source(row)];
            wanted(source, lines.refs.text(row as u32))
        })
    }

    /// All records with their entities, in (source, record ref) order.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, RecordRef, EntityId)> + '_ {
        (0..self.len()).map(|row| {
            let (source, record_ref) = self.0.lines.record(row);
            (source, record_ref, self.0.entity(row))
        })
    }
}

impl Snapshot {
    /// Lines with the history of their entities.
    fn new(lines: Lines, history: History) -> Self {
        let mut entity_starts = vec![0_u32; history.issued.len() + 1];
        for place in &lines.entities {
            entity_starts[*place as usize + 1] += 1;
        }
        let entity_count = entity_starts.iter().filter(|rows| **rows > 0).count() as u64;
        let mut total = 0;
        for start in &mut entity_starts {
            total += *start;
            *start = total;
        }
        let mut next = entity_starts.clone();
        let mut by_entity = vec![0; lines.entities.len()];
        for (row, place) in (0_u32..).zip(&lines.entities) {
            let next = &mut next[*place as usize];
            by_entity[*next as usize] = row;
            *next += 1;
        }
        Self {
            lines,
            history,
            by_entity,
            entity_starts,
            entity_count,
        }
    }

    /// The entity of a row.
    fn entity(&self, row: usize) -> EntityId {
        EntityId::from_u128(self.history.issued[self.lines.entities[row] as usize])
    }

    /// Rows of the ID at a place of the history, ascending.
    fn rows_of_entity(&self, place: usize) -> &[u32] {
        let starts = &self.entity_starts[place..];
        &self.by_entity[starts[0] as usize..starts[1] as usize]
    }

    /// Whether the ID at a place of the history has records.
    fn is_in_force(&self, place: usize) -> bool {
        !self.rows_of_entity(place).is_empty()
    }
}

impl Lines {
    /// Place of a row's source in the list of sources.
    fn source(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start <= row as u64) - 1
    }

    fn record(&self, row: usize) -> (SourceId, RecordRef) {
        (
            self.sources[self.source(row)].clone(),
            self.refs.record_ref(row as u32),
        )
    }

    /// The first of some rows of one source whose label is not before `label`; their end if none is.
    fn first_from(&self, rows: Range<u32>, label: &str) -> u32 {
        let (mut low, mut high) = (rows.start, rows.end);
        while low < high {
            let middle = low.midpoint(high);
            match self.refs.text(middle) < label {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The row of each of some records of a table, or [`NONE`]. `order` names them in (source, record
    /// ref) order.
    fn rows_of(&self, table: &LoadedTable, order: &[RowIndex]) -> Vec<u32> {
        let known = table.sources.iter().map(|source| {
            let place = self.sources.binary_search(source).ok()?;
            Some(self.starts[place] as u32..self.starts[place + 1] as u32)
        });
        let known: Vec<Option<Range<u32>>> = known.collect();
        let source = |row: &RowIndex| table.table.source(*row);
        let mut found = vec![NONE; order.len()];
        let parts = order.par_chunks(ROWS_TOGETHER);
        let parts = parts.zip(found.par_chunks_mut(ROWS_TOGETHER));
        parts.for_each(|(mut order, mut found)| {
            while let Some(first) = order.first() {
                let of_source = order.partition_point(|row| source(row) == source(first));
                let (own, rest) = order.split_at(of_source);
                let (own_found, rest_found) = found.split_at_mut(of_source);
                (order, found) = (rest, rest_found);
                let Some(rows) = &known[usize::from(source(first))] else {
                    continue;
                };
                // Both are in one order: from the first row on they are walked together.
                let mut at = self.first_from(rows.clone(), table.refs.text(*first));
                for (row, found) in own.iter().zip(own_found) {
                    let wanted = table.refs.text(*row);
                    while at < rows.end && self.refs.text(at) < wanted {
                        at += 1;
                    }
                    if at < rows.end && self.refs.text(at) == wanted {
                        *found = at;
                    }
                }
            }
        });
        found
    }
}
