//! The index: where each live record lies. Holds nothing but what the log and the segments say, and
//! is rebuilt from them whenever it is missing, damaged or behind. Nothing is ever acknowledged on
//! its word alone.
//!
//! Neither record refs nor sources stand in it, but keyed hashes of both.
//!
//! On the real disk it is kept in sled; on any other disk in memory, made anew at each open.

mod in_memory;
mod on_disk;

use self::in_memory::MemoryIndex;
use self::on_disk::SledIndex;
use super::crypt::{ContentMark, DataKeys, RecordKey};
use super::disk::Disk;
use super::fault::StorageFault;
use super::segment::{RowLocation, SegmentDirectory};
use crate::terms::SourceId;

/// Why the index did not answer. It can be rebuilt: a restart does.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled reported a fault.
    #[error("the index failed; a restart rebuilds it from the log")]
    Failed(#[source] sled::Error),
    /// sled panicked.
    #[error("the index broke down; a restart rebuilds it from the log")]
    Panicked,
    /// An answer of the index contradicts the log.
    #[error("the index contradicts the log; a restart rebuilds it from the log")]
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

/// The open index.
pub(super) enum Index {
    /// On the real disk.
    Sled(SledIndex),
    /// On any other.
    Memory(MemoryIndex),
}

impl Index {
    /// Opens the index, or gives an empty one if it is missing, condemned or damaged.
    pub(super) fn open(disk: &Disk) -> Result<Self, IndexError> {
        if disk.is_real() {
            SledIndex::open(disk.root()).map(Self::Sled)
        } else {
            Ok(Self::Memory(MemoryIndex::default()))
        }
    }

    /// Empties the index.
    pub(super) fn clear(&mut self) -> Result<(), IndexError> {
        match self {
            Self::Sled(index) => index.clear(),
            Self::Memory(index) => {
                *index = MemoryIndex::default();
                Ok(())
            }
        }
    }

    /// Marks the index as not to be trusted: the next open rebuilds it.
    pub(super) fn condemn(&self) -> Result<(), StorageFault> {
        match self {
            Self::Sled(index) => index.condemn(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// How far the index has come.
    pub(super) fn applied(&self) -> Result<Applied, IndexError> {
        match self {
            Self::Sled(index) => index.applied(),
            Self::Memory(index) => Ok(index.applied()),
        }
    }

    /// The live version of a record.
    pub(super) fn find(&self, key: &RecordKey) -> Result<Option<KnownRecord>, IndexError> {
        match self {
            Self::Sled(index) => index.find(key),
            Self::Memory(index) => Ok(index.find(key)),
        }
    }

    /// Hands out every record by key.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(&[u8], &KnownRecord),
    ) -> Result<(), IndexError> {
        match self {
            Self::Sled(index) => index.each(visit),
            Self::Memory(index) => {
                index.each(visit);
                Ok(())
            }
        }
    }

    /// Takes in a generation of the segment of a submission. Doing it twice changes nothing.
    pub(super) fn take_in(
        &self,
        keys: &DataKeys,
        (submission, generation): (u64, u32),
        source: &SourceId,
        directory: &SegmentDirectory,
    ) -> Result<(), IndexError> {
        let records = directory.iter().map(|(row, record, label)| {
            let known = KnownRecord {
                location: RowLocation {
                    segment: submission,
                    row,
                    generation,
                },
                version: record.version,
                content: record.content,
            };
            (keys.record_key(source, label), known)
        });
        match self {
            Self::Sled(index) => {
                // In the order of the keys, sled changes each of its pages once.
                let mut sorted: Vec<_> = records.collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                index.take_in(sorted.into_iter())
            }
            Self::Memory(index) => {
                index.take_in(records);
                Ok(())
            }
        }
    }

    /// Forgets records.
    pub(super) fn remove(&self, records: &[RecordKey]) -> Result<(), IndexError> {
        match self {
            Self::Sled(index) => index.remove(records),
            Self::Memory(index) => {
                index.remove(records);
                Ok(())
            }
        }
    }

    /// Says that everything up to `applied` is in, after making it durable.
    pub(super) fn set_applied(&self, applied: Applied) -> Result<(), IndexError> {
        match self {
            Self::Sled(index) => index.set_applied(applied),
            Self::Memory(index) => {
                index.set_applied(applied);
                Ok(())
            }
        }
    }
}
