//! Erasing and compacting: what goes, what stays, and what a crash in between leaves.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::secrecy::publish;
use super::vfs::memory::{Crash, Fault, FaultKind, MemoryDisk};
use super::vfs::{Access, BoxedFile, Lock, Metadata, RealDisk, Vfs};
use super::*;
use crate::terms::{EntityId, RefusalReason};

pub(super) fn reference(label: &str) -> RecordRef {
    RecordRef::new(label).expect("label")
}

fn labels(store: &Store) -> Vec<String> {
    live(store).into_keys().map(|(_, label)| label).collect()
}

/// x in versions 1 and 2 in two segments, y and z; published twice.
fn fill(store: &Store) {
    let first = [
        encoding("x", 1, 1),
        encoding("y", 1, 2),
        encoding("z", 1, 3),
    ];
    submit(store, "a", "1", &first);
    publish(store, 1);
    submit(store, "a", "2", &[encoding("x", 2, 4), encoding("z", 2, 5)]);
    submit(store, "b", "1", &[encoding("x", 1, 6)]);
    publish(store, 2);
}

/// What becomes of x of source a in a new submission; it is not committed.
fn resubmitted(store: &Store, label: &str, version: u32) -> Appended {
    let mut writer = store
        .begin_submission(&header("a", "again"))
        .expect("begun");
    writer
        .append(&encoding(label, version, 9))
        .expect("appended")
}

fn check_x_erased(store: &Store) {
    let all = live(store);
    let at = |name: &str, label: &str| all.contains_key(&(name.into(), label.into()));
    assert!(!at("a", "x") && at("a", "y") && at("a", "z") && at("b", "x"));
    let published = store.published().expect("published");
    assert_eq!(published.len(), 3);
    assert_eq!(published.entity_count(), 3);
    assert!(published.entity_of(&source("a"), &reference("x")).is_none());
    assert!(published.entity_of(&source("b"), &reference("x")).is_some());
    for number in 1..=4 {
        let records = published.records_of(EntityId::from_u128(number));
        assert!(
            records
                .iter()
                .all(|(name, record_ref)| { name.as_str() != "a" || record_ref.as_str() != "x" })
        );
    }
    for version in [1, 2, 3] {
        let appended = resubmitted(store, "x", version);
        assert_eq!(appended, Appended::Refused(RefusalReason::Erased));
    }
    assert_eq!(resubmitted(store, "y", 2), Appended::Accepted);
    assert_eq!(
        resubmitted(store, "z", 1),
        Appended::Refused(RefusalReason::OlderVersion)
    );
}

#[test]
fn an_erased_record_is_gone_at_once_and_stays_gone() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    let refs = [reference("x"), reference("new"), reference("x")];
    let receipt = store.erase(&source("a"), &refs).expect("erased");
    assert_eq!((receipt.erased, receipt.unknown), (1, 1));
    // Both versions of x, and the version of z that was replaced.
    assert_eq!((receipt.rows_removed, receipt.segments_rewritten), (3, 2));
    assert_eq!(receipt.position, store.head());
    check_x_erased(&store);
    let again = store.erase(&source("a"), &refs).expect("erased");
    assert_eq!((again.erased, again.erased_before), (0, 2));
    assert_eq!(again.position, store.head());
    assert_eq!(
        resubmitted(&store, "new", 1),
        Appended::Refused(RefusalReason::Erased)
    );
    store.rebuild_index().expect("rebuilt");
    check_x_erased(&store);
    drop(store);
    let store = open(directory.path());
    check_x_erased(&store);
    assert_eq!(store.stats().expect("stats").erased, 2);
    drop(store);
    let report = verify(directory.path(), &key()).expect("whole");
    assert_eq!((report.rows, report.live, report.snapshots), (3, 3, 1));
}

#[test]
fn a_table_loaded_before_does_not_bring_an_erased_record_back() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    let rows = store.load_table().expect("table");
    let entities: Vec<EntityId> = (1..=4).map(EntityId::from_u128).collect();
    (store.erase(&source("a"), &[reference("x")])).expect("erased");
    store
        .publish(RunId::from_u128(3), &rows, &entities)
        .expect("published");
    check_x_erased(&store);
}

#[test]
fn records_are_replaced_after_a_rewriting_as_before() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    (store.erase(&source("a"), &[reference("x")])).expect("erased");
    let receipt = submit(
        &store,
        "a",
        "3",
        &[encoding("y", 2, 7), encoding("z", 2, 5)],
    );
    assert_eq!((receipt.accepted, receipt.unchanged), (1, 1));
    let before = live(&store);
    drop(store);
    let store = open(directory.path());
    assert!(live(&store) == before);
    (store.erase(&source("a"), &[reference("y")])).expect("erased");
    assert_eq!(labels(&store), ["z", "x"]);
    drop(store);
    assert_eq!(labels(&open(directory.path())), ["z", "x"]);
}

#[test]
fn compacting_drops_dead_rows_and_old_snapshots_and_nothing_else() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    let before = live(&store);
    let receipts = store.submissions();
    let report = store.compact().expect("compacted");
    assert_eq!((report.rows_removed, report.segments_rewritten), (2, 1));
    assert_eq!(report.snapshots_removed, 1);
    let check = |store: &Store| {
        assert!(live(store) == before);
        assert_eq!(store.published().expect("published").len(), 4);
        let stats = store.stats().expect("stats");
        assert_eq!((stats.rows, stats.live), (4, 4));
        let now = store.submissions();
        assert!(
            now.iter()
                .zip(&receipts)
                .all(|(a, b)| a.receipt == b.receipt)
        );
    };
    check(&store);
    let head = store.head();
    let again = store.compact().expect("compacted");
    assert_eq!(again.segments_rewritten, 0);
    assert_eq!(store.head(), head, "nothing to do, no entry");
    drop(store);
    let store = open(directory.path());
    check(&store);
    submit(&store, "a", "3", &[encoding("y", 2, 8)]);
    assert_eq!(store.compact().expect("compacted").rows_removed, 1);
    drop(store);
    verify(directory.path(), &key()).expect("whole");
}

#[test]
fn a_source_that_submits_is_not_erased_from() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    let writer = store.begin_submission(&header("a", "9")).expect("begun");
    let erased = store.erase(&source("a"), &[reference("x")]);
    assert!(matches!(erased, Err(EraseError::SourceBusy { .. })));
    assert!(matches!(
        store.compact(),
        Err(EraseError::SourceBusy { .. })
    ));
    (store.erase(&source("b"), &[reference("x")])).expect("another source");
    drop(writer);
    (store.erase(&source("a"), &[reference("x")])).expect("erased");
    assert_eq!(labels(&store), ["y", "z"]);
}

#[test]
fn an_older_copy_is_brought_to_the_same_erasures() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    fill(&store);
    drop(store);
    let copy = tempfile::tempdir().expect("directory");
    for (path, bytes) in super::secrecy::files(directory.path()) {
        let below = path.strip_prefix(directory.path()).expect("below");
        let target = copy.path().join(below);
        std::fs::create_dir_all(target.parent().expect("parent")).expect("created");
        std::fs::write(target, bytes).expect("written");
    }
    let store = open(directory.path());
    (store.erase(&source("a"), &[reference("x")])).expect("erased");
    let older = open(copy.path());
    let receipt = older.erase_again(&store.tombstones()).expect("erased");
    assert_eq!(receipt.erased, 1);
    check_x_erased(&older);
}

/// A disk that stops for good at an operation that changes something.
struct StoppingDisk {
    /// Changes that still go through.
    left: Arc<AtomicU64>,
}

impl StoppingDisk {
    fn change<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        step(&self.left)?;
        change()
    }
}

fn step(left: &AtomicU64) -> io::Result<()> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    })
    .map(|_| ())
    .map_err(|_| io::Error::other("the disk has stopped"))
}

impl Vfs for StoppingDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<BoxedFile> {
        match access {
            Access::Read => RealDisk.open(path, access),
            _ => self.change(|| RealDisk.open(path, access)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|| RealDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|| RealDisk.remove(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(directory)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|| RealDisk.create_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|| RealDisk.sync_dir(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        RealDisk.metadata(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        RealDisk.lock(path)
    }

    fn is_real(&self) -> bool {
        false
    }
}

/// Stops the disk before each change in turn, until `change` comes through; `check` looks at the
/// store opened anew and hears whether it came through.
fn stop_at_each(change: impl Fn(&Store) -> bool, check: impl Fn(&Store, bool)) {
    for stop in 0.. {
        let directory = tempfile::tempdir().expect("directory");
        let store = open(directory.path());
        fill(&store);
        drop(store);
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let disk = Arc::new(StoppingDisk {
            left: Arc::clone(&left),
        });
        let store = Store::open_on(disk, directory.path(), &key()).expect("opened");
        left.store(stop, Ordering::Relaxed);
        let done = change(&store);
        drop(store);
        let store = open(directory.path());
        check(&store, done);
        let head = store.head();
        drop(store);
        let report = verify(directory.path(), &key()).expect("whole");
        assert_eq!(report.head, head);
        if done {
            assert!(
                stop > 5,
                "{stop} changes are too few to have tested anything"
            );
            return;
        }
    }
}

#[test]
fn an_erasure_that_stops_anywhere_is_whole_or_has_not_happened() {
    stop_at_each(
        |store| store.erase(&source("a"), &[reference("x")]).is_ok(),
        |store, done| {
            let gone = !live(store).contains_key(&("a".into(), "x".into()));
            assert!(gone || !done, "what was acknowledged holds");
            if gone {
                check_x_erased(store);
            } else {
                assert_eq!(labels(store), ["x", "y", "z", "x"]);
                assert_eq!(store.published().expect("published").len(), 4);
                (store.erase(&source("a"), &[reference("x")])).expect("erased");
                check_x_erased(store);
            }
        },
    );
}

#[test]
fn a_compaction_that_stops_anywhere_loses_nothing() {
    stop_at_each(
        |store| store.compact().is_ok(),
        |store, done| {
            assert_eq!(labels(store), ["x", "y", "z", "x"]);
            assert_eq!(store.published().expect("published").len(), 4);
            let report = store.compact().expect("compacted");
            assert!(!done || report.segments_rewritten == 0);
            assert_eq!(store.stats().expect("stats").rows, 4);
        },
    );
}

/// One operation fails, the process goes on, does something else and is killed: the store opens.
fn opens_after_a_fault_in(first: impl Fn(&Store), second: impl Fn(&Store, SubmissionWriter)) {
    let path = Path::new("/store");
    for at in 1..=80 {
        let disk = MemoryDisk::new(at);
        let open = || Store::open_on(Arc::new(disk.clone()), path, &key());
        let store = open().expect("opened");
        store.set_profile(&profile(), "2026").expect("profile");
        fill(&store);
        let mut writer = store.begin_submission(&header("c", "1")).expect("begun");
        writer.append(&encoding("w", 1, 1)).expect("appended");
        let operation = disk.operations() + at;
        let kind = FaultKind::Error;
        disk.plan(Some(Fault { operation, kind }));
        first(&store);
        disk.plan(None);
        second(&store, writer);
        disk.crash(Crash::Process);
        drop(store);
        if let Err(error) = open() {
            panic!("a fault at operation {at}: {error}");
        }
    }
}

#[test]
fn no_file_is_written_over_that_an_unconfirmed_log_entry_may_name() {
    let erase = |store: &Store| drop(store.erase(&source("a"), &[reference("x")]));
    opens_after_a_fault_in(erase, |store, writer| {
        drop(writer);
        drop(store.compact());
    });
    let submit = |store: &Store| {
        let mut writer = store.begin_submission(&header("d", "1")).expect("begun");
        if writer.append(&encoding("v", 1, 2)).is_ok() {
            drop(writer.commit(BTreeMap::new()));
        }
    };
    opens_after_a_fault_in(submit, |_, writer| drop(writer.commit(BTreeMap::new())));
    let publish = |store: &Store| {
        let rows = store.load_table();
        let ids: Vec<EntityId> = (1..=4).map(EntityId::from_u128).collect();
        drop(rows.map(|rows| store.publish(RunId::from_u128(9), &rows, &ids).is_ok()));
    };
    opens_after_a_fault_in(publish, |store, _| publish(store));
}
