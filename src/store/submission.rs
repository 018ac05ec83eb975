//! Takes in one submission: decides about each record, spools what is accepted, and makes all of it
//! durable at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::catalogue::{Binding, receipt, seal_hex};
use super::crypt::ContentMark;
use super::fault::StorageFault;
use super::index::{IndexError, KnownRecord};
use super::inner::Inner;
use super::log::{AppendError, LogEntry, SegmentNamed, SubmissionCommitted};
use super::open::RebuildIndexError;
use super::segment::{RowLocation, SegmentWriter, segment_path};
use crate::terms::{
    Fingerprint, Receipt, RecordEncoding, RefusalReason, SourceId, SubmissionHasher,
    SubmissionHeader,
};

/// Why a submission cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginSubmissionError {
    /// The same request was carried out before; here is what it got.
    #[error("the request was carried out before")]
    AlreadyDone(Box<Receipt>),
    /// Another submission of the source is under way.
    #[error("another submission of source '{source_id}' is under way")]
    SourceBusy {
        /// The source.
        source_id: SourceId,
    },
    /// The store has no linkage profile yet.
    #[error("the store is not bound to a linkage profile yet")]
    NoProfile,
    /// The records are encoded under another profile.
    #[error("the store holds encodings of linkage profile {expected}, the submission is of {got}")]
    OtherProfile {
        /// Fingerprint of the store's profile.
        expected: Fingerprint,
        /// Fingerprint in the header.
        got: Fingerprint,
    },
    /// The records are encoded with the secret of another epoch.
    #[error("the store holds encodings of epoch '{expected}', the submission is of another")]
    OtherEpoch {
        /// The store's epoch.
        expected: String,
    },
    /// The store takes no more writes until a restart.
    #[error(transparent)]
    Log(AppendError),
    /// The disk is nearly full, or cannot be asked.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The index failed before and could not be rebuilt.
    #[error(transparent)]
    Index(#[from] RebuildIndexError),
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Taken in.
    Accepted,
    /// It was here already with the same content.
    Unchanged,
    /// Refused; the rest goes on.
    Refused(RefusalReason),
}

/// Why a record could not be handled. The submission is lost; the store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AppendRecordError {
    /// The submission has as many records as a segment can hold.
    #[error("a submission holds at most {max} accepted records")]
    TooManyRecords {
        /// Most records.
        max: u32,
    },
    /// The index did not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The disk refused.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Why a submission could not be made durable. No receipt, nothing taken in.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The segment could not be written.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// Holds a source for one submission at a time, so that its decisions stay true until the commit.
pub(super) struct SourceTurn {
    inner: Arc<Inner>,
    source: SourceId,
}

impl Drop for SourceTurn {
    fn drop(&mut self) {
        self.inner.submitting().remove(&self.source);
    }
}

/// A submission under way. Dropping it without [`SubmissionWriter::commit`] leaves nothing behind.
pub struct SubmissionWriter {
    // Declared before the turn, so that the spool is gone when the source is free again.
    segment: Option<SegmentWriter>,
    turn: SourceTurn,
    binding: Binding,
    request_id: String,
    /// Content of the records taken in or found unchanged, by a hash of the record ref:
    /// some 50 bytes of memory for each.
    taken: HashMap<u128, ContentMark>,
    unchanged: u64,
    refused: BTreeMap<RefusalReason, u64>,
    content: SubmissionHasher,
}

impl SubmissionWriter {
    pub(super) fn begin(
        inner: &Arc<Inner>,
        header: &SubmissionHeader,
    ) -> Result<Self, BeginSubmissionError> {
        if inner.log().is_poisoned() {
            return Err(BeginSubmissionError::Log(AppendError::Poisoned));
        }
        if !inner.submitting().insert(header.source.clone()) {
            return Err(BeginSubmissionError::SourceBusy {
                source_id: header.source.clone(),
            });
        }
        let turn = SourceTurn {
            inner: Arc::clone(inner),
            source: header.source.clone(),
        };
        let catalogue = inner.catalogue();
        if let Some(done) = catalogue.request(&header.source, &header.request_id) {
            return Err(BeginSubmissionError::AlreadyDone(Box::new(
                done.receipt(inner.disk.keys()),
            )));
        }
        let binding = (catalogue.binding.clone()).ok_or(BeginSubmissionError::NoProfile)?;
        let expected = binding.profile.fingerprint();
        if header.profile != expected {
            return Err(BeginSubmissionError::OtherProfile {
                expected,
                got: header.profile,
            });
        }
        if header.epoch != binding.epoch {
            return Err(BeginSubmissionError::OtherEpoch {
                expected: binding.epoch,
            });
        }
        drop(catalogue);
        inner.reserve.check(&inner.disk)?;
        inner.reserve.refill(&inner.disk)?;
        if inner.index_failed() {
            inner.rebuild_index()?;
        }
        Ok(Self {
            segment: None,
            turn,
            binding,
            request_id: header.request_id.clone(),
            taken: HashMap::new(),
            unchanged: 0,
            refused: BTreeMap::new(),
            content: SubmissionHasher::new(),
        })
    }

    /// Refuses to go on once the disk is nearly full. Whoever appends asks now and then.
    ///
    /// # Errors
    /// [`AppendRecordError::Storage`].
    pub fn check_room(&self) -> Result<(), AppendRecordError> {
        let inner = &self.turn.inner;
        Ok(inner.reserve.check(&inner.disk)?)
    }

    /// Decides about a record, and spools it if it is taken in.
    ///
    /// A record that does not have the profile's shape is refused. One that stands twice in the
    /// submission is unchanged the second time, or refused if the contents differ. Against the
    /// store: same version and content, unchanged; same version, other content, refused; lower
    /// version, refused; higher version, taken in and in force from the commit on. What
    /// was erased is refused.
    ///
    /// # Errors
    /// [`AppendRecordError`]: the submission must be given up.
    pub fn append(&mut self, encoding: &RecordEncoding) -> Result<Appended, AppendRecordError> {
        let appended = self.decide(encoding)?;
        match appended {
            Appended::Accepted => {}
            Appended::Unchanged => self.unchanged += 1,
            Appended::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
        }
        Ok(appended)
    }

    fn decide(&mut self, encoding: &RecordEncoding) -> Result<Appended, AppendRecordError> {
        if let Err(error) = encoding.check(&self.binding.layout) {
            return Ok(Appended::Refused(error.into()));
        }
        let hash = encoding.content_hash();
        let inner = Arc::clone(&self.turn.inner);
        let keys = inner.disk.keys();
        let content = keys.content_mark(&hash);
        let label = label_hash(encoding);
        if let Some(before) = self.taken.get(&label) {
            return Ok(if *before == content {
                Appended::Unchanged
            } else {
                Appended::Refused(RefusalReason::DuplicateRecordRef)
            });
        }
        let record_ref = encoding.record_ref.as_str();
        if inner.is_erased(&self.turn.source, record_ref) {
            return Ok(Appended::Refused(RefusalReason::Erased));
        }
        let key = keys.record_key(&self.turn.source, record_ref);
        let known = inner.find_record(&key)?;
        let replaced = match known {
            Some(known) => match judge(encoding.version, content, &known) {
                Ok(replaced) => Some(replaced),
                Err(appended) => {
                    if appended == Appended::Unchanged {
                        self.taken.insert(label, content);
                    }
                    return Ok(appended);
                }
            },
            None => None,
        };
        let segment = self.segment()?;
        if segment.rows() == u32::MAX {
            return Err(AppendRecordError::TooManyRecords { max: u32::MAX });
        }
        segment.push(encoding, content, replaced)?;
        self.content.add_content(Some(&hash));
        self.taken.insert(label, content);
        Ok(Appended::Accepted)
    }

    fn segment(&mut self) -> Result<&mut SegmentWriter, StorageFault> {
        if self.segment.is_none() {
            let inner = &self.turn.inner;
            let number = inner.next_spool.fetch_add(1, Ordering::Relaxed);
            self.segment = Some(SegmentWriter::create(
                &inner.disk,
                &format!("spool-{number}"),
                &self.turn.source,
                self.binding.profile.fingerprint(),
                &self.binding.layout,
            )?);
        }
        Ok(self.segment.as_mut().expect("it was made just above"))
    }

    /// Makes the submission durable and gives the receipt.
    ///
    /// `refused_before`: records refused before they came here; they join the receipt.
    ///
    /// On return the segment, its name and the log entry are on stable storage.
    ///
    /// # Errors
    /// [`CommitError`]. Nothing is acknowledged. If the disk failed to confirm a write, the store
    /// takes no more, and a restart finds out whether the submission came through.
    pub fn commit(
        mut self,
        refused_before: BTreeMap<RefusalReason, u64>,
    ) -> Result<Receipt, CommitError> {
        for (reason, count) in refused_before {
            *self.refused.entry(reason).or_default() += count;
        }
        let inner = Arc::clone(&self.turn.inner);
        let finished = match self.segment.take() {
            Some(segment) => Some(inner.poison_if_unconfirmed(segment.finish())?),
            None => None,
        };
        let _commit = inner.commit_lock();
        inner.refuse_if_poisoned()?;
        let submission = inner.catalogue().submissions.len() as u64 + 1;
        let mut named = None;
        let mut replaced = Vec::new();
        let path = segment_path(inner.disk.root(), submission, 0);
        if let Some(finished) = finished {
            inner.reserve.cover(&inner.disk, finished.file.length()?)?;
            inner.poison_if_unconfirmed(finished.file.publish(&path))?;
            named = Some(SegmentNamed {
                rows: finished.rows,
                seal: seal_hex(finished.seal),
            });
            replaced = finished.replaced;
        }
        let committed = SubmissionCommitted {
            submission,
            source: self.turn.source.clone(),
            request_id: self.request_id,
            accepted: named.as_ref().map_or(0, |segment| u64::from(segment.rows)),
            segment: named,
            unchanged: self.unchanged,
            refused: self.refused,
            content_hash: seal_hex(self.content.finish()),
        };
        let position = inner.record(LogEntry::Submission(committed.clone()), &replaced)?;
        inner.index_submission(&committed, position);
        Ok(receipt(&committed, position, inner.disk.keys()))
    }
}

/// Decides about a record that is known: the row it replaces, or what becomes of it.
fn judge(version: u32, content: ContentMark, known: &KnownRecord) -> Result<RowLocation, Appended> {
    match version.cmp(&known.version) {
        std::cmp::Ordering::Less => Err(Appended::Refused(RefusalReason::OlderVersion)),
        std::cmp::Ordering::Equal if content == known.content => Err(Appended::Unchanged),
        std::cmp::Ordering::Equal => Err(Appended::Refused(RefusalReason::ConflictingContent)),
        std::cmp::Ordering::Greater => Ok(known.location),
    }
}

/// Half of BLAKE3 of the record ref: stands for it within one submission.
fn label_hash(encoding: &RecordEncoding) -> u128 {
    let hash = blake3::hash(encoding.record_ref.as_str().as_bytes());
    u128::from_le_bytes(
        *hash
            .as_bytes()
            .first_chunk()
            .expect("32 bytes have a first half"),
    )
}
