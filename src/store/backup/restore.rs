//! From a backup back to a store, with what was erased since erased again. Until all of it is done,
//! a file says so, and the store does not open.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::BackupError;
use super::check::{check_head, check_log, open_backup};
use super::copy::{self, Copied, copy};
use super::manifest::Manifest;
use super::suppress::erased_in;
use crate::store::Store;
use crate::store::crypt::{KeyProvider, Tombstone, UnlockError};
use crate::store::disk::Disk;
use crate::store::erase::EraseError;
use crate::store::fault::{Explain, StorageFault};
use crate::store::lock::{DirectoryLock, LOCK, LockError};
use crate::store::log::{LogPosition, log_path};
use crate::store::open::OpenStoreError;
use crate::store::vault::Vault;
use crate::store::verify::{VerifyError, VerifyReport, verify_on};
use crate::store::vfs::{RealDisk, Vfs};

/// While a file of this name is in a store, it does not open.
const UNFINISHED: &str = "restoring";
/// Folders of a store that a restore fills.
const FOLDERS: [&str; 3] = ["log", "segments", "snapshots"];
/// Records that are erased again with one log entry.
const ERASED_AT_ONCE: usize = 100_000;

/// Why nothing was restored. What was written does not open as a store; restoring to the same folder
/// again starts over.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something at the target.
    #[error("'{directory}' is not empty; restore to a new folder")]
    NotEmpty {
        /// The directory.
        directory: String,
    },
    /// The key does not open the backup.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// There is no list of erased records.
    #[error("there is no store and no backup in '{directory}' to take erased records from")]
    NoSuppression {
        /// The directory.
        directory: String,
    },
    /// The backup is not there, in use or damaged.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file could not be written, or a file of the backup is damaged.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// What was copied does not open, although every byte of it was checked.
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    /// Records that were erased since could not be erased again.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// What was copied is not whole, although every byte of it was checked.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl From<LockError> for RestoreError {
    fn from(error: LockError) -> Self {
        Self::Backup(error.into())
    }
}

/// A store that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// Last log entry of the backup.
    pub head: LogPosition,
    /// Files written, the log included.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Records erased again.
    pub erased_again: u64,
    /// The store as it is now.
    pub store: VerifyReport,
}

/// Makes a store in the new folder `to` from the backup in `backup`. Checks every byte on the way.
///
/// `suppress` is a store or backup of the same store, newer than this backup: the records erased
/// there are erased here before the store can be opened. It is read with the keys of the backup,
/// whatever key it has itself by now.
///
/// # Errors
/// [`RestoreError`], with the file that is missing or damaged.
pub fn restore(
    backup: &Path,
    to: &Path,
    provider: &KeyProvider,
    suppress: Option<&Path>,
) -> Result<RestoreReport, RestoreError> {
    restore_on(&(Arc::new(RealDisk) as _), backup, to, provider, suppress)
}

/// [`restore`] on any disk.
///
/// # Errors
/// As [`restore`].
pub fn restore_on(
    vfs: &Arc<dyn Vfs>,
    backup: &Path,
    to: &Path,
    provider: &KeyProvider,
    suppress: Option<&Path>,
) -> Result<RestoreReport, RestoreError> {
    let from = Disk::new(Arc::clone(vfs), backup);
    let to = from.other_root(to);
    let (manifest, head) = open_backup(&from)?;
    let _backup_lock = DirectoryLock::take(&from)?;
    let from = Vault::unlock_with(&from, &manifest.keyring(&from)?, provider)?;
    let erased = match suppress {
        Some(newer) => erased_since(&from, newer)?,
        None => BTreeSet::new(),
    };
    let store_lock = begin(&to)?;
    let copied = copy_all(&from, &to, &manifest, head)?;
    drop(store_lock);
    let mut erased_again = 0;
    if !erased.is_empty() {
        let store = Store::open_unfinished(Arc::clone(vfs), to.root(), provider)?;
        let erased: Vec<Tombstone> = erased.into_iter().collect();
        for some in erased.chunks(ERASED_AT_ONCE) {
            erased_again += store.erase_again(&some.iter().copied().collect())?.erased;
        }
    }
    let store = verify_on(Arc::clone(vfs), to.root(), provider)?;
    to.remove(&to.root().join(UNFINISHED))?;
    to.sync_dir(to.root())?;
    Ok(RestoreReport {
        head,
        files: copied.len() as u64,
        bytes: copied.iter().map(|file| file.bytes).sum(),
        erased_again,
        store,
    })
}

/// Whether a restore to this store has not ended.
pub(in crate::store) fn unfinished(disk: &Disk) -> Result<bool, StorageFault> {
    disk.exists(&disk.root().join(UNFINISHED))
}

/// What was erased in a newer store or backup of the same store.
fn erased_since(from: &Vault, newer: &Path) -> Result<BTreeSet<Tombstone>, RestoreError> {
    let newer = from.at(newer);
    if !newer.exists(&log_path(newer.root()))? {
        return Err(RestoreError::NoSuppression {
            directory: newer.root().display().to_string(),
        });
    }
    Ok(erased_in(&newer)?)
}

/// Makes the folder, or empties what a restore before left there, and marks it as unfinished.
fn begin(to: &Disk) -> Result<DirectoryLock, RestoreError> {
    let store = to.root();
    let mark = store.join(UNFINISHED);
    let others = |path: &PathBuf| *path != store.join(LOCK);
    if to.exists(store)? && !unfinished(to)? && to.list(store)?.iter().any(others) {
        return Err(RestoreError::NotEmpty {
            directory: store.display().to_string(),
        });
    }
    to.create_dir(store)?;
    let lock = DirectoryLock::take(to)?;
    (to.create(&mark)?.sync_all()).confirm(&mark)?;
    to.sync_dir(store)?;
    to.sync_names_to(store)?;
    for folder in FOLDERS {
        let folder = store.join(folder);
        to.create_dir(&folder)?;
        for path in to.list(&folder)? {
            to.remove(&path)?;
        }
        to.sync_dir(&folder)?;
    }
    to.remove_partials(store)?;
    Ok(lock)
}

/// Copies all files of the backup, the log last, and checks every byte.
fn copy_all(
    from: &Disk,
    to: &Disk,
    manifest: &Manifest,
    head: LogPosition,
) -> Result<Vec<Copied>, StorageFault> {
    let mut all = Vec::with_capacity(manifest.files.len() + 1);
    for file in &manifest.files {
        let path = from.root().join(file.stored());
        let target = to.root().join(&file.path);
        let partial = copy::partial(&target);
        all.push(copy((from, &path), (to, &partial), u64::MAX, |copied| {
            copy::check(&path, file, copied)?;
            Ok(target)
        })?);
    }
    let path = log_path(from.root());
    let target = log_path(to.root());
    let partial = copy::partial(&target);
    let bytes = manifest.log.bytes;
    all.push(copy((from, &path), (to, &partial), bytes, |copied| {
        check_log(&path, &manifest.log, copied)?;
        Ok(target)
    })?);
    check_head(from, head)?;
    Ok(all)
}
