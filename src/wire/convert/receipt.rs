//! The header and the receipt of a submission.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::names::{NameError, parse_source_name, source_name};
use crate::terms::{Fingerprint, Receipt, RefusalReason, SourceId, SubmissionHeader};
use crate::wire::pb;

/// Why a header or a receipt is malformed. Names the field and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// The source's name.
    #[error("field 'source': {0}")]
    Source(NameError),
    /// The request ID.
    #[error(
        "field 'request_id': a UUID of 36 characters, as in 123e4567-e89b-42d3-a456-426614174000"
    )]
    RequestId,
    /// The fingerprint.
    #[error("field 'profile_fingerprint': a SHA-256 of 32 bytes")]
    Fingerprint,
    /// The epoch.
    #[error("field 'epoch': 1 to 63 characters without control characters")]
    Epoch,
    /// A hash or a signature.
    #[error("field '{field}': {length} bytes")]
    Length {
        /// Which.
        field: &'static str,
        /// How long it is.
        length: usize,
    },
    /// The receipt's name.
    #[error("field 'submission': sources/{{source}}/submissions/{{number}}")]
    Submission,
    /// A reason that does not exist.
    #[error("field 'refusals': a reason that this version does not know")]
    Reason,
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl TryFrom<pb::SubmissionHeader> for SubmissionHeader {
    type Error = SubmissionError;

    fn try_from(header: pb::SubmissionHeader) -> Result<Self, SubmissionError> {
        let source = parse_source_name(&header.source).map_err(SubmissionError::Source)?;
        let profile = header
            .profile_fingerprint
            .try_into()
            .map(Fingerprint)
            .map_err(|_| SubmissionError::Fingerprint)?;
        if !is_uuid(&header.request_id) {
            return Err(SubmissionError::RequestId);
        }
        let epoch_fits = (1..=63).contains(&header.epoch.len());
        if !epoch_fits || header.epoch.chars().any(char::is_control) {
            return Err(SubmissionError::Epoch);
        }
        Ok(Self {
            source,
            profile,
            epoch: header.epoch,
            request_id: header.request_id.to_ascii_lowercase(),
        })
    }
}

impl From<&SubmissionHeader> for pb::SubmissionHeader {
    fn from(header: &SubmissionHeader) -> Self {
        Self {
            request_id: header.request_id.clone(),
            source: source_name(&header.source),
            profile_fingerprint: header.profile.0.to_vec(),
            epoch: header.epoch.clone(),
            first_chunk_sequence: 0,
        }
    }
}

impl From<&Receipt> for pb::SubmitResponse {
    fn from(receipt: &Receipt) -> Self {
        let name = source_name(&receipt.source);
        Self {
            submission: format!("{name}/submissions/{}", receipt.submission),
            accepted_count: receipt.accepted,
            unchanged_count: receipt.unchanged,
            refusals: receipt
                .refused
                .iter()
                .map(|(reason, count)| pb::RefusalCount {
                    reason: reason.code().into(),
                    count: *count,
                })
                .collect(),
            content_hash: from_hex(&receipt.content_hash),
            log_head: from_hex(&receipt.log_head),
            sequence: receipt.sequence,
            signature: from_hex(&receipt.signature),
        }
    }
}

impl TryFrom<pb::SubmitResponse> for Receipt {
    type Error = SubmissionError;

    fn try_from(response: pb::SubmitResponse) -> Result<Self, SubmissionError> {
        let (source, submission) = parse_submission_name(&response.submission)?;
        let mut refused = BTreeMap::new();
        for refusal in response.refusals {
            let reason = RefusalReason::ALL
                .into_iter()
                .find(|known| known.code() == refusal.reason)
                .ok_or(SubmissionError::Reason)?;
            *refused.entry(reason).or_insert(0) += refusal.count;
        }
        Ok(Self {
            submission,
            source,
            accepted: response.accepted_count,
            unchanged: response.unchanged_count,
            refused,
            content_hash: to_hex(&response.content_hash, 32, "content_hash")?,
            sequence: response.sequence,
            log_head: to_hex(&response.log_head, 32, "log_head")?,
            signature: to_hex(&response.signature, 64, "signature")?,
        })
    }
}

fn parse_submission_name(name: &str) -> Result<(SourceId, u64), SubmissionError> {
    let (source, number) = name
        .split_once("/submissions/")
        .ok_or(SubmissionError::Submission)?;
    let source = parse_source_name(source).map_err(SubmissionError::Source)?;
    let number = number.parse().map_err(|_| SubmissionError::Submission)?;
    Ok((source, number))
}

fn to_hex(bytes: &[u8], length: usize, field: &'static str) -> Result<String, SubmissionError> {
    if bytes.len() != length {
        return Err(SubmissionError::Length { field, length });
    }
    Ok(HEXLOWER.encode(bytes))
}

/// Bytes of a hexadecimal text that this program wrote itself.
fn from_hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> pb::SubmissionHeader {
        pb::SubmissionHeader {
            request_id: "123E4567-e89b-42d3-a456-426614174000".into(),
            source: "sources/hosp_a".into(),
            profile_fingerprint: vec![7; 32],
            epoch: "2026".into(),
            first_chunk_sequence: 0,
        }
    }

    #[test]
    fn headers_round_trip_and_request_ids_are_lower_case() {
        let terms = SubmissionHeader::try_from(header()).expect("good header");
        assert_eq!(terms.request_id, "123e4567-e89b-42d3-a456-426614174000");
        let back = SubmissionHeader::try_from(pb::SubmissionHeader::from(&terms));
        assert_eq!(back, Ok(terms));
    }

    #[test]
    fn malformed_headers_name_the_field() {
        let refused = |change: fn(&mut pb::SubmissionHeader)| {
            let mut message = header();
            change(&mut message);
            SubmissionHeader::try_from(message).expect_err("malformed")
        };
        assert!(matches!(
            refused(|h| h.source = "hosp_a".into()),
            SubmissionError::Source(_)
        ));
        assert_eq!(
            refused(|h| h.request_id = "1".into()),
            SubmissionError::RequestId
        );
        let short = refused(|h| h.profile_fingerprint.truncate(31));
        assert_eq!(short, SubmissionError::Fingerprint);
        assert_eq!(refused(|h| h.epoch.clear()), SubmissionError::Epoch);
    }

    #[test]
    fn receipts_round_trip() {
        let receipt = Receipt {
            submission: 12,
            source: SourceId::new("hosp_a").expect("good name"),
            accepted: 10,
            unchanged: 2,
            refused: BTreeMap::from([(RefusalReason::Shape, 3), (RefusalReason::Empty, 1)]),
            content_hash: "0f".repeat(32),
            sequence: 40,
            log_head: "a9".repeat(32),
            signature: "5c".repeat(64),
        };
        let back = Receipt::try_from(pb::SubmitResponse::from(&receipt));
        assert_eq!(back, Ok(receipt));
    }

    #[test]
    fn a_receipt_with_a_cut_hash_is_refused() {
        let receipt = pb::SubmitResponse {
            submission: "sources/a/submissions/1".into(),
            content_hash: vec![0; 31],
            log_head: vec![0; 32],
            signature: vec![0; 64],
            ..Default::default()
        };
        let field = "content_hash";
        assert_eq!(
            Receipt::try_from(receipt),
            Err(SubmissionError::Length { field, length: 32 })
        );
    }
}
