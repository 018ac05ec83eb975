//! Bytes that change by themselves, in every kind of file of a store and of a backup.
//!
//! # Failure
//! - A changed byte is not found by the next read, by `verify` or by `verify-backup`, or the fault
//!   names another file or place.
//! - A store opens without something that it acknowledged, unless the log reads as if its end had
//!   been torn off: no whole entry of a later group is left behind the change.
//! - A store that is refused was changed by being opened.
//! - A backup with a changed byte is restored.
//!
//! `MUSUBI_DECAY_CASES` sets the number of cases, `MUSUBI_DECAY_SEED` replays one.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use musubi::store::vfs::Vfs;
use musubi::store::vfs::memory::{MemoryDisk, Random};
use musubi::store::{
    BackupError, LoadTableError, OpenStoreError, RestoreError, StorageFault, Store, VerifyError,
    restore_on, verify_backup_on, verify_on,
};
use rayon::prelude::*;

use crate::number;
use crate::ops::{Step, Way};
use crate::run::{World, key, log_path};

const CASES: u64 = 2_000;
const SECTOR: u64 = 512;
const STORE: &str = "/data/store";
const BACKUP: &str = "/backup/0-0";
/// Bytes of the log before the first entry.
const LOG_HEADER: u64 = 64;
/// Bytes of a sealed file's trailer, and where in it the body's length stands.
const TRAILER: u64 = 128;
const BODY_BYTES: u64 = 16;

/// A disk with a closed store, which has everything that a store can have, and a backup of it.
fn filled() -> MemoryDisk {
    let mut world = World::undisturbed(Random::new(0));
    let records = |labels: Range<u8>, version| labels.map(|it| (it, version, 7)).collect();
    for step in [
        Step::Submit(0, 1, records(0..4, 1), true),
        Step::Submit(1, 2, records(0..3, 1), true),
        Step::Publish,
        Step::Submit(0, 3, records(2..6, 2), true),
        Step::Erase(0, vec![1]),
        Step::Publish,
        Step::PutRun(1),
        Step::BackUp(0, Way::Open),
        Step::Audit,
        Step::Audit,
    ] {
        world.play(&step);
    }
    drop(world.store);
    world.disk
}

/// What a case does to a file.
struct Harm {
    path: PathBuf,
    /// The file before.
    good: Vec<u8>,
    /// From the first byte that changed to after the last.
    changed: Range<u64>,
}

impl Harm {
    /// A flipped bit, a byte, or a sector that is lost or holds something else.
    fn do_to(disk: &MemoryDisk, path: &Path, random: &mut Random) -> Self {
        let good = disk.content(path).expect("the file is there");
        let length = good.len() as u64;
        let at = random.below(length);
        let sector = at / SECTOR * SECTOR..((at / SECTOR + 1) * SECTOR).min(length);
        let masks: Vec<(u64, u8)> = match random.below(4) {
            0 => vec![(at, 1 << random.below(8))],
            1 => vec![(at, 1 + random.below(255) as u8)],
            2 => sector.map(|at| (at, good[at as usize])).collect(),
            _ => sector.map(|at| (at, random.bits() as u8)).collect(),
        };
        let mut masks: Vec<_> = masks.into_iter().filter(|(_, mask)| *mask != 0).collect();
        if masks.is_empty() {
            masks.push((at, 4));
        }
        for (at, mask) in &masks {
            assert!(disk.decay(path, *at, *mask));
        }
        Self {
            path: path.to_owned(),
            changed: masks[0].0..masks[masks.len() - 1].0 + 1,
            good,
        }
    }

    fn touches(&self, bytes: Range<u64>) -> bool {
        self.changed.start < bytes.end && bytes.start < self.changed.end
    }

    /// Where the fault of a sealed file must be: the block, the table or the trailer.
    fn places_in_sealed_file(&self) -> Vec<u64> {
        let trailer = self.good.len() as u64 - TRAILER;
        let at = (trailer + BODY_BYTES) as usize;
        let body = self.good[at..at + 8].try_into().expect("8 bytes");
        let body = u64::from_le_bytes(body);
        if self.touches(trailer..trailer + TRAILER) {
            vec![trailer, trailer + BODY_BYTES, body]
        } else if self.touches(body..trailer) {
            vec![body]
        } else {
            vec![self.changed.start >> 20 << 20]
        }
    }

    /// Where the fault of a log must be; or the entry at which it reads as torn, by its number.
    fn place_in_log(&self) -> Result<Vec<u64>, u64> {
        if self.touches(0..LOG_HEADER) {
            return Ok(vec![0, 8, 32]);
        }
        let entries = entries(&self.good);
        let bad = (entries.iter()).find(|entry| self.touches(entry.bytes.clone()));
        let bad = bad.expect("all bytes behind the header are entries");
        let proven = |entry: &&Entry| {
            let start = entry.bytes.start;
            let follows = start == bad.bytes.end && self.changed.start >= bad.bytes.end - 32;
            entry.group > bad.sequence
                && !self.touches(entry.bytes.clone())
                && (follows || !self.touches(start - 32..start))
        };
        if entries.iter().any(|entry| proven(&entry)) {
            Ok(vec![bad.bytes.start])
        } else {
            Err(bad.sequence)
        }
    }
}

struct Entry {
    bytes: Range<u64>,
    sequence: u64,
    /// Number of the first entry of its group.
    group: u64,
}

fn entries(log: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = LOG_HEADER as usize;
    while at < log.len() {
        let number = |from: usize| {
            u32::from_le_bytes(log[at + from..at + from + 4].try_into().expect("4 bytes"))
        };
        let end = at + 17 + number(0) as usize + 32;
        let sequence = u64::from(number(9));
        entries.push(Entry {
            bytes: at as u64..end as u64,
            sequence,
            group: sequence - u64::from(number(5)),
        });
        at = end;
    }
    entries
}

fn fault_of(fault: StorageFault) -> (PathBuf, u64) {
    match fault {
        StorageFault::Damaged { path, offset, .. } => (path, offset),
        other => panic!("damage is told as: {other}"),
    }
}

fn opened(disk: &MemoryDisk) -> Result<Store, (PathBuf, u64)> {
    match Store::open_on(Arc::new(disk.clone()), Path::new(STORE), &key(0)) {
        Ok(store) => Ok(store),
        Err(OpenStoreError::Storage(fault)) => Err(fault_of(fault)),
        Err(other) => panic!("damage is told as: {other}"),
    }
}

fn verified(disk: &MemoryDisk) -> Result<u64, (PathBuf, u64)> {
    match verify_on(Arc::new(disk.clone()), Path::new(STORE), &key(0)) {
        Ok(report) => Ok(report.head.sequence),
        Err(VerifyError::Storage(fault)) => Err(fault_of(fault)),
        Err(other) => panic!("damage is told as: {other}"),
    }
}

/// Opening and verifying both refuse, at one of these places, and change nothing.
fn refused(disk: &MemoryDisk, harm: &Harm, places: &[u64]) {
    let before = disk.files();
    let (path, offset) = verified(disk).expect_err("verify finds it");
    assert!(
        path == harm.path && places.contains(&offset),
        "verify: {offset}"
    );
    let Err((path, offset)) = opened(disk) else {
        panic!("a damaged store opens");
    };
    assert!(
        path == harm.path && places.contains(&offset),
        "open: {offset}"
    );
    assert!(disk.files() == before, "the refusal changed something");
}

fn in_log(disk: &MemoryDisk, harm: &Harm) {
    match harm.place_in_log() {
        Ok(places) => refused(disk, harm, &places),
        Err(torn) => {
            assert_eq!(verified(disk), Ok(torn - 1));
            let Ok(store) = opened(disk) else {
                panic!("a torn end is cut");
            };
            assert!(store.head().sequence == torn - 1);
        }
    }
}

/// A segment or the newest snapshot; segments are read by linkage runs, too.
fn in_sealed_file(disk: &MemoryDisk, path: &Path, random: &mut Random) {
    let is_segment = path.extension().is_some_and(|ending| ending == "mseg");
    if is_segment && random.one_in(2) {
        let Ok(store) = opened(disk) else {
            panic!("a good store opens");
        };
        let harm = Harm::do_to(disk, path, random);
        let Err(LoadTableError::Storage(fault)) = store.load_table() else {
            panic!("a damaged segment is read");
        };
        let (path, offset) = fault_of(fault);
        assert!(path == harm.path && harm.places_in_sealed_file().contains(&offset));
        return;
    }
    let harm = Harm::do_to(disk, path, random);
    refused(disk, &harm, &harm.places_in_sealed_file());
}

fn in_backup(disk: &MemoryDisk, path: &Path) {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let name = path.display().to_string();
    let backup = Path::new(BACKUP);
    match verify_backup_on(&vfs, backup) {
        Err(BackupError::Storage(fault)) => assert_eq!(fault_of(fault).0, path),
        Err(other) => panic!("damage is told as: {other}"),
        Ok(_) => panic!("a damaged backup is whole: {name}"),
    }
    let target = Path::new("/restored");
    let refused = restore_on(&vfs, backup, target, &key(0), None).expect_err("damaged");
    let opens = Store::open_on(Arc::clone(&vfs), target, &key(0));
    match (opens, refused) {
        (Err(OpenStoreError::Unfinished { .. }), _) => {}
        // Refused before anything was made: what opens is an empty store.
        (Ok(store), RestoreError::Backup(_) | RestoreError::Unlock(_)) => {
            assert_eq!(store.head().sequence, 0);
        }
        (_, refused) => panic!("{refused}"),
    }
}

fn case(seed: u64, template: &MemoryDisk) {
    let random = &mut Random::new(seed);
    let disk = template.copy_of(Path::new("/"));
    let files: Vec<PathBuf> = (disk.files().into_iter())
        .filter(|(_, content)| !content.is_empty())
        .map(|(path, _)| path)
        // What is in it means nothing.
        .filter(|path| path.file_name().is_none_or(|name| name != "reserve"))
        .collect();
    let snapshots: Vec<&PathBuf> = (files.iter())
        .filter(|path| path.starts_with(STORE) && path.extension().is_some_and(|it| it == "msnp"))
        .collect();
    assert_eq!(snapshots.len(), 2, "the newest and one before it");
    let log = log_path(Path::new(STORE));
    // The log is one file of many, but has the most places.
    let path = if random.one_in(3) {
        log.clone()
    } else {
        files[random.below(files.len() as u64) as usize].clone()
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if path.starts_with(BACKUP) {
        Harm::do_to(&disk, &path, random);
        in_backup(&disk, &path);
    } else if path == log {
        in_log(&disk, &Harm::do_to(&disk, &path, random));
    } else if name == "keyring" {
        let harm = Harm::do_to(&disk, &path, random);
        refused(&disk, &harm, &[0]);
    } else if path == *snapshots[0] {
        // Nothing but `verify` reads it.
        let harm = Harm::do_to(&disk, &path, random);
        let (path, offset) = verified(&disk).expect_err("verify finds it");
        assert!(path == harm.path && harm.places_in_sealed_file().contains(&offset));
    } else {
        in_sealed_file(&disk, &path, random);
    }
}

#[test]
fn what_decays_is_found_with_its_place_and_nothing_is_dropped_in_silence() {
    let template = filled();
    if let Some(seed) = number("MUSUBI_DECAY_SEED") {
        return case(seed, &template);
    }
    let cases = number("MUSUBI_DECAY_CASES").unwrap_or(CASES);
    let failed: Vec<u64> = (0..cases)
        .into_par_iter()
        .filter(|seed| catch_unwind(AssertUnwindSafe(|| case(*seed, &template))).is_err())
        .collect();
    println!("{cases} cases of decay");
    assert!(
        failed.is_empty(),
        "{} of {cases} cases failed; replay one with MUSUBI_DECAY_SEED={}",
        failed.len(),
        failed[0]
    );
}
