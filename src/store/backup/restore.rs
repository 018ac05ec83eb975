//! From a backup back to a store. The log comes last, so what was restored in part does not open.

use std::path::Path;
use std::sync::Arc;

use super::copy::{self, copy};
use super::{BackupError, check_log, damaged, open_backup};
use crate::store::disk::Disk;
use crate::store::fault::StorageFault;
use crate::store::lock::{DirectoryLock, LockError};
use crate::store::log::{LogPosition, log_path, whole_entries};
use crate::store::vfs::{RealDisk, Vfs};

/// Why nothing was restored. What was written is not a store yet; remove it and try again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something at the target.
    #[error("'{directory}' is not empty; restore to a new folder")]
    NotEmpty {
        /// The directory.
        directory: String,
    },
    /// The backup is not there, in use or damaged.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file could not be written, or a file of the backup is damaged.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl From<LockError> for RestoreError {
    fn from(error: LockError) -> Self {
        Self::Backup(error.into())
    }
}

/// A store that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// Its last log entry.
    pub head: LogPosition,
    /// Files written, the log included.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Makes a store in the new folder `to` from the backup in `backup`. Checks every byte on the way.
///
/// # Errors
/// [`RestoreError`], with the file that is missing or damaged.
pub fn restore(backup: &Path, to: &Path) -> Result<RestoreReport, RestoreError> {
    restore_on(&(Arc::new(RealDisk) as _), backup, to)
}

/// [`restore`] on any disk.
///
/// # Errors
/// As [`restore`].
pub fn restore_on(
    vfs: &Arc<dyn Vfs>,
    backup: &Path,
    to: &Path,
) -> Result<RestoreReport, RestoreError> {
    let from = Disk::new(Arc::clone(vfs), backup);
    let to = from.other_root(to);
    let manifest = open_backup(&from)?;
    let head = manifest.head().map_err(|rule| damaged(&from, rule))?;
    let _backup_lock = DirectoryLock::take(&from)?;
    if to.exists(to.root())? && !to.is_empty(to.root())? {
        return Err(RestoreError::NotEmpty {
            directory: to.root().display().to_string(),
        });
    }
    to.create_dir(to.root())?;
    let _store_lock = DirectoryLock::take(&to)?;
    for folder in ["log", "segments", "snapshots"] {
        to.create_dir(&to.root().join(folder))?;
    }
    let mut report = RestoreReport {
        head,
        files: 0,
        bytes: 0,
    };
    let mut count = |copied: copy::Copied| {
        report.files += 1;
        report.bytes += copied.bytes;
    };
    for file in &manifest.files {
        let path = from.root().join(&file.path);
        let target = to.root().join(&file.path);
        let copied = copy((&from, &path), (&to, &target), u64::MAX, |copied| {
            copy::check(&path, file, copied)
        })?;
        count(copied);
    }
    let path = log_path(from.root());
    let found = copy::read_through(&from, &path, manifest.log.bytes, &mut |_| Ok(()))?;
    check_log(&path, &manifest.log, &found)?;
    let mut named = head.sequence == 0;
    whole_entries(&from, |_, position| named |= position == head)?;
    if !named {
        return Err(damaged(&from, "the log does not have the head that is named").into());
    }
    let target = log_path(to.root());
    let copied = copy(
        (&from, &path),
        (&to, &target),
        manifest.log.bytes,
        |copied| check_log(&path, &manifest.log, copied),
    )?;
    count(copied);
    Ok(report)
}
