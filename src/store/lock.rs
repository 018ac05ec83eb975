//! One process at a time: two writers on one log would tear it apart.

use super::disk::Disk;
use super::fault::StorageFault;
use super::vfs::Lock;

/// Name of the lock file.
pub(super) const LOCK: &str = "LOCK";

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
    _lock: Lock,
}

impl DirectoryLock {
    /// Takes the lock on the store's directory, which must exist.
    pub(super) fn take(disk: &Disk) -> Result<Self, LockError> {
        match disk.lock(&disk.root().join(LOCK))? {
            Some(lock) => Ok(Self { _lock: lock }),
            None => Err(LockError::InUse {
                directory: disk.root().display().to_string(),
            }),
        }
    }
}
