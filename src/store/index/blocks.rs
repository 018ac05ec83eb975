//! Where the blocks of runs are kept: in sled on the real disk, in memory on any other.
//!
//! sled never sees a random key: those cost it memory without bound. Its keys are run and block
//! numbers, its values whole blocks. It panics on some damage, so every call is guarded. Its `flush` does not fsync, so the manifest, which says what the
//! blocks amount to, is written only after an fsync by our own hand. sled opens its files itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use super::{Index, IndexError, NO_PANIC, Tables};
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};

/// What sled keeps of its pages in memory; the process takes about twice as much for it.
const CACHE_BYTES: u64 = 16 << 20;
/// Most operations in one sled batch: larger ones take memory out of proportion.
const BATCH_OPERATIONS: usize = 500;
const MANIFEST_KEY: &[u8] = b"manifest";
/// A file of this name beside the index says: do not trust it, rebuild it.
const CONDEMNED: &str = "index.condemned";

/// Run and block number.
type BlockKey = [u8; 16];

/// The blocks of all runs, and the manifest.
pub(super) enum Blocks {
    /// On the real disk.
    Sled {
        /// The store's directory.
        store: PathBuf,
        /// sled.
        database: Mutex<Option<sled::Db>>,
    },
    /// On any other; as empty at each open as a sled index that was deleted.
    Memory(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>),
}

impl Blocks {
    /// Opens what is there, or something empty if it is missing, condemned or damaged.
    pub(super) fn open(disk: &Disk) -> Result<Self, IndexError> {
        if !disk.is_real() {
            return Ok(Self::Memory(Mutex::default()));
        }
        let store = disk.root().to_owned();
        let condemned = store.join(CONDEMNED);
        let database = match condemned.try_exists().explain("inspect", &condemned)? {
            true => None,
            false => open_database(&store).ok(),
        };
        let database = match database {
            Some(database) => database,
            None => open_empty(&store)?,
        };
        Ok(Self::Sled {
            store,
            database: Mutex::new(Some(database)),
        })
    }

    /// Opens nothing: every call fails until [`Blocks::clear`].
    pub(super) fn closed(disk: &Disk) -> Self {
        Self::Sled {
            store: disk.root().to_owned(),
            database: Mutex::default(),
        }
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), IndexError> {
        match self {
            Self::Sled { store, database } => {
                let mut database = database.lock().expect(NO_PANIC);
                *database = None;
                *database = Some(open_empty(store)?);
            }
            Self::Memory(map) => map.lock().expect(NO_PANIC).clear(),
        }
        Ok(())
    }

    /// Marks all as not to be trusted: the next open finds nothing.
    pub(super) fn condemn(&self) -> Result<(), StorageFault> {
        if let Self::Sled { store, .. } = self {
            let path = store.join(CONDEMNED);
            File::create(&path).explain("create", &path)?;
        }
        Ok(())
    }

    /// Puts consecutive blocks of a run.
    pub(super) fn put(&self, run: u64, first: u64, blocks: Vec<Vec<u8>>) -> Result<(), IndexError> {
        let named = (first..).map(|block| key(run, block)).zip(blocks);
        match self {
            Self::Sled { .. } => {
                let mut batch = sled::Batch::default();
                for (key, block) in named {
                    batch.insert(key.as_slice(), block);
                }
                self.guarded(|database| database.apply_batch(batch))
            }
            Self::Memory(map) => {
                let mut map = map.lock().expect(NO_PANIC);
                map.extend(named.map(|(key, block)| (key.to_vec(), block)));
                Ok(())
            }
        }
    }

    /// A block.
    pub(super) fn get(&self, run: u64, block: u64) -> Result<Vec<u8>, IndexError> {
        let found = self.value(&key(run, block))?;
        found.ok_or(IndexError::Contradiction)
    }

    /// Removes a run of so many blocks.
    pub(super) fn remove(&self, run: u64, blocks: u64) -> Result<(), IndexError> {
        for first in (0..blocks).step_by(BATCH_OPERATIONS) {
            let keys =
                (first..blocks.min(first + BATCH_OPERATIONS as u64)).map(|block| key(run, block));
            match self {
                Self::Sled { .. } => {
                    let mut batch = sled::Batch::default();
                    keys.for_each(|key| batch.remove(key.as_slice()));
                    self.guarded(|database| database.apply_batch(batch))?;
                }
                Self::Memory(map) => {
                    let mut map = map.lock().expect(NO_PANIC);
                    keys.for_each(|key| drop(map.remove(key.as_slice())));
                }
            }
        }
        Ok(())
    }

    /// Removes what an end in the middle of something left of the runs from `first` to before `end`.
    pub(super) fn remove_runs(&self, first: u64, end: u64) -> Result<(), IndexError> {
        let Self::Sled { .. } = self else {
            return Ok(());
        };
        loop {
            let mut batch = sled::Batch::default();
            let mut count = 0;
            self.guarded(|database| {
                let range = database.range(key(first, 0)..key(end, 0));
                for block in range.keys().take(BATCH_OPERATIONS) {
                    batch.remove(block?);
                    count += 1;
                }
                Ok(())
            })?;
            if count == 0 {
                return Ok(());
            }
            self.guarded(|database| database.apply_batch(batch))?;
        }
    }

    /// What the blocks amount to; `None` before anything was.
    pub(super) fn manifest(&self) -> Result<Option<Vec<u8>>, IndexError> {
        self.value(MANIFEST_KEY)
    }

    /// Puts a manifest in force, after making durable what it names.
    pub(super) fn set_manifest(&self, manifest: Vec<u8>) -> Result<(), IndexError> {
        match self {
            Self::Sled { store, .. } => {
                self.guarded(|database| database.flush())?;
                let file = index_path(store).join("db");
                (File::open(&file).and_then(|file| file.sync_all())).confirm(&file)?;
                self.guarded(|database| database.insert(MANIFEST_KEY, manifest))?;
            }
            Self::Memory(map) => {
                let mut map = map.lock().expect(NO_PANIC);
                map.insert(MANIFEST_KEY.to_vec(), manifest);
            }
        }
        Ok(())
    }

    /// Blocks there are, the manifest included.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Sled { .. } => self.guarded(|database| Ok(database.len())).unwrap_or(0),
            Self::Memory(map) => map.lock().expect(NO_PANIC).len(),
        }
    }

    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        match self {
            Self::Sled { .. } => {
                let value = self.guarded(|database| database.get(key))?;
                Ok(value.map(|value| value.to_vec()))
            }
            Self::Memory(map) => Ok(map.lock().expect(NO_PANIC).get(key).cloned()),
        }
    }

    fn guarded<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, IndexError> {
        let Self::Sled { database, .. } = self else {
            return Err(IndexError::Failed);
        };
        let open: MutexGuard<'_, Option<sled::Db>> = database.lock().expect(NO_PANIC);
        let database = open.clone().ok_or(IndexError::Failed)?;
        drop(open);
        catch_unwind(AssertUnwindSafe(|| call(&database)))
            .map_err(|_| IndexError::Panicked)?
            .map_err(IndexError::Sled)
    }
}

impl Index {
    /// An index that answers nothing until [`Index::clear`].
    pub(in crate::store) fn closed(disk: &Disk) -> Self {
        Self {
            blocks: Arc::new(Blocks::closed(disk)),
            tables: RwLock::new(Tables::empty()),
        }
    }
}

impl IndexError {
    /// Whether the cause is that the disk is full.
    pub(in crate::store) fn is_disk_full(&self) -> bool {
        match self {
            Self::Sled(sled::Error::Io(error)) => error.kind() == std::io::ErrorKind::StorageFull,
            Self::Storage(fault) => fault.is_disk_full(),
            _ => false,
        }
    }
}

fn key(run: u64, block: u64) -> BlockKey {
    (u128::from(run) << 64 | u128::from(block)).to_be_bytes()
}

fn index_path(store: &Path) -> PathBuf {
    store.join("index")
}

/// Deletes whatever index there is and opens an empty one.
fn open_empty(store: &Path) -> Result<sled::Db, IndexError> {
    let path = index_path(store);
    if path.try_exists().explain("inspect", &path)? {
        fs::remove_dir_all(&path).explain("remove", &path)?;
    }
    let condemned = store.join(CONDEMNED);
    if condemned.try_exists().explain("inspect", &condemned)? {
        fs::remove_file(&condemned).explain("remove", &condemned)?;
    }
    open_database(store)
}

/// Opens sled on a thread of its own, where a panic does no harm.
fn open_database(store: &Path) -> Result<sled::Db, IndexError> {
    await_last_handle(store);
    let config = sled::Config::new()
        .path(index_path(store))
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(Some(500));
    std::thread::spawn(move || config.open())
        .join()
        .map_err(|_| IndexError::Panicked)?
        .map_err(IndexError::Sled)
}

/// Waits until sled's threads have let go of the files: they outlive a handle that this process has just closed for a moment, and
/// sled does not wait for its lock. No other process has it, as the store's own lock is held.
fn await_last_handle(store: &Path) {
    // Without a file there was no handle; a lock that cannot be had is reported by sled.
    if let Ok(file) = File::open(index_path(store).join("db")) {
        let _ = file.lock();
    }
}
