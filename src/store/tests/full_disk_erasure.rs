//! Others filled the disk to the last byte: erasing and audit go on in the room that was held for them.

use std::sync::Arc;

use super::erasure::reference;
use super::secrecy::publish;
use super::vfs::memory::{Crash, Fault, FaultKind, MemoryDisk};
use super::vfs::{Access, Vfs};
use super::*;

const CAPACITY: u64 = 2 << 20;
const SEGMENTS: u64 = 8;
const RECORDS: u64 = 150;
/// A file that is not the store's.
const OTHERS: &str = "/others";

fn open_on(disk: &MemoryDisk) -> Store {
    Store::open_on(Arc::new(disk.clone()), Path::new("/store"), &key()).expect("open")
}

/// Segments of like size: each holds a record of its own to be erased, and one in two versions.
fn filled(seed: u64) -> (MemoryDisk, Store) {
    let disk = MemoryDisk::new(seed);
    disk.set_capacity(Some(CAPACITY));
    let store = open_on(&disk);
    store.set_profile(&profile(), "2026").expect("profile");
    for number in 0..SEGMENTS {
        let mut records: Vec<_> = (0..RECORDS)
            .map(|at| encoding(&format!("stays-{number}-{at}"), 1, number * 1000 + at))
            .collect();
        records.push(encoding(&format!("goes-{number}"), 1, number));
        records.push(encoding("moves", 1 + number as u32, number));
        submit(&store, "a", &number.to_string(), &records);
    }
    publish(&store, 1);
    (disk, store)
}

fn all_erased() -> Vec<RecordRef> {
    let own = (0..SEGMENTS).map(|number| reference(&format!("goes-{number}")));
    own.chain([reference("moves")]).collect()
}

/// Writes until not a byte is left.
fn fill_up(disk: &MemoryDisk) {
    let mut others = disk.open(Path::new(OTHERS), Access::Create).expect("made");
    while others.write(&[7; 4096]).is_ok_and(|count| count > 0) {}
    let room = disk.room(Path::new("/")).expect("asked").expect("bounds");
    assert_eq!(room.free, 0);
}

fn reserve_bytes(disk: &MemoryDisk) -> usize {
    let content = disk.content(Path::new("/store/reserve"));
    content.map_or(0, |content| content.len())
}

fn segment_files(disk: &MemoryDisk) -> Vec<Vec<u8>> {
    let files = disk.files().into_iter();
    let segments = files.filter(|(path, _)| path.extension().is_some_and(|it| it == "mseg"));
    segments.map(|(_, content)| content).collect()
}

fn check_all_erased(store: &Store) {
    let all = live(store);
    assert_eq!(all.len() as u64, SEGMENTS * RECORDS);
    assert!(all.keys().all(|(_, label)| label.starts_with("stays-")));
    let stats = store.stats().expect("stats");
    assert_eq!(stats.rows, SEGMENTS * RECORDS, "no dead row is left");
    let published = store.published().expect("published");
    for gone in all_erased() {
        assert!(published.entity_of(&source("a"), &gone).is_none());
    }
}

#[test]
fn a_full_disk_erases_and_audits_and_takes_no_new_record() {
    let (disk, store) = filled(1);
    let held = reserve_bytes(&disk);
    let before = segment_files(&disk);
    let all: usize = before.iter().map(Vec::len).sum();
    assert!(held < all, "not all segments fit at once: {held} of {all}");
    let zeros = disk.content(Path::new("/store/reserve")).expect("there");
    assert!(zeros.iter().all(|byte| *byte == 0));
    fill_up(&disk);

    let refused = store.begin_submission(&header("a", "new")).err();
    assert!(matches!(
        refused,
        Some(BeginSubmissionError::Storage(fault)) if fault.is_disk_full()
    ));
    let done = store.erase(&source("a"), &all_erased()).expect("erased");
    assert_eq!(done.erased, SEGMENTS + 1);
    assert_eq!((done.unknown, done.segments_rewritten), (0, SEGMENTS));
    assert_eq!(done.rows_removed, 2 * SEGMENTS);
    check_all_erased(&store);
    let after = segment_files(&disk);
    assert!(before.iter().all(|old| !after.contains(old)));

    fill_up(&disk);
    for _ in 0..100 {
        store.append_audit("{\"event\":1}").expect("audit goes on");
    }
    let refused = store.begin_submission(&header("a", "new")).err();
    assert!(
        matches!(refused, Some(BeginSubmissionError::Storage(_))),
        "what was held for the log is not room for records"
    );
    assert_eq!(live(&store).len() as u64, SEGMENTS * RECORDS);

    disk.remove(Path::new(OTHERS)).expect("room returns");
    submit(&store, "a", "new", &[encoding("fresh", 1, 5)]);
    assert!(reserve_bytes(&disk) >= held, "the reserve is good again");
    drop(store);
    check_reopened(&disk, SEGMENTS * RECORDS + 1);
}

fn check_reopened(disk: &MemoryDisk, records: u64) {
    let report = verify_on(Arc::new(disk.clone()), Path::new("/store"), &key()).expect("whole");
    assert_eq!((report.live, report.rows), (records, records));
    assert_eq!(live(&open_on(disk)).len() as u64, records);
}

#[test]
fn the_room_held_is_no_room_for_a_submission_under_way() {
    let (disk, store) = filled(2);
    store.keep_free(Some(1));
    let begun = store.begin_submission(&header("b", "1"));
    let writer = begun.unwrap_or_else(|error| panic!("{error}"));
    writer.check_room().expect("room");
    fill_up(&disk);
    store.append_audit("{}").expect("audit");
    let room = disk.room(Path::new("/")).expect("asked").expect("bounds");
    assert!(room.free > 1, "the reserve was given up");
    assert!(writer.check_room().is_err());
}

#[test]
fn an_erasure_on_a_full_disk_that_stops_anywhere_is_done_by_the_next() {
    for (seed, how) in [(3, Crash::Power), (4, Crash::Process)] {
        let mut stop = 1;
        loop {
            let (disk, store) = filled(seed + stop);
            fill_up(&disk);
            let operation = disk.operations() + stop;
            let kind = FaultKind::Stop;
            disk.plan(Some(Fault { operation, kind }));
            let done = store.erase(&source("a"), &all_erased()).is_ok();
            if !disk.is_stopped() {
                assert!(done && stop > 100, "{stop} operations");
                break;
            }
            disk.crash(how);
            drop(store);
            let store = open_on(&disk);
            let all = live(&store);
            let stayed = all.keys().filter(|(_, label)| label.starts_with("stays-"));
            assert_eq!(stayed.count() as u64, SEGMENTS * RECORDS, "stop {stop}");
            let again = store.erase(&source("a"), &all_erased());
            again.unwrap_or_else(|error| panic!("stop {stop}: {error:?}"));
            check_all_erased(&store);
            drop(store);
            check_reopened(&disk, SEGMENTS * RECORDS);
            stop += 13;
        }
    }
}
