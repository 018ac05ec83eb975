//! The truth file: which record is about which person.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

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

/// Columns that a truth file must have; it may have more.
pub const COLUMNS: [&str; 3] = ["source", "record_id", "person_id"];

/// Which record is about which person. Records and persons are numbered as they occur.
#[derive(Default)]
pub struct Truth {
    rows: HashMap<String, HashMap<String, u32>>,
    persons: HashMap<String, u32>,
    person_of_row: Vec<u32>,
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
            if !truth.insert(fields[0], fields[1], fields[2]) {
                return Err(ReadTruthError::Repeated {
                    path: path.to_owned(),
                    line,
                });
            }
        }
        Ok(truth)
    }

    /// Adds a record. `false`: it was known, and nothing changes.
    pub fn insert(&mut self, source: &str, record_id: &str, person_id: &str) -> bool {
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
        self.person_of_row.push(person);
        true
    }

    /// Numbers of a record and of the person it is about.
    pub(super) fn row(&self, source: &str, record_id: &str) -> Option<(u32, u32)> {
        let row = *self.rows.get(source)?.get(record_id)?;
        Some((row, self.person_of_row[row as usize]))
    }

    /// The persons of records outside `given`, one for each such record.
    pub(super) fn persons_without(&self, given: &HashSet<u32>) -> Vec<u32> {
        let absent = (0..).zip(&self.person_of_row);
        let absent = absent.filter(|(row, _)| !given.contains(row));
        absent.map(|(_, &person)| person).collect()
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
