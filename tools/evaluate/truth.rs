//! The truth file: which record is about which person.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::about::RecordAbout;
#[cfg(feature = "source")]
use crate::tools::synth::sample::Sample;

/// Why a truth file cannot be used. Names file, line and rule, never a value.
#[derive(Debug, thiserror::Error)]
pub enum ReadTruthError {
    /// The file cannot be opened or is not CSV.
    #[error("cannot read {}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// What the reader says; it knows the line.
        #[source]
        source: csv::Error,
    },
    /// A column is missing.
    #[error("{}, line 1: column '{column}' is missing", path.display())]
    MissingColumn {
        /// File.
        path: PathBuf,
        /// Name of the column.
        column: &'static str,
    },
    /// A field that must hold something is empty.
    #[error("{}, line {line}: '{column}' is empty", path.display())]
    Empty {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
    },
    /// A record occurs twice.
    #[error("{}, line {line}: this source and record_id occurred before", path.display())]
    Repeated {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
    },
}

/// Columns that a truth file must have; it may have more. Of these, `noise_flags` and
/// `surname_state` are read for strata.
pub const COLUMNS: [&str; 3] = ["source", "record_id", "person_id"];

/// Columns that a truth file may have, for strata.
const MORE_COLUMNS: [&str; 2] = ["noise_flags", "surname_state"];

/// Which record is about which person. Records, sources and persons are numbered as they occur.
#[derive(Default)]
pub struct Truth {
    rows: HashMap<String, HashMap<String, u32>>,
    persons: HashMap<String, u32>,
    person_of_row: Vec<u32>,
    sources: Vec<String>,
    source_of_row: Vec<u16>,
    about_row: Vec<RecordAbout>,
    about_person: Vec<u8>,
}

impl Truth {
    /// Reads a CSV file with the [`COLUMNS`], in any order.
    ///
    /// # Errors
    /// [`ReadTruthError`]: unreadable, a column missing, a field empty, a record repeated.
    pub fn read(path: &Path) -> Result<Self, ReadTruthError> {
        let unreadable = |source| ReadTruthError::Read {
            path: path.to_owned(),
            source,
        };
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        let headers = reader.headers().map_err(unreadable)?.clone();
        let mut columns = [0; 3];
        for (index, column) in columns.iter_mut().zip(COLUMNS) {
            let named = |header: &str| header.trim().trim_start_matches('\u{feff}') == column;
            let found = headers.iter().position(named);
            *index = found.ok_or(ReadTruthError::MissingColumn {
                path: path.to_owned(),
                column,
            })?;
        }
        let more = MORE_COLUMNS.map(|column| headers.iter().position(|name| name.trim() == column));
        let mut truth = Self::default();
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(unreadable)? {
            let line = row.position().map_or(0, csv::Position::line);
            let mut fields = [""; 3];
            for ((field, index), column) in fields.iter_mut().zip(columns).zip(COLUMNS) {
                *field = row.get(index).unwrap_or_default().trim();
                if field.is_empty() {
                    let path = path.to_owned();
                    return Err(ReadTruthError::Empty { path, line, column });
                }
            }
            // What is no number is as if it were not there: strata only.
            let [noise, state] = more.map(|place| row.get(place?)?.trim().parse().ok());
            let about = RecordAbout {
                flags: noise.unwrap_or_default(),
                surname_state: state.unwrap_or_default().min(u32::from(u8::MAX)) as u8,
            };
            if !truth.insert_about(fields[0], fields[1], fields[2], about) {
                return Err(ReadTruthError::Repeated {
                    path: path.to_owned(),
                    line,
                });
            }
        }
        truth.infer_scripts();
        Ok(truth)
    }

    /// The truth of a synthetic sample, with all that strata need.
    #[cfg(feature = "source")]
    #[must_use]
    pub fn of_sample(sample: &Sample) -> Self {
        let mut truth = Self::default();
        let mut person_id = String::new();
        for source in &sample.sources {
            for (record, known) in source.records.iter().zip(&source.truth) {
                person_id.clear();
                known.write_person_id(&mut person_id);
                let about = RecordAbout {
                    flags: known.flags,
                    surname_state: known.surname_state,
                };
                let record_ref = record.record_ref.as_str();
                truth.insert_about(source.name.as_str(), record_ref, &person_id, about);
                if let Some(person) = truth.person(&person_id) {
                    truth.add_to_person(person, sample.people[known.person as usize].into());
                }
            }
        }
        truth
    }

    /// Adds a record. `false`: it was known, and nothing changes.
    pub fn insert(&mut self, source: &str, record_id: &str, person_id: &str) -> bool {
        self.insert_about(source, record_id, person_id, RecordAbout::default())
    }

    /// Adds a record and what is known about it. `false`: it was known, and nothing changes.
    pub fn insert_about(
        &mut self,
        source: &str,
        record_id: &str,
        person_id: &str,
        about: RecordAbout,
    ) -> bool {
        let rows = match self.rows.get_mut(source) {
            Some(rows) => rows,
            None => self.rows.entry(source.to_owned()).or_default(),
        };
        if rows.contains_key(record_id) {
            return false;
        }
        let next = self.persons.len() as u32;
        let person = match self.persons.get(person_id) {
            Some(&person) => person,
            None => *self.persons.entry(person_id.to_owned()).or_insert(next),
        };
        rows.insert(record_id.to_owned(), self.person_of_row.len() as u32);
        let known = self.sources.iter().position(|name| name == source);
        let number = known.unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        });
        self.person_of_row.push(person);
        self.source_of_row.push(number as u16);
        self.about_row.push(about);
        self.about_person.resize(self.persons.len(), 0);
        true
    }

    /// Number of a person, if a record is about that person.
    pub(super) fn person(&self, person_id: &str) -> Option<u32> {
        self.persons.get(person_id).copied()
    }

    /// Adds bits to what is known about a person.
    pub(super) fn add_to_person(&mut self, person: u32, about: u8) {
        self.about_person[person as usize] |= about;
    }

    /// What is known about a person.
    pub(super) fn about_person(&self, person: u32) -> u8 {
        self.about_person[person as usize]
    }

    /// Names of the sources, by number.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }

    /// Source and what is known of each record, by number.
    pub(super) fn records(&self) -> impl Iterator<Item = (u16, RecordAbout)> {
        let sources = self.source_of_row.iter().copied();
        sources.zip(self.about_row.iter().copied())
    }

    /// Like [`Truth::records`], to be changed.
    pub(super) fn records_mut(&mut self) -> impl Iterator<Item = (u16, &mut RecordAbout)> {
        let sources = self.source_of_row.iter().copied();
        sources.zip(self.about_row.iter_mut())
    }

    /// The person of each record, by number of the record.
    pub(super) fn persons_of_rows(&self) -> &[u32] {
        &self.person_of_row
    }

    /// Numbers of a record and of the person it is about.
    pub(super) fn row(&self, source: &str, record_id: &str) -> Option<(u32, u32)> {
        let row = *self.rows.get(source)?.get(record_id)?;
        Some((row, self.person_of_row[row as usize]))
    }

    /// Number of records.
    #[must_use]
    pub fn record_count(&self) -> u64 {
        self.person_of_row.len() as u64
    }

    /// Number of persons.
    #[must_use]
    pub fn person_count(&self) -> u64 {
        self.persons.len() as u64
    }
}
