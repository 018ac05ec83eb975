//! A segment: the accepted records of one submission, in one immutable sealed file. Erasing and
//! compacting write it anew, without dead rows, as its next generation.
//!
//! Sections of the body: header, filters (packed row-major words), tags (row-major), directory (one
//! fixed row per record), record refs (UTF-8, end to end), replaced rows. `FORMAT.md` gives the bytes.

mod reader;
mod rewrite;
mod spool;
mod writer;

pub(super) use reader::{SegmentDirectory, read_directory, read_rows};
pub(super) use rewrite::rewrite;
pub(super) use writer::{FinishedSegment, SegmentWriter};

use std::path::{Path, PathBuf};

use super::crypt::ContentMark;
use super::sealed::Seal;
use crate::terms::profile::Layout;
use crate::terms::{EventKind, Fingerprint, SourceId};

const MAGIC: &[u8; 8] = b"MUSUBISG";
const FORMAT_VERSION: u32 = 1;
const HEADER_BYTES: usize = 192;
const DIRECTORY_ROW_BYTES: usize = 48;
const REPLACED_BYTES: usize = 16;

/// Where a record lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RowLocation {
    /// Number of the submission, which names the segment.
    pub(super) segment: u64,
    /// Row within this generation of the segment.
    pub(super) row: u32,
    /// How often the segment had been written anew.
    pub(super) generation: u32,
}

impl RowLocation {
    /// Segment, row, generation.
    pub(super) fn encode(self) -> [u8; REPLACED_BYTES] {
        let mut bytes = [0; REPLACED_BYTES];
        bytes[..8].copy_from_slice(&self.segment.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.row.to_le_bytes());
        bytes[12..].copy_from_slice(&self.generation.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: [u8; REPLACED_BYTES]) -> Self {
        let word = u128::from_le_bytes(bytes);
        Self {
            segment: word as u64,
            row: (word >> 64) as u32,
            generation: (word >> 96) as u32,
        }
    }
}

/// What a segment must be, as the log and the profile say.
pub(super) struct Expected<'a> {
    /// Number of the submission.
    pub(super) submission: u64,
    /// How often the segment was written anew.
    pub(super) generation: u32,
    /// Seal of the file.
    pub(super) seal: Seal,
    /// Rows.
    pub(super) rows: u32,
    /// Whose records.
    pub(super) source: &'a SourceId,
    /// Profile that they were encoded under.
    pub(super) profile: Fingerprint,
    /// Shape of a row.
    pub(super) layout: &'a Layout,
}

/// One record in the directory of a segment.
#[derive(Clone, Copy)]
pub(super) struct DirectoryRow {
    /// Presence mask.
    pub(super) presence: u64,
    /// Offset of the record ref in the text of refs, bytes.
    pub(super) ref_start: u64,
    /// Stands for the content.
    pub(super) content: ContentMark,
    /// Version of the record at the source.
    pub(super) version: u32,
    /// Rules that the source found broken.
    pub(super) flags: u32,
    /// Length of the record ref, bytes.
    pub(super) ref_bytes: u8,
    /// Kind of event.
    pub(super) kind: EventKind,
    /// Calendar year of the event; 0 is not stated.
    pub(super) year: u16,
}

impl DirectoryRow {
    fn encode(&self) -> [u8; DIRECTORY_ROW_BYTES] {
        let mut bytes = [0; DIRECTORY_ROW_BYTES];
        bytes[..8].copy_from_slice(&self.presence.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.ref_start.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.content);
        bytes[32..36].copy_from_slice(&self.version.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.flags.to_le_bytes());
        bytes[40] = self.ref_bytes;
        bytes[41] = self.kind.code();
        bytes[42..44].copy_from_slice(&self.year.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; DIRECTORY_ROW_BYTES]) -> Option<Self> {
        let (presence, rest) = bytes.split_first_chunk()?;
        let (ref_start, rest) = rest.split_first_chunk()?;
        let (content, rest) = rest.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        Some(Self {
            presence: u64::from_le_bytes(*presence),
            ref_start: u64::from_le_bytes(*ref_start),
            content: *content,
            version: u32::from_le_bytes(*version),
            flags: u32::from_le_bytes(*flags),
            ref_bytes: rest[0],
            kind: EventKind::from_code(rest[1])?,
            year: u16::from_le_bytes([rest[2], rest[3]]),
        })
    }
}

/// Path of a generation of a segment within a store.
pub(super) fn segment_path(store: &Path, submission: u64, generation: u32) -> PathBuf {
    directory(store).join(match generation {
        0 => format!("{submission:06}.mseg"),
        _ => format!("{submission:06}-{generation}.mseg"),
    })
}

/// Directory of the segments.
pub(super) fn directory(store: &Path) -> PathBuf {
    store.join("segments")
}

/// The header of a segment: it says what the rows are, so that no file is read as something else.
fn header(source: &SourceId, profile: Fingerprint, layout: &Layout) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[16..20].copy_from_slice(&(layout.filter_words() as u32).to_le_bytes());
    bytes[20..24].copy_from_slice(&(layout.tag_slots() as u32).to_le_bytes());
    bytes[32..64].copy_from_slice(&profile.0);
    let name = source.as_str().as_bytes();
    bytes[64..64 + name.len()].copy_from_slice(name);
    bytes
}
