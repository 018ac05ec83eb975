//! Backups: a copy of the log up to an entry, and of the sealed files that it can name.
//!
//! Nothing has to stand still. The log only grows and sealed files never change, so the part of the
//! log that is whole when the backup begins, and all sealed files that are there then, are a
//! consistent store. No key is needed: files are copied as they are, encrypted, and the keyring with
//! them, which only the operator's key opens. What the backup has from before is not copied again.

mod copy;
mod manifest;
mod restore;
mod suppress;

pub use restore::{RestoreError, RestoreReport, restore, restore_on};
pub use suppress::{ErasedInError, erased_in};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use self::copy::{copy, hex, read_through, seal_of};
use self::manifest::{FileCopied, LogCopied, Manifest};
use super::Store;
use super::crypt::keyring_path;
use super::disk::Disk;
use super::fault::StorageFault;
use super::lock::{DirectoryLock, LockError};
use super::log::{LogPosition, WholeLog, log_path, whole_entries};
use super::sealed::scrub;
use super::vfs::{RealDisk, Vfs};

/// Folders of a store whose files a backup copies, with the ending of their names.
const SEALED: [(&str, &str); 2] = [("segments", "mseg"), ("snapshots", "msnp")];
/// Kind of the log entries that take sealed files away, which a backup must not run across.
const REWRITING: u8 = 6;
/// How often a backup starts over because files were taken away under it.
const TRIES: u32 = 5;

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

/// Checks every byte of the backup in `backup`. Changes nothing.
///
/// # Errors
/// [`BackupError`], with the file that is missing or damaged.
pub fn verify_backup(backup: &Path) -> Result<BackupReport, BackupError> {
    let disk = Disk::new(Arc::new(RealDisk), backup);
    let manifest = open_backup(&disk)?;
    let _lock = DirectoryLock::take(&disk)?;
    for file in &manifest.files {
        let path = disk.root().join(&file.path);
        let found = read_through(&disk, &path, u64::MAX, &mut |_| Ok(()))?;
        copy::check(&path, file, &found)?;
    }
    let path = log_path(disk.root());
    let found = read_through(&disk, &path, manifest.log.bytes, &mut |_| Ok(()))?;
    check_log(&path, &manifest.log, &found)?;
    let head = manifest.head().map_err(|rule| damaged(&disk, rule))?;
    let mut named = false;
    whole_entries(&disk, |_, position| named |= position == head)?;
    if !named {
        return Err(damaged(&disk, "the log does not have the head that is named").into());
    }
    Ok(BackupReport::of(&manifest, head))
}

/// The manifest of the backup, which must be there.
fn open_backup(disk: &Disk) -> Result<Manifest, BackupError> {
    Manifest::read(disk)?.ok_or_else(|| BackupError::NoBackup {
        directory: disk.root().display().to_string(),
    })
}

fn damaged(disk: &Disk, rule: &'static str) -> StorageFault {
    StorageFault::damaged(&manifest::manifest_path(disk), 0, rule)
}

fn check_log(path: &Path, expected: &LogCopied, found: &copy::Copied) -> Result<(), StorageFault> {
    let expected = FileCopied {
        path: String::new(),
        bytes: expected.bytes,
        blake3: expected.blake3.clone(),
        seal: String::new(),
    };
    copy::check(path, &expected, found)
}

fn back_up(from: &Disk, to: &Disk) -> Result<BackupReport, BackupError> {
    if !from.exists(&log_path(from.root()))? {
        return Err(BackupError::NoStore {
            directory: from.root().display().to_string(),
        });
    }
    to.create_dir(to.root())?;
    let _lock = DirectoryLock::take(to)?;
    for folder in ["log", "segments", "snapshots"] {
        let folder = to.root().join(folder);
        to.create_dir(&folder)?;
        to.remove_partials(&folder)?;
    }
    let before = Manifest::read(to)?;
    for _ in 0..TRIES {
        if let Some(report) = try_once(from, to, before.as_ref())? {
            return Ok(report);
        }
    }
    Err(BackupError::Restless)
}

/// Makes the backup; `None` if files were taken away meanwhile.
fn try_once(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
) -> Result<Option<BackupReport>, BackupError> {
    let log = continued_log(from, to, before)?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let copied_log = LogCopied {
        bytes: log.end,
        blake3: String::new(),
        sequence: log.head.sequence,
        head: log.head.hash_hex(),
    };
    let now = since_1970.unwrap_or_default().as_secs();
    let mut manifest = Manifest::new(hex(&log.store_id), now, copied_log);
    let (mut copied_files, mut copied_bytes) = (1, log.end);
    for (path, name) in files_to_copy(from)? {
        let file = match take(from, to, before, &path, &name) {
            Ok(file) => file,
            Err(_) if !from.exists(&path)? => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        if let Taken::Copied(file) = &file {
            copied_files += 1;
            copied_bytes += file.bytes;
        }
        let (Taken::Copied(file) | Taken::Kept(file)) = file;
        manifest.files.push(file);
    }
    let mut rewritten = false;
    whole_entries(from, |kind, position| {
        rewritten |= kind == REWRITING && position.sequence > log.head.sequence;
    })?;
    if rewritten {
        return Ok(None);
    }
    let target = log_path(to.root());
    let copied = copy(
        (from, &log_path(from.root())),
        (to, &target),
        log.end,
        |_| Ok(()),
    )?;
    manifest.log.blake3 = copied.blake3;
    manifest.write(to)?;
    remove_others(to, &manifest)?;
    Ok(Some(BackupReport {
        copied_files,
        copied_bytes,
        ..BackupReport::of(&manifest, log.head)
    }))
}

/// The log as it is now, which must continue the one of the backup that is there.
fn continued_log(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
) -> Result<WholeLog, BackupError> {
    let head = match before {
        Some(before) => Some(before.head().map_err(|rule| damaged(to, rule))?),
        None => None,
    };
    let mut continues = head.is_none_or(|head| head.sequence == 0);
    let log = whole_entries(from, |_, position| continues |= Some(position) == head)?;
    let same = before.is_none_or(|before| before.store == hex(&log.store_id));
    if same && continues {
        return Ok(log);
    }
    Err(BackupError::OtherStore {
        directory: to.root().display().to_string(),
    })
}

/// All sealed files of a store, with their paths within it, in order.
fn sealed_files(disk: &Disk) -> Result<Vec<(PathBuf, String)>, StorageFault> {
    let mut files = Vec::new();
    for (folder, extension) in SEALED {
        let directory = disk.root().join(folder);
        for path in disk.files_with_extension(&directory, extension)? {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                let name = format!("{folder}/{name}");
                files.push((path, name));
            }
        }
    }
    Ok(files)
}

/// The keyring and all sealed files of a store, with their paths within it.
fn files_to_copy(disk: &Disk) -> Result<Vec<(PathBuf, String)>, StorageFault> {
    let mut files = vec![(keyring_path(disk.root()), "keyring".to_owned())];
    files.extend(sealed_files(disk)?);
    Ok(files)
}

/// A file of the backup.
enum Taken {
    /// It was copied now.
    Copied(FileCopied),
    /// It was there.
    Kept(FileCopied),
}

/// Copies a file, unless the backup has it. What is damaged is not copied.
fn take(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
    path: &Path,
    name: &str,
) -> Result<Taken, StorageFault> {
    if let Some(kept) = kept(from, to, before, path, name)? {
        return Ok(Taken::Kept(kept));
    }
    if name != "keyring" {
        scrub(from, path)?;
    }
    let target = to.root().join(name);
    let copied = copy((from, path), (to, &target), u64::MAX, |_| Ok(()))?;
    Ok(Taken::Copied(FileCopied {
        path: name.to_owned(),
        bytes: copied.bytes,
        blake3: copied.blake3,
        seal: copied.seal,
    }))
}

/// What the manifest before says of a file, if the backup still has it and it is the same file: a
/// number may have been given to another file, so the seal decides.
fn kept(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
    path: &Path,
    name: &str,
) -> Result<Option<FileCopied>, StorageFault> {
    let Some(known) = before.and_then(|before| before.file(name)) else {
        return Ok(None);
    };
    let there = to.metadata(&to.root().join(name))?;
    if there.is_none_or(|there| there.length != known.bytes) {
        return Ok(None);
    }
    let same = seal_of(from, path)? == (known.bytes, known.seal.clone());
    Ok(same.then(|| known.clone()))
}

/// Removes what the manifest in force does not name.
fn remove_others(to: &Disk, manifest: &Manifest) -> Result<(), StorageFault> {
    for (path, name) in sealed_files(to)? {
        if manifest.file(&name).is_none() {
            to.remove(&path)?;
        }
    }
    for (folder, _) in SEALED {
        to.sync_dir(&to.root().join(folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
