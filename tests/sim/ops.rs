//! What a history is made of: operations of users, faults of the disk, ends of the process.

use musubi::store::vfs::memory::{Crash, FaultKind, Random};

/// Folders of backups.
pub const FOLDERS: u64 = 2;

/// A made-up record: label, version, content.
pub type Record = (u8, u32, u64);

/// One step of a history.
#[derive(Debug, Clone)]
pub enum Step {
    /// A submission: source, request, records, whether it is committed or dropped.
    Submit(u8, u16, Vec<Record>, bool),
    /// An acknowledged request comes a second time; which, by number.
    Repeat(u64),
    /// The state of a run is written down.
    PutRun(u8),
    /// Entities are published.
    Publish,
    /// An audit event.
    Audit,
    /// Records of a source are erased.
    Erase(u8, Vec<u8>),
    /// Dead rows and old snapshots are dropped.
    Compact,
    /// The store gets the key of this number.
    Rotate(u8),
    /// The store is backed up to a folder, by number.
    BackUp(usize, Way),
    /// A folder's backup is restored: with the records erased since erased again or not, and with
    /// the restored store in place of the one that is there or beside it.
    Restore(usize, bool, bool),
    /// The index is thrown away.
    RebuildIndex,
    /// The store is closed and opened again; nothing else happens to the disk.
    Reopen,
    /// A crash between two operations.
    Crash(Crash),
    /// Something goes wrong so many disk operations from now.
    Fault(u64, FaultKind),
    /// The disk is full, or has room again.
    Full(bool),
}

/// How a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the process that has the store open.
    Open,
    /// By another one, while no process has it open.
    Closed,
    /// By another one, after the process that had it open was killed.
    Killed,
}

/// The steps of a seed: the last is a power cut.
pub fn steps(random: &mut Random) -> Vec<Step> {
    let count = 6 + random.below(14);
    let mut steps: Vec<Step> = (0..count).map(|_| step(random)).collect();
    steps.push(Step::Crash(Crash::Power));
    steps
}

fn step(random: &mut Random) -> Step {
    match random.below(43) {
        0..=12 => {
            let records = (0..random.below(6)).map(|_| record(random)).collect();
            let source = random.below(2) as u8;
            let request = random.below(40) as u16;
            Step::Submit(source, request, records, !random.one_in(8))
        }
        13..=14 => Step::Repeat(random.bits()),
        15..=16 => Step::PutRun(random.below(3) as u8),
        17..=18 => Step::Publish,
        19..=20 => Step::Audit,
        21 => Step::RebuildIndex,
        32..=33 => {
            let source = random.below(2) as u8;
            let count = 1 + random.below(2);
            let labels = (0..count).map(|_| random.below(6) as u8);
            Step::Erase(source, labels.collect())
        }
        34 => Step::Compact,
        36 => Step::Rotate(random.below(4) as u8),
        37..=40 => {
            let way = match random.below(4) {
                0 => Way::Closed,
                1 => Way::Killed,
                _ => Way::Open,
            };
            Step::BackUp(random.below(FOLDERS) as usize, way)
        }
        41..=42 => {
            let folder = random.below(FOLDERS) as usize;
            Step::Restore(folder, random.one_in(2), random.one_in(2))
        }
        22..=23 => Step::Reopen,
        24..=25 => Step::Crash(crash(random)),
        26 => Step::Full(random.one_in(2)),
        _ => {
            let kind = match random.below(5) {
                0 => FaultKind::Error,
                1 => FaultKind::NoSpace,
                2 => FaultKind::ShortWrite,
                _ => FaultKind::Stop,
            };
            Step::Fault(1 + random.below(50), kind)
        }
    }
}

fn record(random: &mut Random) -> Record {
    let version = 1 + random.below(4) as u32;
    (random.below(6) as u8, version, random.below(3))
}

/// Process or power, at even odds.
pub fn crash(random: &mut Random) -> Crash {
    if random.one_in(2) {
        Crash::Process
    } else {
        Crash::Power
    }
}
