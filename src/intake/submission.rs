//! One submission on its way in: header, chunks in order, trailer.

use std::collections::BTreeMap;

use super::unfinished::Arrived;
use crate::govern::{AuditError, AuditEvent, audit};
use crate::store::{
    AppendError, AppendRecordError, BeginSubmissionError, CommitError, StorageFault, Store,
    SubmissionWriter,
};
use crate::terms::profile::Layout;
use crate::terms::{
    Fingerprint, Receipt, RecordEncoding, RefusalReason, SourceId, SubmissionHasher,
    SubmissionHeader,
};

/// Most records in one chunk.
pub const CHUNK_RECORDS_MAX: usize = 4096;

/// Most bytes of a request ID.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// Why a submission may not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A source submits under its own name only.
    #[error("source '{actor}' may not submit as '{claimed}'")]
    NotYourSource {
        /// Who the certificate says it is.
        actor: SourceId,
        /// Who the header says it is.
        claimed: SourceId,
    },
    /// The request ID does not have its form.
    #[error("a request ID is 1 to {max} letters, digits and '-' or '_' (a UUID)", max = REQUEST_ID_BYTES_MAX)]
    RequestId,
    /// The server has no linkage profile yet.
    #[error("the server has no linkage profile yet")]
    NoProfile,
    /// The records are encoded under another profile.
    #[error(
        "the records are encoded under linkage profile {got}, the server takes only {expected}"
    )]
    UnknownProfile {
        /// Fingerprint of the server's profile.
        expected: Fingerprint,
        /// Fingerprint in the header.
        got: Fingerprint,
    },
    /// The records are encoded with the secret of another epoch.
    #[error("the server takes encodings of epoch '{expected}' only")]
    Epoch {
        /// The server's epoch.
        expected: String,
    },
    /// Another submission of the source is under way.
    #[error("another submission of source '{source_id}' is under way; send this one after it")]
    SourceBusy {
        /// The source.
        source_id: SourceId,
    },
    /// The source wants to go on from another place than the one that has been reached.
    #[error("chunk {due} is due, the submission wants to go on from chunk {got}")]
    ResumePoint {
        /// Chunk that is due; 0: nothing was kept.
        due: u64,
        /// Chunk in the header.
        got: u64,
    },
    /// The disk has no room for new records.
    #[error("the server's disk is nearly full")]
    DiskFull(#[source] StorageFault),
    /// The store takes no writes.
    #[error("the store takes no submission")]
    Store(#[source] BeginSubmissionError),
    /// The audit event could not be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Why a chunk stops the submission. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// Chunks are numbered 0, 1, 2 and so on.
    #[error("chunk {expected} was due, chunk {got} came")]
    OutOfOrder {
        /// Number due.
        expected: u64,
        /// Number that came.
        got: u64,
    },
    /// The chunk has too many records.
    #[error("a chunk has at most {max} records, this one has {got}")]
    TooManyRecords {
        /// Most records.
        max: usize,
        /// Records that came.
        got: usize,
    },
    /// An earlier chunk failed.
    #[error("an earlier chunk of the submission failed")]
    Broken,
    /// The disk has no room for more records.
    #[error("the server's disk is nearly full")]
    DiskFull(#[source] AppendRecordError),
    /// The store could not take a record.
    #[error("the store could not take the records")]
    Store(#[source] AppendRecordError),
}

impl From<AppendRecordError> for ChunkError {
    fn from(error: AppendRecordError) -> Self {
        match &error {
            AppendRecordError::Storage(fault) if fault.is_disk_full() => Self::DiskFull(error),
            _ => Self::Store(error),
        }
    }
}

/// Why a submission is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Some records did not arrive, or too many.
    #[error("the trailer announces {announced} records, {arrived} arrived; nothing is stored")]
    Count {
        /// Records in the trailer.
        announced: u64,
        /// Records in the chunks.
        arrived: u64,
    },
    /// What arrived is not what was sent.
    #[error("the content hash of what arrived is not the trailer's; nothing is stored")]
    Content,
    /// A chunk failed.
    #[error("a chunk of the submission failed; nothing is stored")]
    Broken,
    /// The disk has no room for the submission.
    #[error("the server's disk is full")]
    DiskFull(#[source] CommitError),
    /// The store could not make it durable.
    #[error("the submission could not be stored")]
    Commit(#[source] CommitError),
    /// It is stored, but the audit event is not: the same request again gives the receipt.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<CommitError> for FinishError {
    fn from(error: CommitError) -> Self {
        match &error {
            CommitError::Storage(fault) | CommitError::Log(AppendError::Storage(fault))
                if fault.is_disk_full() =>
            {
                Self::DiskFull(error)
            }
            _ => Self::Commit(error),
        }
    }
}

/// What a header leads to.
pub enum Begun {
    /// Send the chunks.
    New(Box<Submission>),
    /// The request was carried out before: the receipt.
    Repeated(Receipt),
}

/// A submission under way. Dropping it stores nothing.
pub struct Submission {
    store: Store,
    writer: SubmissionWriter,
    layout: Layout,
    header: SubmissionHeader,
    actor: String,
    next_chunk: u64,
    arrived: u64,
    content: SubmissionHasher,
    refused: BTreeMap<RefusalReason, u64>,
    broken: bool,
}

impl Submission {
    /// Checks the header. `actor` is the source that the client's certificate names.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn begin(
        store: &Store,
        actor: &SourceId,
        header: SubmissionHeader,
    ) -> Result<Begun, BeginError> {
        if *actor != header.source {
            return Err(BeginError::NotYourSource {
                actor: actor.clone(),
                claimed: header.source,
            });
        }
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let length_is_good = (1..=REQUEST_ID_BYTES_MAX).contains(&header.request_id.len());
        if !length_is_good || !header.request_id.bytes().all(good) {
            return Err(BeginError::RequestId);
        }
        let actor = format!("sources/{actor}");
        let (profile, _) = store.profile().ok_or(BeginError::NoProfile)?;
        let writer = match store.begin_submission(&header) {
            Ok(writer) => writer,
            Err(BeginSubmissionError::AlreadyDone(receipt)) => {
                // A crash may have come between the submission and its event.
                write_event(store, &actor, "submissions.repeat", &receipt)?;
                return Ok(Begun::Repeated(*receipt));
            }
            Err(BeginSubmissionError::NoProfile) => return Err(BeginError::NoProfile),
            Err(BeginSubmissionError::SourceBusy { source_id }) => {
                return Err(BeginError::SourceBusy { source_id });
            }
            Err(BeginSubmissionError::OtherProfile { expected, got }) => {
                return Err(BeginError::UnknownProfile { expected, got });
            }
            Err(BeginSubmissionError::OtherEpoch { expected }) => {
                return Err(BeginError::Epoch { expected });
            }
            Err(BeginSubmissionError::Storage(fault)) if fault.is_disk_full() => {
                return Err(BeginError::DiskFull(fault));
            }
            Err(error) => return Err(BeginError::Store(error)),
        };
        Ok(Begun::New(Box::new(Self {
            store: store.clone(),
            writer,
            layout: profile.layout(),
            header,
            actor,
            next_chunk: 0,
            arrived: 0,
            content: SubmissionHasher::new(),
            refused: BTreeMap::new(),
            broken: false,
        })))
    }

    /// What the source said before the first record.
    #[must_use]
    pub fn header(&self) -> &SubmissionHeader {
        &self.header
    }

    /// The client's name for the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.header.request_id
    }

    /// How far it has come.
    #[must_use]
    pub fn arrived(&self) -> Arrived {
        Arrived {
            chunks: self.next_chunk,
            records: self.arrived,
        }
    }

    /// Whether a chunk failed, so that it cannot come to an end.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Takes the next chunk: records, or why one could not be read. Bad records are counted and the
    /// rest goes on.
    ///
    /// # Errors
    /// [`ChunkError`]: the submission must be given up.
    pub fn chunk(
        &mut self,
        sequence: u64,
        records: Vec<Result<RecordEncoding, RefusalReason>>,
    ) -> Result<(), ChunkError> {
        if self.broken {
            return Err(ChunkError::Broken);
        }
        self.broken = true;
        if sequence != self.next_chunk {
            return Err(ChunkError::OutOfOrder {
                expected: self.next_chunk,
                got: sequence,
            });
        }
        if records.len() > CHUNK_RECORDS_MAX {
            return Err(ChunkError::TooManyRecords {
                max: CHUNK_RECORDS_MAX,
                got: records.len(),
            });
        }
        self.writer.check_room()?;
        for record in &records {
            self.content.add(record.as_ref().ok());
            self.arrived += 1;
            let checked = record.as_ref().map_err(|reason| *reason);
            match checked.and_then(|record| Ok(record.check(&self.layout).map(|()| record)?)) {
                Ok(record) => {
                    self.writer.append(record)?;
                }
                Err(reason) => *self.refused.entry(reason).or_default() += 1,
            }
        }
        self.next_chunk += 1;
        self.broken = false;
        Ok(())
    }

    /// Checks that all arrived as sent, and makes it durable: records, request ID and audit event.
    ///
    /// `record_count` and `content_hash` are over all records sent, the refused ones included.
    ///
    /// # Errors
    /// [`FinishError`].
    pub fn finish(self, record_count: u64, content_hash: [u8; 32]) -> Result<Receipt, FinishError> {
        if self.broken {
            return Err(FinishError::Broken);
        }
        if record_count != self.arrived {
            return Err(FinishError::Count {
                announced: record_count,
                arrived: self.arrived,
            });
        }
        if content_hash != self.content.finish() {
            return Err(FinishError::Content);
        }
        let receipt = self.writer.commit(self.refused)?;
        write_event(&self.store, &self.actor, "submissions.accept", &receipt)?;
        Ok(receipt)
    }
}

fn write_event(
    store: &Store,
    actor: &str,
    action: &str,
    receipt: &Receipt,
) -> Result<(), AuditError> {
    let object = format!("{actor}/submissions/{}", receipt.submission);
    let refused: u64 = receipt.refused.values().sum();
    let outcome = format!(
        "accepted={} unchanged={} refused={refused}",
        receipt.accepted, receipt.unchanged
    );
    audit::record(store, &AuditEvent::now(actor, action, &object, &outcome))?;
    Ok(())
}
