//! One process at a time: two writers on one log would tear it apart.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::disk;
use super::fault::StorageFault;

/// Why the directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or this one, has the store open.
    #[error("the store in '{directory}' is in use by another process")]
    InUse {
        /// The store's directory.
        directory: String,
    },
    /// The lock file could not be made.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// The exclusive lock on a store's directory; dropping it (or the end of the process) releases it.
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock on `directory`, which must exist.
    pub(super) fn take(directory: &Path) -> Result<Self, LockError> {
        let path = directory.join("LOCK");
        let file = disk::create_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse {
                directory: directory.display().to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(LockError::Storage(StorageFault::Io {
                action: "lock",
                path,
                source,
            })),
        }
    }
}
