//! An unlocked store directory: the disk together with the keys that its files need.

use std::io::{Read, Write};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::crypt::{DataKeys, KeyProvider, KeyringFile, RotateKeyError, UnlockError, keyring_path};
use super::disk::{self, Disk};
use super::fault::{Explain, StorageFault};
use super::log::log_path;

/// A disk whose store is unlocked. Cheap to clone.
#[derive(Clone)]
pub(super) struct Vault {
    disk: Disk,
    keys: Arc<DataKeys>,
}

impl Deref for Vault {
    type Target = Disk;

    fn deref(&self) -> &Disk {
        &self.disk
    }
}

impl Vault {
    /// Unlocks the store that is there; `None` if there is none. Changes nothing.
    pub(super) fn unlock(disk: &Disk, provider: &KeyProvider) -> Result<Option<Self>, UnlockError> {
        let path = keyring_path(disk.root());
        let Some(keyring) = read_keyring(disk, &path)? else {
            if disk.exists(&log_path(disk.root()))? {
                let rule = "the keyring is missing, but the log is there";
                return Err(StorageFault::damaged(&path, 0, rule).into());
            }
            return Ok(None);
        };
        let keys = keyring.unlock(provider, &path)?;
        Ok(Some(Self::new(disk.clone(), keys)))
    }

    /// Unlocks a directory whose keyring has the name `path`, as in a backup.
    pub(super) fn unlock_with(
        disk: &Disk,
        path: &Path,
        provider: &KeyProvider,
    ) -> Result<Self, UnlockError> {
        let missing = || StorageFault::damaged(path, 0, "the keyring is missing");
        let keyring = read_keyring(disk, path)?.ok_or_else(missing)?;
        Ok(Self::new(disk.clone(), keyring.unlock(provider, path)?))
    }

    /// Another directory that the same keys open.
    pub(super) fn at(&self, directory: &Path) -> Self {
        Self {
            disk: self.disk.other_root(directory),
            keys: Arc::clone(&self.keys),
        }
    }

    /// Makes the keyring of a new store. Durable on return.
    pub(super) fn create(disk: &Disk, provider: &KeyProvider) -> Result<Self, UnlockError> {
        let (keyring, keys) = KeyringFile::generate(provider, &keyring_path(disk.root()))?;
        write_keyring(disk, &keyring)?;
        Ok(Self::new(disk.clone(), keys))
    }

    /// Wraps the keys for another provider. Durable on return.
    pub(super) fn rotate(&self, provider: &KeyProvider) -> Result<(), RotateKeyError> {
        let path = keyring_path(self.root());
        let rule = "the keyring was removed while the store was open";
        let keyring = read_keyring(self, &path)
            .map_err(UnlockError::Storage)?
            .ok_or_else(|| UnlockError::Storage(StorageFault::damaged(&path, 0, rule)))?;
        let rewrapped = keyring.rewrap(&self.keys, provider, &path)?;
        write_keyring(self, &rewrapped).map_err(UnlockError::Storage)?;
        Ok(())
    }

    pub(super) fn new(disk: Disk, keys: DataKeys) -> Self {
        let keys = Arc::new(keys);
        Self { disk, keys }
    }

    /// The keys.
    pub(super) fn keys(&self) -> &Arc<DataKeys> {
        &self.keys
    }
}

fn read_keyring(disk: &Disk, path: &Path) -> Result<Option<KeyringFile>, StorageFault> {
    if !disk.exists(path)? {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    disk.open(path)?
        .take(4096)
        .read_to_end(&mut bytes)
        .explain("read", path)?;
    KeyringFile::decode(&bytes, path).map(Some)
}

fn write_keyring(disk: &Disk, keyring: &KeyringFile) -> Result<(), StorageFault> {
    let path = keyring_path(disk.root());
    let partial = path.with_extension(disk::PARTIAL);
    let mut file = disk.create(&partial)?;
    let guard = disk.partial(partial.clone());
    file.write_all(&keyring.encode())
        .explain("write", &partial)?;
    file.sync_all().confirm(&partial)?;
    guard.publish(&path)
}
