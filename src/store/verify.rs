//! Re-reads everything and says whether it is whole. Changes nothing.

use std::path::Path;
use std::sync::Arc;

use super::catalogue::parse_seal;
use super::disk::Disk;
use super::fault::StorageFault;
use super::lock::{DirectoryLock, LockError};
use super::log::{LogPosition, log_path};
use super::recover;
use super::snapshot::Published;
use super::vfs::{RealDisk, Vfs};

/// Why a store is not whole, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no store.
    #[error("there is no store in '{directory}'")]
    NoStore {
        /// The directory.
        directory: String,
    },
    /// Another process has it.
    #[error("the store in '{directory}' is in use by another process")]
    InUse {
        /// The directory.
        directory: String,
    },
    /// A file is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// A store that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Last entry of the log; its chain covers all entries.
    pub head: LogPosition,
    /// Bytes of a torn entry at the end of the log, which the next open cuts.
    pub torn_bytes: u64,
    /// Submissions.
    pub submissions: u64,
    /// Segments read and checked.
    pub segments: u64,
    /// Rows of all segments.
    pub rows: u64,
    /// Rows that no newer version replaced.
    pub live: u64,
    /// Snapshots read and checked.
    pub snapshots: u64,
}

/// Checks the log's chain, and every segment and snapshot that the log names.
///
/// # Errors
/// [`VerifyError`], with file and offset of the first damage.
pub fn verify(directory: &Path) -> Result<VerifyReport, VerifyError> {
    verify_on(Arc::new(RealDisk), directory)
}

/// [`verify`] on any disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(vfs: Arc<dyn Vfs>, directory: &Path) -> Result<VerifyReport, VerifyError> {
    let disk = Disk::new(vfs, directory);
    if !disk.exists(&log_path(directory))? {
        return Err(VerifyError::NoStore {
            directory: directory.display().to_string(),
        });
    }
    let _lock = DirectoryLock::take(&disk).map_err(|error| match error {
        LockError::InUse { directory } => VerifyError::InUse { directory },
        LockError::Storage(fault) => VerifyError::Storage(fault),
    })?;
    let mut segments = 0;
    let (catalogue, scanned) = recover::replay(&disk, |_, _| segments += 1)?;
    for publication in &catalogue.publications {
        let seal = parse_seal(&publication.seal)
            .map_err(|rule| StorageFault::damaged(&log_path(directory), 0, rule))?;
        Published::load(&disk, publication.run, &seal)?;
    }
    let accepted = |it: &super::catalogue::Submission| it.committed.accepted;
    Ok(VerifyReport {
        head: scanned.head,
        torn_bytes: scanned.torn_bytes,
        submissions: catalogue.submissions.len() as u64,
        segments,
        rows: catalogue.submissions.iter().map(accepted).sum(),
        live: catalogue.submissions.iter().map(|it| it.live.len()).sum(),
        snapshots: catalogue.publications.len() as u64,
    })
}
