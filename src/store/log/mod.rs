//! The log: the truth of the store. Append-only, each entry chained to all before it by BLAKE3.
//!
//! Entries become durable in groups. `FORMAT.md` gives the bytes.

mod entry;
mod frame;
mod group;
mod scan;
mod whole;

pub(super) use entry::{
    LogEntry, ProfileSet, PublicationMade, Rewriting, SegmentNamed, SegmentRewritten,
    SnapshotRewritten, SubmissionCommitted,
};
pub(super) use scan::{Scanned, scan, scan_chain};
pub(super) use whole::{WholeLog, whole_entries};

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::crypt::DataKeys;
use super::disk::{self, Disk};
use super::fault::{Explain, StorageFault};
use super::vault::Vault;
use super::vfs::BoxedFile;

/// Where an entry stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// Number of the entry, from 1; 0 before the first.
    pub sequence: u64,
    /// Chain value after the entry: BLAKE3 over everything up to and including it.
    pub hash: [u8; 32],
}

impl LogPosition {
    /// The chain value as 64 hexadecimal digits.
    #[must_use]
    pub fn hash_hex(&self) -> String {
        blake3::Hash::from_bytes(self.hash).to_hex().to_string()
    }
}

/// Why an entry could not be added to the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// An earlier write failed in a way that leaves unknown what is on the disk.
    #[error(
        "the store takes no more writes, because the disk failed to confirm one; restart the server, which recovers from the log"
    )]
    Poisoned,
    /// The entry is larger than an entry may be.
    #[error("the log entry is larger than {max} bytes")]
    TooLarge {
        /// Most bytes of an entry's payload.
        max: usize,
    },
    /// The disk refused; the log is as it was.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// The open log.
pub(super) struct Log {
    path: PathBuf,
    /// Not here while a group is on its way to the disk.
    file: Option<BoxedFile>,
    keys: Arc<DataKeys>,
    head: LogPosition,
    /// Length of the valid log, bytes.
    end: u64,
    poisoned: bool,
    queue: group::Queue,
}

/// Path of the log file within a store.
pub(super) fn log_path(store: &Path) -> PathBuf {
    store.join("log").join("000001.mlog")
}

/// Creates an empty log.
pub(super) fn create(disk: &Disk) -> Result<(), StorageFault> {
    let path = log_path(disk.root());
    let partial = path.with_extension(disk::PARTIAL);
    let mut file = disk.create(&partial)?;
    let guard = disk.partial(partial.clone());
    let mut store_id = [0; 16];
    getrandom::fill(&mut store_id)
        .map_err(|error| io::Error::other(error.to_string()))
        .explain("draw random bytes for", &path)?;
    file.write_all(&frame::header(&store_id))
        .and_then(|()| file.sync_all())
        .explain("write", &partial)?;
    guard.publish(&path)
}

impl Log {
    /// Opens the log for appending after a scan: cuts the torn tail that the scan found, if any, and
    /// makes durable what it read.
    ///
    /// What was read need not be on stable storage: the process before may have ended between
    /// writing and syncing, or after a sync that failed, which no later sync makes up for. Only the
    /// last group can be meant, so it is written once more.
    pub(super) fn open(disk: &Vault, scanned: &Scanned) -> Result<Self, StorageFault> {
        let path = log_path(disk.root());
        let mut file = disk.open_to_write(&path)?;
        if scanned.torn_bytes > 0 {
            file.set_len(scanned.end)
                .explain("cut the torn tail of", &path)?;
        }
        let mut group = vec![0; (scanned.end - scanned.last_group) as usize];
        file.seek(SeekFrom::Start(scanned.last_group))
            .and_then(|_| file.read_exact(&mut group))
            .and_then(|()| file.seek(SeekFrom::Start(scanned.last_group)))
            .and_then(|_| file.write_all(&group))
            .explain("write the last entries once more to", &path)?;
        file.sync_all().confirm(&path)?;
        disk.sync_name(&path)?;
        Ok(Self {
            path,
            file: Some(file),
            keys: Arc::clone(disk.keys()),
            head: scanned.head,
            end: scanned.end,
            poisoned: false,
            queue: group::Queue::default(),
        })
    }

    /// Position of the last entry.
    pub(super) fn head(&self) -> LogPosition {
        self.head
    }

    /// Length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// Whether writes are refused.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

#[cfg(test)]
mod tests;
