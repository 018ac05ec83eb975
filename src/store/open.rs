//! Opens a store: lock, replay, check, clean up, bring the index up to date.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Store;
use super::catalogue::parse_seal;
use super::fault::StorageFault;
use super::index::{Index, IndexError, record_key};
use super::inner::{Inner, Parts};
use super::lock::{DirectoryLock, LockError};
use super::log::{Log, log_path};
use super::recover::{self, CatchUpError};
use super::seen::SeenFilter;
use super::snapshot::Published;
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
    /// Opens the store in `directory`, or creates an empty one.
    ///
    /// Replays the log and checks every segment and the newest snapshot. Cuts a torn tail of the
    /// log, removes files that were never acknowledged, and rebuilds the index if it is missing,
    /// damaged or does not belong to the log.
    ///
    /// # Errors
    /// [`OpenStoreError`], with file and offset if something is damaged; then nothing was changed.
    pub fn open(directory: &Path) -> Result<Self, OpenStoreError> {
        Self::open_on(Arc::new(RealDisk), directory)
    }

    /// [`Store::open`] on any disk. On one that is not real the index lives in memory.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(vfs: Arc<dyn Vfs>, directory: &Path) -> Result<Self, OpenStoreError> {
        let disk = Disk::new(vfs, directory);
        disk.create_dir(directory)?;
        let lock = DirectoryLock::take(&disk)?;
        recover::create_if_absent(&disk)?;
        let mut seen = SeenFilter::new();
        let (catalogue, scanned) = recover::replay(&disk, |source, segment| {
            for (_, _, label) in segment.iter() {
                seen.add(&record_key(source, label));
            }
        })?;
        let published = newest_publication(&disk, &catalogue)?;
        let log = Log::open(&disk, &scanned)?;
        recover::remove_leftovers(&disk, &catalogue)?;
        let mut index = Index::open(&disk)?;
        if recover::catch_up(&disk, &catalogue, &mut index, |_, _| {}).is_err() {
            // The segments were all read a moment ago, so it is the index that is bad.
            index.clear()?;
            recover::catch_up(&disk, &catalogue, &mut index, |_, _| {})?;
        }
        Ok(Self {
            inner: Arc::new(Inner::new(Parts {
                disk,
                lock,
                log,
                catalogue,
                seen,
                index,
                published,
            })),
        })
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
        let mut state = self.index.write().expect("no holder of this lock panics");
        state.failed.store(true, Ordering::Release);
        state.index.clear().map_err(CatchUpError::Index)?;
        let catalogue = self.catalogue();
        let see = |source: &_, segment: &_| self.see(source, segment);
        recover::catch_up(&self.disk, &catalogue, &mut state.index, see)?;
        state.failed.store(false, Ordering::Release);
        Ok(())
    }
}

/// Loads the snapshot that is in force.
fn newest_publication(
    disk: &Disk,
    catalogue: &Catalogue,
) -> Result<Option<Published>, StorageFault> {
    let Some(publication) = catalogue.publications.last() else {
        return Ok(None);
    };
    let seal = parse_seal(&publication.seal)
        .map_err(|rule| StorageFault::damaged(&log_path(disk.root()), 0, rule))?;
    Published::load(disk, publication.run, &seal).map(Some)
}
