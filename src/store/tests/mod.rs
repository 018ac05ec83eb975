//! Tests of the store as its users see it.

mod damage;
mod disk_full;
mod erasure;
mod full_disk_erasure;
mod group;
mod history;
mod journal;
mod oracle;
mod projects;
mod published;
mod rules;
mod secrecy;

use std::collections::BTreeMap;
use std::path::Path;

use super::testing::{disk, encoding, header, key, open, profile};
use super::*;
use crate::terms::{Receipt, RecordEncoding, RecordRef, SourceId};

pub(super) fn source(name: &str) -> SourceId {
    SourceId::new(name).expect("source")
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
            assert_eq!((loaded.table.year(row), loaded.table.flags(row)), (2021, 3));
            (
                (source.as_str().to_owned(), label.to_owned()),
                loaded.table.tags(row).to_vec(),
            )
        })
        .collect()
}
