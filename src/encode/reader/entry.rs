//! One record's fields as an adapter found them: what all forms of file are brought to.

use zeroize::Zeroize;

use super::RowRefusal;
use super::alias::OtherName;
use crate::encode::field::{Field, FieldValues};

/// Texts of one record, in memory that is used again for the next.
///
/// # Privacy
/// Plaintext: no `Debug`, wiped on drop.
pub struct Entry {
    /// Where the record begins, from 1.
    pub(super) line: u64,
    /// Why it is no record, if the adapter found that.
    pub(super) refusal: Option<RowRefusal>,
    /// The source's label.
    pub(in crate::encode) record_ref: String,
    /// Whether it is of an invented person.
    pub(super) is_tracer: bool,
    /// Whether it is a further name of the person of the entry before.
    pub(super) is_alias: bool,
    /// Further names that the adapter found.
    pub(super) other_names: Vec<OtherName>,
    /// What tells the kind of event, if the form has such a column.
    pub(super) kind: String,
    /// Version at the source as written; empty if the form has none.
    pub(super) version: String,
    /// Rules that the source checked and found broken, as written.
    pub(super) flags: String,
    /// Columns kept as they are written.
    pub(super) columns: Vec<String>,
    /// All fields one after the other.
    text: String,
    /// Start and end of each field in `text`, by the field's code.
    spans: [(u32, u32); Field::ALL.len()],
}

impl Entry {
    pub(super) fn new() -> Self {
        Self {
            line: 0,
            refusal: None,
            record_ref: String::new(),
            is_tracer: false,
            is_alias: false,
            other_names: Vec::new(),
            kind: String::new(),
            version: String::new(),
            flags: String::new(),
            columns: Vec::new(),
            text: String::with_capacity(256),
            spans: [(0, 0); Field::ALL.len()],
        }
    }

    /// The beginning of an entry that no file holds.
    pub(in crate::encode) fn of_tracer(record_ref: String) -> Self {
        let mut entry = Self::new();
        entry.record_ref = record_ref;
        entry.is_tracer = true;
        entry
    }

    /// Forgets the last record; `line` is where the next one begins.
    pub(super) fn begin(&mut self, line: u64) {
        self.line = line;
        self.refusal = None;
        self.is_alias = false;
        self.other_names.clear();
        self.record_ref.clear();
        self.kind.clear();
        self.version.clear();
        self.flags.clear();
        self.columns.zeroize();
        self.text.clear();
        self.spans = [(0, 0); Field::ALL.len()];
    }

    /// Sets a field's text.
    pub(in crate::encode) fn set(&mut self, field: Field, text: &str) {
        let start = self.text.len();
        self.text.push_str(trim(text));
        // Rows are at most ROW_BYTES_MAX long, far below 2³².
        self.spans[field as usize] = (start as u32, self.text.len() as u32);
    }

    /// A field's text; empty if there is none.
    pub(in crate::encode) fn get(&self, field: Field) -> &str {
        let (start, end) = self.spans[field as usize];
        &self.text[start as usize..end as usize]
    }

    /// All fields, for normalising.
    pub(super) fn values(&self) -> FieldValues<'_> {
        let mut values = FieldValues::default();
        for (field, (start, end)) in Field::ALL.iter().zip(self.spans) {
            if start < end {
                values.set_trimmed(*field, self.get(*field));
            }
        }
        values
    }
}

/// As `str::trim`, which looks closer than most texts need.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Entries in memory that is used again from batch to batch.
#[derive(Default)]
pub struct EntryBatch {
    pub(super) entries: Vec<Entry>,
    pub(super) used: usize,
}

impl EntryBatch {
    /// The rows that were read last, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries[..self.used]
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record_ref.zeroize();
        self.columns.zeroize();
        self.text.zeroize();
    }
}
