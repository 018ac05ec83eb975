use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::store::log::log_path;
use crate::store::testing::{encoding, header, key, open};
use crate::store::verify;
use crate::store::vfs::memory::MemoryDisk;
use crate::store::{KeyProvider, OpenStoreError, StoreKey};
use crate::terms::{EntityId, RunId};

fn submit(store: &Store, request: &str, labels: std::ops::Range<u64>) {
    let begun = store.begin_submission(&header("a", request));
    let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
    for label in labels {
        let record = encoding(&format!("r{label}"), 1, label);
        writer.append(&record).expect("appended");
    }
    writer.commit(BTreeMap::new()).expect("committed");
}

fn publish(store: &Store, run: u128) {
    let table = store.load_table().expect("table");
    let entities: Vec<_> = (0..table.refs.len() as u128)
        .map(|row| EntityId::from_u128(row / 2 + 1))
        .collect();
    let run = RunId::from_u128(run);
    store.publish(run, &table, &entities).expect("published");
}

/// A store with two submissions and a publication, its backup beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> (Self, Store) {
        let place = Self(tempfile::tempdir().expect("directory"));
        let store = open(&place.store());
        submit(&store, "1", 0..50);
        submit(&store, "2", 50..80);
        publish(&store, 1);
        (place, store)
    }
    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }
    fn backup(&self) -> PathBuf {
        self.0.path().join("backup")
    }
    fn restored(&self) -> PathBuf {
        self.0.path().join("restored")
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_restored_store_is_the_store_that_was_backed_up() {
    let (place, store) = Place::new();
    let made = store.backup(&place.backup()).expect("backed up while open");
    assert_eq!(made.head, store.head());
    assert_eq!(made.files, 5, "log, keyring, two segments, a snapshot");
    assert_eq!(
        (made.copied_files, made.copied_bytes),
        (made.files, made.bytes)
    );
    let checked = verify_backup(&place.backup()).expect("whole");
    assert_eq!((checked.head, checked.bytes), (made.head, made.bytes));

    let report = restore(&place.backup(), &place.restored(), &key(), None).expect("restored");
    assert_eq!((report.head, report.bytes), (made.head, made.bytes));
    assert_eq!(
        verify(&place.restored(), &key()).expect("whole").head,
        made.head
    );
    let restored = open(&place.restored());
    assert_eq!(
        restored.digest().expect("digest"),
        store.digest().expect("digest")
    );
    submit(&restored, "3", 80..90);
}

#[test]
fn only_what_is_new_is_copied() {
    let (place, store) = Place::new();
    backup(&place.store(), &place.backup()).expect("no handle is needed");
    submit(&store, "3", 80..95);
    let second = store.backup(&place.backup()).expect("backed up");
    assert_eq!(
        (second.files, second.copied_files),
        (6, 2),
        "log and segment 3"
    );
    let third = store.backup(&place.backup()).expect("backed up");
    assert_eq!((third.files, third.copied_files), (6, 1));
    verify_backup(&place.backup()).expect("whole");
    restore(&place.backup(), &place.restored(), &key(), None).expect("restored");
    let restored = open(&place.restored()).digest().expect("digest");
    assert_eq!(restored, store.digest().expect("digest"));
}

#[test]
fn any_damage_to_a_backup_is_found_and_named() {
    let (place, store) = Place::new();
    store.backup(&place.backup()).expect("backed up");
    for path in files(&place.backup()) {
        if path.ends_with("LOCK") {
            continue;
        }
        let good = std::fs::read(&path).expect("bytes");
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        for at in [0, 9, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(&path, &bad).expect("written");
            let found = verify_backup(&place.backup()).expect_err("altered");
            assert!(found.to_string().contains(&name), "{found}");
            let target = place.0.path().join(format!("{name}-{at}"));
            let refused = restore(&place.backup(), &target, &key(), None).expect_err("altered");
            assert!(refused.to_string().contains(&name), "{refused}");
            assert!(!log_path(&target).exists());
        }
        std::fs::write(&path, &good[..good.len() - 1]).expect("written");
        assert!(verify_backup(&place.backup()).is_err(), "{name} cut");
        std::fs::remove_file(&path).expect("removed");
        assert!(verify_backup(&place.backup()).is_err(), "{name} missing");
        std::fs::write(&path, &good).expect("written");
    }
    verify_backup(&place.backup()).expect("whole again");
}

#[test]
fn a_backup_is_of_one_store_and_one_history() {
    let (place, store) = Place::new();
    store.backup(&place.backup()).expect("backed up");
    let (_other_place, other) = Place::new();
    assert!(matches!(
        other.backup(&place.backup()),
        Err(BackupError::OtherStore { .. })
    ));
    // A store restored from an older backup has lost entries that the newer backup has.
    let older = place.0.path().join("older");
    store.backup(&older).expect("backed up");
    submit(&store, "3", 80..90);
    store.backup(&place.backup()).expect("backed up");
    restore(&older, &place.restored(), &key(), None).expect("restored");
    assert!(matches!(
        open(&place.restored()).backup(&place.backup()),
        Err(BackupError::OtherStore { .. })
    ));
}

#[test]
fn an_entry_being_written_is_left_out_and_damage_is_refused() {
    let (place, store) = Place::new();
    let head = store.head();
    drop(store);
    let log = log_path(&place.store());
    let good = std::fs::read(&log).expect("bytes");
    let mut torn = good.clone();
    torn.extend_from_slice(&[9; 20]);
    std::fs::write(&log, &torn).expect("written");
    let made = backup(&place.store(), &place.backup()).expect("backed up");
    assert_eq!(made.head, head);
    assert_eq!(
        made.bytes,
        verify_backup(&place.backup()).expect("whole").bytes
    );

    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&log, &bad).expect("written");
    let refused = backup(&place.store(), &place.0.path().join("second"));
    assert!(matches!(refused, Err(BackupError::Storage(_))));
}

#[test]
fn nothing_is_overwritten_by_a_restore_and_nothing_is_made_of_nothing() {
    let (place, store) = Place::new();
    store.backup(&place.backup()).expect("backed up");
    assert!(matches!(
        restore(&place.backup(), &place.store(), &key(), None),
        Err(RestoreError::NotEmpty { .. })
    ));
    assert!(matches!(
        verify_backup(&place.restored()),
        Err(BackupError::NoBackup { .. })
    ));
    assert!(matches!(
        backup(&place.restored(), &place.backup()),
        Err(BackupError::NoStore { .. })
    ));
}

#[test]
fn erased_records_stay_erased_in_a_store_restored_from_an_older_backup() {
    let (place, store) = Place::new();
    store.backup(&place.backup()).expect("backed up");
    let newer = place.0.path().join("newer");
    let name = crate::terms::SourceId::new("a").expect("source");
    let label = crate::terms::RecordRef::new("r7").expect("label");
    store.erase(&name, &[label]).expect("erased");
    store.backup(&newer).expect("backed up");
    verify_backup(&newer).expect("whole");

    // The newer store has another key by now; that of the old backup is enough.
    let other = KeyProvider::Key(StoreKey::from_bytes([8; 32]));
    store.rotate_key(&other).expect("rotated");
    for (number, source) in [place.store(), newer].iter().enumerate() {
        let target = place.0.path().join(format!("restored-{number}"));
        let report = restore(&place.backup(), &target, &key(), Some(source));
        assert_eq!(report.expect("restored").erased_again, 1);
        let restored = open(&target);
        assert_eq!(restored.tombstones(), store.tombstones());
        assert_eq!(
            restored.digest().expect("digest").records,
            store.digest().expect("digest").records
        );
    }
    let refused = restore(&place.backup(), &place.restored(), &other, None);
    assert!(matches!(refused, Err(RestoreError::Unlock(_))));
    let nothing = place.0.path().join("nothing");
    let refused = restore(&place.backup(), &place.restored(), &key(), Some(&nothing));
    assert!(matches!(refused, Err(RestoreError::NoSuppression { .. })));

    // The next backup to the same folder no longer has the segment that held it.
    let before = files(&place.backup());
    store.backup(&place.backup()).expect("backed up");
    let first = |files: &[PathBuf]| {
        let name = |path: &PathBuf| path.to_string_lossy().contains("segments/000001-");
        files
            .iter()
            .filter(|path| name(path))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (before, after) = (first(&before), first(&files(&place.backup())));
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after, "the segment written anew took its place");
    verify_backup(&place.backup()).expect("whole");
}

#[test]
fn a_restore_that_did_not_end_does_not_open_and_can_be_run_again() {
    let (place, store) = Place::new();
    store.backup(&place.backup()).expect("backed up");
    let second = |path: &PathBuf| path.to_string_lossy().contains("segments/000002-");
    let damaged = files(&place.backup()).into_iter().find(second);
    let damaged = damaged.expect("a segment");
    let good = std::fs::read(&damaged).expect("bytes");
    std::fs::write(&damaged, &good[1..]).expect("written");
    let target = place.restored();
    restore(&place.backup(), &target, &key(), None).expect_err("damaged");
    assert!(matches!(
        Store::open(&target, &key()),
        Err(OpenStoreError::Unfinished { .. })
    ));
    std::fs::write(&damaged, &good).expect("written");
    restore(&place.backup(), &target, &key(), None).expect("restored");
    assert_eq!(
        open(&target).digest().expect("digest"),
        store.digest().expect("digest")
    );
}

#[test]
fn the_log_is_durable_in_the_store_before_it_is_in_a_backup() {
    let disk = MemoryDisk::new(1);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let (store, to) = (Path::new("/store"), Path::new("/backup"));
    let opened = Store::open_on(Arc::clone(&vfs), store, &key());
    drop(opened.unwrap_or_else(|error| panic!("{error}")));
    let before = disk.syncs_of(&log_path(store));
    backup_on(&vfs, store, to).expect("backed up");
    assert!(disk.syncs_of(&log_path(store)) > before);
}
