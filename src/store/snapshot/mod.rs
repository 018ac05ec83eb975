//! A snapshot: which entity each record belongs to, as one run published it. A sealed file on
//! disk, compact arrays in memory, swapped in whole.

mod history;
mod writer;

pub(super) use writer::{Made, rewrite, write};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use self::history::{Event, HistoricRun, History};
use super::LoadedTable;
use super::fault::StorageFault;
use super::sealed::{Seal, SealedReader};
use super::vault::Vault;
use crate::terms::{EntityId, RecordRef, RowIndex, RunId, SourceId};

const MAGIC: &[u8; 8] = b"MUSUBISN";
/// Version 2 has a history; one of version 1 is read without.
const FORMAT_VERSION: u32 = 2;
const HEADER_BYTES: usize = 64;
const SOURCE_BYTES: usize = 72;
/// Rows that one task looks up.
const ROWS_TOGETHER: usize = 1 << 16;

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
    run: RunId,
    sources: Vec<SourceId>,
    /// First row of each source, and the number of rows at the end.
    starts: Vec<u64>,
    entities: Vec<u128>,
    ref_ends: Vec<u64>,
    refs: String,
    /// Rows in (entity, row) order.
    by_entity: Vec<u32>,
    entity_count: u64,
    history: History,
}

impl Published {
    /// Reads a snapshot and checks all of it.
    pub(super) fn load(
        disk: &Vault,
        run: RunId,
        generation: u32,
        seal: &Seal,
    ) -> Result<Self, StorageFault> {
        let path = snapshot_path(disk.root(), run, generation);
        let mut reader = SealedReader::open(disk, &path, seal)?;
        let [rows, source_count, refs_bytes, entity_count] = reader.counts();
        let mut bytes = [0; HEADER_BYTES];
        reader.read(&mut bytes)?;
        let Some(counts) = HistoryCounts::of_header(run, &bytes) else {
            return Err(
                reader.fault("the header does not give the format and run that the log names")
            );
        };
        let named = reader.read_values(source_count, decode_source)?;
        let Some(named) = named.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(reader.fault("a source before here has no valid name"));
        };
        let (sources, mut starts): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        starts.push(rows);
        reader.align()?;
        let entities = reader.read_values(rows, u128::from_le_bytes)?;
        reader.align()?;
        let ref_ends = reader.read_values(rows, u64::from_le_bytes)?;
        reader.align()?;
        let refs = reader.read_text(refs_bytes)?;
        reader.align()?;
        let by_entity = reader.read_values(rows, u32::from_le_bytes)?;
        let sound = starts.is_sorted()
            && ref_ends.is_sorted()
            && ref_ends.last().is_none_or(|end| *end == refs_bytes)
            && ref_ends
                .iter()
                .all(|end| refs.is_char_boundary(*end as usize))
            && by_entity.iter().all(|row| u64::from(*row) < rows);
        if !sound {
            return Err(reader.fault("the sections before here contradict each other"));
        }
        let history = match counts {
            Some(counts) => read_history(&mut reader, &counts)?,
            None => History::default(),
        };
        reader.finish()?;
        Ok(Self(Arc::new(Snapshot {
            run,
            sources,
            starts,
            entities,
            ref_ends,
            refs,
            by_entity,
            entity_count,
            history,
        })))
    }

    /// The run that found these entities.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.0.run
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entities.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entities.is_empty()
    }

    /// Number of entities.
    #[must_use]
    pub fn entity_count(&self) -> u64 {
        self.0.entity_count
    }

    /// The entity of a record.
    #[must_use]
    pub fn entity_of(&self, source: &SourceId, record_ref: &RecordRef) -> Option<EntityId> {
        let snapshot = &self.0;
        let at = snapshot.sources.binary_search(source).ok()?;
        let (mut low, mut high) = (snapshot.starts[at], snapshot.starts[at + 1]);
        while low < high {
            let middle = low + (high - low) / 2;
            match snapshot.label(middle as usize).cmp(record_ref.as_str()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    return Some(EntityId::from_u128(snapshot.entities[middle as usize]));
                }
            }
        }
        None
    }

    /// The entity of each row of a table, in the order of its rows.
    #[must_use]
    pub fn entities_of(&self, rows: &LoadedTable) -> Vec<Option<EntityId>> {
        let snapshot = &self.0;
        let mut entities = vec![None; rows.refs.len()];
        let parts = rows.order().par_chunks(ROWS_TOGETHER).map(|part| {
            // Both are in one order: from the first row on they are walked together.
            let named = |row: &RowIndex| {
                let source = &rows.sources[usize::from(rows.table.source(*row))];
                (source, rows.refs.text(*row))
            };
            let known = |at: usize| (&snapshot.sources[snapshot.source(at)], snapshot.label(at));
            let (mut low, mut high) = (0, self.len());
            while low < high {
                let middle = low + (high - low) / 2;
                match known(middle) < named(&part[0]) {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            let found = part.iter().filter_map(|row| {
                let wanted = named(row);
                while low < self.len() && known(low) < wanted {
                    low += 1;
                }
                let is_known = low < self.len() && known(low) == wanted;
                is_known.then(|| (*row, EntityId::from_u128(snapshot.entities[low])))
            });
            found.collect::<Vec<_>>()
        });
        for (row, entity) in parts.collect::<Vec<_>>().into_iter().flatten() {
            entities[row as usize] = Some(entity);
        }
        entities
    }

    /// The records of an entity in (source, record ref) order; none if there is no such entity.
    #[must_use]
    pub fn records_of(&self, entity: EntityId) -> Vec<(SourceId, RecordRef)> {
        let snapshot = &self.0;
        let wanted = entity.as_u128();
        let entity_at = |row: &u32| snapshot.entities[*row as usize];
        let start = (snapshot.by_entity).partition_point(|row| entity_at(row) < wanted);
        snapshot.by_entity[start..]
            .iter()
            .take_while(|row| entity_at(row) == wanted)
            .map(|row| snapshot.record(*row as usize))
            .collect()
    }

    /// Whether there is a record of which `wanted` holds.
    pub(super) fn any(&self, wanted: impl Fn(&SourceId, &str) -> bool) -> bool {
        let snapshot = &self.0;
        (0..self.len()).any(|row| {
            let source = &snapshot.sources[snapshot.source(row)];
            wanted(source, snapshot.label(row))
        })
    }

    /// All records with their entities, in (source, record ref) order.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, RecordRef, EntityId)> + '_ {
        (0..self.len()).map(|row| {
            let (source, record_ref) = self.0.record(row);
            (
                source,
                record_ref,
                EntityId::from_u128(self.0.entities[row]),
            )
        })
    }
}

impl Snapshot {
    fn label(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ref_ends[before]);
        &self.refs[start as usize..self.ref_ends[row] as usize]
    }

    /// Place of a row's source in the list of sources.
    fn source(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start <= row as u64) - 1
    }

    fn record(&self, row: usize) -> (SourceId, RecordRef) {
        let source = self.source(row);
        let record_ref = RecordRef::new(self.label(row))
            .expect("only record refs are written, and the seal of the file was checked");
        (self.sources[source].clone(), record_ref)
    }
}

/// How much history a snapshot holds, as its header says.
struct HistoryCounts {
    runs: u32,
    issued: u64,
    events: u64,
}

impl HistoryCounts {
    fn of(history: &History) -> Self {
        Self {
            runs: history.runs.len() as u32,
            issued: history.issued.len() as u64,
            events: history.events.len() as u64,
        }
    }

    /// The counts of a header that belongs to this run, none in version 1; `None` if it does not.
    fn of_header(run: RunId, bytes: &[u8; HEADER_BYTES]) -> Option<Option<Self>> {
        let word = |at: usize| {
            let bytes = bytes[at..].first_chunk().copied();
            bytes.map_or(0, u64::from_le_bytes)
        };
        let counts = Self {
            runs: (word(8) >> 32) as u32,
            issued: word(48),
            events: word(56),
        };
        if *bytes == header(run, &counts) {
            return Some(Some(counts));
        }
        let mut first = header(run, &Self::of(&History::default()));
        first[8..12].copy_from_slice(&1_u32.to_le_bytes());
        (*bytes == first).then_some(None)
    }
}

fn read_history(
    reader: &mut SealedReader,
    counts: &HistoryCounts,
) -> Result<History, StorageFault> {
    reader.align()?;
    let runs = reader.read_values(u64::from(counts.runs), HistoricRun::decode)?;
    reader.align()?;
    let issued = reader.read_values(counts.issued, u128::from_le_bytes)?;
    reader.align()?;
    let issued_in = reader.read_values(counts.issued, u32::from_le_bytes)?;
    reader.align()?;
    let events = reader.read_values(counts.events, Event::decode)?;
    let runs = runs.into_iter().collect::<Option<Vec<_>>>();
    let events = events.into_iter().collect::<Option<Vec<_>>>();
    let (Some(runs), Some(events)) = (runs, events) else {
        return Err(reader.fault("the history before here names no run or no change"));
    };
    let in_order = events.is_sorted()
        && issued.is_sorted()
        && issued_in.iter().all(|number| *number < counts.runs)
        && events.iter().all(|event| event.publication < counts.runs);
    if !in_order {
        return Err(reader.fault("the history before here is out of order"));
    }
    Ok(History {
        runs,
        issued,
        issued_in,
        events,
    })
}

fn header(run: RunId, history: &HistoryCounts) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&history.runs.to_le_bytes());
    bytes[16..48].copy_from_slice(run.to_string().as_bytes());
    bytes[48..56].copy_from_slice(&history.issued.to_le_bytes());
    bytes[56..].copy_from_slice(&history.events.to_le_bytes());
    bytes
}

fn encode_source(source: &SourceId, start: u64) -> [u8; SOURCE_BYTES] {
    let mut bytes = [0; SOURCE_BYTES];
    bytes[..8].copy_from_slice(&start.to_le_bytes());
    let name = source.as_str().as_bytes();
    bytes[8..8 + name.len()].copy_from_slice(name);
    bytes
}

fn decode_source(bytes: [u8; SOURCE_BYTES]) -> Option<(SourceId, u64)> {
    let (start, name) = bytes.split_first_chunk()?;
    let length = name.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&name[..length]).ok()?;
    Some((SourceId::new(name).ok()?, u64::from_le_bytes(*start)))
}
