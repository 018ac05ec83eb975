//! The map file: how a source's file is written, and which column of it holds which field.
//!
//! FHIR, HL7 v2 and receipt files say themselves what is where: their maps name the form only.
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
        "map: file.charset must be a charset label such as \"utf-8\", \"windows-31j\", \"euc-jp\" or \
         \"iso-2022-jp\", not {0:?}"
    )]
    Charset(String),
    /// The delimiter is not one ASCII character.
    #[error("map: file.delimiter must be one ASCII character, not a quote or a line end")]
    Delimiter,
    /// FHIR is JSON, and JSON is UTF-8.
    #[error("map: file.charset must be \"utf-8\" or absent with file.form = \"fhir\"")]
    FhirCharset,
    /// A key that only another form has.
    #[error("map: {0} goes with file.form = \"{1}\" only")]
    OtherForm(&'static str, &'static str),
    /// Further names in a form that lists none.
    #[error(
        "map: further names go with locale = \"jp\" only: aliases with file.form = \"fhir\" or \"hl7v2\", the fields \
         alias_kanji and alias_kana with \"csv\" or \"parquet\""
    )]
    Aliases,
    /// The record ref is not an item of the form.
    #[error(
        "map: record_ref must be an item such as \"PID-3\" (hl7v2) or \"RE-2\" (uke): three or two \
         letters or digits, a hyphen, a number from 1"
    )]
    Item,
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
    /// Where the record ref stands. CSV: a column. FHIR: `id`, or the system of an identifier.
    /// HL7 v2: a segment and its field, `PID-3` if absent. Receipt files: an item of the RE record,
    /// `RE-2` (the receipt number) if absent; claim month and payer are put before it.
    #[serde(default)]
    pub record_ref: String,
    /// Kind of event that a row tells about.
    #[serde(default = "unspecified")]
    pub kind: EventKind,
    /// Column that tells the kind, if rows differ.
    pub kind_column: Option<String>,
    /// Texts in `kind_column` and the kinds that they mean; any other text means `kind`.
    #[serde(default)]
    pub kinds: BTreeMap<String, EventKind>,
    /// Column with the version of the record, from 1; a higher one replaces a lower one. CSV only.
    pub version_column: Option<String>,
    /// Column with flags that the source sets, as a number with bits 8 to 23 only. CSV only.
    pub flags_column: Option<String>,
    /// Whether the flags tell the server which rules a record ran into: a birth date on 1 January,
    /// an era that was over, a wrong check digit. The server can weigh such records differently, and
    /// learns that about them.
    #[serde(default)]
    pub send_flags: bool,
    /// Whether further names of a person (a foreigner's 通称 beside the legal name, Latin letters beside
    /// kanji) become records of their own, under the record ref with `#2`, `#3`, … FHIR and HL7 v2 with
    /// `locale = "jp"` only; a CSV maps the fields `alias_kanji` and `alias_kana` instead. The server sees
    /// who has further names, and whoever withdraws the record has to withdraw these too.
    #[serde(default)]
    pub aliases: bool,
    /// Whose conventions the fields follow.
    pub locale: Locale,
    /// Field and the column that holds it. CSV only, but that `patient_number` may name the system
    /// of a FHIR identifier.
    #[serde(default)]
    pub fields: BTreeMap<Field, String>,
}

/// Which form a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormName {
    /// Rows of columns under a header.
    #[default]
    Csv,
    /// Columns of a Parquet file; needs the cargo feature `parquet`.
    Parquet,
    /// FHIR JP Core Patient and Coverage: a bundle, or a resource a line (NDJSON).
    Fhir,
    /// HL7 v2 messages with PID and IN1, as in SS-MIX2.
    Hl7v2,
    /// Receipt computer file (レセプト電算): RE, HO and SN records.
    Uke,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileForm {
    /// Its form. Default `csv`.
    pub form: FileFormName,
    /// Label of the charset, as in the WHATWG encoding standard (`windows-31j`, `shift_jis` and
    /// `cp932` are one). Default: `utf-8`; for receipt files `windows-31j`; for HL7 v2 what MSH-18
    /// says.
    pub charset: Option<String>,
    /// What separates columns of a CSV. Default `,`.
    pub delimiter: Option<String>,
    /// The file with the Coverage and Organization resources, relative to the input, where they do
    /// not stand in the same (FHIR bulk export).
    pub coverage: Option<PathBuf>,
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
        let mut map: Self = toml::from_str(text)?;
        map.encoding()?;
        map.delimiter()?;
        map.check_form()?;
        if map.record_ref.trim().is_empty() {
            map.record_ref = match map.file.form {
                FileFormName::Csv | FileFormName::Parquet => {
                    return Err(MapError::EmptyColumn("record_ref"));
                }
                FileFormName::Fhir => "id".to_owned(),
                FileFormName::Hl7v2 => "PID-3".to_owned(),
                FileFormName::Uke => "RE-2".to_owned(),
            };
        }
        if matches!(map.file.form, FileFormName::Hl7v2 | FileFormName::Uke) {
            map.record_item()?;
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

    /// Refuses keys that the form does not have.
    fn check_form(&self) -> Result<(), MapError> {
        let form = self.file.form;
        let has_columns = matches!(form, FileFormName::Csv | FileFormName::Parquet);
        if has_columns && self.fields.is_empty() {
            return Err(MapError::NoFields);
        }
        if form == FileFormName::Parquet
            && (self.file.charset.is_some() || self.file.delimiter.is_some())
        {
            let key = "file.charset, file.delimiter";
            return Err(MapError::OtherForm(key, "csv"));
        }
        let only_with_columns = [
            ("file.delimiter", self.file.delimiter.is_some()),
            ("kind_column", self.kind_column.is_some()),
            ("version_column", self.version_column.is_some()),
            ("flags_column", self.flags_column.is_some()),
        ];
        if !has_columns && let Some((key, _)) = only_with_columns.iter().find(|(_, given)| *given) {
            return Err(MapError::OtherForm(key, "csv"));
        }
        let has_names = matches!(form, FileFormName::Fhir | FileFormName::Hl7v2);
        let mut aliases = [Field::AliasKanji, Field::AliasKana].into_iter();
        let as_columns = aliases.any(|field| self.fields.contains_key(&field));
        let is_jp = self.locale == Locale::Jp;
        if self.aliases && !(has_names && is_jp) || as_columns && !is_jp {
            return Err(MapError::Aliases);
        }
        if form == FileFormName::Fhir {
            if self.file.charset.is_some() && self.encoding()? != encoding_rs::UTF_8 {
                return Err(MapError::FhirCharset);
            }
        } else if self.file.coverage.is_some() {
            return Err(MapError::OtherForm("file.coverage", "fhir"));
        }
        let mut fields = self.fields.keys();
        let taken = match form {
            FileFormName::Csv | FileFormName::Parquet => true,
            FileFormName::Fhir => fields.all(|field| *field == Field::PatientNumber),
            FileFormName::Hl7v2 | FileFormName::Uke => fields.next().is_none(),
        };
        if taken {
            Ok(())
        } else {
            Err(MapError::OtherForm("[fields]", "csv"))
        }
    }

    /// The record ref as a segment or record and the number of its item, from 1.
    ///
    /// # Errors
    /// [`MapError::Item`] if it is none.
    pub fn record_item(&self) -> Result<(&str, usize), MapError> {
        let (name, number) = self.record_ref.split_once('-').ok_or(MapError::Item)?;
        let length = match self.file.form {
            FileFormName::Uke => 2,
            _ => 3,
        };
        let well_named = name.len() == length
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let number: usize = number.trim().parse().map_err(|_| MapError::Item)?;
        if well_named && number > 0 && (self.file.form != FileFormName::Uke || name == "RE") {
            Ok((name, number))
        } else {
            Err(MapError::Item)
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

    /// The charset of the file; for HL7 v2 without one in the map UTF-8, which MSH-18 may change.
    ///
    /// # Errors
    /// [`MapError::Charset`] if the label is not known.
    pub fn encoding(&self) -> Result<&'static Encoding, MapError> {
        let usual = match self.file.form {
            FileFormName::Uke => "windows-31j",
            FileFormName::Csv
            | FileFormName::Parquet
            | FileFormName::Fhir
            | FileFormName::Hl7v2 => "utf-8",
        };
        let label = self.file.charset.as_deref().unwrap_or(usual).trim();
        // Usual names in Japan for what the standard lists as Shift_JIS and EUC-JP.
        let known = match label.to_ascii_lowercase().as_str() {
            "cp932" => "windows-31j",
            "eucjp-ms" | "cp51932" | "cp20932" => "euc-jp",
            "cp50220" | "cp50221" => "iso-2022-jp",
            _ => label,
        };
        Encoding::for_label(known.as_bytes()).ok_or_else(|| MapError::Charset(label.to_owned()))
    }

    /// The byte between columns.
    ///
    /// # Errors
    /// [`MapError::Delimiter`] if it is not one ASCII character.
    pub fn delimiter(&self) -> Result<u8, MapError> {
        match self.file.delimiter.as_deref().unwrap_or(",").as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err(MapError::Delimiter),
        }
    }
}

#[cfg(test)]
mod tests;
