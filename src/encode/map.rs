//! The map file: which column of a source's file holds which field, and how the file is written.
//!
//! ```toml
//! record_ref = "record_id"
//! kind = "hospital"
//! locale = "jp"
//! [file]
//! charset = "windows-31j"
//! [fields]
//! name_kana = "NAME_KANA"
//! birth_date = "DOB"
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use serde::Deserialize;

use super::field::Field;
use super::normalise::Locale;
use crate::terms::EventKind;

/// Why a map file is refused.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The file cannot be read.
    #[error("map {}: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Not TOML, a key that does not exist, or a value of another type.
    #[error("map: {0}")]
    Toml(#[from] toml::de::Error),
    /// The charset label is not known.
    #[error(
        "map: file.charset must be a charset label such as \"utf-8\" or \"windows-31j\", not {0:?}"
    )]
    Charset(String),
    /// The delimiter is not one ASCII character.
    #[error("map: file.delimiter must be one ASCII character, not a quote or a line end")]
    Delimiter,
    /// No column is mapped.
    #[error("map: [fields] must name at least one column")]
    NoFields,
    /// A column name is empty.
    #[error("map: {0} must name a column")]
    EmptyColumn(&'static str),
    /// A table of kinds without the column that holds them, or the other way round.
    #[error("map: kind_column and [kinds] go together")]
    KindTable,
    /// The same, with the file that it is in.
    #[error("{}: {error}", path.display())]
    In {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<MapError>,
    },
}

/// How a source's file is written and what its columns hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    /// How the file is written.
    #[serde(default)]
    pub file: FileForm,
    /// Column with the record ref.
    pub record_ref: String,
    /// Kind of event that a row tells about.
    #[serde(default = "unspecified")]
    pub kind: EventKind,
    /// Column that tells the kind, if rows differ.
    pub kind_column: Option<String>,
    /// Texts in `kind_column` and the kinds that they mean; any other text means `kind`.
    #[serde(default)]
    pub kinds: BTreeMap<String, EventKind>,
    /// Whose conventions the fields follow.
    pub locale: Locale,
    /// Field and the column that holds it.
    pub fields: BTreeMap<Field, String>,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileForm {
    /// Label of the charset, as in the WHATWG encoding standard (`windows-31j`, `shift_jis` and
    /// `cp932` are one). Default `utf-8`.
    pub charset: String,
    /// What separates columns. Default `,`.
    pub delimiter: String,
}

impl Default for FileForm {
    fn default() -> Self {
        Self {
            charset: "utf-8".to_owned(),
            delimiter: ",".to_owned(),
        }
    }
}

fn unspecified() -> EventKind {
    EventKind::Unspecified
}

impl MapFile {
    /// Reads and checks a map.
    ///
    /// # Errors
    /// [`MapError`], with the rule and the line in the TOML text.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text)?;
        map.encoding()?;
        map.delimiter()?;
        if map.fields.is_empty() {
            return Err(MapError::NoFields);
        }
        if map.record_ref.trim().is_empty() {
            return Err(MapError::EmptyColumn("record_ref"));
        }
        if map.kind_column.is_some() == map.kinds.is_empty() {
            return Err(MapError::KindTable);
        }
        let empty = map
            .fields
            .iter()
            .find(|(_, column)| column.trim().is_empty());
        match empty {
            Some((field, _)) => Err(MapError::EmptyColumn(field.name())),
            None => Ok(map),
        }
    }

    /// Reads and checks a map file.
    ///
    /// # Errors
    /// [`MapError`], with the file.
    pub fn read(path: &Path) -> Result<Self, MapError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(MapError::Read { path, error }),
        };
        Self::parse(&text).map_err(|error| MapError::In {
            path,
            error: Box::new(error),
        })
    }

    /// The charset of the file.
    ///
    /// # Errors
    /// [`MapError::Charset`] if the label is not known.
    pub fn encoding(&self) -> Result<&'static Encoding, MapError> {
        let label = self.file.charset.trim();
        // The usual name in Japan for what the standard lists as a label of Shift_JIS.
        let label = if label.eq_ignore_ascii_case("cp932") {
            "windows-31j"
        } else {
            label
        };
        Encoding::for_label(label.as_bytes())
            .ok_or_else(|| MapError::Charset(self.file.charset.clone()))
    }

    /// The byte between columns.
    ///
    /// # Errors
    /// [`MapError::Delimiter`] if it is not one ASCII character.
    pub fn delimiter(&self) -> Result<u8, MapError> {
        match self.file.delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err(MapError::Delimiter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "record_ref = 'id'\nkind = 'hospital'\nlocale = 'jp'\n[file]\ncharset = 'cp932'\n[fields]\nsex = 'SEX'\n";

    #[test]
    fn a_map_says_how_a_file_is_read() {
        let map = MapFile::parse(GOOD).expect("good");
        assert_eq!(map.encoding().expect("known").name(), "Shift_JIS");
        assert_eq!(map.delimiter().expect("default"), b',');
        assert_eq!(map.kind, EventKind::Hospital);
        assert_eq!(map.fields[&Field::Sex], "SEX");
    }

    #[test]
    fn a_wrong_map_is_refused_by_rule() {
        for (from, to, rule) in [
            ("cp932", "ebcdic", "file.charset"),
            ("charset = 'cp932'", "delimiter = ', '", "file.delimiter"),
            ("sex = 'SEX'", "", "[fields]"),
            ("sex = 'SEX'", "sex = ' '", "sex must name a column"),
            ("sex = 'SEX'", "seks = 'SEX'", "unknown variant"),
            ("kind = 'hospital'", "kind_column = 'k'", "[kinds]"),
            ("record_ref = 'id'", "", "record_ref"),
            (
                "locale = 'jp'",
                "locale = 'jp'\ncolour = 1",
                "unknown field",
            ),
        ] {
            let text = GOOD.replace(from, to);
            let error = MapFile::parse(&text).expect_err(to).to_string();
            assert!(error.contains(rule), "{to}: {error}");
        }
    }

    #[test]
    fn an_error_names_the_file() {
        let error = MapFile::read(Path::new("no/such.toml")).expect_err("missing");
        assert!(error.to_string().contains("such.toml"));
    }
}
