//! One record in the clear, normalised: the last form before encoding.

use zeroize::Zeroize;

use crate::terms::{Attribute, AttributeSet, EventKind, RecordRef};

/// Stands for a character that could not be read or represented. Grams that hold it are dropped
/// and tags that need it are missing: an unknown character does not disagree with anything.
pub const UNKNOWN: char = '\u{FFFD}';

/// Normalised attributes of one record.
///
/// All values stand one after the other in one text: reading a million records then takes no memory
/// for each value of each record.
///
/// # Privacy
/// Plaintext identity: no `Debug`, no `Serialize`, wiped on drop.
pub struct Identity {
    text: String,
    /// Start and end of each attribute's value in `text`, by the attribute's code.
    spans: [(u32, u32); Attribute::ALL.len()],
    filled: AttributeSet,
    columns: Vec<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            text: String::new(),
            spans: [(0, 0); Attribute::ALL.len()],
            filled: AttributeSet::default(),
            columns: Vec::new(),
        }
    }
}

impl Identity {
    /// Sets an attribute; an empty value is the same as none.
    pub fn set(&mut self, attribute: Attribute, value: impl AsRef<str>) {
        self.set_parts(attribute, &[value.as_ref()]);
    }

    /// Sets an attribute to texts one after the other.
    pub fn set_parts(&mut self, attribute: Attribute, parts: &[&str]) {
        let start = self.text.len();
        for part in parts {
            self.text.push_str(part);
        }
        self.end(attribute, start);
    }

    /// Sets an attribute to some characters.
    pub fn set_characters(&mut self, attribute: Attribute, characters: &[char]) {
        let start = self.text.len();
        self.text.extend(characters);
        self.end(attribute, start);
    }

    /// Forgets all values, and keeps the memory.
    pub fn clear(&mut self) {
        // Room for usual records, so that growing leaves no copies behind.
        self.text.reserve(512);
        self.text.clear();
        self.filled = AttributeSet::default();
        self.columns.zeroize();
    }

    /// The text from `start` on is the value of the attribute.
    fn end(&mut self, attribute: Attribute, start: usize) {
        if start < self.text.len() {
            self.filled.insert(attribute);
        } else {
            self.filled.remove(attribute);
        }
        // A record has far fewer than 2³² bytes: readers refuse longer rows.
        self.spans[attribute as usize] = (start as u32, self.text.len() as u32);
    }

    /// The value, if there is one.
    #[must_use]
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        let (start, end) = self.spans[attribute as usize];
        self.filled
            .contains(attribute)
            .then(|| &self.text[start as usize..end as usize])
    }

    /// The value's bytes; empty if there is no value.
    pub(super) fn bytes(&self, attribute: Attribute) -> &[u8] {
        let (start, end) = self.spans[attribute as usize];
        if self.filled.contains(attribute) {
            &self.text.as_bytes()[start as usize..end as usize]
        } else {
            &[]
        }
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

    /// The attributes that have a value.
    #[must_use]
    pub fn filled(&self) -> AttributeSet {
        self.filled
    }

    /// The attributes that have a value, in order of their code.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        let all = Attribute::ALL.iter().copied();
        all.filter(|attribute| self.filled.contains(*attribute))
    }

    /// The value, if there is one and every character of it is known.
    #[must_use]
    pub fn known(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute).filter(|value| !value.contains(UNKNOWN))
    }

    /// The attributes that [`Identity::known`] gives.
    #[must_use]
    pub fn all_known(&self) -> AttributeSet {
        // Hardly a record holds UNKNOWN, and of what names are written in only it begins with this byte.
        let may_hold = self.text.bytes().fold(false, |may, b| may | (b == 0xEF));
        if !may_hold {
            return self.filled;
        }
        let mut known = AttributeSet::default();
        let attributes = self.attributes();
        attributes
            .filter(|attribute| self.known(*attribute).is_some())
            .for_each(|attribute| known.insert(attribute));
        known
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.text.zeroize();
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
