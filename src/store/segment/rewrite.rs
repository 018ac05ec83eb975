//! Writes a segment anew with some of its rows. Memory does not grow with the encodings.

use roaring::RoaringBitmap;

use super::reader::open;
use super::{Expected, FinishedSegment, RowLocation, SegmentDirectory, SegmentWriter};
use crate::store::fault::StorageFault;
use crate::store::vault::Vault;

/// Writes the next generation of a segment under a temporary name: the rows of `keep`, and which rows
/// of other segments they replace. Its content is on stable storage on return.
pub(in crate::store) fn rewrite(
    disk: &Vault,
    expected: &Expected<'_>,
    directory: &SegmentDirectory,
    keep: &RoaringBitmap,
    replaced: Vec<RowLocation>,
) -> Result<FinishedSegment, StorageFault> {
    let mut writer = SegmentWriter::create(
        disk,
        &format!("rewrite-{}", expected.submission),
        expected.source,
        expected.profile,
        expected.layout,
    )?;
    let mut row_filters = vec![0; expected.layout.filter_words() * 8];
    let mut row_tags = vec![0; expected.layout.tag_slots() * 8];
    // Filters and tags are two sections: each is read by a reader of its own, row by row.
    let mut filters = open(disk, expected)?;
    let mut tags = open(disk, expected)?;
    tags.skip(u64::from(expected.rows) * row_filters.len() as u64)?;
    tags.align()?;
    for (index, row, label) in directory.iter() {
        filters.read(&mut row_filters)?;
        tags.read(&mut row_tags)?;
        if keep.contains(index) {
            writer.push_row(*row, label, &row_filters, &row_tags)?;
        }
    }
    writer.keep_replaced(replaced);
    writer.finish()
}
