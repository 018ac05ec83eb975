//! Reads a source's file record by record, as records in the clear.
//!
//! Each form of file (CSV, FHIR, HL7 v2, receipt file) has an adapter that finds the fields of one
//! record; what follows is the same for all. A record that cannot be read is refused and counted; a
//! file that is not what its map says ends the reading. Messages name file, line and rule, never a
//! value.

mod csv;
mod decode;
mod entry;
mod error;
mod fhir;
mod hl7;
mod names;
mod report;
mod uke;

use std::collections::HashSet;
use std::path::Path;

use super::field::Field;
use super::identity::SourceRecord;
use super::map::{FileFormName, MapFile};
use super::normalise::event::event_facts;
use super::normalise::{Note, normalise};
use crate::terms::{EventKind, RecordRef, SourceId};
use entry::Entry;
pub use error::ReadError;
use report::Tally;
pub use report::{ReadReport, RowRefusal};

/// Most bytes that a row may take. A quote that is never closed swallows the rest of its file.
const ROW_BYTES_MAX: usize = 1024 * 1024;

/// A record as it was read.
pub enum Row {
    /// A record.
    Record(SourceRecord),
    /// Something that is no record.
    Refused {
        /// Where it begins, from 1.
        line: u64,
        /// Why.
        reason: RowRefusal,
    },
}

/// What an adapter found next.
enum Found {
    /// A record: its fields are in the entry.
    Record,
    /// Something that should have been a record.
    Refused { line: u64, reason: RowRefusal },
    /// The end of the file.
    End,
}

/// One form of file. After [`Found::End`] or an error it is not asked again.
trait Form: Send {
    /// Finds the next record.
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError>;

    /// Bytes of the file read so far.
    fn position(&self) -> u64;

    /// Keeps these columns of each record as they are written.
    fn keep_columns(&mut self, _columns: &[String]) -> Result<(), ReadError> {
        Err(ReadError::NotColumns)
    }
}

/// Streams the records of one file. After an error there are no more.
pub struct SourceReader {
    form: Box<dyn Form>,
    map: MapFile,
    source: SourceId,
    /// Hashes of the record refs seen, 16 bytes each: no plaintext is kept.
    seen: HashSet<[u8; 16]>,
    tally: Tally,
    entry: Entry,
    notes: Vec<Note>,
    ended: bool,
}

/// Opens a source's file and checks that it is of the form that the map names.
///
/// # Errors
/// [`ReadError`] if the file is missing or empty, of another charset or form, or lacks a column.
pub fn open_source(
    path: &Path,
    map: &MapFile,
    source: &SourceId,
) -> Result<SourceReader, ReadError> {
    let form: Box<dyn Form> = match map.file.form {
        FileFormName::Csv => Box::new(csv::CsvForm::open(path, map)?),
        FileFormName::Fhir => Box::new(fhir::FhirForm::open(path, map)?),
        FileFormName::Hl7v2 => Box::new(hl7::Hl7Form::open(path, map)?),
        FileFormName::Uke => Box::new(uke::UkeForm::open(path, map)?),
    };
    Ok(SourceReader {
        form,
        map: map.clone(),
        source: source.clone(),
        seen: HashSet::new(),
        tally: Tally::default(),
        entry: Entry::new(),
        notes: Vec::new(),
        ended: false,
    })
}

impl SourceReader {
    /// Keeps these columns of each record as they are written, for a clkhash profile.
    ///
    /// # Errors
    /// [`ReadError::NoColumn`]; [`ReadError::NotColumns`] if the file is no CSV.
    pub fn keep_columns(&mut self, columns: &[String]) -> Result<(), ReadError> {
        self.form.keep_columns(columns)
    }

    /// Counts of what was read so far.
    #[must_use]
    pub fn report(&self) -> ReadReport {
        self.tally.report()
    }

    /// Bytes of the file read so far, for progress.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.form.position()
    }

    /// The entry as a record.
    fn record(&mut self) -> Result<SourceRecord, RowRefusal> {
        let record_ref =
            RecordRef::new(self.entry.record_ref.trim()).map_err(|_| RowRefusal::RecordRef)?;
        let hash = blake3::hash(record_ref.as_str().as_bytes());
        let mut short_hash = [0; 16];
        short_hash.copy_from_slice(&hash.as_bytes()[..16]);
        if self.seen.contains(&short_hash) {
            return Err(RowRefusal::DuplicateRecordRef);
        }
        self.notes.clear();
        let values = self.entry.values();
        let mut identity = normalise(&values, self.map.locale, &self.source, &mut self.notes);
        let kind = self.kind();
        let written = values.get(Field::EventDate);
        let event = event_facts(written, kind, &mut identity, &mut self.notes);
        for note in &self.notes {
            self.tally.note(*note, self.entry.line);
        }
        if identity.attributes().next().is_none() {
            return Err(RowRefusal::NoIdentity);
        }
        identity.set_columns(self.entry.columns.clone());
        self.tally.record(&identity);
        self.seen.insert(short_hash);
        Ok(SourceRecord {
            record_ref,
            version: 1,
            kind,
            year: event.year,
            flags: event.flags,
            identity,
        })
    }

    fn kind(&self) -> EventKind {
        let told = self.map.kinds.get(self.entry.kind.trim());
        told.copied().unwrap_or(self.map.kind)
    }
}

impl Iterator for SourceReader {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let (line, reason) = match self.form.read(&mut self.entry) {
            Ok(Found::Record) => match self.record() {
                Ok(record) => return Some(Ok(Row::Record(record))),
                Err(reason) => (self.entry.line, reason),
            },
            Ok(Found::Refused { line, reason }) => (line, reason),
            Ok(Found::End) => {
                self.ended = true;
                return None;
            }
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        self.tally.refuse(reason, line);
        Some(Ok(Row::Refused { line, reason }))
    }
}

#[cfg(test)]
mod tests;
