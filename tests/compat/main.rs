//! Stores that were written once and never again: every later program reads or refuses them as named.
//! `tests/vectors/store/v1/README.md` says what they hold and how they were made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use musubi::store::{
    KeyProvider, OpenStoreError, StorageFault, Store, StoreKey, VerifyError, verify,
};
use musubi::terms::{
    EntityId, EventKind, LinkageProfile, RecordEncoding, RecordRef, RunId, SourceId,
    SubmissionHeader,
};

/// BLAKE3 over the live records of the good store and their published entities.
const DIGEST: &str = "07668f689908a6db59153f1e82989824872e6430381fa3eedfdc6353cdf733f4";

/// What is damaged in each bad store: its file, and the offset reported.
const CORRUPT: [(&str, &str, u64); 3] = [
    ("log", "log/000001.mlog", 64),
    ("segment", "segments/000001.mseg", 0),
    (
        "snapshot",
        "snapshots/00000000000000000000000000000001.msnp",
        0,
    ),
];

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/store/v1")
}

fn key() -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7; 32]))
}

/// A copy of a vector, which may be written to.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("directory");
    copy_files(&vectors().join(name), copy.path());
    copy
}

/// Copies the files of a store that hold what it holds: no index, no lock.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name");
        if name == "index" || name == "LOCK" {
            continue;
        }
        if path.is_dir() {
            copy_files(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("copied");
        }
    }
}

/// What the store holds, in one hash.
/// A profile that no change to the built-in ones touches.
fn profile() -> LinkageProfile {
    LinkageProfile::parse(include_str!("../vectors/profiles/salted-filter.toml")).expect("valid")
}

fn digest(store: &Store) -> String {
    let loaded = store.load_table().expect("table");
    let published = store.published().expect("published");
    let mut records = BTreeMap::new();
    for row in 0..loaded.table.len() as u32 {
        let source = &loaded.sources[usize::from(loaded.table.source(row))];
        let entity = published.entity_of(source, &loaded.refs.record_ref(row));
        let mut bytes = Vec::new();
        for word in loaded.table.tags(row) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let entity = entity.map_or(0, |entity| entity.as_u128());
        bytes.extend_from_slice(&entity.to_le_bytes());
        records.insert(
            (source.to_string(), loaded.refs.text(row).to_owned()),
            bytes,
        );
    }
    let mut hasher = blake3::Hasher::new();
    for ((source, label), bytes) in records {
        for part in [source.as_bytes(), label.as_bytes(), &bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn a_good_store_opens_with_its_digest() {
    let copy = copy("ok");
    let report = verify(copy.path(), &key()).expect("whole");
    assert_eq!((report.submissions, report.torn_bytes), (2, 0));
    let store = Store::open(copy.path(), &key()).expect("opens");
    assert_eq!(digest(&store), DIGEST);
}

#[test]
fn a_torn_tail_is_cut() {
    let copy = copy("torn");
    let report = verify(copy.path(), &key()).expect("whole but for its tail");
    assert!(report.torn_bytes > 0);
    let sequence = report.head.sequence;
    let store = Store::open(copy.path(), &key()).expect("opens");
    assert_eq!(store.head().sequence, sequence);
    // What was cut is the audit event at the end of the good store.
    assert_eq!(digest(&store), DIGEST);
    store.append_audit("{}").expect("appended");
    drop(store);
    let report = verify(copy.path(), &key()).expect("whole");
    assert_eq!((report.head.sequence, report.torn_bytes), (sequence + 1, 0));
}

#[test]
fn damage_is_refused_with_its_file_and_offset() {
    for (name, file, offset) in CORRUPT {
        let copy = copy(&format!("corrupt/{name}"));
        let place = |fault: StorageFault| match fault {
            StorageFault::Damaged { path, offset, .. } => (path, offset),
            other => panic!("{name}: {other}"),
        };
        let wanted = (copy.path().join(file), offset);
        match verify(copy.path(), &key()) {
            Err(VerifyError::Storage(fault)) => assert_eq!(place(fault), wanted, "{name}"),
            _ => panic!("{name} is refused by verify"),
        }
        match Store::open(copy.path(), &key()) {
            Err(OpenStoreError::Storage(fault)) => assert_eq!(place(fault), wanted, "{name}"),
            _ => panic!("{name} does not open"),
        }
    }
}

fn record(label: &str, version: u32) -> RecordEncoding {
    let layout = profile().layout();
    let word = |at: usize| (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(version);
    RecordEncoding {
        record_ref: RecordRef::new(label).expect("label"),
        version,
        kind: EventKind::Hospital,
        year: 0,
        flags: 0,
        presence: layout.presence_all(),
        filters: (0..layout.filter_words()).map(word).collect(),
        tags: (0..layout.tag_slots()).map(word).collect(),
    }
}

/// Makes the vectors anew, in a directory that must not exist. Only for a new format version.
#[test]
#[ignore = "writes the vectors"]
fn make() {
    let folder = tempfile::tempdir().expect("directory");
    let made = folder.path().join("store");
    let profile = profile();
    let store = Store::open(&made, &key()).expect("opens");
    store.set_profile(&profile, "2026").expect("profile");
    for (source, records) in [
        ("hosp_a", vec![record("A-1", 1), record("カルテ2", 1)]),
        ("hosp_b", vec![record("B-1", 2)]),
    ] {
        let header = SubmissionHeader {
            source: SourceId::new(source).expect("source"),
            profile: profile.fingerprint(),
            epoch: "2026".into(),
            request_id: "1".into(),
        };
        let begun = store.begin_submission(&header);
        let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
        for record in &records {
            writer.append(record).expect("appended");
        }
        writer.commit(BTreeMap::new()).expect("committed");
    }
    let rows = store.load_table().expect("table");
    let ids = [1, 2, 1].map(EntityId::from_u128);
    store
        .publish(RunId::from_u128(1), &rows, &ids)
        .expect("published");
    store.append_audit("{}").expect("appended");
    println!("digest {}", digest(&store));
    drop(store);
    let vectors = vectors();
    assert!(!vectors.join("ok").exists(), "vectors are made once");
    copy_files(&made, &vectors.join("ok"));
    copy_files(&made, &vectors.join("torn"));
    let log = vectors.join("torn/log/000001.mlog");
    let bytes = fs::read(&log).expect("log");
    fs::write(&log, &bytes[..bytes.len() - 7]).expect("cut");
    for (name, file, _) in CORRUPT {
        let store = vectors.join("corrupt").join(name);
        copy_files(&made, &store);
        let path = store.join(file);
        let mut bytes = fs::read(&path).expect("file");
        bytes[200] ^= 0x10;
        fs::write(&path, bytes).expect("written");
        let error = verify(&store, &key()).expect_err("damaged");
        println!("{name}: {error}");
        // Looking at a store takes its lock.
        let _ = fs::remove_file(store.join("LOCK"));
    }
}
