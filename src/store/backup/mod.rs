//! Backups: a copy of the log up to an entry, and of the sealed files that it can name.
//!
//! Nothing has to stand still. The log only grows and sealed files never change, so the part of the
//! log that is whole when the backup begins, and all sealed files that are there then, are a
//! consistent store. No key is needed: files are copied as they are, encrypted, and the keyring with
//! them, which only the operator's key opens. What the backup has from before is not copied again.

mod check;
mod copy;
mod make;
mod manifest;
mod restore;
mod suppress;

pub use check::{verify_backup, verify_backup_on};
pub use restore::{RestoreError, RestoreReport, restore, restore_on};

pub(super) use restore::unfinished;

use std::path::Path;
use std::sync::Arc;

use self::make::back_up;
use self::manifest::Manifest;
use super::Store;
use super::disk::Disk;
use super::fault::StorageFault;
use super::lock::LockError;
use super::log::LogPosition;
use super::vfs::{RealDisk, Vfs};

/// Why there is no new backup. An older one in the same folder stays good.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no store.
    #[error("there is no store in '{directory}'")]
    NoStore {
        /// The directory.
        directory: String,
    },
    /// There is no backup.
    #[error("there is no backup in '{directory}'")]
    NoBackup {
        /// The directory.
        directory: String,
    },
    /// Another process writes the same backup.
    #[error("the backup in '{directory}' is in use by another process")]
    InUse {
        /// The directory.
        directory: String,
    },
    /// The folder holds a backup of another store, or of a history that this store does not have.
    #[error("'{directory}' holds the backup of another store or history; choose another folder")]
    OtherStore {
        /// The directory.
        directory: String,
    },
    /// Files were taken away all the time.
    #[error("the store was compacted again and again during the backup; try again later")]
    Restless,
    /// A file is damaged, or cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl From<LockError> for BackupError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse { directory } => Self::InUse { directory },
            LockError::Storage(fault) => Self::Storage(fault),
        }
    }
}

/// A backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Last log entry in it.
    pub head: LogPosition,
    /// When it was made, seconds since 1970, UTC.
    pub created_unix_s: u64,
    /// Files in it, the log included.
    pub files: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Files that were copied now; the others were there already.
    pub copied_files: u64,
    /// Bytes that were copied now.
    pub copied_bytes: u64,
}

impl BackupReport {
    fn of(manifest: &Manifest, head: LogPosition) -> Self {
        let sealed: u64 = manifest.files.iter().map(|file| file.bytes).sum();
        Self {
            head,
            created_unix_s: manifest.created_unix_s,
            files: manifest.files.len() as u64 + 1,
            bytes: sealed + manifest.log.bytes,
            copied_files: 0,
            copied_bytes: 0,
        }
    }
}

impl Store {
    /// Backs the store up while it is in use, as [`backup`].
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn backup(&self, to: &Path) -> Result<BackupReport, BackupError> {
        let from = &self.inner.disk;
        back_up(from, &from.other_root(to))
    }
}

/// Backs the store in `store` up to the folder `to`, whether a server has it or not.
///
/// A backup that is there is brought up to date: files that it has are not copied again, and files
/// that the store no longer has are removed. It is in force once its manifest is, at the very end.
///
/// # Errors
/// [`BackupError`].
pub fn backup(store: &Path, to: &Path) -> Result<BackupReport, BackupError> {
    backup_on(&(Arc::new(RealDisk) as _), store, to)
}

/// [`backup`] on any disk.
///
/// # Errors
/// As [`backup`].
pub fn backup_on(vfs: &Arc<dyn Vfs>, store: &Path, to: &Path) -> Result<BackupReport, BackupError> {
    let from = Disk::new(Arc::clone(vfs), store);
    back_up(&from, &from.other_root(to))
}

#[cfg(test)]
mod tests;
