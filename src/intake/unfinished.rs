//! Submissions whose line was cut: kept for a while, so that the source sends only the rest.
//!
//! A source has at most one of them. What is kept is the spool of the records taken so far and what
//! [`Submission`] knows about them; it ends with the process, and then the source starts over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::submission::{BeginError, Begun, ChunkError, FinishError, Submission};
use crate::store::Store;
use crate::terms::{Receipt, RecordEncoding, RefusalReason, SourceId, SubmissionHeader};

/// Most submissions that are kept; beyond, the oldest is given up.
const KEPT_MAX: usize = 64;

/// Submissions that wait for the rest. Clones share them.
#[derive(Clone)]
pub struct Unfinished {
    kept: Arc<Mutex<BTreeMap<SourceId, Kept>>>,
    keep_for: Duration,
}

struct Kept {
    submission: Box<Submission>,
    since: Instant,
}

/// How far a submission has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrived {
    /// Chunks taken; the next one has this number.
    pub chunks: u64,
    /// Records in them.
    pub records: u64,
}

/// What a header leads to.
pub enum Admitted {
    /// Send the chunks.
    New(Attended),
    /// The request was carried out before: the receipt.
    Repeated(Receipt),
}

impl Unfinished {
    /// Keeps each submission for `keep_for` after its line was cut.
    #[must_use]
    pub fn new(keep_for: Duration) -> Self {
        Self {
            kept: Arc::default(),
            keep_for,
        }
    }

    /// How far the kept submission of this request has come; nothing if there is none.
    #[must_use]
    pub fn arrived(&self, source: &SourceId, request_id: &str) -> Arrived {
        self.drop_expired();
        let kept = self.kept();
        let same = kept
            .get(source)
            .filter(|kept| kept.submission.request_id() == request_id);
        same.map_or_else(Arrived::default, |kept| kept.submission.arrived())
    }

    /// Begins a submission, or goes on with a kept one from chunk `first_chunk`.
    ///
    /// One that starts from chunk 0 takes the place of what was kept of the source.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn admit(
        &self,
        store: &Store,
        actor: &SourceId,
        header: SubmissionHeader,
        first_chunk: u64,
    ) -> Result<Admitted, BeginError> {
        let submission = if first_chunk == 0 {
            if *actor == header.source {
                let replaced = self.kept().remove(actor);
                drop(replaced);
            }
            match Submission::begin(store, actor, header)? {
                Begun::New(submission) => submission,
                Begun::Repeated(receipt) => return Ok(Admitted::Repeated(receipt)),
            }
        } else {
            self.resume(actor, &header, first_chunk)?
        };
        Ok(Admitted::New(Attended {
            submission: Some(submission),
            unfinished: self.clone(),
        }))
    }

    fn resume(
        &self,
        actor: &SourceId,
        header: &SubmissionHeader,
        first_chunk: u64,
    ) -> Result<Box<Submission>, BeginError> {
        let mut kept = self.kept();
        let same = kept.get(actor).map(|kept| &kept.submission);
        let same = same.filter(|submission| submission.header() == header);
        let due = same.map_or(0, |submission| submission.arrived().chunks);
        if due != first_chunk {
            return Err(BeginError::ResumePoint {
                due,
                got: first_chunk,
            });
        }
        let taken = kept.remove(actor).expect("it was there just above");
        Ok(taken.submission)
    }

    /// Gives up what was kept long enough. To be called now and then.
    pub fn drop_expired(&self) {
        let mut kept = self.kept();
        let expired: Vec<SourceId> = kept
            .iter()
            .filter(|(_, kept)| kept.since.elapsed() >= self.keep_for)
            .map(|(source, _)| source.clone())
            .collect();
        for source in expired {
            kept.remove(&source);
        }
    }

    fn keep(&self, submission: Box<Submission>) {
        if submission.is_broken() || self.keep_for.is_zero() {
            return;
        }
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.since);
            if let Some(oldest) = oldest.map(|(source, _)| source.clone()) {
                kept.remove(&oldest);
            }
        }
        let source = submission.header().source.clone();
        let since = Instant::now();
        kept.insert(source, Kept { submission, since });
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<SourceId, Kept>> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

/// A submission that somebody is sending. Dropping it, as a cut line does, keeps what has arrived.
pub struct Attended {
    submission: Option<Box<Submission>>,
    unfinished: Unfinished,
}

impl Attended {
    /// Takes the next chunk, as [`Submission::chunk`].
    ///
    /// # Errors
    /// [`ChunkError`]; then nothing is kept.
    pub fn chunk(
        &mut self,
        sequence: u64,
        records: Vec<Result<RecordEncoding, RefusalReason>>,
    ) -> Result<(), ChunkError> {
        let submission = self.submission.as_mut().ok_or(ChunkError::Broken)?;
        submission.chunk(sequence, records)
    }

    /// Makes it durable, as [`Submission::finish`].
    ///
    /// # Errors
    /// [`FinishError`]; then nothing is kept.
    pub fn finish(
        mut self,
        record_count: u64,
        content_hash: [u8; 32],
    ) -> Result<Receipt, FinishError> {
        let submission = self.submission.take().ok_or(FinishError::Broken)?;
        submission.finish(record_count, content_hash)
    }

    /// Stores and keeps nothing: the source does not mean to go on.
    pub fn give_up(mut self) {
        self.submission = None;
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if let Some(submission) = self.submission.take() {
            self.unfinished.keep(submission);
        }
    }
}
