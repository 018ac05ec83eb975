//! A submission as values: what a source announces, what it gets back, and why a record is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::profile::Fingerprint;
use super::{RecordEncoding, ShapeError, SourceId};

/// What a source says before the first record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionHeader {
    /// Who submits.
    pub source: SourceId,
    /// Fingerprint of the linkage profile that the records were encoded under.
    pub profile: Fingerprint,
    /// Generation of the linkage secret; encodings compare only within one.
    pub epoch: String,
    /// UUID chosen by the client: the same request twice is carried out once.
    pub request_id: String,
}

/// Why one record of a submission is refused while the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The record ref is empty, too long, or holds control characters.
    RecordRef,
    /// The record ref stands twice in the submission with different content.
    DuplicateRecordRef,
    /// The event kind does not exist.
    EventKind,
    /// The encoding does not have the shape that the profile gives.
    Shape,
    /// No filter and no tag is present.
    Empty,
    /// This version was submitted before with other content.
    ConflictingContent,
    /// A newer version is already here.
    OlderVersion,
    /// The record was erased; it does not come back.
    Erased,
}

impl RefusalReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::RecordRef,
        Self::DuplicateRecordRef,
        Self::EventKind,
        Self::Shape,
        Self::Empty,
        Self::ConflictingContent,
        Self::OlderVersion,
        Self::Erased,
    ];

    /// The reason as it stands in answers, metrics and logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RecordRef => "RECORD_REF",
            Self::DuplicateRecordRef => "DUPLICATE_RECORD_REF",
            Self::EventKind => "EVENT_KIND",
            Self::Shape => "SHAPE",
            Self::Empty => "EMPTY",
            Self::ConflictingContent => "CONFLICTING_CONTENT",
            Self::OlderVersion => "OLDER_VERSION",
            Self::Erased => "ERASED",
        }
    }
}

impl From<ShapeError> for RefusalReason {
    fn from(error: ShapeError) -> Self {
        match error {
            ShapeError::Empty => Self::Empty,
            _ => Self::Shape,
        }
    }
}

/// What the server promises after a submission is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Number of the submission in the store, from 1.
    pub submission: u64,
    /// Whose.
    pub source: SourceId,
    /// Records taken in.
    pub accepted: u64,
    /// Records that were already here with the same content.
    pub unchanged: u64,
    /// Records refused, by reason.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// BLAKE3 over the content hashes of the records taken in, in order, hexadecimal.
    pub content_hash: String,
    /// Number of the submission's entry in the log.
    pub sequence: u64,
    /// Head of the log after the submission's entry, hexadecimal.
    pub log_head: String,
    /// Ed25519 signature of the server over [`Receipt::signed_bytes`], hexadecimal.
    pub signature: String,
}

impl Receipt {
    /// The bytes that the server signs: everything but the signature.
    ///
    /// `musubi/v1/receipt` and a zero byte; submission, sequence, accepted, unchanged, number of
    /// reasons (8 bytes each, little-endian); for each reason in the order of [`RefusalReason::ALL`]
    /// its code and its count; source; content hash; log head. Texts stand as in the receipt,
    /// after their length (8 bytes).
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"musubi/v1/receipt\0".to_vec();
        let number =
            |bytes: &mut Vec<u8>, number: u64| bytes.extend_from_slice(&number.to_le_bytes());
        let text = |bytes: &mut Vec<u8>, text: &str| {
            number(bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        };
        let reasons = self.refused.len() as u64;
        for value in [
            self.submission,
            self.sequence,
            self.accepted,
            self.unchanged,
            reasons,
        ] {
            number(&mut bytes, value);
        }
        for (reason, count) in &self.refused {
            text(&mut bytes, reason.code());
            number(&mut bytes, *count);
        }
        text(&mut bytes, self.source.as_str());
        text(&mut bytes, &self.content_hash);
        text(&mut bytes, &self.log_head);
        bytes
    }
}

/// Running hash over the content of a submission's records, in order. Both ends compute it, so that
/// a cut or altered line is noticed.
///
/// BLAKE3 in key derivation mode over the content hash of each record; a record that could not be
/// read contributes 32 zero bytes.
pub struct SubmissionHasher(blake3::Hasher);

impl SubmissionHasher {
    /// Before the first record.
    #[must_use]
    pub fn new() -> Self {
        Self(blake3::Hasher::new_derive_key(
            "musubi/v1/submission-content",
        ))
    }

    /// Adds the next record; `None` if it could not be read.
    pub fn add(&mut self, encoding: Option<&RecordEncoding>) {
        self.add_content(encoding.map(RecordEncoding::content_hash).as_ref());
    }

    /// Adds the next record by its content hash.
    pub fn add_content(&mut self, content_hash: Option<&[u8; 32]>) {
        self.0.update(content_hash.unwrap_or(&[0; 32]));
    }

    /// The hash of all records so far.
    #[must_use]
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

impl Default for SubmissionHasher {
    fn default() -> Self {
        Self::new()
    }
}
