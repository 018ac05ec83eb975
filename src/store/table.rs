//! The live records as one table, for the linkage job.

use super::segment::SegmentRows;
use crate::terms::profile::Layout;
use crate::terms::{RecordRef, RecordTable, Row, RowIndex, SourceId};

/// All live records.
///
/// # Order
/// By segment, then row: the order in which they were taken in. The same store gives the same table.
///
/// # Privacy
/// Holds encodings and record refs: no `Debug`.
pub struct LoadedTable {
    /// The rows.
    pub table: RecordTable,
    /// Sources, by name; [`RecordTable::source`] is an index into this list.
    pub sources: Vec<SourceId>,
    /// The record ref of each row.
    pub refs: RowRefs,
}

/// Record refs by row, packed end to end.
#[derive(Default)]
pub struct RowRefs {
    text: String,
    ends: Vec<u64>,
}

impl RowRefs {
    /// Adds the record ref of the next row.
    pub(super) fn push(&mut self, label: &str) {
        self.text.push_str(label);
        self.ends.push(self.text.len() as u64);
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The label of a row as text.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn text(&self, row: RowIndex) -> &str {
        let row = row as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[row] as usize]
    }

    /// The record ref of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn record_ref(&self, row: RowIndex) -> RecordRef {
        RecordRef::new(self.text(row)).expect("only the text of a record ref is ever pushed")
    }
}

/// Adds the live rows of a segment to a table.
pub(super) struct TableBuilder {
    loaded: LoadedTable,
    layout: Layout,
}

impl TableBuilder {
    /// Room for `rows` rows of these sources.
    pub(super) fn new(layout: &Layout, sources: Vec<SourceId>, rows: usize) -> Self {
        Self {
            loaded: LoadedTable {
                table: RecordTable::with_capacity(layout.clone(), rows),
                sources,
                refs: RowRefs::default(),
            },
            layout: layout.clone(),
        }
    }

    /// Adds the rows of a segment that are `live`.
    pub(super) fn add(
        &mut self,
        source: u16,
        segment: &SegmentRows,
        live: &roaring::RoaringBitmap,
    ) {
        let name = self.loaded.sources[usize::from(source)].clone();
        let (words, slots) = (self.layout.filter_words(), self.layout.tag_slots());
        for (index, record, label) in segment.directory.iter() {
            if !live.contains(index) {
                continue;
            }
            let row = index as usize;
            self.loaded.table.push(Row {
                filters: &segment.filters[row * words..(row + 1) * words],
                tags: &segment.tags[row * slots..(row + 1) * slots],
                presence: record.presence,
                kind: record.kind,
                year: record.year,
                flags: record.flags,
                source,
                key: row_key(&name, label),
            });
            self.loaded.refs.push(label);
        }
    }

    /// The table.
    pub(super) fn finish(self) -> LoadedTable {
        self.loaded
    }
}

/// A number that depends on (source, record ref) only: breaks ties whatever the order of rows.
///
/// The first 8 bytes, little-endian, of BLAKE3 in key derivation mode over source, 0, record ref.
#[must_use]
pub fn row_key(source: &SourceId, record_ref: &str) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/row-key");
    hasher
        .update(source.as_str().as_bytes())
        .update(&[0])
        .update(record_ref.as_bytes());
    let hash = *hasher.finalize().as_bytes();
    u64::from_le_bytes(*hash.first_chunk().expect("32 bytes have a first 8"))
}
