//! Reads a segment, whole or only its directory. Every byte is checked before it is used.

use roaring::RoaringBitmap;

use super::{
    DIRECTORY_ROW_BYTES, DirectoryRow, Expected, HEADER_BYTES, RowLocation, header, segment_path,
};
use crate::store::fault::StorageFault;
use crate::store::sealed::SealedReader;
use crate::store::vault::Vault;
use crate::terms::Columns;

/// What a segment says about its records, without the encodings.
#[derive(Default)]
pub(in crate::store) struct SegmentDirectory {
    rows: Vec<DirectoryRow>,
    refs: String,
    /// Rows of older segments that rows of this one replace.
    pub(in crate::store) replaced: Vec<RowLocation>,
}

impl SegmentDirectory {
    /// The rows with their record refs, in order.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = (u32, &DirectoryRow, &str)> {
        (0..).zip(&self.rows).map(|(index, row)| {
            let start = row.ref_start as usize;
            (
                index,
                row,
                &self.refs[start..start + usize::from(row.ref_bytes)],
            )
        })
    }
}

/// Reads the directory and checks all the rest.
pub(in crate::store) fn read_directory(
    disk: &Vault,
    expected: &Expected<'_>,
) -> Result<SegmentDirectory, StorageFault> {
    let mut reader = open(disk, expected)?;
    let rows = u64::from(expected.rows);
    reader.skip(rows * expected.layout.filter_words() as u64 * 8)?;
    reader.align()?;
    reader.skip(rows * expected.layout.tag_slots() as u64 * 8)?;
    read_rest(reader, rows)
}

/// Reads everything: appends filters and tags of the live rows to `columns`, and gives the directory.
pub(in crate::store) fn read_rows(
    disk: &Vault,
    expected: &Expected<'_>,
    live: &RoaringBitmap,
    columns: &mut Columns,
) -> Result<SegmentDirectory, StorageFault> {
    let mut reader = open(disk, expected)?;
    let words = expected.layout.filter_words();
    read_live(
        &mut reader,
        expected.rows,
        words,
        live,
        &mut columns.filters,
    )?;
    reader.align()?;
    let slots = expected.layout.tag_slots();
    read_live(&mut reader, expected.rows, slots, live, &mut columns.tags)?;
    read_rest(reader, u64::from(expected.rows))
}

/// Appends the live rows of a section of `words` words a row.
fn read_live(
    reader: &mut SealedReader,
    rows: u32,
    words: usize,
    live: &RoaringBitmap,
    out: &mut Vec<u64>,
) -> Result<(), StorageFault> {
    if live.len() == u64::from(rows) {
        return reader.read_words(u64::from(rows) * words as u64, out);
    }
    for row in 0..rows {
        let end = out.len();
        reader.read_words(words as u64, out)?;
        if !live.contains(row) {
            out.truncate(end);
        }
    }
    Ok(())
}

pub(super) fn open(disk: &Vault, expected: &Expected<'_>) -> Result<SealedReader, StorageFault> {
    let path = segment_path(disk.root(), expected.submission, expected.generation);
    let mut reader = SealedReader::open(disk, &path, &expected.seal)?;
    if reader.counts()[0] != u64::from(expected.rows) {
        return Err(reader.fault("the segment does not have the rows that the log names"));
    }
    let mut bytes = [0; HEADER_BYTES];
    reader.read(&mut bytes)?;
    if bytes != header(expected.source, expected.profile, expected.layout) {
        return Err(reader
            .fault("the header does not give the format, source and profile that the log names"));
    }
    Ok(reader)
}

/// Reads what comes after the tags.
fn read_rest(mut reader: SealedReader, rows: u64) -> Result<SegmentDirectory, StorageFault> {
    let [_, refs_bytes, replaced_count, _] = reader.counts();
    reader.align()?;
    reader.expect_bytes(rows * DIRECTORY_ROW_BYTES as u64)?;
    let mut directory = Vec::with_capacity(rows as usize);
    let mut bytes = [0; DIRECTORY_ROW_BYTES];
    for _ in 0..rows {
        reader.read(&mut bytes)?;
        let row = DirectoryRow::decode(&bytes)
            .ok_or_else(|| reader.fault("a directory row before here names no event kind"))?;
        directory.push(row);
    }
    reader.align()?;
    let refs = reader.read_text(refs_bytes)?;
    for row in &directory {
        let start = usize::try_from(row.ref_start).unwrap_or(usize::MAX);
        if refs
            .get(start..start.saturating_add(usize::from(row.ref_bytes)))
            .is_none()
        {
            return Err(reader.fault("a directory row points outside the record refs before here"));
        }
    }
    reader.align()?;
    let replaced = reader.read_values(replaced_count, RowLocation::decode)?;
    reader.finish()?;
    Ok(SegmentDirectory {
        rows: directory,
        refs,
        replaced,
    })
}
