//! What was erased: read from the log alone, so that it can be had from a store whose segments are
//! lost, from one that is in use, and from a backup.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::store::catalogue::parse_tombstone;
use crate::store::crypt::{KeyProvider, UnlockError};
use crate::store::disk::Disk;
use crate::store::fault::StorageFault;
use crate::store::log::{LogEntry, log_path, scan};
use crate::store::vault::Vault;
use crate::store::vfs::RealDisk;

/// Why it is not known what was erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasedInError {
    /// There is neither a store nor a backup.
    #[error("there is no store and no backup in '{directory}'")]
    Nothing {
        /// The directory.
        directory: String,
    },
    /// The key does not open it.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The log is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Keyed hashes of all records that were erased in a store, or in the one that a backup is of: for
/// [`crate::store::Store::erase_again`] on an older copy of the same store.
///
/// # Errors
/// [`ErasedInError`].
pub fn erased_in(
    directory: &Path,
    provider: &KeyProvider,
) -> Result<BTreeSet<[u8; 16]>, ErasedInError> {
    let disk = Disk::new(Arc::new(RealDisk), directory);
    let vault = Vault::unlock(&disk, provider)?.ok_or_else(|| ErasedInError::Nothing {
        directory: directory.display().to_string(),
    })?;
    let path = log_path(directory);
    let mut marks = BTreeSet::new();
    scan(&vault, |entry, offset, _| {
        let LogEntry::Rewriting(rewriting) = entry else {
            return Ok(());
        };
        for text in &rewriting.tombstones {
            let mark =
                parse_tombstone(text).map_err(|rule| StorageFault::damaged(&path, offset, rule))?;
            marks.insert(mark);
        }
        Ok(())
    })?;
    Ok(marks)
}
