//! Crashes and damage: what is recovered, and what is refused with its place.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::terms::EntityId;

/// A closed store with two segments and a snapshot.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(
        &store,
        "a",
        "1",
        &[encoding("x", 1, 1), encoding("y", 1, 2)],
    );
    submit(&store, "a", "2", &[encoding("x", 2, 3)]);
    let rows = store.load_table().expect("table");
    let ids = [EntityId::from_u128(1), EntityId::from_u128(2)];
    store
        .publish(RunId::from_u128(1), &rows, &ids)
        .expect("published");
    let path = directory.path().to_owned();
    (directory, path)
}

/// The fault that both opening and verifying report.
fn fault(store: &Path) -> (PathBuf, u64) {
    let opened = match Store::open(store, &key()) {
        Err(OpenStoreError::Storage(StorageFault::Damaged { path, offset, .. })) => (path, offset),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a damaged store opens"),
    };
    match verify(store, &key()) {
        Err(VerifyError::Storage(StorageFault::Damaged { path, offset, .. })) => {
            assert_eq!((&path, offset), (&opened.0, opened.1));
        }
        _ => panic!("verify finds the same damage"),
    }
    opened
}

#[test]
fn a_whole_store_verifies() {
    let (_guard, store) = filled();
    let report = verify(&store, &key()).expect("whole");
    assert_eq!(
        (report.submissions, report.segments, report.snapshots),
        (2, 2, 1)
    );
    assert_eq!((report.rows, report.live, report.torn_bytes), (3, 2, 0));
    let empty = tempfile::tempdir().expect("directory");
    assert!(matches!(
        verify(empty.path(), &key()),
        Err(VerifyError::NoStore { .. })
    ));
}

#[test]
fn a_second_opener_is_refused() {
    let (_guard, path) = filled();
    let store = open(&path);
    assert!(matches!(
        Store::open(&path, &key()),
        Err(OpenStoreError::InUse { .. })
    ));
    assert!(matches!(
        verify(&path, &key()),
        Err(VerifyError::InUse { .. })
    ));
    let clone = store.clone();
    drop(store);
    assert!(Store::open(&path, &key()).is_err());
    drop(clone);
    open(&path);
}

#[test]
fn a_flipped_byte_anywhere_in_segment_or_snapshot_is_refused() {
    let (_guard, store) = filled();
    let snapshot = format!("snapshots/{}.msnp", RunId::from_u128(1));
    for file in ["segments/000001.mseg", &snapshot] {
        let path = store.join(file);
        let whole = fs::read(&path).expect("bytes");
        for at in (0..whole.len()).step_by(37) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).expect("written");
            let (named, offset) = fault(&store);
            assert_eq!(named, path, "flip at {at}");
            assert!(offset <= at as u64, "flip at {at}, reported {offset}");
        }
        fs::write(&path, whole).expect("written");
    }
    assert_eq!(live(&open(&store)).len(), 2);
}

#[test]
fn a_missing_or_exchanged_segment_is_refused() {
    let (_guard, store) = filled();
    let first = store.join("segments/000001.mseg");
    let aside = store.join("aside");
    fs::rename(&first, &aside).expect("moved");
    match Store::open(&store, &key()) {
        Err(OpenStoreError::Storage(StorageFault::Io { path, .. })) => assert_eq!(path, first),
        _ => panic!("a missing segment is refused"),
    }
    fs::copy(store.join("segments/000002.mseg"), &first).expect("copied");
    assert_eq!(fault(&store).0, first);
}

#[test]
fn a_log_cut_in_its_last_submission_recovers_to_the_one_before() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(&store, "a", "1", &[encoding("x", 1, 1)]);
    let log = directory.path().join("log/000001.mlog");
    let before = fs::metadata(&log).expect("log").len();
    submit(
        &store,
        "a",
        "2",
        &[encoding("x", 2, 2), encoding("y", 1, 2)],
    );
    let after = fs::metadata(&log).expect("log").len();
    drop(store);
    fs::write(directory.path().join("segments/spool-0-tags.partial"), b"x").expect("leftover");
    for cut in [before, before + 1, after - 1] {
        let file = fs::OpenOptions::new().write(true).open(&log).expect("log");
        file.set_len(cut).expect("cut");
        let store = open(directory.path());
        // The unnamed segment and the spool are gone, and the index is back at the log's state.
        let files = fs::read_dir(directory.path().join("segments")).expect("list");
        assert_eq!(files.count(), 1);
        assert_eq!(
            live(&store).values().next(),
            Some(&encoding("x", 1, 1).tags)
        );
        let receipt = submit(
            &store,
            "a",
            "2",
            &[encoding("x", 2, 2), encoding("y", 1, 2)],
        );
        assert_eq!((receipt.submission, receipt.accepted), (2, 2));
        assert_eq!(live(&store).len(), 2);
    }
}

#[test]
fn the_index_can_be_thrown_away() {
    for harm in ["delete", "garble", "rebuild", "condemn"] {
        let (_guard, path) = filled();
        let before = live(&open(&path));
        match harm {
            "delete" => fs::remove_dir_all(path.join("index")).expect("removed"),
            "garble" => fs::write(path.join("index/db"), b"nonsense").expect("written"),
            "condemn" => fs::write(path.join("index.condemned"), b"").expect("written"),
            _ => open(&path).rebuild_index().expect("rebuilt"),
        }
        let store = open(&path);
        assert_eq!(live(&store), before, "{harm}");
        let receipt = submit(
            &store,
            "a",
            "3",
            &[
                encoding("x", 2, 3),
                encoding("x", 1, 1),
                encoding("y", 2, 2),
            ],
        );
        let counts = (receipt.accepted, receipt.unchanged);
        assert_eq!(counts, (1, 1), "{harm}: y is newer, x is known");
        store.rebuild_index().expect("rebuilt while open");
        let receipt = submit(&store, "a", "4", &[encoding("y", 2, 2)]);
        assert_eq!(receipt.unchanged, 1, "{harm}");
    }
}

#[test]
fn a_store_that_lost_its_log_is_refused_and_keeps_its_segments() {
    let (_guard, store) = filled();
    let log = store.join("log/000001.mlog");
    fs::remove_file(&log).expect("removed");
    match Store::open(&store, &key()) {
        Err(OpenStoreError::Storage(StorageFault::Damaged { path, .. })) => assert_eq!(path, log),
        _ => panic!("a store without its log is refused"),
    }
    assert!(!log.exists());
    assert!(store.join("segments/000001.mseg").exists());
}
