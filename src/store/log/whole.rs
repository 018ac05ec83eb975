//! How far the log goes, told from its frames alone: for backups, which copy a log that may be
//! growing, and need no key for that.

use std::io::{BufReader, Read};

use super::frame::{self, CHAIN_BYTES, HEADER_BYTES, PREFIX_BYTES, Prefix};
use super::scan::valid_entry_follows;
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

/// Reads the frames of all whole entries and proves the chain; `visit` gets the kind of each entry
/// and its position. Bytes after them are an entry being written, or damage if a whole one follows.
pub(in crate::store) fn whole_entries(
    disk: &Disk,
    mut visit: impl FnMut(u8, LogPosition),
) -> Result<WholeLog, StorageFault> {
    let path = log_path(disk.root());
    let mut file = disk.open(&path)?;
    let length = file.length().explain("inspect", &path)?;
    if length < HEADER_BYTES as u64 {
        return Err(StorageFault::damaged(&path, 0, "the log has no header"));
    }
    let mut reader = BufReader::with_capacity(1 << 18, file.by_ref());
    let mut header = [0; HEADER_BYTES];
    reader.read_exact(&mut header).explain("read", &path)?;
    let hash = frame::check_header(&header)
        .map_err(|(offset, rule)| StorageFault::damaged(&path, offset, rule))?;
    let mut log = WholeLog {
        store_id: *header[16..]
            .first_chunk()
            .expect("a header is longer than that"),
        head: LogPosition { sequence: 0, hash },
        end: HEADER_BYTES as u64,
    };
    let around = (PREFIX_BYTES + CHAIN_BYTES) as u64;
    while length - log.end >= around {
        let mut entry = vec![0; PREFIX_BYTES];
        reader.read_exact(&mut entry).explain("read", &path)?;
        let prefix = Prefix::decode(entry.first_chunk().expect("it has that length"));
        let fits = prefix.length <= frame::PAYLOAD_BYTES_MAX
            && around + prefix.length as u64 <= length - log.end;
        if fits {
            entry.resize(PREFIX_BYTES + prefix.length + CHAIN_BYTES, 0);
            let rest = &mut entry[PREFIX_BYTES..];
            reader.read_exact(rest).explain("read", &path)?;
            let (payload, chain) = rest.split_at(prefix.length);
            let proven = prefix.chain(&log.head.hash, payload);
            if prefix.sequence == log.head.sequence + 1 && proven == *chain {
                log.head = LogPosition {
                    sequence: prefix.sequence,
                    hash: proven,
                };
                log.end += entry.len() as u64;
                visit(prefix.kind, log.head);
                continue;
            }
        }
        reader.read_to_end(&mut entry).explain("read", &path)?;
        if valid_entry_follows(&entry, &log.head) {
            return Err(StorageFault::damaged(
                &path,
                log.end,
                "the entry here does not match its chain value, and valid entries follow",
            ));
        }
        break;
    }
    Ok(log)
}
