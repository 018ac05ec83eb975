//! Made-up records and stores, for the tests of the rooms that use the store.

use std::path::Path;
use std::sync::Arc;

use super::Store;
use super::disk::Disk;
use super::vfs::RealDisk;
use crate::terms::{
    EventKind, LinkageProfile, RecordEncoding, RecordRef, SourceId, SubmissionHeader,
};

/// A directory on the real disk.
pub(in crate::store) fn real_disk(directory: &Path) -> Disk {
    Disk::new(Arc::new(RealDisk), directory)
}

/// The profile of these tests.
pub(crate) fn profile() -> LinkageProfile {
    LinkageProfile::built_in("jp-standard").expect("built in")
}

/// A well-formed encoding; equal `content`, equal content.
pub(crate) fn encoding(label: &str, version: u32, content: u64) -> RecordEncoding {
    let layout = profile().layout();
    let word = |at: usize| content.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64 + 1) << 32 | 1;
    RecordEncoding {
        record_ref: RecordRef::new(label).expect("label"),
        version,
        kind: EventKind::Hospital,
        flags: 3,
        presence: layout.presence_all(),
        filters: (0..layout.filter_words()).map(word).collect(),
        tags: (0..layout.tag_slots()).map(word).collect(),
    }
}

/// The header of a submission.
pub(crate) fn header(name: &str, request: &str) -> SubmissionHeader {
    SubmissionHeader {
        source: SourceId::new(name).expect("source"),
        profile: profile().fingerprint(),
        epoch: "2026".into(),
        request_id: request.into(),
    }
}

/// Opens a store that is bound to the profile.
pub(crate) fn open(directory: &Path) -> Store {
    let store = Store::open(directory).expect("open");
    store.set_profile(&profile(), "2026").expect("profile");
    store
}
