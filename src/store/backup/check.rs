//! Checks a backup: every byte of it, against its manifest.

use std::path::Path;
use std::sync::Arc;

use super::copy::{self, read_through};
use super::manifest::{FileCopied, LogCopied, Manifest, manifest_path};
use super::{BackupError, BackupReport};
use crate::store::disk::Disk;
use crate::store::fault::StorageFault;
use crate::store::lock::DirectoryLock;
use crate::store::log::{LogPosition, log_path, whole_entries};
use crate::store::vfs::{RealDisk, Vfs};

/// Checks every byte of the backup in `backup`. Changes nothing.
///
/// # Errors
/// [`BackupError`], with the file that is missing or damaged.
pub fn verify_backup(backup: &Path) -> Result<BackupReport, BackupError> {
    verify_backup_on(&(Arc::new(RealDisk) as _), backup)
}

/// [`verify_backup`] on any disk.
///
/// # Errors
/// As [`verify_backup`].
pub fn verify_backup_on(vfs: &Arc<dyn Vfs>, backup: &Path) -> Result<BackupReport, BackupError> {
    let disk = Disk::new(Arc::clone(vfs), backup);
    let (manifest, head) = open_backup(&disk)?;
    let _lock = DirectoryLock::take(&disk)?;
    for file in &manifest.files {
        let path = disk.root().join(file.stored());
        let found = read_through(&disk, &path, u64::MAX, &mut |_| Ok(()))?;
        copy::check(&path, file, &found)?;
    }
    let path = log_path(disk.root());
    let found = read_through(&disk, &path, manifest.log.bytes, &mut |_| Ok(()))?;
    check_log(&path, &manifest.log, &found)?;
    check_head(&disk, head)?;
    Ok(BackupReport::of(&manifest, head))
}

/// The manifest of the backup, which must be there, and the position that it names.
pub(super) fn open_backup(disk: &Disk) -> Result<(Manifest, LogPosition), BackupError> {
    let manifest = Manifest::read(disk)?.ok_or_else(|| BackupError::NoBackup {
        directory: disk.root().display().to_string(),
    })?;
    let head = manifest.head().map_err(|rule| damaged(disk, rule))?;
    Ok((manifest, head))
}

/// A manifest that breaks `rule`.
pub(super) fn damaged(disk: &Disk, rule: &'static str) -> StorageFault {
    StorageFault::damaged(&manifest_path(disk), 0, rule)
}

/// Refuses a log of which the part that belongs to the backup is not what the manifest says.
pub(super) fn check_log(
    path: &Path,
    expected: &LogCopied,
    found: &copy::Copied,
) -> Result<(), StorageFault> {
    let expected = FileCopied {
        path: String::new(),
        bytes: expected.bytes,
        blake3: expected.blake3.clone(),
        seal: String::new(),
    };
    copy::check(path, &expected, found)
}

/// Refuses a log that does not have the entry that the manifest names as its last.
pub(super) fn check_head(backup: &Disk, head: LogPosition) -> Result<(), StorageFault> {
    let mut named = head.sequence == 0;
    whole_entries(backup, |_, position| named |= position == head)?;
    if named {
        return Ok(());
    }
    Err(damaged(
        backup,
        "the log does not have the head that is named",
    ))
}
