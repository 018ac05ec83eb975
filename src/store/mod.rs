//! The only room that touches disk: log, segments, index, snapshots, recovery.
//!
//! The log is the truth, segments hold the encodings it names, and sled holds an index that can be
//! thrown away. All files are encrypted with keys that only the operator's key opens. A success means: on stable storage. `FORMAT.md` gives the bytes and the invariants.

mod backup;
mod catalogue;
mod crypt;
mod digest;
mod disk;
mod erase;
mod erasure_receipt;
mod fault;
mod index;
mod inner;
mod journal;
mod lock;
mod log;
mod open;
mod project;
mod publish;
mod recover;
mod report;
mod rewrite;
mod room;
mod sealed;
mod segment;
mod snapshot;
mod submission;
mod table;
mod vault;
mod verify;
pub mod vfs;

pub use backup::{
    BackupError, BackupReport, RestoreError, RestoreReport, backup, backup_on, restore, restore_on,
    verify_backup, verify_backup_on,
};
pub use crypt::{
    KeyProvider, ReadStoreKeyError, RotateKeyError, StoreKey, UnlockError, WriteStoreKeyError,
};
pub use digest::{DigestError, StoreDigest};
pub use erase::{CompactError, CompactReport, EraseError, ErasureReport};
pub use fault::StorageFault;
pub use index::IndexError;
pub use journal::{Arrival, Journal, JournalReader};
pub use log::{AppendError, LogPosition};
pub use open::{OpenStoreError, RebuildIndexError};
pub use project::{ChangeProjectError, ProjectKey, ProjectKeyError};
pub use publish::{LoadTableError, PublishError};
pub use report::{SourceSummary, StoreStats, SubmissionSummary};
pub use snapshot::Published;
pub use submission::{
    AppendRecordError, Appended, BeginSubmissionError, CommitError, SubmissionWriter,
};
pub use table::{LoadedTable, RowRefs, row_key};
pub use verify::{VerifyError, VerifyReport, verify, verify_on, verify_without_key};

use std::sync::Arc;

use self::inner::Inner;
use self::log::{LogEntry, ProfileSet};
use crate::terms::{Fingerprint, LinkageProfile, RunId, SubmissionHeader, run::Run};

const NO_PANIC: &str = "no holder of this lock panics";

/// An open store. Clones share it; it closes with the last one.
///
/// All methods block on disk or locks; async code calls them on a blocking thread.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Why the store cannot be bound to a profile.
#[derive(Debug, thiserror::Error)]
pub enum SetProfileError {
    /// The store holds encodings of another profile.
    #[error("the store holds encodings of linkage profile {held}, not of {wanted}")]
    OtherProfile {
        /// Fingerprint of the profile in force.
        held: Fingerprint,
        /// Fingerprint of the profile wanted.
        wanted: Fingerprint,
    },
    /// The store holds encodings of another epoch.
    #[error("the store holds encodings of epoch '{held}', not of '{wanted}'")]
    OtherEpoch {
        /// Epoch in force.
        held: String,
        /// Epoch wanted.
        wanted: String,
    },
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// Why a run could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("the state of the run could not be written down")]
pub struct PutRunError(#[from] AppendError);

impl Store {
    /// Binds the store to a linkage profile and epoch, once. The same again changes nothing.
    ///
    /// # Errors
    /// [`SetProfileError`]; encodings of two profiles or epochs cannot be compared.
    pub fn set_profile(
        &self,
        profile: &LinkageProfile,
        epoch: &str,
    ) -> Result<(), SetProfileError> {
        let _commit = self.inner.commit_lock();
        if let Some((held, held_epoch)) = self.profile() {
            if held.fingerprint() != profile.fingerprint() {
                return Err(SetProfileError::OtherProfile {
                    held: held.fingerprint(),
                    wanted: profile.fingerprint(),
                });
            }
            if held_epoch != epoch {
                return Err(SetProfileError::OtherEpoch {
                    held: held_epoch,
                    wanted: epoch.to_owned(),
                });
            }
            return Ok(());
        }
        let entry = LogEntry::Profile(ProfileSet {
            epoch: epoch.to_owned(),
            text: profile.text().to_owned(),
        });
        self.inner.record(entry, &[])?;
        Ok(())
    }

    /// The linkage profile and epoch in force.
    #[must_use]
    pub fn profile(&self) -> Option<(Arc<LinkageProfile>, String)> {
        let catalogue = self.inner.catalogue();
        let binding = catalogue.binding.as_ref()?;
        Some((Arc::clone(&binding.profile), binding.epoch.clone()))
    }

    /// Keeps so many bytes of the disk free of new records; `None` keeps the smaller of 5 % of the
    /// disk and 1 GiB. What is kept is for the log, the index and snapshots.
    pub fn keep_free(&self, bytes: Option<u64>) {
        self.inner.reserve.set(bytes);
    }

    /// Begins a submission. A source has one under way at a time.
    ///
    /// # Errors
    /// [`BeginSubmissionError`]; a request that was carried out before gives its receipt.
    pub fn begin_submission(
        &self,
        header: &SubmissionHeader,
    ) -> Result<SubmissionWriter, BeginSubmissionError> {
        SubmissionWriter::begin(&self.inner, header)
    }

    /// Writes down the state of a run, replacing the earlier one. Durable on return.
    ///
    /// # Errors
    /// [`PutRunError`].
    pub fn put_run(&self, run: &Run) -> Result<(), PutRunError> {
        self.inner
            .record(LogEntry::Run(Box::new(run.clone())), &[])?;
        Ok(())
    }

    /// A run.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<Run> {
        self.inner.catalogue().runs.get(&id).cloned()
    }

    /// All runs, newest first.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.inner.catalogue().runs.values().cloned().collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.created_unix_s, run.id)));
        runs
    }

    /// Adds an audit event, canonical JSON. Durable on return.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append_audit(&self, event: &str) -> Result<LogPosition, AppendError> {
        self.inner.record(LogEntry::Audit(event.to_owned()), &[])
    }

    /// Position of the last log entry.
    #[must_use]
    pub fn head(&self) -> LogPosition {
        self.inner.log().head()
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
