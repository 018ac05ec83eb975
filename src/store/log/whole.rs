//! How far the log goes, told without the key: for backups, which copy a log that may be growing.

use std::io::Read;

use super::frame::HEADER_BYTES;
use super::scan::scan_frames;
use super::{LogPosition, log_path};
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};

/// The whole entries of a log.
pub(in crate::store) struct WholeLog {
    /// Random name of the store.
    pub(in crate::store) store_id: [u8; 16],
    /// Position of the last whole entry.
    pub(in crate::store) head: LogPosition,
    /// Offset after it.
    pub(in crate::store) end: u64,
}

/// Proves the chain of all whole entries; `visit` gets the kind of each and its position. Bytes after
/// them are an entry being written; damage is refused.
pub(in crate::store) fn whole_entries(
    disk: &Disk,
    mut visit: impl FnMut(u8, LogPosition),
) -> Result<WholeLog, StorageFault> {
    let scanned = scan_frames(disk, |prefix, _, _, position| {
        visit(prefix.kind, position);
        Ok(())
    })?;
    let path = log_path(disk.root());
    let mut header = [0; HEADER_BYTES];
    disk.open(&path)?
        .read_exact(&mut header)
        .explain("read", &path)?;
    Ok(WholeLog {
        store_id: *header[16..]
            .first_chunk()
            .expect("a header is longer than that"),
        head: scanned.head,
        end: scanned.end,
    })
}
