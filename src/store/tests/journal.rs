//! Journals: what a crash leaves of one is a beginning of what was written, with all that was synced.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::store::vfs::memory::{Crash, Fault, FaultKind, MemoryDisk};
use crate::terms::RefusalReason;

const STORE: &str = "/store";

fn on(disk: &MemoryDisk) -> Store {
    let store = Store::open_on(Arc::new(disk.clone()), Path::new(STORE), &key()).expect("open");
    store.set_profile(&profile(), "2026").expect("profile");
    store
}

/// Chunk `number`: a good record, a misshapen one and one that could not be read.
fn chunk(number: u64) -> Vec<Arrival> {
    let mut misshapen = encoding(&format!("m{number}"), 1, 1);
    misshapen.tags.pop();
    let good = encoding(&format!("r{number}"), 1, number + 1);
    vec![Ok(good), Err(RefusalReason::EventKind), Ok(misshapen)]
}

/// All whole chunks of the journal of request 1 of source a, and the journal to go on with.
fn read(store: &Store) -> Option<(u64, Journal)> {
    let mut reader = store.open_journal(&source("a"), "1").expect("read")?;
    assert!(*reader.header() == header("a", "1"));
    let mut chunks = 0;
    while let Some(records) = reader.chunk().expect("read") {
        assert!(records == chunk(chunks), "chunk {chunks} as it arrived");
        chunks += 1;
    }
    Some((chunks, reader.go_on().expect("goes on")))
}

/// Writes five chunks, synced after the second and the fourth; gives how many are durable.
fn write(store: &Store, durable: &mut u64) -> Result<(), StorageFault> {
    let mut journal = store.begin_journal(&header("a", "1"), 100)?;
    for number in 0..5 {
        journal.append(&chunk(number), 100)?;
        if number % 2 == 1 {
            journal.sync()?;
            *durable = number + 1;
        }
    }
    Ok(())
}

#[test]
fn a_crash_between_any_two_operations_leaves_a_beginning_with_all_that_was_synced() {
    let (mut torn, mut whole) = (0, 0);
    for seed in 0..40 {
        let how = [Crash::Power, Crash::Process][seed as usize % 2];
        for after in 1.. {
            let disk = MemoryDisk::new(seed);
            let store = on(&disk);
            let operation = disk.operations() + after;
            let kind = FaultKind::Stop;
            disk.plan(Some(Fault { operation, kind }));
            let mut durable = 0;
            let written = write(&store, &mut durable);
            let stopped = disk.is_stopped();
            assert_eq!(written.is_err(), stopped);
            drop(store);
            disk.crash(how);
            let store = on(&disk);
            let found = read(&store);
            let chunks = found.as_ref().map_or(0, |(chunks, _)| *chunks);
            assert!(
                chunks >= durable,
                "seed {seed}, after {after}: {chunks} of {durable}"
            );
            torn += u64::from(chunks < 5);
            whole += u64::from(chunks == 5);
            let mut journal = match found {
                Some((_, journal)) => journal,
                None => store.begin_journal(&header("a", "1"), 100).expect("begun"),
            };
            for number in chunks..7 {
                journal.append(&chunk(number), 100).expect("appended");
            }
            journal.sync().expect("synced");
            drop((journal, store));
            disk.crash(Crash::Power);
            let chunks = read(&on(&disk)).map_or(0, |(chunks, _)| chunks);
            // What a failed sync dropped, no later one brings back; the source sends it again.
            assert!(
                chunks == 7 || disk.failed_syncs() > 0,
                "seed {seed}, after {after}: {chunks}"
            );
            if !stopped {
                break;
            }
        }
    }
    assert!(torn > 100 && whole > 20, "{torn} torn, {whole} whole");
}

fn journal_files(directory: &Path) -> Vec<PathBuf> {
    let files = secrecy::files(&directory.join("journals"));
    files.into_iter().map(|(path, _)| path).collect()
}

#[test]
fn a_cut_or_flipped_journal_gives_what_stands_before_and_nothing_else() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    write(&store, &mut 0).expect("written");
    let path = journal_files(directory.path()).remove(0);
    let whole = std::fs::read(&path).expect("bytes");
    let mut most = 0;
    for at in (0..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..at]).expect("written");
        let cut = read(&store).map_or(0, |(chunks, _)| chunks);
        assert!(most <= cut && cut < 5, "cut at {at}: {cut}");
        most = cut;
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(&path, flipped).expect("written");
        let left = read(&store).map_or(0, |(chunks, _)| chunks);
        assert_eq!(left, cut, "flipped at {at}");
    }
    assert_eq!(most, 4);
    std::fs::write(&path, &whole).expect("written");
    assert_eq!(read(&store).expect("whole").0, 5);
}

#[test]
fn journals_that_nobody_may_go_on_with_are_removed() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let left = || journal_files(directory.path()).len();
    let mut journal = store.begin_journal(&header("a", "1"), 100).expect("begun");
    journal.append(&chunk(0), 5_000).expect("appended");
    drop(journal);
    let look = |now: u64| {
        store
            .remove_old_journals(now, 3600)
            .expect("looked through")
    };
    look(8_599);
    look(1_401);
    assert_eq!(left(), 1, "within an hour of its last chunk");
    let under_way = store.begin_submission(&header("a", "1")).expect("begun");
    look(1_000_000);
    assert_eq!(left(), 1, "its submission is under way");
    drop(under_way);
    look(8_600);
    assert_eq!(left(), 0, "an hour after its last chunk");

    drop(
        store
            .begin_journal(&header("a", "1"), 5_000)
            .expect("begun"),
    );
    drop(
        store
            .begin_journal(&header("b", "1"), 5_000)
            .expect("begun"),
    );
    drop(
        store
            .begin_journal(&header("a", "2"), 5_000)
            .expect("begun"),
    );
    assert_eq!(left(), 2, "a source has one");
    assert!(read(&store).is_none());
    submit(&store, "a", "2", &[encoding("r", 1, 1)]);
    let done = store.open_journal(&source("a"), "2").expect("read");
    assert!(done.is_none(), "the request was carried out");
    look(5_000);
    assert_eq!(left(), 1, "the one of a request carried out is gone");
    let path = journal_files(directory.path()).remove(0);
    std::fs::write(&path, b"MUSUBIJN").expect("torn");
    look(5_000);
    assert_eq!(left(), 0, "torn before its first chunk");
}

#[test]
fn an_erasure_takes_the_sources_journal_with_it() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    for name in ["a", "b"] {
        drop(store.begin_journal(&header(name, "1"), 100).expect("begun"));
    }
    let label = RecordRef::new("r").expect("label");
    store.erase(&source("a"), &[label]).expect("erased");
    assert_eq!(journal_files(directory.path()).len(), 1);
    assert!(read(&store).is_none());
    let other = store.open_journal(&source("b"), "1").expect("read");
    assert!(other.is_some());
}
