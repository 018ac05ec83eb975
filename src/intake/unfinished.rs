//! Submissions whose line was cut: kept for a while, so that the source sends only the rest.
//!
//! A source has at most one of them. What is kept is the spool of the records taken so far and what
//! [`Submission`] knows about them, which ends with the process, and the journal of what arrived, from
//! which a new process makes the rest again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::journaled::Journaled;
use super::submission::{BeginError, Begun, ChunkError, FinishError, Submission};
use crate::store::Store;
use crate::terms::{Receipt, RecordEncoding, RefusalReason, SourceId, SubmissionHeader};

/// Most submissions that are kept; beyond, the oldest is given up.
const KEPT_MAX: usize = 64;

/// Submissions that wait for the rest. Clones share them.
#[derive(Clone)]
pub struct Unfinished {
    store: Store,
    kept: Arc<Mutex<BTreeMap<SourceId, Kept>>>,
    /// Held while a journal is gone through, so that each is gone through once.
    replaying: Arc<Mutex<()>>,
    keep_for: Duration,
}

struct Kept {
    submission: Journaled,
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
    /// Keeps each submission for `keep_for` after its line was cut, those too that a process before
    /// has left in journals. With no time at all, no journal is written.
    #[must_use]
    pub fn new(store: Store, keep_for: Duration) -> Self {
        let unfinished = Self {
            store,
            kept: Arc::default(),
            replaying: Arc::default(),
            keep_for,
        };
        unfinished.drop_expired();
        unfinished
    }

    /// How far the kept submission of this request has come; nothing if there is none. What is told
    /// is on stable storage. May go through a journal first.
    #[must_use]
    pub fn arrived(&self, source: &SourceId, request_id: &str) -> Arrived {
        self.drop_expired();
        self.replay(source, request_id);
        let kept = self.kept();
        let same = kept
            .get(source)
            .filter(|kept| kept.submission.header().request_id == request_id);
        same.map_or_else(Arrived::default, |kept| kept.submission.arrived())
    }

    /// Keeps what a process before has left of this request, unless that is kept already.
    fn replay(&self, source: &SourceId, request_id: &str) {
        // It guards nothing that a panic could leave half done.
        let _one = (self.replaying.lock()).unwrap_or_else(PoisonError::into_inner);
        if self.keep_for.is_zero() || self.kept().contains_key(source) {
            return;
        }
        if let Some(submission) = Journaled::replay(&self.store, source, request_id) {
            self.keep(submission);
        }
    }

    /// Begins a submission, or goes on with a kept one from chunk `first_chunk`.
    ///
    /// One that starts from chunk 0 takes the place of what was kept of the source.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn admit(
        &self,
        actor: &SourceId,
        header: SubmissionHeader,
        first_chunk: u64,
    ) -> Result<Admitted, BeginError> {
        let submission = if first_chunk == 0 {
            if *actor == header.source {
                let replaced = self.kept().remove(actor);
                replaced.into_iter().for_each(Kept::discard);
            }
            match Submission::begin(&self.store, actor, header)? {
                Begun::New(submission) if self.keep_for.is_zero() => Journaled::without(submission),
                Begun::New(submission) => Journaled::begin(&self.store, submission, now_unix_s())?,
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
    ) -> Result<Journaled, BeginError> {
        self.replay(actor, &header.request_id);
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
        let all = std::mem::take(&mut *kept).into_iter();
        let (expired, fresh): (Vec<_>, Vec<_>) =
            all.partition(|(_, kept)| kept.since.elapsed() >= self.keep_for);
        kept.extend(fresh);
        drop(kept);
        for (_, kept) in expired {
            kept.discard();
        }
        // What cannot be removed now is removed the next time.
        let _ = (self.store).remove_old_journals(now_unix_s(), self.keep_for.as_secs());
    }

    /// Keeps a submission, if all that arrived of it is durable.
    fn keep(&self, mut submission: Journaled) {
        if self.keep_for.is_zero() || !submission.is_whole_and_durable() {
            submission.discard();
            return;
        }
        let mut kept = self.kept();
        let mut given_up = None;
        if kept.len() >= KEPT_MAX {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.since);
            let oldest = oldest.map(|(source, _)| source.clone());
            given_up = oldest.and_then(|source| kept.remove(&source));
        }
        let source = submission.header().source.clone();
        let since = Instant::now();
        kept.insert(source, Kept { submission, since });
        drop(kept);
        given_up.into_iter().for_each(Kept::discard);
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<SourceId, Kept>> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

impl Kept {
    fn discard(self) {
        self.submission.discard();
    }
}

fn now_unix_s() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |since| since.as_secs())
}

/// A submission that somebody is sending. Dropping it, as a cut line does, keeps what has arrived.
pub struct Attended {
    submission: Option<Journaled>,
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
        let mut submission = self.submission.take().ok_or(ChunkError::Broken)?;
        match submission.chunk(sequence, records, now_unix_s()) {
            Ok(()) => self.submission = Some(submission),
            Err(error) => {
                submission.discard();
                return Err(error);
            }
        }
        Ok(())
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
        self.submission
            .take()
            .into_iter()
            .for_each(Journaled::discard);
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if let Some(submission) = self.submission.take() {
            self.unfinished.keep(submission);
        }
    }
}
