//! A disk that is nearly full takes no new records, so that what must always work still has room:
//! the log of runs, audit and erasure, snapshots, the index. It is asked anew each time, so taking
//! in goes on by itself once there is room.
//!
//! Others may fill the disk all the same. So the store holds a file of zeros, large enough to write
//! its largest sealed file anew; it is given up for an erasure or a log entry, and made good later.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::NO_PANIC;
use super::disk::Disk;
use super::fault::{Explain, StorageFault};
use super::vfs::BoxedFile;

/// Largest reserve that is kept unless another was asked for, bytes.
const KEEP_FREE_MAX: u64 = 1 << 30;
/// Share of the disk that is kept unless that is more: one part in this many.
const KEEP_FREE_PART: u64 = 20;
/// Stands for "not asked for" in the atomic.
const UNSET: u64 = u64::MAX;
/// Name of the file of zeros.
const FILE: &str = "reserve";
/// What the file holds for the log beside the room for a sealed file: most, and least, bytes. An
/// entry of the log has less than the most.
const FOR_LOG_MAX: u64 = 8 << 20;
const FOR_LOG_MIN: u64 = 1 << 16;
/// Share of the disk that is held for the log unless it is more than the most.
const FOR_LOG_PART: u64 = 64;
/// While a sealed file is written, its columns lie on the disk a second time.
const COPIES: u64 = 2;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// The reserve of a store.
pub(super) struct Reserve {
    keep: AtomicU64,
    file: Mutex<ReserveFile>,
}

/// Lengths of the file of zeros, bytes.
#[derive(Default)]
struct ReserveFile {
    /// What it should have.
    wanted: u64,
    /// What it has.
    held: u64,
}

impl Reserve {
    /// The smaller of 5 % of the disk and 1 GiB.
    pub(super) fn standard() -> Self {
        Self {
            keep: AtomicU64::new(UNSET),
            file: Mutex::default(),
        }
    }

    /// Keeps this many bytes free instead; `None`: the standard again.
    pub(super) fn set(&self, bytes: Option<u64>) {
        let keep = bytes.map_or(UNSET, |bytes| bytes.min(UNSET - 1));
        self.keep.store(keep, Ordering::Relaxed);
    }

    /// Refuses unless there is room for new records. What the file lacks is not room.
    pub(super) fn check(&self, disk: &Disk) -> Result<(), StorageFault> {
        let Some(room) = disk.room()? else {
            return Ok(());
        };
        let keep = match self.keep.load(Ordering::Relaxed) {
            UNSET => (room.total / KEEP_FREE_PART).min(KEEP_FREE_MAX),
            asked => asked,
        };
        let file = self.file();
        let keep = keep.saturating_add(file.wanted - file.held);
        if room.free >= keep {
            return Ok(());
        }
        Err(StorageFault::NoRoom {
            path: disk.root().to_owned(),
            free: room.free,
            keep,
        })
    }

    /// Finds the file of a store whose sealed files have at most `largest` bytes, and makes good what
    /// it lacks if there is room: a full disk opens, too.
    pub(super) fn open(&self, disk: &Disk, largest: u64) -> Result<(), StorageFault> {
        let found = disk.metadata(&path(disk))?;
        let mut file = self.file();
        file.held = found.map_or(0, |found| found.length);
        file.wanted = file.held.max(wanted(disk, largest)?);
        match file.grow(disk) {
            Err(fault) if fault.is_disk_full() => Ok(()),
            grown => grown,
        }
    }

    /// Makes the file large enough for a sealed file of so many bytes, which is about to count.
    pub(super) fn cover(&self, disk: &Disk, bytes: u64) -> Result<(), StorageFault> {
        let wanted = wanted(disk, bytes)?;
        let mut file = self.file();
        let before = file.wanted;
        file.wanted = before.max(wanted);
        let grown = file.grow(disk);
        if grown.is_err() {
            // The sealed file comes to nothing.
            file.wanted = before.max(file.held);
        }
        grown
    }

    /// Makes good what was given up.
    pub(super) fn refill(&self, disk: &Disk) -> Result<(), StorageFault> {
        self.file().grow(disk)
    }

    /// Gives the room up to whatever is written next; new records do not get it.
    pub(super) fn release(&self, disk: &Disk) -> Result<(), StorageFault> {
        let mut file = self.file();
        if file.held > 0 {
            let path = path(disk);
            let mut opened = disk.open_to_write(&path)?;
            cut(&mut opened, 0).explain("cut", &path)?;
            file.held = 0;
        }
        Ok(())
    }

    fn file(&self) -> MutexGuard<'_, ReserveFile> {
        self.file.lock().expect(NO_PANIC)
    }
}

impl ReserveFile {
    /// Writes zeros up to the length that is wanted. If that fails, the length is as before.
    fn grow(&mut self, disk: &Disk) -> Result<(), StorageFault> {
        if self.held >= self.wanted {
            return Ok(());
        }
        let path = path(disk);
        let mut file = match disk.exists(&path)? {
            true => disk.open_to_write(&path)?,
            false => disk.create(&path)?,
        };
        let written = fill(&mut file, self.held, self.wanted);
        if written.is_err() {
            // If this fails, too, the file is larger than known: it holds no less.
            let _ = cut(&mut file, self.held);
        }
        written.explain("write", &path)?;
        self.held = self.wanted;
        Ok(())
    }
}

fn path(disk: &Disk) -> PathBuf {
    disk.root().join(FILE)
}

/// Length of the file in a store with sealed files of at most `largest` bytes.
fn wanted(disk: &Disk, largest: u64) -> Result<u64, StorageFault> {
    if largest == 0 {
        return Ok(0);
    }
    let for_log = disk.room()?.map_or(FOR_LOG_MIN, |room| {
        (room.total / FOR_LOG_PART).clamp(1, FOR_LOG_MAX)
    });
    // In whole steps, so that it does not grow with every segment.
    Ok((largest * COPIES).next_multiple_of(for_log) + for_log)
}

/// Writes zeros: a hole in a file takes no room.
fn fill(file: &mut BoxedFile, mut at: u64, end: u64) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    while at < end {
        let count = (end - at).min(ZEROS.len() as u64);
        file.write_all(&ZEROS[..count as usize])?;
        at += count;
    }
    file.sync_data()
}

/// Cuts the file; the room is free on return.
fn cut(file: &mut BoxedFile, length: u64) -> std::io::Result<()> {
    file.set_len(length)?;
    file.sync_data()
}
