//! What the log says: the kinds of entry and their payloads, all JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::terms::{Project, RefusalReason, RunId, SourceId, run::Run};

/// The store was bound to a linkage profile and an epoch.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct ProfileSet {
    /// Epoch of the linkage secret.
    pub(in crate::store) epoch: String,
    /// The profile's text.
    pub(in crate::store) text: String,
}

/// A sealed file as the log names it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct SegmentNamed {
    /// Rows in the segment.
    pub(in crate::store) rows: u32,
    /// Seal of the file, hexadecimal.
    pub(in crate::store) seal: String,
}

/// A submission was taken in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct SubmissionCommitted {
    /// Number in the store, from 1; also names the segment file.
    pub(in crate::store) submission: u64,
    /// Whose.
    pub(in crate::store) source: SourceId,
    /// The client's name for the request.
    pub(in crate::store) request_id: String,
    /// The segment, unless no record was accepted.
    pub(in crate::store) segment: Option<SegmentNamed>,
    /// Records taken in.
    pub(in crate::store) accepted: u64,
    /// Records that were here already.
    pub(in crate::store) unchanged: u64,
    /// Records refused, by reason.
    pub(in crate::store) refused: BTreeMap<RefusalReason, u64>,
    /// BLAKE3 over the content of the records taken in, hexadecimal.
    pub(in crate::store) content_hash: String,
}

/// A segment was written anew without its dead rows.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct SegmentRewritten {
    /// Number of the submission.
    pub(in crate::store) submission: u64,
    /// How often it was written anew, this time included.
    pub(in crate::store) generation: u32,
    /// Rows, all live.
    pub(in crate::store) rows: u32,
    /// Seal of the file, hexadecimal.
    pub(in crate::store) seal: String,
}

/// The newest snapshot was written anew without erased records.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct SnapshotRewritten {
    /// How often it was written anew, this time included.
    pub(in crate::store) generation: u32,
    /// Seal of the file, hexadecimal.
    pub(in crate::store) seal: String,
}

/// Records were erased, or dead rows dropped. Snapshots before the newest are gone with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Rewriting {
    /// Keyed hashes of (source, record ref) that do not come back, hexadecimal.
    pub(in crate::store) tombstones: Vec<String>,
    /// Segments that take the place of their earlier generations.
    pub(in crate::store) segments: Vec<SegmentRewritten>,
    /// The newest snapshot, if it was written anew.
    pub(in crate::store) snapshot: Option<SnapshotRewritten>,
}

/// The entities of a run were published.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct PublicationMade {
    /// The run; also names the snapshot file.
    pub(in crate::store) run: RunId,
    /// Seal of the snapshot file, hexadecimal.
    pub(in crate::store) seal: String,
}

/// One entry of the log.
#[derive(Clone)]
pub(in crate::store) enum LogEntry {
    /// Kind 1.
    Profile(ProfileSet),
    /// Kind 2.
    Submission(SubmissionCommitted),
    /// Kind 3: the state of a run, replacing its earlier ones.
    Run(Box<Run>),
    /// Kind 4.
    Publication(PublicationMade),
    /// Kind 5: an audit event, canonical JSON made by the caller.
    Audit(String),
    /// Kind 6.
    Rewriting(Rewriting),
    /// Kind 7: a project as it stands, replacing what was said of it before.
    Project(Project),
}

impl LogEntry {
    /// Code of the kind, as stored.
    pub(in crate::store) fn kind(&self) -> u8 {
        match self {
            Self::Profile(_) => 1,
            Self::Submission(_) => 2,
            Self::Run(_) => 3,
            Self::Publication(_) => 4,
            Self::Audit(_) => 5,
            Self::Rewriting(_) => 6,
            Self::Project(_) => 7,
        }
    }

    /// The payload.
    pub(in crate::store) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Profile(profile) => to_json(profile),
            Self::Submission(submission) => to_json(submission),
            Self::Run(run) => to_json(run),
            Self::Publication(publication) => to_json(publication),
            Self::Audit(event) => event.clone().into_bytes(),
            Self::Rewriting(rewriting) => to_json(rewriting),
            Self::Project(project) => to_json(project),
        }
    }

    /// Reads a payload; the error is the rule that is broken.
    pub(in crate::store) fn decode(kind: u8, payload: Vec<u8>) -> Result<Self, &'static str> {
        match kind {
            1 => from_json(&payload).map(Self::Profile),
            2 => from_json(&payload).map(Self::Submission),
            3 => from_json(&payload).map(Self::Run),
            4 => from_json(&payload).map(Self::Publication),
            5 => String::from_utf8(payload)
                .map(Self::Audit)
                .map_err(|_| "the audit event is not UTF-8"),
            6 => from_json(&payload).map(Self::Rewriting),
            7 => from_json(&payload).map(Self::Project),
            _ => Err("the entry is of a kind that this program does not know"),
        }
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("these types have text keys and no failing serialiser")
}

fn from_json<T: DeserializeOwned>(payload: &[u8]) -> Result<T, &'static str> {
    serde_json::from_slice(payload).map_err(|_| "the payload does not have the form of its kind")
}
