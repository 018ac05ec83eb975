//! Opens a store: lock, replay, check, clean up, bring the index up to date.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Store;
use super::backup::unfinished;
use super::catalogue::parse_seal;
use super::crypt::{KeyProvider, RotateKeyError, UnlockError};
use super::fault::StorageFault;
use super::index::{Index, IndexError};
use super::inner::{Inner, Parts};
use super::lock::{DirectoryLock, LockError};
use super::log::{Log, log_path};
use super::recover::{self, CatchUpError};
use super::snapshot::Published;
use super::vault::Vault;
use super::vfs::{RealDisk, Vfs};
use super::{catalogue::Catalogue, disk::Disk};

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// Another process has it.
    #[error("the store in '{directory}' is in use by another process")]
    InUse {
        /// The store's directory.
        directory: String,
    },
    /// A restore to it has not ended.
    #[error("a restore to '{directory}' has not ended; run it again, or wait until it has")]
    Unfinished {
        /// The store's directory.
        directory: String,
    },
    /// The key does not open it, or the keyring is damaged. Nothing was changed.
    #[error(transparent)]
    Locked(UnlockError),
    /// A file is damaged or cannot be read. Nothing was changed.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The index could not be made, although the log and the segments are good.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl From<LockError> for OpenStoreError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse { directory } => Self::InUse { directory },
            LockError::Storage(fault) => Self::Storage(fault),
        }
    }
}

impl From<UnlockError> for OpenStoreError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Storage(fault) => Self::Storage(fault),
            other => Self::Locked(other),
        }
    }
}

impl From<CatchUpError> for OpenStoreError {
    fn from(error: CatchUpError) -> Self {
        match error {
            CatchUpError::Index(error) => Self::Index(error),
            CatchUpError::Storage(fault) => Self::Storage(fault),
        }
    }
}

/// Why the index could not be rebuilt.
#[derive(Debug, thiserror::Error)]
#[error("the index could not be rebuilt")]
pub struct RebuildIndexError(#[from] CatchUpError);

impl Store {
    /// Opens the store in `directory` with its key, or creates an empty one with that key.
    ///
    /// A wrong key is refused before anything is touched.
    /// Replays the log and checks every segment and the newest snapshot. Cuts a torn tail of the
    /// log, removes files that were never acknowledged, and rebuilds the index if it is missing,
    /// damaged or does not belong to the log.
    ///
    /// # Errors
    /// [`OpenStoreError`], with file and offset if something is damaged; then nothing was changed.
    pub fn open(directory: &Path, provider: &KeyProvider) -> Result<Self, OpenStoreError> {
        Self::open_on(Arc::new(RealDisk), directory, provider)
    }

    /// [`Store::open`] on any disk.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        vfs: Arc<dyn Vfs>,
        directory: &Path,
        provider: &KeyProvider,
    ) -> Result<Self, OpenStoreError> {
        if unfinished(&Disk::new(Arc::clone(&vfs), directory))? {
            return Err(OpenStoreError::Unfinished {
                directory: directory.display().to_string(),
            });
        }
        Self::open_unfinished(vfs, directory, provider)
    }

    /// [`Store::open_on`] while a restore to the store has not ended: for the restore itself.
    pub(super) fn open_unfinished(
        vfs: Arc<dyn Vfs>,
        directory: &Path,
        provider: &KeyProvider,
    ) -> Result<Self, OpenStoreError> {
        let disk = Disk::new(vfs, directory);
        let unlocked = Vault::unlock(&disk, provider)?;
        disk.create_dir(directory)?;
        let lock = DirectoryLock::take(&disk)?;
        let disk = match unlocked {
            Some(vault) => vault,
            // Another process may have made it in the meantime.
            None => match Vault::unlock(&disk, provider)? {
                Some(vault) => vault,
                None => Vault::create(&disk, provider)?,
            },
        };
        // A process before may have ended between giving the keyring its name, or taking that of
        // an unfinished restore away, and making it durable.
        disk.sync_dir(directory)?;
        recover::create_if_absent(&disk)?;
        let (catalogue, scanned) = recover::replay(&disk, |_, _| {})?;
        let published = newest_publication(&disk, &catalogue)?;
        let log = Log::open(&disk, &scanned)?;
        recover::remove_leftovers(&disk, &catalogue)?;
        let index = match open_index(&disk, &catalogue) {
            // The next submission makes it anew; reading and erasing go on without.
            Err(error) if error.is_disk_full() => None,
            opened => Some(opened?),
        };
        let largest = recover::largest_sealed_file(&disk)?;
        let inner = Inner::new(Parts {
            disk,
            lock,
            log,
            catalogue,
            index,
            published,
        });
        inner.reserve.open(&inner.disk, largest)?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Wraps the store's keys for another provider, which alone opens the store from now on.
    ///
    /// Nothing else is written anew: a copy made before stays open to the old key.
    ///
    /// # Errors
    /// [`RotateKeyError`].
    pub fn rotate_key(&self, provider: &KeyProvider) -> Result<(), RotateKeyError> {
        let _commit = self.inner.commit_lock();
        self.inner.disk.rotate(provider)
    }

    /// The key that the store's receipts are checked with, Ed25519.
    #[must_use]
    pub fn receipt_key(&self) -> [u8; 32] {
        self.inner.disk.keys().public_key()
    }

    /// Deletes the index and makes it anew from the log and the segments.
    ///
    /// # Errors
    /// [`RebuildIndexError`].
    pub fn rebuild_index(&self) -> Result<(), RebuildIndexError> {
        self.inner.rebuild_index()
    }
}

impl Inner {
    /// Deletes the index and makes it anew. Meanwhile nothing is taken in.
    pub(super) fn rebuild_index(&self) -> Result<(), RebuildIndexError> {
        let _commit = self.commit_lock();
        let state = self.index.write().expect("no holder of this lock panics");
        state.failed.store(true, Ordering::Release);
        state.index.clear().map_err(CatchUpError::Index)?;
        let catalogue = self.catalogue();
        recover::catch_up(&self.disk, &catalogue, &state.index)?;
        state.failed.store(false, Ordering::Release);
        Ok(())
    }
}

/// Opens the index and brings it up to date.
fn open_index(disk: &Vault, catalogue: &Catalogue) -> Result<Index, CatchUpError> {
    let index = Index::open(disk)?;
    if recover::catch_up(disk, catalogue, &index).is_err() {
        // The segments were all read a moment ago, so it is the index that is bad.
        index.clear()?;
        recover::catch_up(disk, catalogue, &index)?;
    }
    Ok(index)
}

/// Loads the snapshot that is in force.
fn newest_publication(
    disk: &Vault,
    catalogue: &Catalogue,
) -> Result<Option<Published>, StorageFault> {
    let Some((run, now)) = catalogue.newest_publication() else {
        return Ok(None);
    };
    let seal = parse_seal(&now.seal)
        .map_err(|rule| StorageFault::damaged(&log_path(disk.root()), 0, rule))?;
    Published::load(disk, run, now.generation, &seal).map(Some)
}
