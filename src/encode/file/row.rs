//! One encoding as bytes, and back.

use crate::terms::{EventKind, RecordEncoding, RecordRef};

/// Words and tags of every row of a file.
#[derive(Clone, Copy)]
pub(super) struct RowShape {
    pub(super) filter_words: usize,
    pub(super) tags: usize,
}

impl RowShape {
    /// Most bytes of one row.
    pub(super) fn bytes_max(self) -> usize {
        1 + 64 + 4 + 1 + 2 + 4 + 8 + 8 * (self.filter_words + self.tags)
    }
}

pub(super) fn append_row(row: &RecordEncoding, out: &mut Vec<u8>) {
    let label = row.record_ref.as_str().as_bytes();
    // A record ref has at most 64 bytes.
    out.push(label.len() as u8);
    out.extend(label);
    out.extend(row.version.to_le_bytes());
    out.push(row.kind.code());
    out.extend(row.year.to_le_bytes());
    out.extend(row.flags.to_le_bytes());
    out.extend(row.presence.to_le_bytes());
    for words in [&row.filters, &row.tags] {
        let start = out.len();
        out.resize(start + 8 * words.len(), 0);
        let (places, _) = out[start..].as_chunks_mut();
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
    }
}

/// Takes one row off the front of `bytes`; `None` if there is no well-formed row.
pub(super) fn take_row(bytes: &mut &[u8], shape: RowShape) -> Option<RecordEncoding> {
    let [length] = take(bytes)?;
    let (label, rest) = bytes.split_at_checked(usize::from(length))?;
    *bytes = rest;
    let record_ref = RecordRef::new(std::str::from_utf8(label).ok()?).ok()?;
    let version = u32::from_le_bytes(take(bytes)?);
    let [kind] = take(bytes)?;
    let kind = EventKind::from_code(kind)?;
    let year = u16::from_le_bytes(take(bytes)?);
    let flags = u32::from_le_bytes(take(bytes)?);
    let presence = u64::from_le_bytes(take(bytes)?);
    Some(RecordEncoding {
        record_ref,
        version,
        kind,
        year,
        flags,
        presence,
        filters: take_words(bytes, shape.filter_words)?,
        tags: take_words(bytes, shape.tags)?,
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn take_words(bytes: &mut &[u8], count: usize) -> Option<Vec<u64>> {
    let (head, rest) = bytes.split_at_checked(8 * count)?;
    *bytes = rest;
    let (words, _) = head.as_chunks();
    Some(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}
