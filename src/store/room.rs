//! A disk that is nearly full takes no new records, so that what must always work still has room:
//! the log of runs, audit and erasure, snapshots, the index. It is asked anew each time, so taking
//! in goes on by itself once there is room.

use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::Disk;
use super::fault::StorageFault;

/// Largest reserve that is kept unless another was asked for, bytes.
const KEEP_FREE_MAX: u64 = 1 << 30;
/// Share of the disk that is kept unless that is more: one part in this many.
const KEEP_FREE_PART: u64 = 20;
/// Stands for "not asked for" in the atomic.
const UNSET: u64 = u64::MAX;

/// The reserve of a store.
pub(super) struct Reserve {
    keep: AtomicU64,
}

impl Reserve {
    /// The smaller of 5 % of the disk and 1 GiB.
    pub(super) fn standard() -> Self {
        Self {
            keep: AtomicU64::new(UNSET),
        }
    }

    /// Keeps this many bytes free instead; `None`: the standard again.
    pub(super) fn set(&self, bytes: Option<u64>) {
        let keep = bytes.map_or(UNSET, |bytes| bytes.min(UNSET - 1));
        self.keep.store(keep, Ordering::Relaxed);
    }

    /// Refuses unless there is room for new records.
    pub(super) fn check(&self, disk: &Disk) -> Result<(), StorageFault> {
        let Some(room) = disk.room()? else {
            return Ok(());
        };
        let keep = match self.keep.load(Ordering::Relaxed) {
            UNSET => (room.total / KEEP_FREE_PART).min(KEEP_FREE_MAX),
            asked => asked,
        };
        if room.free >= keep {
            return Ok(());
        }
        Err(StorageFault::NoRoom {
            path: disk.root().to_owned(),
            free: room.free,
            keep,
        })
    }
}
