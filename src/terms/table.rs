//! Rows as the compute rooms see them: dense, packed, without names.

use super::profile::Layout;
use super::{EventKind, RecordEncoding};

/// Position of a record in a [`RecordTable`], from 0.
pub type RowIndex = u32;

/// The live records of a run.
///
/// # Shape
/// `n` rows; filters `n × filter_words` and tags `n × tag_slots`, both row-major.
///
/// # Privacy
/// Holds encodings: no `Debug`.
pub struct RecordTable {
    layout: Layout,
    columns: Columns,
}

/// The columns of a table, each with a value for every row.
///
/// # Privacy
/// Holds encodings: no `Debug`.
#[derive(Default)]
pub struct Columns {
    /// `[rows × filter_words]`, row-major.
    pub filters: Vec<u64>,
    /// `[rows × tag_slots]`, row-major.
    pub tags: Vec<u64>,
    /// Presence masks.
    pub presence: Vec<u64>,
    /// Kinds of event.
    pub kinds: Vec<EventKind>,
    /// Calendar years of the events; 0 is not stated.
    pub years: Vec<u16>,
    /// Rules that the sources found broken.
    pub flags: Vec<u32>,
    /// Indices of the sources in the run's list.
    pub sources: Vec<u16>,
    /// Tie-breakers, see [`RecordTable::push`].
    pub keys: Vec<u64>,
}

impl Columns {
    /// Empty columns with room for `rows` rows.
    #[must_use]
    pub fn with_capacity(layout: &Layout, rows: usize) -> Self {
        Self {
            filters: Vec::with_capacity(rows * layout.filter_words()),
            tags: Vec::with_capacity(rows * layout.tag_slots()),
            presence: Vec::with_capacity(rows),
            kinds: Vec::with_capacity(rows),
            years: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            sources: Vec::with_capacity(rows),
            keys: Vec::with_capacity(rows),
        }
    }
}

impl RecordTable {
    /// An empty table with room for `rows` rows.
    #[must_use]
    pub fn with_capacity(layout: Layout, rows: usize) -> Self {
        let columns = Columns::with_capacity(&layout, rows);
        Self { layout, columns }
    }

    /// The table of these columns.
    ///
    /// # Panics
    /// If a column does not have a value for every row, or the table has 2³² rows.
    #[must_use]
    pub fn of_columns(layout: Layout, columns: Columns) -> Self {
        let rows = columns.presence.len();
        assert!(
            rows <= u32::MAX as usize,
            "a table has fewer than 2^32 rows"
        );
        let lengths = [
            columns.kinds.len(),
            columns.years.len(),
            columns.flags.len(),
            columns.sources.len(),
            columns.keys.len(),
        ];
        assert!(
            lengths == [rows; 5]
                && columns.filters.len() == rows * layout.filter_words()
                && columns.tags.len() == rows * layout.tag_slots(),
            "columns have one length"
        );
        Self { layout, columns }
    }

    /// Adds a row from its packed parts.
    ///
    /// `source` is the index of the source in the run's list; `key` is a hash of (source, record
    /// ref) that breaks ties the same way whatever the order of rows.
    ///
    /// # Panics
    /// If a part does not have the length that the layout gives, or the table has 2³² rows.
    pub fn push(&mut self, row: Row<'_>) {
        assert_eq!(
            row.filters.len(),
            self.layout.filter_words(),
            "filters have the layout's length"
        );
        assert_eq!(
            row.tags.len(),
            self.layout.tag_slots(),
            "tags have the layout's length"
        );
        assert!(
            self.len() < u32::MAX as usize,
            "a table has fewer than 2^32 rows"
        );
        let columns = &mut self.columns;
        columns.filters.extend_from_slice(row.filters);
        columns.tags.extend_from_slice(row.tags);
        columns.presence.push(row.presence);
        columns.kinds.push(row.kind);
        columns.years.push(row.year);
        columns.flags.push(row.flags);
        columns.sources.push(row.source);
        columns.keys.push(row.key);
    }

    /// Adds the rows of another table, in their order.
    ///
    /// # Panics
    /// If the layouts differ, or the table has 2³² rows.
    pub fn append(&mut self, other: Self) {
        assert!(
            self.layout == other.layout,
            "rows of one table have one layout"
        );
        assert!(
            self.len() + other.len() <= u32::MAX as usize,
            "a table has fewer than 2^32 rows"
        );
        let (columns, more) = (&mut self.columns, other.columns);
        append(&mut columns.filters, more.filters);
        append(&mut columns.tags, more.tags);
        append(&mut columns.presence, more.presence);
        append(&mut columns.kinds, more.kinds);
        append(&mut columns.years, more.years);
        append(&mut columns.flags, more.flags);
        append(&mut columns.sources, more.sources);
        append(&mut columns.keys, more.keys);
    }

    /// Adds an encoding; see [`Self::push`].
    pub fn push_encoding(&mut self, encoding: &RecordEncoding, source: u16, key: u64) {
        self.push(Row {
            filters: &encoding.filters,
            tags: &encoding.tags,
            presence: encoding.presence,
            kind: encoding.kind,
            year: encoding.year,
            flags: encoding.flags,
            source,
            key,
        });
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.presence.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.presence.is_empty()
    }

    /// Shape of the rows.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// One filter of a row, if present. `[words of the filter]`.
    #[must_use]
    pub fn filter(&self, row: RowIndex, filter: usize) -> Option<&[u64]> {
        if self.columns.presence[row as usize] & self.layout.filter_bit(filter) == 0 {
            return None;
        }
        let start = row as usize * self.layout.filter_words();
        let range = self.layout.filter_range(filter);
        Some(&self.columns.filters[start + range.start..start + range.end])
    }

    /// The slots of one tag of a row, if present. `[slots of the tag]`.
    #[must_use]
    pub fn tag(&self, row: RowIndex, tag: usize) -> Option<&[u64]> {
        if self.columns.presence[row as usize] & self.layout.tag_bit(tag) == 0 {
            return None;
        }
        Some(&self.tags(row)[self.layout.tag_range(tag)])
    }

    /// All tags of a row, absent ones zero. `[tag_slots]`.
    #[must_use]
    pub fn tags(&self, row: RowIndex) -> &[u64] {
        let slots = self.layout.tag_slots();
        &self.columns.tags[row as usize * slots..(row as usize + 1) * slots]
    }

    /// Which filters and tags the row has.
    #[must_use]
    pub fn presence(&self, row: RowIndex) -> u64 {
        self.columns.presence[row as usize]
    }

    /// Kind of event.
    #[must_use]
    pub fn kind(&self, row: RowIndex) -> EventKind {
        self.columns.kinds[row as usize]
    }

    /// Calendar year of the event; 0 is not stated.
    #[must_use]
    pub fn year(&self, row: RowIndex) -> u16 {
        self.columns.years[row as usize]
    }

    /// Rules that the source found broken, by [`SourceCheck::bit`](super::SourceCheck).
    #[must_use]
    pub fn flags(&self, row: RowIndex) -> u32 {
        self.columns.flags[row as usize]
    }

    /// Index of the row's source.
    #[must_use]
    pub fn source(&self, row: RowIndex) -> u16 {
        self.columns.sources[row as usize]
    }

    /// Tie-breaker of the row, independent of the order of rows.
    #[must_use]
    pub fn key(&self, row: RowIndex) -> u64 {
        self.columns.keys[row as usize]
    }
}

/// Takes no more room than is needed: a column may be a large part of the memory there is.
fn append<T>(column: &mut Vec<T>, mut more: Vec<T>) {
    column.reserve_exact(more.len());
    column.append(&mut more);
}

/// The packed parts of one row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// `[filter_words]`
    pub filters: &'a [u64],
    /// `[tag_slots]`
    pub tags: &'a [u64],
    /// Presence mask.
    pub presence: u64,
    /// Kind of event.
    pub kind: EventKind,
    /// Calendar year of the event; 0 is not stated.
    pub year: u16,
    /// Rules that the source found broken.
    pub flags: u32,
    /// Index of the source in the run's list.
    pub source: u16,
    /// Tie-breaker.
    pub key: u64,
}
