//! Group commit: how many syncs many appends cost, and what a fault does to a group.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::store::vfs::memory::{Fault, FaultKind, MemoryDisk};

fn store() -> (MemoryDisk, Store) {
    let disk = MemoryDisk::new(1);
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("/store"), &key()).expect("open");
    store.set_profile(&profile(), "2026").expect("profile");
    (disk, store)
}

fn log_path() -> PathBuf {
    "/store/log/000001.mlog".into()
}

/// Waits until a group is on its way (or none is) and so many entries wait.
fn until(store: &Store, traffic: (bool, usize)) {
    while store.inner.log().traffic() != traffic {
        std::thread::yield_now();
    }
}

/// Appends events of `bytes` bytes side by side: one is on its way to the disk, the others wait
/// behind it, and then `go` is called.
fn side_by_side(
    disk: &MemoryDisk,
    store: &Store,
    behind: usize,
    bytes: usize,
    go: impl FnOnce(),
) -> Vec<Result<LogPosition, AppendError>> {
    let event = format!("\"{}\"", "x".repeat(bytes - 2));
    disk.hold_syncs(true);
    std::thread::scope(|scope| {
        let mut threads = vec![scope.spawn(|| store.append_audit(&event))];
        until(store, (true, 0));
        threads.extend((0..behind).map(|_| scope.spawn(|| store.append_audit(&event))));
        until(store, (true, behind));
        go();
        disk.hold_syncs(false);
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
        threads.into_iter().map(join).collect()
    })
}

#[test]
fn what_comes_during_one_sync_shares_the_next() {
    let (disk, store) = store();
    let before = disk.syncs_of(&log_path());
    let positions: Vec<LogPosition> = side_by_side(&disk, &store, 63, 10, || {})
        .into_iter()
        .map(|outcome| outcome.expect("appended"))
        .collect();
    assert_eq!(disk.syncs_of(&log_path()) - before, 2);
    let mut sequences: Vec<u64> = positions.iter().map(|it| it.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (2..66).collect::<Vec<_>>());
    assert_eq!(store.head().sequence, 65);
    drop(store);
    let vfs = Arc::new(disk.clone());
    let store = Store::open_on(vfs, Path::new("/store"), &key()).expect("open");
    assert_eq!(store.head().sequence, 65);
}

#[test]
fn a_group_ends_at_four_mebibytes() {
    let (disk, store) = store();
    let before = disk.syncs_of(&log_path());
    let outcomes = side_by_side(&disk, &store, 9, 1 << 20, || {});
    assert!(outcomes.iter().all(Result::is_ok));
    // The first alone, then 4, 4 and 1.
    assert_eq!(disk.syncs_of(&log_path()) - before, 4);
}

#[test]
fn a_failed_sync_refuses_its_group_and_all_that_wait() {
    let (disk, store) = store();
    let head = store.head();
    let outcomes = side_by_side(&disk, &store, 7, 10, || {
        let operation = disk.operations() + 1;
        let kind = FaultKind::Error;
        disk.plan(Some(Fault { operation, kind }));
    });
    let unconfirmed = |outcome: &&Result<LogPosition, AppendError>| {
        matches!(
            outcome,
            Err(AppendError::Storage(StorageFault::Unconfirmed { .. }))
        )
    };
    assert_eq!(outcomes.iter().filter(unconfirmed).count(), 1);
    assert!(outcomes.iter().all(Result::is_err));
    assert!(matches!(
        store.append_audit("{}"),
        Err(AppendError::Poisoned)
    ));
    assert_eq!(store.head(), head);
}

#[test]
fn a_full_disk_refuses_and_the_log_goes_on_when_it_has_room() {
    let (disk, store) = store();
    let head = store.head();
    disk.set_full(true);
    for _ in 0..3 {
        match store.append_audit("{}") {
            Err(AppendError::Storage(StorageFault::Io { source, .. })) => {
                assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
            }
            _ => panic!("a full disk refuses"),
        }
    }
    assert_eq!(store.head(), head);
    disk.set_full(false);
    let position = store.append_audit("{}").expect("room again");
    assert_eq!(position.sequence, head.sequence + 1);
}
