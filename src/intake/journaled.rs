//! A submission together with the journal of what arrived of it.

use super::submission::{BeginError, Begun, ChunkError, FinishError, Submission};
use super::unfinished::Arrived;
use crate::store::{
    AppendRecordError, Arrival, BeginSubmissionError, Journal, StorageFault, Store,
};
use crate::terms::{Receipt, SourceId, SubmissionHeader};

/// A submission under way. Dropping it leaves the journal for the next process.
pub(super) struct Journaled {
    submission: Box<Submission>,
    journal: Option<Journal>,
}

impl Journaled {
    /// Writes no journal.
    pub(super) fn without(submission: Box<Submission>) -> Self {
        Self {
            submission,
            journal: None,
        }
    }

    /// Begins the journal of a submission that has begun.
    pub(super) fn begin(
        store: &Store,
        submission: Box<Submission>,
        now_unix_s: u64,
    ) -> Result<Self, BeginError> {
        let refuse = |fault: StorageFault| match fault.is_disk_full() {
            true => BeginError::DiskFull(fault),
            false => BeginError::Store(BeginSubmissionError::Storage(fault)),
        };
        let journal = store.begin_journal(submission.header(), now_unix_s);
        Ok(Self {
            journal: Some(journal.map_err(refuse)?),
            submission,
        })
    }

    /// Takes all chunks of a journal in once more, by the same code as when they arrived. `None` if
    /// there is no such journal, or the store does not take the submission now.
    pub(super) fn replay(store: &Store, source: &SourceId, request_id: &str) -> Option<Self> {
        let find = || store.open_journal(source, request_id).ok().flatten();
        let header = find()?.header().clone();
        let Ok(Begun::New(mut submission)) = Submission::begin(store, source, header) else {
            return None;
        };
        // Now that the source is held, nobody else writes to the journal or removes it.
        let mut journal = find()?;
        while let Some(records) = journal.chunk().ok()? {
            let sequence = submission.arrived().chunks;
            submission.chunk(sequence, records).ok()?;
        }
        Some(Self {
            journal: Some(journal.go_on().ok()?),
            submission,
        })
    }

    /// What the source said before the first record.
    pub(super) fn header(&self) -> &SubmissionHeader {
        self.submission.header()
    }

    /// How far it has come.
    pub(super) fn arrived(&self) -> Arrived {
        self.submission.arrived()
    }

    /// Takes the next chunk, as [`Submission::chunk`]. After an error it must be given up.
    pub(super) fn chunk(
        &mut self,
        sequence: u64,
        records: Vec<Arrival>,
        now_unix_s: u64,
    ) -> Result<(), ChunkError> {
        if let Some(journal) = &mut self.journal {
            journal
                .append(&records, now_unix_s)
                .map_err(AppendRecordError::Storage)?;
        }
        self.submission.chunk(sequence, records)
    }

    /// Whether no chunk failed. Makes all that arrived durable.
    pub(super) fn is_whole_and_durable(&mut self) -> bool {
        let synced = self.journal.as_mut().is_none_or(|it| it.sync().is_ok());
        synced && !self.submission.is_broken()
    }

    /// Makes it durable, as [`Submission::finish`].
    pub(super) fn finish(
        self,
        record_count: u64,
        content_hash: [u8; 32],
    ) -> Result<Receipt, FinishError> {
        let receipt = self.submission.finish(record_count, content_hash);
        self.journal.into_iter().for_each(Journal::remove);
        receipt
    }

    /// Gives it up.
    pub(super) fn discard(self) {
        // The journal first: the submission holds the source, so that nobody looks for it meanwhile.
        self.journal.into_iter().for_each(Journal::remove);
        drop(self.submission);
    }
}
