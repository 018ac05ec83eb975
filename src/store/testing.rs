//! Made-up records and stores, for the tests of the rooms that use the store.

use std::path::Path;
use std::sync::Arc;

use super::crypt::DataKeys;
use super::disk::Disk;
use super::vault::Vault;
use super::vfs::RealDisk;
use super::{KeyProvider, Store, StoreKey};
use crate::terms::{
    EventKind, LinkageProfile, RecordEncoding, RecordRef, SourceId, SubmissionHeader,
};

/// A directory on the real disk.
pub(in crate::store) fn disk(directory: &Path) -> Disk {
    Disk::new(Arc::new(RealDisk), directory)
}

/// A directory on the real disk, with keys that are always the same.
pub(in crate::store) fn vault(directory: &Path) -> Vault {
    Vault::new(disk(directory), DataKeys::fixed())
}

/// The payloads of a log, opened with the key of these tests, end to end.
pub(crate) fn log_text(directory: &Path) -> String {
    let vault = Vault::unlock(&disk(directory), &key());
    let vault = vault.ok().flatten().expect("unlocked");
    let mut text = String::new();
    super::log::scan(&vault, |entry, _, _| {
        text += &String::from_utf8_lossy(&entry.encode());
        Ok(())
    })
    .expect("whole");
    text
}

/// The key of the stores of these tests.
pub(crate) fn key() -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7; 32]))
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
        year: 2021,
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
    let store = Store::open(directory, &key()).expect("open");
    store.set_profile(&profile(), "2026").expect("profile");
    store
}
