//! The open store behind its handles: the locks, and the order in which they are taken
//! (commit, then log, then catalogue; index and filter last).

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard};

use super::NO_PANIC;
use super::catalogue::Catalogue;
use super::crypt::RecordKey;
use super::fault::StorageFault;
use super::index::{Applied, Index, IndexError, KnownRecord};
use super::lock::DirectoryLock;
use super::log::{AppendError, Log, LogEntry, LogPosition, SubmissionCommitted};
use super::recover::CatchUpError;
use super::room::Reserve;
use super::segment::{RowLocation, read_directory};
use super::snapshot::Published;
use super::vault::Vault;
use crate::terms::SourceId;

/// Everything that handles of one store share.
pub(super) struct Inner {
    /// The unlocked disk, and the store's directory on it.
    pub(super) disk: Vault,
    /// Held shared by who reads segments, alone by who removes them.
    pub(super) removing: RwLock<()>,
    /// Number for the next spool.
    pub(super) next_spool: AtomicU64,
    /// Room that new records do not take.
    pub(super) reserve: Reserve,
    /// The newest publication.
    pub(super) published: RwLock<Option<Published>>,
    /// The index. Written to only to rebuild it.
    pub(super) index: RwLock<IndexState>,
    log: Mutex<Log>,
    /// Told when a group of log entries is back from the disk.
    landed: Condvar,
    catalogue: RwLock<Catalogue>,
    submitting: Mutex<BTreeSet<SourceId>>,
    commit: Mutex<()>,
    // Last, so that the directory is free only when all else is closed.
    _lock: DirectoryLock,
}

/// The index, and whether its answers may be used.
pub(super) struct IndexState {
    /// The index.
    pub(super) index: Index,
    /// It failed once; only a rebuild makes it good.
    pub(super) failed: std::sync::atomic::AtomicBool,
}

/// What recovery found, from which the store is opened.
pub(super) struct Parts {
    pub(super) disk: Vault,
    pub(super) lock: DirectoryLock,
    pub(super) log: Log,
    pub(super) catalogue: Catalogue,
    /// `None` if there is no room for one.
    pub(super) index: Option<Index>,
    pub(super) published: Option<Published>,
}

impl Inner {
    pub(super) fn new(parts: Parts) -> Self {
        let failed = parts.index.is_none().into();
        let index = (parts.index).unwrap_or_else(|| Index::closed(&parts.disk));
        Self {
            disk: parts.disk,
            removing: RwLock::default(),
            next_spool: AtomicU64::new(0),
            reserve: Reserve::standard(),
            published: RwLock::new(parts.published),
            index: RwLock::new(IndexState { index, failed }),
            log: Mutex::new(parts.log),
            landed: Condvar::new(),
            catalogue: RwLock::new(parts.catalogue),
            submitting: Mutex::default(),
            commit: Mutex::default(),
            _lock: parts.lock,
        }
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect(NO_PANIC)
    }

    pub(super) fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().expect(NO_PANIC)
    }

    pub(super) fn submitting(&self) -> MutexGuard<'_, BTreeSet<SourceId>> {
        self.submitting.lock().expect(NO_PANIC)
    }

    /// Held by whoever decides from the catalogue what to append, until it is appended.
    pub(super) fn commit_lock(&self) -> MutexGuard<'_, ()> {
        self.commit.lock().expect(NO_PANIC)
    }

    /// Appends an entry and brings the catalogue up to date. Durable on return.
    ///
    /// Entries that come while others are on their way to the disk go there together afterwards. The
    /// catalogue only ever says what is durable.
    ///
    /// Whoever appends a profile, submission or publication holds the commit lock.
    ///
    /// On a full disk all but a submission goes to the room that was held for it.
    pub(super) fn record(
        &self,
        entry: LogEntry,
        replaced: &[RowLocation],
    ) -> Result<LogPosition, AppendError> {
        let again = match &entry {
            LogEntry::Submission(_) => None,
            other => Some(other.clone()),
        };
        match (self.append(entry, replaced), again) {
            (Err(AppendError::Storage(fault)), Some(entry)) if fault.is_disk_full() => {
                self.reserve.release(&self.disk)?;
                self.append(entry, replaced)
            }
            (appended, _) => appended,
        }
    }

    fn append(
        &self,
        entry: LogEntry,
        replaced: &[RowLocation],
    ) -> Result<LogPosition, AppendError> {
        let mut log = self.log();
        let ticket = log.stage(entry, replaced.to_vec())?;
        loop {
            if let Some(outcome) = log.outcome(ticket) {
                return outcome;
            }
            let Some(group) = log.take_group() else {
                log = self.landed.wait(log).expect(NO_PANIC);
                continue;
            };
            drop(log);
            let landed = group.write();
            log = self.log();
            let durable = log.land(landed);
            let mut catalogue = self.catalogue.write().expect(NO_PANIC);
            for (staged, position) in durable {
                catalogue
                    .apply(staged.entry, position, &staged.replaced)
                    .expect(
                        "what is appended was decided from this catalogue under the commit lock",
                    );
            }
            drop(catalogue);
            self.landed.notify_all();
        }
    }

    /// Whoever gives a file its lasting name asks first, under the commit lock: after a write that the
    /// disk did not confirm, that name may be in force already, by an entry that is not known here.
    pub(super) fn refuse_if_poisoned(&self) -> Result<(), AppendError> {
        if self.log().is_poisoned() {
            return Err(AppendError::Poisoned);
        }
        Ok(())
    }

    /// Stops all writing if the disk did not confirm something.
    pub(super) fn poison_if_unconfirmed<T>(
        &self,
        result: Result<T, StorageFault>,
    ) -> Result<T, StorageFault> {
        if let Err(StorageFault::Unconfirmed { .. }) = &result {
            self.log().poison();
        }
        result
    }

    /// Whether the index failed, so that only a rebuild makes it good.
    pub(super) fn index_failed(&self) -> bool {
        self.index.read().expect(NO_PANIC).is_failed()
    }

    /// Whether a record was erased.
    pub(super) fn is_erased(&self, source: &SourceId, label: &str) -> bool {
        let catalogue = self.catalogue();
        !catalogue.tombstones.is_empty()
            && (catalogue.tombstones).contains(&self.disk.keys().tombstone(source, label))
    }

    /// The live version of a record.
    pub(super) fn find_record(&self, key: &RecordKey) -> Result<Option<KnownRecord>, IndexError> {
        let state = self.index.read().expect(NO_PANIC);
        if state.is_failed() {
            return Err(IndexError::Failed);
        }
        let found = state.index.find(key).and_then(|known| match known {
            Some(known) if !self.catalogue().is_live(known.location) => {
                Err(IndexError::Contradiction)
            }
            known => Ok(known),
        });
        if found.is_err() {
            state.fail();
        }
        found
    }

    /// Hands out every record of the index, by key.
    pub(super) fn each_indexed(
        &self,
        visit: &mut dyn FnMut(&RecordKey, &KnownRecord),
    ) -> Result<(), IndexError> {
        let state = self.index.read().expect(NO_PANIC);
        if state.is_failed() {
            return Err(IndexError::Failed);
        }
        state.index.each(visit)
    }

    /// Takes a durable submission into the index. A failure does not undo the submission: the index
    /// is condemned, and taking in goes on after a rebuild.
    pub(super) fn index_submission(&self, committed: &SubmissionCommitted, position: LogPosition) {
        let state = self.index.read().expect(NO_PANIC);
        if !state.is_failed() && self.try_index(&state.index, committed, position).is_err() {
            state.fail();
        }
    }

    fn try_index(
        &self,
        index: &Index,
        committed: &SubmissionCommitted,
        position: LogPosition,
    ) -> Result<(), CatchUpError> {
        let (binding, rewritings, now) = {
            let catalogue = self.catalogue();
            let at = (committed.submission as usize).wrapping_sub(1);
            let submission = catalogue.submissions.get(at);
            let submission = submission.ok_or(IndexError::Contradiction)?;
            let binding = catalogue.binding.clone();
            (binding, catalogue.rewritings, submission.segment.clone())
        };
        let binding = binding.ok_or(IndexError::Contradiction)?;
        if let Some(now) = now {
            let expected = binding.expected(committed, &now);
            let expected = expected.map_err(|_| IndexError::Contradiction)?;
            let directory = read_directory(&self.disk, &expected)?;
            let generation = (committed.submission, now.generation);
            index.take_in_segment(self.disk.keys(), generation, &committed.source, &directory)?;
            index.set_applied(Applied {
                submission: committed.submission,
                hash: position.hash,
                rewritings,
            })?;
        }
        Ok(())
    }

    /// Brings the index up to date after a rewriting; condemns it if that fails.
    pub(super) fn index_rewriting(&self, update: impl FnOnce(&Index) -> Result<(), CatchUpError>) {
        let state = self.index.read().expect(NO_PANIC);
        if state.is_failed() {
            return;
        }
        let applied = {
            let catalogue = self.catalogue();
            catalogue.submissions.last().map(|last| Applied {
                submission: last.committed.submission,
                hash: last.position.hash,
                rewritings: catalogue.rewritings,
            })
        };
        let updated = update(&state.index).and_then(|()| match applied {
            Some(applied) => Ok(state.index.set_applied(applied)?),
            None => Ok(()),
        });
        if updated.is_err() {
            state.fail();
        }
    }
}

impl IndexState {
    fn is_failed(&self) -> bool {
        self.failed.load(std::sync::atomic::Ordering::Acquire)
    }

    fn fail(&self) {
        self.failed
            .store(true, std::sync::atomic::Ordering::Release);
        // If the mark cannot be left, the next open still compares the index with the log.
        let _ = self.index.condemn();
    }
}
