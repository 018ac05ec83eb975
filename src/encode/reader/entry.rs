//! One record's fields as an adapter found them: what all forms of file are brought to.

use zeroize::Zeroize;

use crate::encode::field::{Field, FieldValues};

/// Texts of one record, in memory that is used again for the next.
///
/// # Privacy
/// Plaintext: no `Debug`, wiped on drop.
pub(super) struct Entry {
    /// Where the record begins, from 1.
    pub(super) line: u64,
    /// The source's label.
    pub(super) record_ref: String,
    /// What tells the kind of event, if the form has such a column.
    pub(super) kind: String,
    /// Columns kept as they are written.
    pub(super) columns: Vec<String>,
    fields: [String; Field::ALL.len()],
}

impl Entry {
    pub(super) fn new() -> Self {
        Self {
            line: 0,
            record_ref: String::new(),
            kind: String::new(),
            columns: Vec::new(),
            fields: std::array::from_fn(|_| String::new()),
        }
    }

    /// Forgets the last record; `line` is where the next one begins.
    pub(super) fn begin(&mut self, line: u64) {
        self.line = line;
        self.record_ref.clear();
        self.kind.clear();
        self.columns.zeroize();
        self.fields.iter_mut().for_each(String::clear);
    }

    /// Sets a field's text.
    pub(super) fn set(&mut self, field: Field, text: &str) {
        let slot = &mut self.fields[field as usize];
        slot.clear();
        slot.push_str(text.trim());
    }

    /// A field's text; empty if there is none.
    pub(super) fn get(&self, field: Field) -> &str {
        &self.fields[field as usize]
    }

    /// All fields, for normalising.
    pub(super) fn values(&self) -> FieldValues<'_> {
        let mut values = FieldValues::default();
        for field in Field::ALL {
            values.set(*field, self.get(*field));
        }
        values
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record_ref.zeroize();
        self.columns.zeroize();
        self.fields.iter_mut().for_each(Zeroize::zeroize);
    }
}
