//! Reads the log front to back, proves the chain, and tells a torn tail from damage.
//!
//! A crash can leave only the last group of entries incomplete, and of that any part. Bytes that are
//! not a valid entry are therefore a torn tail if no valid entry of a later group follows them
//! anywhere, and damage if one does: each entry is preceded by the chain value that it builds on, so
//! a later entry proves itself without the ones before it, and it says where its group begins.

use std::io::{BufReader, Read};

use super::frame::{self, CHAIN_BYTES, Chain, HEADER_BYTES, PREFIX_BYTES, Prefix};
use super::{LogEntry, LogPosition, log_path};
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};
use crate::store::vault::Vault;

/// What a scan found.
pub(in crate::store) struct Scanned {
    /// Position of the last valid entry.
    pub(in crate::store) head: LogPosition,
    /// Offset after it.
    pub(in crate::store) end: u64,
    /// Offset of the last group; the end if there is none.
    pub(in crate::store) last_group: u64,
    /// Bytes of a torn entry after that.
    pub(in crate::store) torn_bytes: u64,
}

/// Reads all entries and hands each to `visit` with its offset and position. Changes nothing.
pub(in crate::store) fn scan(
    disk: &Vault,
    mut visit: impl FnMut(LogEntry, u64, LogPosition) -> Result<(), StorageFault>,
) -> Result<Scanned, StorageFault> {
    let path = log_path(disk.root());
    scan_frames(disk, |prefix, sealed, offset, position| {
        let damaged = |rule| StorageFault::damaged(&path, offset, rule);
        let payload = prefix
            .open(disk.keys(), sealed)
            .map_err(|_| damaged("the entry here was not written with the key of this store"))?;
        let entry = LogEntry::decode(prefix.kind, payload).map_err(damaged)?;
        visit(entry, offset, position)
    })
}

/// Proves the chain without the key. Changes nothing.
pub(in crate::store) fn scan_chain(disk: &Disk) -> Result<Scanned, StorageFault> {
    scan_frames(disk, |_, _, _, _| Ok(()))
}

/// Reads all entries and hands each to `visit`: prefix, encrypted payload, offset and position.
pub(super) fn scan_frames(
    disk: &Disk,
    mut visit: impl FnMut(Prefix, Vec<u8>, u64, LogPosition) -> Result<(), StorageFault>,
) -> Result<Scanned, StorageFault> {
    let path = log_path(disk.root());
    let file = disk.open(&path)?;
    let length = file.length().explain("inspect", &path)?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    if length < HEADER_BYTES as u64 {
        return Err(StorageFault::damaged(&path, 0, "the log has no header"));
    }
    let mut header = [0; HEADER_BYTES];
    reader.read_exact(&mut header).explain("read", &path)?;
    let hash = frame::check_header(&header)
        .map_err(|(offset, rule)| StorageFault::damaged(&path, offset, rule))?;
    let mut scanned = Scanned {
        head: LogPosition { sequence: 0, hash },
        end: HEADER_BYTES as u64,
        last_group: HEADER_BYTES as u64,
        torn_bytes: 0,
    };
    while scanned.end < length {
        let left = length - scanned.end;
        let mut seen = Vec::new();
        let Some((prefix, payload)) =
            next_entry(&mut reader, left, &scanned.head, &mut seen).explain("read", &path)?
        else {
            reader.read_to_end(&mut seen).explain("read", &path)?;
            if valid_entry_follows(&seen, &scanned.head) {
                return Err(StorageFault::damaged(
                    &path,
                    scanned.end,
                    "the entry here does not match its chain value, and valid entries follow",
                ));
            }
            scanned.torn_bytes = left;
            break;
        };
        let position = LogPosition {
            sequence: prefix.sequence,
            hash: prefix.chain(&scanned.head.hash, &payload),
        };
        visit(prefix, payload, scanned.end, position)?;
        if prefix.place == 0 {
            scanned.last_group = scanned.end;
        }
        scanned.end += seen.len() as u64;
        scanned.head = position;
    }
    Ok(scanned)
}

/// Reads the next entry if it is whole and valid. All bytes taken are in `seen`.
fn next_entry(
    reader: &mut impl Read,
    left: u64,
    head: &LogPosition,
    seen: &mut Vec<u8>,
) -> std::io::Result<Option<(Prefix, Vec<u8>)>> {
    let around = (PREFIX_BYTES + CHAIN_BYTES) as u64;
    if left < around {
        return Ok(None);
    }
    let mut bytes = [0; PREFIX_BYTES];
    reader.read_exact(&mut bytes)?;
    seen.extend_from_slice(&bytes);
    let prefix = Prefix::decode(&bytes);
    if prefix.length > frame::PAYLOAD_BYTES_MAX || around + prefix.length as u64 > left {
        return Ok(None);
    }
    seen.resize(PREFIX_BYTES + prefix.length + CHAIN_BYTES, 0);
    reader.read_exact(&mut seen[PREFIX_BYTES..])?;
    let (payload, chain) = seen[PREFIX_BYTES..].split_at(prefix.length);
    let valid = prefix.sequence == head.sequence + 1 && prefix.chain(&head.hash, payload) == *chain;
    Ok(valid.then(|| (prefix, payload.to_vec())))
}

/// Whether some place in `bytes`, the rest of the log from a bad entry on, holds a valid entry
/// of a group after that of the bad one.
fn valid_entry_follows(bytes: &[u8], head: &LogPosition) -> bool {
    let smallest = PREFIX_BYTES + CHAIN_BYTES;
    let later = head.sequence + 2..=head.sequence + 2 + (bytes.len() / smallest) as u64;
    let proven = |at: usize, previous: &Chain| {
        let entry = &bytes[at..];
        let Some(prefix) = entry.first_chunk().map(Prefix::decode) else {
            return false;
        };
        let group = prefix.sequence.saturating_sub(u64::from(prefix.place));
        later.contains(&prefix.sequence)
            && group > head.sequence + 1
            && chain_matches(prefix, entry, previous)
    };
    // If only its chain value is bad, the entry itself gives the value that the next builds on.
    if let Some(prefix) = bytes.first_chunk().map(Prefix::decode)
        && let Some(payload) = bytes.get(PREFIX_BYTES..PREFIX_BYTES + prefix.length)
        && let next = PREFIX_BYTES + prefix.length + CHAIN_BYTES
        && next < bytes.len()
        && proven(next, &prefix.chain(&head.hash, payload))
    {
        return true;
    }
    bytes
        .windows(CHAIN_BYTES)
        .enumerate()
        .skip(1)
        .any(|(at, previous)| {
            previous
                .first_chunk()
                .is_some_and(|previous| proven(at + CHAIN_BYTES, previous))
        })
}

/// Whether the entry at the start of `bytes` is whole and builds on `previous`.
fn chain_matches(prefix: Prefix, bytes: &[u8], previous: &Chain) -> bool {
    let end = PREFIX_BYTES + prefix.length;
    prefix.length <= frame::PAYLOAD_BYTES_MAX
        && bytes
            .get(end..end + CHAIN_BYTES)
            .is_some_and(|chain| prefix.chain(previous, &bytes[PREFIX_BYTES..end]) == *chain)
}
