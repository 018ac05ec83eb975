//! Reads a source's file record by record, as records in the clear.
//!
//! Each form of file (CSV, FHIR, HL7 v2, receipt file) has an adapter that finds the fields of one
//! record; what follows is the same for all. A record that cannot be read is refused and counted; a
//! file that is not what its map says ends the reading. Messages name file, line and rule, never a
//! value.

mod alias;
mod csv;
mod decode;
mod entry;
mod error;
mod fhir;
mod hl7;
mod names;
#[cfg(feature = "parquet")]
mod parquet;
mod record;
mod report;
mod seen;
mod uke;

use std::collections::VecDeque;
use std::path::Path;

use super::identity::SourceRecord;
use super::map::{FileFormName, MapFile};
use crate::terms::SourceId;
pub use entry::{Entry, EntryBatch};
pub use error::ReadError;
pub use record::{Recorded, Recorder};
use report::Tally;
pub use report::{ReadReport, RowRefusal};
use seen::SeenRefs;

/// Most bytes that a row may take. A quote that is never closed swallows the rest of its file.
const ROW_BYTES_MAX: usize = 1024 * 1024;

/// A record as it was read.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all rows are records; a box would cost each of them an allocation"
)]
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
///
/// One record after the other as an iterator; or many at once: [`SourceReader::read_entries`],
/// [`SourceReader::recorder`] on any thread, [`SourceReader::admit`] in the order of the file.
pub struct SourceReader {
    form: Box<dyn Form>,
    /// Further names of the person whose record was read last.
    aliases: VecDeque<Entry>,
    recorder: Recorder,
    seen: SeenRefs,
    tally: Tally,
    entry: Entry,
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
        #[cfg(feature = "parquet")]
        FileFormName::Parquet => Box::new(parquet::ParquetForm::open(path, map)?),
        #[cfg(not(feature = "parquet"))]
        FileFormName::Parquet => return Err(ReadError::NoParquet),
        FileFormName::Fhir => Box::new(fhir::FhirForm::open(path, map)?),
        FileFormName::Hl7v2 => Box::new(hl7::Hl7Form::open(path, map)?),
        FileFormName::Uke => Box::new(uke::UkeForm::open(path, map)?),
    };
    Ok(SourceReader {
        form,
        aliases: VecDeque::new(),
        recorder: Recorder::new(map, source),
        seen: SeenRefs::new(),
        tally: Tally::default(),
        entry: Entry::new(),
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

    /// What makes records of this file's entries.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Fills the batch with the next rows, up to `rows`; it is empty at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`]; then there are no more rows.
    pub fn read_entries(&mut self, batch: &mut EntryBatch, rows: usize) -> Result<(), ReadError> {
        batch.used = 0;
        while batch.used < rows && !self.ended {
            if batch.used == batch.entries.len() {
                batch.entries.push(Entry::new());
            }
            if read_entry(
                self.form.as_mut(),
                &mut self.aliases,
                &mut batch.entries[batch.used],
                &mut self.ended,
            )? {
                batch.used += 1;
            }
        }
        Ok(())
    }

    /// Takes the record ref of a tracer, which the file must not use as well. Nothing is counted.
    ///
    /// # Errors
    /// [`ReadError::Seen`] if the temporary file of record refs fails.
    pub fn reserve(&mut self, tracer: &Recorded) -> Result<(), ReadError> {
        match &tracer.outcome {
            Ok(key) => self.seen.insert(key),
            Err(_) => Ok(()),
        }
    }

    /// Prepares for admitting these entries soon: they are admitted faster.
    pub fn expect<'a>(&self, entries: impl Iterator<Item = &'a Recorded>) {
        let hashes = entries.filter_map(|recorded| recorded.outcome.as_ref().ok());
        self.seen.fetch(hashes);
    }

    /// Counts what became of an entry, and says whether its record goes on: a record ref that stood
    /// in an admitted record before is refused.
    ///
    /// # Errors
    /// [`ReadError::Seen`] if the temporary file of record refs fails.
    pub fn admit(&mut self, recorded: &Recorded) -> Result<Result<(), RowRefusal>, ReadError> {
        let refusal = match &recorded.outcome {
            Err(reason) => Some(*reason),
            Ok(key) if self.seen.contains(key)? => Some(RowRefusal::DuplicateRecordRef),
            Ok(key) => {
                self.seen.insert(key)?;
                None
            }
        };
        if refusal != Some(RowRefusal::DuplicateRecordRef) {
            for note in &recorded.notes {
                self.tally.note(*note, recorded.line);
            }
        }
        Ok(match refusal {
            None => {
                self.tally.record(recorded.filled, recorded.is_alias);
                Ok(())
            }
            Some(reason) => {
                self.tally.refuse(reason, recorded.line);
                Err(reason)
            }
        })
    }
}

/// Reads the next row into an entry; false at the end of the file.
fn read_entry(
    form: &mut dyn Form,
    aliases: &mut VecDeque<Entry>,
    entry: &mut Entry,
    ended: &mut bool,
) -> Result<bool, ReadError> {
    if let Some(mut alias) = aliases.pop_front() {
        std::mem::swap(entry, &mut alias);
        return Ok(true);
    }
    match form.read(entry) {
        Ok(Found::Record) => {
            alias::queue_aliases(entry, aliases);
            Ok(true)
        }
        Ok(Found::Refused { line, reason }) => {
            entry.begin(line);
            entry.refusal = Some(reason);
            Ok(true)
        }
        Ok(Found::End) => {
            *ended = true;
            Ok(false)
        }
        Err(error) => {
            *ended = true;
            Err(error)
        }
    }
}

impl Iterator for SourceReader {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let (form, aliases) = (self.form.as_mut(), &mut self.aliases);
        match read_entry(form, aliases, &mut self.entry, &mut self.ended) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        let (recorded, record) = self.recorder.record(&self.entry);
        let line = recorded.line;
        match self.admit(&recorded) {
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
            Ok(Err(reason)) => Some(Ok(Row::Refused { line, reason })),
            Ok(Ok(())) => {
                let record = record.expect("only entries with a record are admitted");
                Some(Ok(Row::Record(record)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
