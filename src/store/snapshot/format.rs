//! The bytes of a snapshot that both its writer and its reader know.

use super::history::History;
use crate::terms::{RunId, SourceId};

const MAGIC: &[u8; 8] = b"MUSUBISN";
/// Version 2 holds entities, ends of record refs and record refs in full, version 1 no history.
const FORMAT_VERSION: u32 = 3;
pub(super) const HEADER_BYTES: usize = 64;
pub(super) const SOURCE_BYTES: usize = 72;

/// A record ref is written as what it shares with the one before it in its source, and its own end.
#[derive(Clone, Copy)]
pub(super) struct RefEntry {
    /// Bytes shared with the record ref before; 0 for the first of a source.
    pub(super) shared: u8,
    /// Bytes of its own.
    pub(super) own: u8,
}

impl RefEntry {
    /// How `label` is written after `before`.
    pub(super) fn after(before: &str, label: &str) -> Self {
        let both = before.as_bytes().iter().zip(label.as_bytes());
        let shared = both.take_while(|(x, y)| x == y).count();
        Self {
            shared: shared as u8,
            own: (label.len() - shared) as u8,
        }
    }
}

/// How much history a snapshot holds, as its header says.
#[derive(Clone, Copy)]
pub(super) struct HistoryCounts {
    pub(super) runs: u32,
    pub(super) issued: u64,
    pub(super) events: u64,
}

impl HistoryCounts {
    pub(super) fn of(history: &History) -> Self {
        Self {
            runs: history.runs.len() as u32,
            issued: history.issued.len() as u64,
            events: history.events.len() as u64,
        }
    }

    /// Version and counts of a header that belongs to this run; `None` if it does not, or its version is
    /// not known. Version 1 has no counts.
    pub(super) fn of_header(run: RunId, bytes: &[u8; HEADER_BYTES]) -> Option<(u32, Self)> {
        let word = |at: usize| {
            let bytes = bytes[at..].first_chunk().copied();
            bytes.map_or(0, u64::from_le_bytes)
        };
        let version = word(8) as u32;
        let counts = Self {
            runs: (word(8) >> 32) as u32,
            issued: word(48),
            events: word(56),
        };
        let mut expected = header(run, &counts);
        expected[8..12].copy_from_slice(&version.to_le_bytes());
        let is_known = (1..=FORMAT_VERSION).contains(&version)
            && (version > 1 || (counts.runs, counts.issued, counts.events) == (0, 0, 0));
        (is_known && *bytes == expected).then_some((version, counts))
    }
}

pub(super) fn header(run: RunId, history: &HistoryCounts) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&history.runs.to_le_bytes());
    bytes[16..48].copy_from_slice(run.to_string().as_bytes());
    bytes[48..56].copy_from_slice(&history.issued.to_le_bytes());
    bytes[56..].copy_from_slice(&history.events.to_le_bytes());
    bytes
}

pub(super) fn encode_source(source: &SourceId, start: u64) -> [u8; SOURCE_BYTES] {
    let mut bytes = [0; SOURCE_BYTES];
    bytes[..8].copy_from_slice(&start.to_le_bytes());
    let name = source.as_str().as_bytes();
    bytes[8..8 + name.len()].copy_from_slice(name);
    bytes
}

pub(super) fn decode_source(bytes: [u8; SOURCE_BYTES]) -> Option<(SourceId, u64)> {
    let (start, name) = bytes.split_first_chunk()?;
    let length = name.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&name[..length]).ok()?;
    Some((SourceId::new(name).ok()?, u64::from_le_bytes(*start)))
}
