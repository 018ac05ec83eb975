use std::fs::{self, File};

use super::*;
use crate::store::testing::vault;

fn audit(text: &str) -> LogEntry {
    LogEntry::Audit(text.to_owned())
}

fn store() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("directory");
    let disk = vault(directory.path());
    disk.create_dir(&directory.path().join("log"))
        .expect("created");
    create(&disk).expect("created");
    let path = directory.path().to_owned();
    (directory, path)
}

impl Log {
    /// Adds one entry as a group of its own.
    fn append(&mut self, entry: &LogEntry) -> Result<LogPosition, AppendError> {
        self.append_group(&[entry]).remove(0)
    }

    /// Adds entries as one group.
    fn append_group(&mut self, entries: &[&LogEntry]) -> Vec<Result<LogPosition, AppendError>> {
        let again =
            |entry: &LogEntry| LogEntry::decode(entry.kind(), entry.encode()).expect("same");
        let tickets: Vec<_> = (entries.iter())
            .map(|entry| self.stage(again(entry), Vec::new()))
            .collect();
        if let Some(group) = self.take_group() {
            let landed = group.write();
            self.land(landed);
        }
        (tickets.into_iter())
            .map(|ticket| self.outcome(ticket?).expect("the group has landed"))
            .collect()
    }
}

/// Opens the log; gives it and the audit events it holds.
fn open(store: &Path) -> Result<(Log, Vec<String>, Scanned), StorageFault> {
    let mut events = Vec::new();
    let disk = vault(store);
    let scanned = scan(&disk, |entry, _, _| {
        if let LogEntry::Audit(event) = entry {
            events.push(event);
        }
        Ok(())
    })?;
    Ok((Log::open(&disk, &scanned)?, events, scanned))
}

/// A log with these events; the offsets where each ends.
fn filled(store: &Path, events: &[&str]) -> Vec<u64> {
    let (mut log, _, _) = open(store).expect("open");
    events
        .iter()
        .map(|event| {
            log.append(&audit(event)).expect("appended");
            log.bytes()
        })
        .collect()
}

#[test]
fn entries_come_back_in_order_and_the_head_stays() {
    let (_guard, store) = store();
    filled(&store, &["a", "b"]);
    let (mut log, events, scanned) = open(&store).expect("open");
    assert_eq!(events, ["a", "b"]);
    assert_eq!((scanned.head.sequence, scanned.torn_bytes), (2, 0));
    let head = log.append(&audit("c")).expect("appended");
    drop(log);
    let (log, events, _) = open(&store).expect("open");
    assert_eq!(events.len(), 3);
    assert_eq!(log.head(), head);
}

#[test]
fn a_log_cut_anywhere_in_its_last_entry_recovers_to_the_entry_before() {
    let (_guard, store) = store();
    let ends = filled(&store, &["first", "second", "the last entry"]);
    let whole = fs::read(log_path(&store)).expect("bytes");
    for cut in ends[1]..ends[2] {
        fs::write(log_path(&store), &whole[..cut as usize]).expect("written");
        let (mut log, events, _) = open(&store).unwrap_or_else(|error| panic!("{cut}: {error}"));
        assert_eq!(events, ["first", "second"], "cut at {cut}");
        log.append(&audit("new")).expect("appended");
        drop(log);
        let (_, events, scanned) = open(&store).expect("open");
        assert_eq!(events, ["first", "second", "new"], "cut at {cut}");
        assert_eq!(scanned.torn_bytes, 0);
    }
}

#[test]
fn a_last_entry_of_zeros_is_a_torn_tail() {
    let (_guard, store) = store();
    let ends = filled(&store, &["first", "second", "the last entry"]);
    let mut bytes = fs::read(log_path(&store)).expect("bytes");
    bytes[ends[1] as usize..].fill(0);
    fs::write(log_path(&store), &bytes).expect("written");
    let (_, events, scanned) = open(&store).expect("open");
    assert_eq!(events, ["first", "second"]);
    assert_eq!(scanned.torn_bytes, ends[2] - ends[1]);
}

#[test]
fn a_flipped_bit_before_the_last_entry_is_refused_with_its_offset() {
    let (_guard, store) = store();
    let ends = filled(&store, &["first", "second", "third"]);
    let whole = fs::read(log_path(&store)).expect("bytes");
    for at in 0..ends[1] {
        let mut bytes = whole.clone();
        bytes[at as usize] ^= 1 << (at % 8);
        fs::write(log_path(&store), &bytes).expect("written");
        let Err(StorageFault::Damaged { offset, path, .. }) = open(&store).map(|_| ()) else {
            // Bytes 12 to 16 and the like are all under the header's checksum, too.
            panic!("flip at {at} is refused");
        };
        assert_eq!(path, log_path(&store));
        let start = if at < 64 {
            0..=64
        } else if at < ends[0] {
            64..=64
        } else {
            ends[0]..=ends[0]
        };
        assert!(start.contains(&offset), "flip at {at}, reported {offset}");
    }
}

#[test]
fn an_unknown_kind_is_refused_even_at_the_end() {
    let (_guard, store) = store();
    let ends = filled(&store, &["first"]);
    let (log, _, _) = open(&store).expect("open");
    let prefix = frame::Prefix {
        length: 2,
        kind: 200,
        place: 0,
        sequence: 2,
    };
    let (entry, _) = frame::encode(&log.keys, &log.head().hash, prefix, b"{}");
    let mut bytes = fs::read(log_path(&store)).expect("bytes");
    bytes.extend_from_slice(&entry);
    fs::write(log_path(&store), &bytes).expect("written");
    match open(&store).map(|_| ()) {
        Err(StorageFault::Damaged { offset, .. }) => assert_eq!(offset, ends[0]),
        _ => panic!("refused"),
    }
}

#[test]
fn a_log_that_cannot_be_written_or_restored_is_poisoned() {
    let (_guard, store) = store();
    filled(&store, &["first"]);
    let (mut log, _, _) = open(&store).expect("open");
    log.file = Some(Box::new(File::open(log_path(&store)).expect("read-only")));
    assert!(matches!(
        log.append(&audit("second")),
        Err(AppendError::Storage(_))
    ));
    log.file = Some((vault(&store).open_to_write(&log_path(&store))).expect("writable again"));
    assert!(matches!(
        log.append(&audit("second")),
        Err(AppendError::Poisoned)
    ));
    let (_, events, _) = open(&store).expect("open");
    assert_eq!(events, ["first"]);
}

#[test]
fn a_torn_group_is_cut_whatever_part_of_it_is_left() {
    let (_guard, store) = store();
    let start = filled(&store, &["first"])[0] as usize;
    let (mut log, _, _) = open(&store).expect("open");
    let events = ["second", "third", "fourth"].map(audit);
    for outcome in log.append_group(&events.each_ref()) {
        outcome.expect("appended");
    }
    drop(log);
    let whole = fs::read(log_path(&store)).expect("bytes");
    for at in start..whole.len() {
        // Of one group any part may be lost: here one byte in the middle of what arrived.
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(log_path(&store), &bytes).expect("written");
        let (_, events, scanned) = open(&store).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert!(events.len() < 4, "{at}");
        assert!(scanned.torn_bytes > 0, "{at}");
    }
    fs::write(log_path(&store), &whole).expect("written");
    let (mut log, events, _) = open(&store).expect("open");
    assert_eq!(events, ["first", "second", "third", "fourth"]);
    log.append(&audit("fifth")).expect("appended");
    drop(log);
    let mut bytes = fs::read(log_path(&store)).expect("bytes");
    bytes[start + 20] ^= 1;
    fs::write(log_path(&store), &bytes).expect("written");
    match open(&store).map(|_| ()) {
        Err(StorageFault::Damaged { offset, .. }) => assert_eq!(offset, start as u64),
        _ => panic!("damage before a later group is refused"),
    }
}
