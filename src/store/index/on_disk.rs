//! The index in sled.
//!
//! One tree. Keyed hash of source and record ref → location, version, content mark. `applied` →
//! number of the last submission that is in, chain value of its log entry, number of rewritings.
//!
//! sled panics on some damage, so every call is guarded. Batches stay at 1,000 operations: larger
//! ones take memory out of proportion. Its `flush` does not fsync, so the marker is written only
//! after an fsync by our own hand. sled opens its files itself, so this index is for the real disk.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::{Applied, IndexError, KnownRecord};
use crate::store::crypt::RecordKey;
use crate::store::fault::{Explain, StorageFault};
use crate::store::segment::RowLocation;

/// Most operations in one sled batch.
const BATCH_OPERATIONS: usize = 1_000;
/// What sled keeps of its pages in memory; the process takes about twice as much for it.
const CACHE_BYTES: u64 = 64 << 20;
const APPLIED_KEY: &[u8] = b"applied";
/// A file of this name beside the index says: do not trust it, rebuild it.
const CONDEMNED: &str = "index.condemned";

/// The open sled index.
pub(in crate::store) struct SledIndex {
    store: PathBuf,
    database: Option<sled::Db>,
}

impl SledIndex {
    /// Opens the index, or gives an empty one if it is missing, condemned or damaged.
    pub(super) fn open(store: &Path) -> Result<Self, IndexError> {
        let condemned = store.join(CONDEMNED);
        if condemned.try_exists().explain("inspect", &condemned)? {
            return Self::open_empty(store);
        }
        match open_database(store) {
            Ok(database) => {
                let index = Self {
                    store: store.to_owned(),
                    database: Some(database),
                };
                match index.applied() {
                    Ok(_) => Ok(index),
                    Err(_) => {
                        drop(index);
                        Self::open_empty(store)
                    }
                }
            }
            Err(_) => Self::open_empty(store),
        }
    }

    /// Deletes whatever index there is and opens an empty one.
    fn open_empty(store: &Path) -> Result<Self, IndexError> {
        let path = index_path(store);
        if path.try_exists().explain("inspect", &path)? {
            fs::remove_dir_all(&path).explain("remove", &path)?;
        }
        let condemned = store.join(CONDEMNED);
        if condemned.try_exists().explain("inspect", &condemned)? {
            fs::remove_file(&condemned).explain("remove", &condemned)?;
        }
        Ok(Self {
            store: store.to_owned(),
            database: Some(open_database(store)?),
        })
    }

    /// Empties the index.
    pub(super) fn clear(&mut self) -> Result<(), IndexError> {
        self.database = None;
        *self = Self::open_empty(&self.store)?;
        Ok(())
    }

    /// Marks the index as not to be trusted: the next open rebuilds it.
    pub(super) fn condemn(&self) -> Result<(), StorageFault> {
        let path = self.store.join(CONDEMNED);
        File::create(&path).explain("create", &path).map(|_| ())
    }

    /// How far the index has come.
    pub(super) fn applied(&self) -> Result<Applied, IndexError> {
        let value = self.guarded(|database| database.get(APPLIED_KEY))?;
        let Some(value) = value else {
            return Ok(Applied::NOTHING);
        };
        let (submission, rest) = value.split_first_chunk().ok_or(IndexError::Contradiction)?;
        let (hash, rest) = rest.split_first_chunk().ok_or(IndexError::Contradiction)?;
        let rewritings = rest.try_into().map_err(|_| IndexError::Contradiction)?;
        Ok(Applied {
            submission: u64::from_le_bytes(*submission),
            hash: *hash,
            rewritings: u64::from_le_bytes(rewritings),
        })
    }

    /// The live version of a record.
    pub(super) fn find(&self, key: &RecordKey) -> Result<Option<KnownRecord>, IndexError> {
        let value = self.guarded(|database| database.get(key))?;
        value
            .map(|value| decode(&value).ok_or(IndexError::Contradiction))
            .transpose()
    }

    /// Hands out every record by key.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(&[u8], &KnownRecord),
    ) -> Result<(), IndexError> {
        let mut readable = true;
        self.guarded(|database| {
            for pair in database.iter() {
                let (key, value) = pair?;
                if key == APPLIED_KEY {
                    continue;
                }
                match decode(&value) {
                    Some(known) => visit(&key, &known),
                    None => readable = false,
                }
            }
            Ok(())
        })?;
        readable.then_some(()).ok_or(IndexError::Contradiction)
    }

    /// Takes in records by key. Doing it twice changes nothing.
    pub(super) fn take_in(
        &self,
        records: impl Iterator<Item = (RecordKey, KnownRecord)>,
    ) -> Result<(), IndexError> {
        let mut batch = sled::Batch::default();
        let mut operations = 0;
        for (key, known) in records {
            batch.insert(key.as_slice(), encode(&known).as_slice());
            operations += 1;
            if operations == BATCH_OPERATIONS {
                let full = std::mem::take(&mut batch);
                self.guarded(|database| database.apply_batch(full))?;
                operations = 0;
            }
        }
        self.guarded(|database| database.apply_batch(batch))
    }

    /// Forgets records.
    pub(super) fn remove(&self, records: &[RecordKey]) -> Result<(), IndexError> {
        for keys in records.chunks(BATCH_OPERATIONS) {
            let mut batch = sled::Batch::default();
            for key in keys {
                batch.remove(key.as_slice());
            }
            self.guarded(|database| database.apply_batch(batch))?;
        }
        Ok(())
    }

    /// Says that everything up to `applied` is in, after making it durable.
    pub(super) fn set_applied(&self, applied: Applied) -> Result<(), IndexError> {
        self.guarded(|database| database.flush())?;
        let file = index_path(&self.store).join("db");
        File::open(&file)
            .and_then(|file| file.sync_all())
            .confirm(&file)?;
        let mut value = applied.submission.to_le_bytes().to_vec();
        value.extend_from_slice(&applied.hash);
        value.extend_from_slice(&applied.rewritings.to_le_bytes());
        self.guarded(|database| database.insert(APPLIED_KEY, value))?;
        Ok(())
    }

    fn guarded<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, IndexError> {
        let database = self.database.as_ref().ok_or(IndexError::Panicked)?;
        catch_unwind(AssertUnwindSafe(|| call(database)))
            .map_err(|_| IndexError::Panicked)?
            .map_err(IndexError::Failed)
    }
}

fn index_path(store: &Path) -> PathBuf {
    store.join("index")
}

/// Opens sled on a thread of its own, where a panic does no harm.
fn open_database(store: &Path) -> Result<sled::Db, IndexError> {
    let config = sled::Config::new()
        .path(index_path(store))
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(Some(500));
    std::thread::spawn(move || config.open())
        .join()
        .map_err(|_| IndexError::Panicked)?
        .map_err(IndexError::Failed)
}

fn encode(known: &KnownRecord) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..16].copy_from_slice(&known.location.encode());
    bytes[16..20].copy_from_slice(&known.version.to_le_bytes());
    bytes[20..].copy_from_slice(&known.content);
    bytes
}

fn decode(bytes: &[u8]) -> Option<KnownRecord> {
    let (location, rest) = bytes.split_first_chunk()?;
    let (version, content) = rest.split_first_chunk()?;
    Some(KnownRecord {
        location: RowLocation::decode(*location),
        version: u32::from_le_bytes(*version),
        content: content.try_into().ok()?,
    })
}
