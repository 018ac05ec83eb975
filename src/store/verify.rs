//! Re-reads everything and says whether it is whole. Changes nothing.

use std::path::Path;
use std::sync::Arc;

use super::catalogue::parse_seal;
use super::crypt::{KeyProvider, UnlockError};
use super::disk::Disk;
use super::fault::StorageFault;
use super::lock::{DirectoryLock, LockError};
use super::log::{LogPosition, log_path, scan_chain};
use super::recover;
use super::sealed::scrub;
use super::snapshot::Published;
use super::vault::Vault;
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
    /// The key does not open it.
    #[error(transparent)]
    Locked(UnlockError),
    /// A file is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl From<LockError> for VerifyError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse { directory } => Self::InUse { directory },
            LockError::Storage(fault) => Self::Storage(fault),
        }
    }
}

impl From<UnlockError> for VerifyError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Storage(fault) => Self::Storage(fault),
            other => Self::Locked(other),
        }
    }
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
pub fn verify(directory: &Path, provider: &KeyProvider) -> Result<VerifyReport, VerifyError> {
    verify_on(Arc::new(RealDisk), directory, provider)
}

/// [`verify`] on any disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(
    vfs: Arc<dyn Vfs>,
    directory: &Path,
    provider: &KeyProvider,
) -> Result<VerifyReport, VerifyError> {
    let disk = Disk::new(vfs, directory);
    refuse_absent(&disk)?;
    let disk = Vault::unlock(&disk, provider)?.ok_or_else(|| no_store(&disk))?;
    let _lock = DirectoryLock::take(&disk)?;
    let mut segments = 0;
    let (catalogue, scanned) = recover::replay(&disk, |_, _| segments += 1)?;
    let mut snapshots = 0;
    for publication in &catalogue.publications {
        let Some(now) = &publication.snapshot else {
            continue;
        };
        let seal = parse_seal(&now.seal)
            .map_err(|rule| StorageFault::damaged(&log_path(directory), 0, rule))?;
        Published::load(&disk, publication.run, now.generation, &seal)?;
        snapshots += 1;
    }
    let segments_now = catalogue.submissions.iter().flat_map(|it| &it.segment);
    let rows = segments_now.map(|now| u64::from(now.rows)).sum();
    Ok(VerifyReport {
        head: scanned.head,
        torn_bytes: scanned.torn_bytes,
        submissions: catalogue.submissions.len() as u64,
        segments,
        rows,
        live: catalogue.submissions.iter().map(|it| it.live.len()).sum(),
        snapshots,
    })
}

/// Checks without the key what can be checked: the log's chain, and every sealed file against its
/// own checksums and seal. Whether a file is the one that the log names, only the key tells.
///
/// # Errors
/// [`VerifyError`], with file and offset of the first damage.
pub fn verify_without_key(directory: &Path) -> Result<LogPosition, VerifyError> {
    let disk = Disk::new(Arc::new(RealDisk), directory);
    refuse_absent(&disk)?;
    let _lock = DirectoryLock::take(&disk)?;
    let scanned = scan_chain(&disk)?;
    for path in recover::sealed_files(&disk)? {
        scrub(&disk, &path)?;
    }
    Ok(scanned.head)
}

fn refuse_absent(disk: &Disk) -> Result<(), VerifyError> {
    match disk.exists(&log_path(disk.root()))? {
        true => Ok(()),
        false => Err(no_store(disk)),
    }
}

fn no_store(disk: &Disk) -> VerifyError {
    VerifyError::NoStore {
        directory: disk.root().display().to_string(),
    }
}
