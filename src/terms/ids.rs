//! Names of things: sources, records, entities, runs. Checked when made, so that the rest of the
//! code never sees a malformed one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a valid identifier. Carries the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A source name is 1 to 63 of `a-z 0-9 _ -`, starting with a letter.
    #[error("a source name is 1 to 63 characters of a-z, 0-9, '_' and '-', starting with a letter")]
    Source,
    /// A project name has the form of a source name.
    #[error(
        "a project name is 1 to 63 characters of a-z, 0-9, '_' and '-', starting with a letter"
    )]
    Project,
    /// A record ref is 1 to 64 bytes without control characters.
    #[error("a record ref is 1 to 64 bytes and holds no control characters")]
    RecordRef,
    /// An entity or run ID is 32 hexadecimal digits.
    #[error("an ID is 32 hexadecimal digits")]
    Hex128,
}

/// Whether a text is 1 to 63 of `a-z 0-9 _ -`, starting with a letter.
pub(super) fn is_slug(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    let starts_well = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    starts_well && text.len() <= 63 && text.bytes().all(good)
}

/// Organisation, or one of its systems, that holds persons' data and submits encodings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

impl SourceId {
    /// Checks the form: 1 to 63 of `a-z 0-9 _ -`, starting with a letter.
    ///
    /// # Errors
    /// [`IdError::Source`].
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        if is_slug(&name) {
            Ok(Self(name))
        } else {
            Err(IdError::Source)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SourceId {
    type Error = IdError;
    fn try_from(value: String) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl From<SourceId> for String {
    fn from(value: SourceId) -> Self {
        value.0
    }
}

/// A source's opaque label of a record, 1 to 64 bytes of UTF-8; meaningless outside its source.
///
/// Personal data (it often is a patient number): no `Debug`, no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef(Box<str>);

impl RecordRef {
    /// Checks the form: 1 to 64 bytes, no control characters.
    ///
    /// # Errors
    /// [`IdError::RecordRef`].
    pub fn new(label: &str) -> Result<Self, IdError> {
        if label.is_empty() || label.len() > 64 || label.chars().any(char::is_control) {
            return Err(IdError::RecordRef);
        }
        Ok(Self(label.into()))
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The lasting identity that a cluster continues across runs: 128 random bits, never reused.
///
/// No `Debug`: it names one person's records. [`EntityId::to_hex`] is for answers to those who may see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(u128);

impl EntityId {
    /// Wraps 128 bits.
    #[must_use]
    pub fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Reads 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`IdError::Hex128`].
    pub fn from_hex(text: &str) -> Result<Self, IdError> {
        parse_hex128(text).map(Self)
    }
}

/// One execution of a linkage job: 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u128);

impl RunId {
    /// Wraps 128 bits.
    #[must_use]
    pub fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// Its 128 bits.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// Reads 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`IdError::Hex128`].
    pub fn from_hex(text: &str) -> Result<Self, IdError> {
        parse_hex128(text).map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = IdError;
    fn try_from(value: String) -> Result<Self, IdError> {
        Self::from_hex(&value)
    }
}

impl From<RunId> for String {
    fn from(value: RunId) -> Self {
        value.to_string()
    }
}

fn parse_hex128(text: &str) -> Result<u128, IdError> {
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(IdError::Hex128);
    }
    u128::from_str_radix(text, 16).map_err(|_| IdError::Hex128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names_are_checked() {
        for good in ["a", "hosp_a", "tokyo-01", &"x".repeat(63)] {
            assert!(SourceId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "Hosp", "a b", "病院", &"x".repeat(64)] {
            assert_eq!(SourceId::new(bad), Err(IdError::Source), "{bad}");
        }
    }

    #[test]
    fn record_refs_are_bounded_and_printable() {
        assert!(RecordRef::new("HA00010369").is_ok());
        assert!(RecordRef::new("カルテ7").is_ok());
        for bad in ["", "a\tb", &"x".repeat(65)] {
            assert!(RecordRef::new(bad).is_err());
        }
    }

    #[test]
    fn entity_ids_round_trip_as_hex() {
        let id = EntityId::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert!(EntityId::from_hex(&id.to_hex()) == Ok(id));
        for bad in ["", "xyz", "+1234567890123456789012345678901"] {
            assert!(EntityId::from_hex(bad).is_err());
        }
    }
}
