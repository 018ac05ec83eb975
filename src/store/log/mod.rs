//! The log: the truth of the store. Append-only, each entry chained to all before it by BLAKE3.
//!
//! An entry is durable when [`Log::append`] returns. `FORMAT.md` gives the bytes.

mod entry;
mod frame;
mod scan;
mod whole;

pub(super) use entry::{LogEntry, ProfileSet, PublicationMade, SegmentNamed, SubmissionCommitted};
pub(super) use scan::{Scanned, scan};
pub(super) use whole::{WholeLog, whole_entries};

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::{self, Disk};
use super::fault::{Explain, StorageFault};
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
    file: BoxedFile,
    head: LogPosition,
    /// Length of the valid log, bytes.
    end: u64,
    poisoned: bool,
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
    /// Opens the log for appending after a scan; cuts the torn tail that the scan found, if any.
    pub(super) fn open(disk: &Disk, scanned: &Scanned) -> Result<Self, StorageFault> {
        let path = log_path(disk.root());
        let mut file = disk.open_to_write(&path)?;
        if scanned.torn_bytes > 0 {
            file.set_len(scanned.end)
                .and_then(|()| file.sync_all())
                .explain("cut the torn tail of", &path)?;
        }
        Ok(Self {
            path,
            file,
            head: scanned.head,
            end: scanned.end,
            poisoned: false,
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

    /// Refuses all further writes: something on the disk is unknown.
    pub(super) fn poison(&mut self) {
        self.poisoned = true;
    }

    /// Whether writes are refused.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Adds an entry. It is on stable storage on return.
    pub(super) fn append(&mut self, entry: &LogEntry) -> Result<LogPosition, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        let payload = entry.encode();
        if payload.len() > frame::PAYLOAD_BYTES_MAX {
            return Err(AppendError::TooLarge {
                max: frame::PAYLOAD_BYTES_MAX,
            });
        }
        let sequence = self.head.sequence + 1;
        let (bytes, hash) = frame::encode(&self.head.hash, entry.kind(), sequence, &payload);
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&bytes));
        if let Err(fault) = written.explain("write", &self.path) {
            // A disk that is full leaves part of an entry: take it back, and go on later.
            self.poisoned = self.file.set_len(self.end).is_err();
            return Err(fault.into());
        }
        if let Err(fault) = self.file.sync_data().confirm(&self.path) {
            self.poisoned = true;
            return Err(fault.into());
        }
        self.end += bytes.len() as u64;
        self.head = LogPosition { sequence, hash };
        Ok(self.head)
    }
}

#[cfg(test)]
mod tests;
