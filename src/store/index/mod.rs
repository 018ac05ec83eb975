//! The index: where each live record lies. Holds nothing but what the log and the segments say, and
//! is rebuilt from them whenever it is missing, damaged or behind. Nothing is ever acknowledged on
//! its word alone. Keyed hashes stand in it for record refs and sources.
//! The newest entries are in memory, older ones in runs: sorted lists that never change, with blocks
//! in sled. Of one key the newest entry counts. Runs of like size are merged, so there are few.

mod blocks;
mod manifest;
mod merge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::blocks::Blocks;
use self::manifest::Manifest;
use self::merge::{Merge, Source};
use self::run::{Run, RunWriter};
use super::NO_PANIC;
use super::crypt::{ContentMark, DataKeys, RecordKey};
use super::disk::Disk;
use super::fault::StorageFault;
use super::segment::{RowLocation, SegmentDirectory};
use crate::terms::SourceId;

/// Most entries in memory.
const RECENT_MAX: usize = 1 << 16;
/// Runs of like size that are merged, and what makes sizes unlike.
const MERGE_RUNS: u64 = 8;
/// Runs of up to this many entries are all of like size.
const SMALL_RUN: u64 = 1 << 16;
/// No run has this number or a higher one.
const RUNS_MAX: u64 = 1 << 40;

/// Why the index did not answer. It can be rebuilt: the next submission or a restart does.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It failed before.
    #[error("the index failed before; the next submission rebuilds it from the log")]
    Failed,
    /// sled reported a fault.
    #[error("the index failed; the next submission rebuilds it from the log")]
    Sled(#[source] sled::Error),
    /// sled panicked.
    #[error("the index broke down; the next submission rebuilds it from the log")]
    Panicked,
    /// An answer of the index contradicts the log.
    #[error("the index contradicts the log; the next submission rebuilds it from the log")]
    Contradiction,
    /// The index's files could not be handled.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Where the live version of a record lies, and what it is.
#[derive(Clone, Copy)]
pub(super) struct KnownRecord {
    /// Where.
    pub(super) location: RowLocation,
    /// Version at the source.
    pub(super) version: u32,
    /// Stands for the content.
    pub(super) content: ContentMark,
}

/// A record by its key.
pub(super) type Entry = (RecordKey, KnownRecord);

impl KnownRecord {
    /// Stands for a record that is no longer there: segments are numbered from 1.
    const REMOVED: Self = Self {
        location: RowLocation {
            segment: 0,
            row: 0,
            generation: 0,
        },
        version: 0,
        content: [0; 16],
    };

    fn is_removed(&self) -> bool {
        self.location.segment == 0
    }
}

/// How far the index has come: a submission and its chain value, and how often segments had been
/// written anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Applied {
    /// Number of the last submission that is in; 0: none.
    pub(super) submission: u64,
    /// Chain value of its log entry; zero for none.
    pub(super) hash: [u8; 32],
    /// Rewritings of segments that are in.
    pub(super) rewritings: u64,
}

impl Applied {
    /// Nothing is in.
    pub(super) const NOTHING: Self = Self {
        submission: 0,
        hash: [0; 32],
        rewritings: 0,
    };
}

/// The open index. One thread changes it at a time; others look things up meanwhile.
pub(super) struct Index {
    blocks: Arc<Blocks>,
    tables: RwLock<Tables>,
}

struct Tables {
    recent: BTreeMap<RecordKey, KnownRecord>,
    /// Oldest first.
    runs: Vec<Arc<Run>>,
    /// Number of the next run.
    next: u64,
    applied: Applied,
    /// Whether the manifest names other runs.
    is_unsaved: bool,
    /// Runs that are of no use once the manifest is written.
    merged: Vec<Arc<Run>>,
}

impl Index {
    /// Opens the index, or gives an empty one if it is missing, condemned or damaged.
    pub(super) fn open(disk: &Disk) -> Result<Self, IndexError> {
        let index = Self {
            blocks: Arc::new(Blocks::open(disk)?),
            tables: RwLock::new(Tables::empty()),
        };
        if index.load().is_err() {
            index.clear()?;
        }
        Ok(index)
    }

    /// Reads the manifest and all runs that it names.
    fn load(&self) -> Result<(), IndexError> {
        let mut tables = Tables::empty();
        if let Some(bytes) = self.blocks.manifest()? {
            let manifest = Manifest::decode(&bytes).ok_or(IndexError::Contradiction)?;
            tables.applied = manifest.applied;
            tables.next = manifest.next;
            for (number, entries) in manifest.runs {
                let run = Run::open(&self.blocks, number, entries)?;
                tables.runs.push(Arc::new(run));
            }
        }
        let mut unnamed = 0;
        for run in &tables.runs {
            self.blocks.remove_runs(unnamed, run.number())?;
            unnamed = run.number() + 1;
        }
        self.blocks.remove_runs(unnamed, RUNS_MAX)?;
        *self.write() = tables;
        Ok(())
    }

    /// Empties the index.
    pub(super) fn clear(&self) -> Result<(), IndexError> {
        *self.write() = Tables::empty();
        self.blocks.clear()
    }

    /// Marks the index as not to be trusted: the next open rebuilds it.
    pub(super) fn condemn(&self) -> Result<(), StorageFault> {
        self.blocks.condemn()
    }

    /// How far the index has come.
    pub(super) fn applied(&self) -> Applied {
        self.read().applied
    }

    /// The live version of a record.
    pub(super) fn find(&self, key: &RecordKey) -> Result<Option<KnownRecord>, IndexError> {
        let tables = self.read();
        let mut found = tables.recent.get(key).copied();
        for run in tables.runs.iter().rev() {
            if found.is_some() {
                break;
            }
            found = run.find(key)?;
        }
        Ok(found.filter(|known| !known.is_removed()))
    }

    /// Hands out every record by key.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(&RecordKey, &KnownRecord),
    ) -> Result<(), IndexError> {
        let tables = self.read();
        let mut recent = tables.recent.iter();
        let mut sources = sources(&tables.runs);
        sources.push(Box::new(move || {
            Ok(recent.next().map(|(key, known)| (*key, *known)))
        }));
        let mut merge = Merge::new(sources)?;
        while let Some((key, known)) = merge.next()? {
            if !known.is_removed() {
                visit(&key, &known);
            }
        }
        Ok(())
    }

    /// Takes in entries, at most `count`, by ascending keys. Doing it twice changes nothing.
    pub(super) fn take_in(
        &self,
        count: u64,
        mut entries: impl FnMut() -> Result<Option<Entry>, IndexError>,
    ) -> Result<(), IndexError> {
        if count < RECENT_MAX as u64 {
            while let Some((key, known)) = entries()? {
                self.write().recent.insert(key, known);
            }
            if self.read().recent.len() >= RECENT_MAX {
                self.save_recent()?;
            }
            return Ok(());
        }
        self.save_recent()?;
        let mut writer = self.new_run(count);
        while let Some(entry) = entries()? {
            writer.push(entry)?;
        }
        let run = Arc::new(writer.finish()?);
        self.write().add(run);
        self.merge()
    }

    /// Takes in a generation of the segment with this number.
    pub(super) fn take_in_segment(
        &self,
        keys: &DataKeys,
        (segment, generation): (u64, u32),
        source: &SourceId,
        directory: &SegmentDirectory,
    ) -> Result<(), IndexError> {
        let mut entries: Vec<Entry> = directory
            .iter()
            .map(|(row, record, label)| {
                let known = KnownRecord {
                    location: RowLocation {
                        segment,
                        row,
                        generation,
                    },
                    version: record.version,
                    content: record.content,
                };
                (keys.record_key(source, label), known)
            })
            .collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let count = entries.len() as u64;
        let mut entries = entries.into_iter();
        self.take_in(count, || Ok(entries.next()))
    }

    /// Forgets records.
    pub(super) fn remove(&self, records: &[RecordKey]) -> Result<(), IndexError> {
        for keys in records.chunks(RECENT_MAX) {
            let removed = keys.iter().map(|key| (*key, KnownRecord::REMOVED));
            self.write().recent.extend(removed);
            if self.read().recent.len() >= RECENT_MAX {
                self.save_recent()?;
            }
        }
        Ok(())
    }

    /// Says that everything up to `applied` is in. Durable once more than the memory holds has come.
    pub(super) fn set_applied(&self, applied: Applied) -> Result<(), IndexError> {
        self.write().applied = applied;
        if !self.read().is_unsaved {
            return Ok(());
        }
        self.save_recent()?;
        let runs = self.read().runs.clone();
        let manifest = Manifest {
            applied,
            next: self.read().next,
            runs: (runs.iter())
                .map(|run| (run.number(), run.entries()))
                .collect(),
        };
        self.blocks.set_manifest(manifest.encode())?;
        let merged = {
            let mut tables = self.write();
            tables.is_unsaved = false;
            std::mem::take(&mut tables.merged)
        };
        for run in merged {
            run.remove()?;
        }
        Ok(())
    }

    /// Writes what is in memory as a run.
    fn save_recent(&self) -> Result<(), IndexError> {
        let count = self.read().recent.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let mut writer = self.new_run(count);
        for (key, known) in &self.read().recent {
            writer.push((*key, *known))?;
        }
        let run = Arc::new(writer.finish()?);
        let mut tables = self.write();
        tables.recent.clear();
        tables.add(run);
        drop(tables);
        self.merge()
    }

    /// Merges the newest runs while there are too many of like size.
    fn merge(&self) -> Result<(), IndexError> {
        loop {
            let runs = self.read().runs.clone();
            let Some(size) = runs.last().map(|run| size_class(run.entries())) else {
                return Ok(());
            };
            let like = |run: &&Arc<Run>| size_class(run.entries()) <= size;
            let count = runs.iter().rev().take_while(like).count();
            if (count as u64) < MERGE_RUNS {
                return Ok(());
            }
            let (older, newest) = runs.split_at(runs.len() - count);
            let mut writer = self.new_run(newest.iter().map(|run| run.entries()).sum());
            let mut merge = Merge::new(sources(newest))?;
            while let Some((key, known)) = merge.next()? {
                // With nothing older there is nothing that could come back.
                if !(older.is_empty() && known.is_removed()) {
                    writer.push((key, known))?;
                }
            }
            let run = Arc::new(writer.finish()?);
            let mut tables = self.write();
            let gone = tables.runs.split_off(older.len());
            tables.merged.extend(gone);
            tables.add(run);
        }
    }

    fn new_run(&self, entries: u64) -> RunWriter {
        let number = {
            let mut tables = self.write();
            tables.next += 1;
            tables.next - 1
        };
        RunWriter::create(&self.blocks, number, entries)
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().expect(NO_PANIC)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().expect(NO_PANIC)
    }
}

impl Tables {
    fn empty() -> Self {
        Self {
            recent: BTreeMap::new(),
            runs: Vec::new(),
            next: 1,
            applied: Applied::NOTHING,
            is_unsaved: false,
            merged: Vec::new(),
        }
    }

    fn add(&mut self, run: Arc<Run>) {
        self.runs.push(run);
        self.is_unsaved = true;
    }
}

fn sources<'a>(runs: &[Arc<Run>]) -> Vec<Source<'a>> {
    (runs.iter())
        .map(|run| {
            let mut reader = run.read();
            Box::new(move || reader.next()) as Source<'a>
        })
        .collect()
}

/// Sizes of one class are alike.
fn size_class(entries: u64) -> u32 {
    (entries / SMALL_RUN).checked_ilog(MERGE_RUNS).unwrap_or(0)
}
