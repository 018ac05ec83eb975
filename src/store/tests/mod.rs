//! Tests of the store as its users see it.

mod damage;
mod oracle;
mod rate;
mod rules;

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::terms::{EventKind, Receipt, RecordEncoding, RecordRef, SourceId};

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

pub(super) fn source(name: &str) -> SourceId {
    SourceId::new(name).expect("source")
}

/// The header of a submission.
pub(crate) fn header(name: &str, request: &str) -> SubmissionHeader {
    SubmissionHeader {
        source: source(name),
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

/// Submits records; gives the receipt.
pub(super) fn submit(
    store: &Store,
    name: &str,
    request: &str,
    records: &[RecordEncoding],
) -> Receipt {
    let mut writer = store
        .begin_submission(&header(name, request))
        .unwrap_or_else(|error| panic!("{error}"));
    for record in records {
        writer.append(record).expect("appended");
    }
    writer.commit(BTreeMap::new()).expect("committed")
}

/// Live records by (source, ref), as a loaded table shows them: tags of each row.
pub(super) fn live(store: &Store) -> BTreeMap<(String, String), Vec<u64>> {
    let loaded = store.load_table().expect("table");
    (0..loaded.table.len() as u32)
        .map(|row| {
            let source = &loaded.sources[usize::from(loaded.table.source(row))];
            let label = loaded.refs.text(row);
            assert_eq!(loaded.table.key(row), row_key(source, label));
            assert!(loaded.table.filter(row, 0).is_some());
            (
                (source.as_str().to_owned(), label.to_owned()),
                loaded.table.tags(row).to_vec(),
            )
        })
        .collect()
}
