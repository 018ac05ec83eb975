//! The live records as one table, for the linkage job.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;
use roaring::RoaringBitmap;

use super::fault::StorageFault;
use super::segment::{Expected, read_rows};
use super::vault::Vault;
use crate::terms::profile::Layout;
use crate::terms::{Columns, RecordRef, RecordTable, RowIndex, SourceId};

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
    /// The segments that the rows come from, in order.
    pub(super) segments: Vec<LoadedSegment>,
    order: OnceLock<Vec<RowIndex>>,
}

/// A segment as it was when its rows were loaded.
#[derive(Clone, PartialEq)]
pub(super) struct LoadedSegment {
    /// Number of the submission.
    pub(super) submission: u64,
    /// How often the segment had been written anew.
    pub(super) generation: u32,
    /// Rows that were loaded.
    pub(super) live: RoaringBitmap,
}

impl LoadedTable {
    /// Adds the rows of segments that came later, of the same sources.
    pub(super) fn append(&mut self, more: Self) {
        self.table.append(more.table);
        self.refs.append(&more.refs);
        self.segments.extend(more.segments);
        let first = self.table.len() - more.refs.len();
        if let Some(known) = self.order.take() {
            let added = self.ordered(first as RowIndex..self.table.len() as RowIndex);
            self.order = OnceLock::from(self.merged(&known, &added));
        }
    }

    /// Two lists of rows in order as one.
    fn merged(&self, known: &[RowIndex], added: &[RowIndex]) -> Vec<RowIndex> {
        let name = |row: RowIndex| (self.table.source(row), self.refs.text(row));
        let mut merged = Vec::with_capacity(known.len() + added.len());
        let mut rest = known;
        for row in added {
            let before = rest.partition_point(|other| name(*other) < name(*row));
            merged.extend_from_slice(&rest[..before]);
            merged.push(*row);
            rest = &rest[before..];
        }
        merged.extend_from_slice(rest);
        merged
    }

    /// The rows in (source, record ref) order.
    pub(super) fn order(&self) -> &[RowIndex] {
        self.order
            .get_or_init(|| self.ordered(0..self.refs.len() as RowIndex))
    }

    fn ordered(&self, rows: Range<RowIndex>) -> Vec<RowIndex> {
        let mut of_source: Vec<Vec<(u64, RowIndex)>> = vec![Vec::new(); self.sources.len()];
        for row in rows {
            of_source[usize::from(self.table.source(row))].push((0, row));
        }
        let ordered = of_source.into_iter().map(|rows| self.refs.in_order(rows));
        ordered.flatten().map(|(_, row)| row).collect()
    }
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

    /// The record refs that end at these places of a text; `None` if the places do not cut it up.
    pub(super) fn of_parts(text: String, ends: Vec<u64>) -> Option<Self> {
        let is_sound = ends.is_sorted()
            && ends.last().copied().unwrap_or(0) == text.len() as u64
            && (ends.iter()).all(|end| text.is_char_boundary(*end as usize));
        is_sound.then_some(Self { text, ends })
    }

    /// Adds the record refs of further rows.
    pub(super) fn append(&mut self, more: &Self) {
        let start = self.text.len() as u64;
        self.text.push_str(&more.text);
        self.ends.extend(more.ends.iter().map(|end| start + end));
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

    /// Puts rows in the order of their labels. Most labels of a source begin alike: the first bytes
    /// after that decide nearly always, without a look at the text.
    fn in_order(&self, mut rows: Vec<(u64, RowIndex)>) -> Vec<(u64, RowIndex)> {
        let Some((_, first)) = rows.first() else {
            return rows;
        };
        let first = self.text(*first).as_bytes();
        let alike = |row: RowIndex| {
            let both = first.iter().zip(self.text(row).as_bytes());
            both.take_while(|(x, y)| x == y).count()
        };
        let alike = rows.par_iter().map(|(_, row)| alike(*row)).min();
        let alike = alike.unwrap_or(0);
        rows.par_iter_mut().for_each(|(start, row)| {
            let rest = &self.text(*row).as_bytes()[alike..];
            let mut bytes = [0; 8];
            let length = rest.len().min(8);
            bytes[..length].copy_from_slice(&rest[..length]);
            *start = u64::from_be_bytes(bytes);
        });
        rows.par_sort_unstable_by(|(one, x), (two, y)| {
            one.cmp(two).then_with(|| self.text(*x).cmp(self.text(*y)))
        });
        rows
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

/// Adds the live rows of segments to a table.
pub(super) struct TableBuilder {
    columns: Columns,
    sources: Vec<SourceId>,
    refs: RowRefs,
    segments: Vec<LoadedSegment>,
    layout: Layout,
}

impl TableBuilder {
    /// Room for `rows` rows of these sources.
    pub(super) fn new(layout: &Layout, sources: Vec<SourceId>, rows: usize) -> Self {
        Self {
            columns: Columns::with_capacity(layout, rows),
            sources,
            refs: RowRefs::default(),
            segments: Vec::new(),
            layout: layout.clone(),
        }
    }

    /// Reads a segment and adds its rows that are `live`.
    pub(super) fn add(
        &mut self,
        disk: &Vault,
        expected: &Expected<'_>,
        source: u16,
        live: &RoaringBitmap,
    ) -> Result<(), StorageFault> {
        let columns = &mut self.columns;
        let directory = read_rows(disk, expected, live, columns)?;
        let first = self.refs.len();
        for (index, record, label) in directory.iter() {
            if live.contains(index) {
                columns.presence.push(record.presence);
                columns.kinds.push(record.kind);
                columns.years.push(record.year);
                columns.flags.push(record.flags);
                columns.sources.push(source);
                self.refs.push(label);
            }
        }
        self.segments.push(LoadedSegment {
            submission: expected.submission,
            generation: expected.generation,
            live: live.clone(),
        });
        let (refs, base) = (&self.refs, RowKeys::of(expected.source));
        let added = (first as RowIndex..refs.len() as RowIndex).into_par_iter();
        columns
            .keys
            .par_extend(added.map(|row| base.key(refs.text(row))));
        Ok(())
    }

    /// The table.
    pub(super) fn finish(self) -> LoadedTable {
        LoadedTable {
            table: RecordTable::of_columns(self.layout, self.columns),
            sources: self.sources,
            refs: self.refs,
            segments: self.segments,
            order: OnceLock::new(),
        }
    }
}

/// Row keys of one source.
struct RowKeys(blake3::Hasher);

impl RowKeys {
    fn of(source: &SourceId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/row-key");
        hasher.update(source.as_str().as_bytes()).update(&[0]);
        Self(hasher)
    }

    fn key(&self, record_ref: &str) -> u64 {
        let hash = *self
            .0
            .clone()
            .update(record_ref.as_bytes())
            .finalize()
            .as_bytes();
        u64::from_le_bytes(*hash.first_chunk().expect("32 bytes have a first 8"))
    }
}

/// A number that depends on (source, record ref) only: breaks ties whatever the order of rows.
///
/// The first 8 bytes, little-endian, of BLAKE3 in key derivation mode over source, 0, record ref.
#[must_use]
pub fn row_key(source: &SourceId, record_ref: &str) -> u64 {
    RowKeys::of(source).key(record_ref)
}
