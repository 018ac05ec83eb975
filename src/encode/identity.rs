//! One record in the clear, normalised: the last form before encoding.

use zeroize::Zeroize;

use crate::terms::{Attribute, EventKind, RecordRef};

/// Stands for a character that could not be read or represented. Grams that hold it are dropped
/// and tags that need it are missing: an unknown character does not disagree with anything.
pub const UNKNOWN: char = '\u{FFFD}';

/// Normalised attributes of one record.
///
/// # Privacy
/// Plaintext identity: no `Debug`, no `Serialize`, wiped on drop.
#[derive(Default)]
pub struct Identity {
    values: Vec<(Attribute, String)>,
    columns: Vec<String>,
}

impl Identity {
    /// Sets an attribute; an empty value is the same as none.
    pub fn set(&mut self, attribute: Attribute, value: impl Into<String>) {
        let mut value = value.into();
        if let Some(slot) = self
            .values
            .iter_mut()
            .find(|(known, _)| *known == attribute)
        {
            std::mem::swap(&mut slot.1, &mut value);
            value.zeroize();
        } else if !value.is_empty() {
            self.values.push((attribute, value));
        }
    }

    /// The value, if there is one.
    #[must_use]
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| *known == attribute);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Keeps columns as they are written, for an encoder that hashes columns and not attributes.
    pub fn set_columns(&mut self, columns: Vec<String>) {
        self.columns.zeroize();
        self.columns = columns;
    }

    /// The columns that were kept; none if none were asked for.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The attributes that have a value, in no order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        let filled = self.values.iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(attribute, _)| *attribute)
    }

    /// The value, if there is one and every character of it is known.
    #[must_use]
    pub fn known(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute).filter(|value| !value.contains(UNKNOWN))
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        for (_, value) in &mut self.values {
            value.zeroize();
        }
        self.columns.zeroize();
    }
}

/// A record as a source reads it, ready to be encoded. Plaintext: no `Debug`.
pub struct SourceRecord {
    /// The source's label.
    pub record_ref: RecordRef,
    /// Version at the source, from 1.
    pub version: u32,
    /// Kind of event.
    pub kind: EventKind,
    /// Calendar year of the event; 0 is not stated.
    pub year: u16,
    /// Rules that the source checked and found broken, by bit.
    pub flags: u32,
    /// Who it is about.
    pub identity: Identity,
}
