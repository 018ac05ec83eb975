//! Reads a source's CSV file row by row, as records in the clear.
//!
//! A row that cannot be read is refused and counted; a file that is not what its map says ends the
//! reading. Messages name file, line, column and rule, never a value.

mod decode;
mod report;

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::field::{Field, FieldValues};
use super::identity::SourceRecord;
use super::map::{MapError, MapFile};
use super::normalise::{Note, normalise};
use crate::terms::{EventKind, RecordRef, SourceId};
use decode::{DecodingReader, WrongCharset};
use report::Tally;
pub use report::{ReadReport, RowRefusal};

/// Most bytes that a row may take. A quote that is never closed swallows the rest of its file.
const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Why a file cannot be read, or not on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{}: {error}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file has no header row.
    #[error("{}: the file is empty; its first line must name the columns", file.display())]
    Empty {
        /// Which file.
        file: PathBuf,
    },
    /// The header does not name a column of the map.
    #[error("{}: no column {column:?}, which is wanted for {wanted}; there are: {}", file.display(), columns.join(", "))]
    NoColumn {
        /// Which file.
        file: PathBuf,
        /// The column that is missing.
        column: String,
        /// What the map wants it for.
        wanted: &'static str,
        /// The columns that the file has.
        columns: Vec<String>,
    },
    /// The bytes are not of the declared charset.
    #[error("{}: line {line} is not {charset}; the map must name the charset of the file", file.display())]
    Charset {
        /// Which file.
        file: PathBuf,
        /// Where the first malformed sequence stands.
        line: u64,
        /// The charset that the map names.
        charset: &'static str,
    },
    /// A row is too long to be one: a quote is not closed, or the delimiter is another.
    #[error("{}: line {line} begins a row of more than {ROW_BYTES_MAX} bytes: is a quote not closed?", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// The map says something that cannot be done.
    #[error("{}: {error}", file.display())]
    Map {
        /// Which file was to be read.
        file: PathBuf,
        /// What is wrong.
        error: MapError,
    },
}

/// A row as it was read.
pub enum Row {
    /// A record.
    Record(SourceRecord),
    /// A row that is no record.
    Refused {
        /// Where it begins, from 1 (the header).
        line: u64,
        /// Why.
        reason: RowRefusal,
    },
}

/// Streams the rows of one CSV file. After an error there are no more rows.
pub struct CsvReader {
    file: PathBuf,
    rows: csv::Reader<DecodingReader<File>>,
    columns: Columns,
    map: MapFile,
    source: SourceId,
    /// Hashes of the record refs seen, 16 bytes each: no plaintext is kept.
    seen: HashSet<[u8; 16]>,
    tally: Tally,
    row: StringRecord,
    notes: Vec<Note>,
    ended: bool,
    /// Columns to keep as they are written.
    kept: Vec<usize>,
    header: StringRecord,
}

/// Where in a row the map's columns stand.
struct Columns {
    count: usize,
    record_ref: usize,
    kind: Option<usize>,
    fields: Vec<(Field, usize)>,
}

/// Opens a source's file and checks its header against the map.
///
/// # Errors
/// [`ReadError`] if the file is missing or empty, of another charset, or lacks a column.
pub fn read_csv(path: &Path, map: &MapFile, source: &SourceId) -> Result<CsvReader, ReadError> {
    let file = path.to_owned();
    let in_map = |error| ReadError::Map {
        file: file.clone(),
        error,
    };
    let encoding = map.encoding().map_err(in_map)?;
    let delimiter = map.delimiter().map_err(in_map)?;
    let opened = File::open(path).map_err(|error| ReadError::Io {
        file: file.clone(),
        error,
    })?;
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .buffer_capacity(64 * 1024)
        .from_reader(DecodingReader::new(opened, encoding));
    let header = match rows.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(read_error(&file, error)),
    };
    if header.iter().all(|column| column.trim().is_empty()) {
        return Err(ReadError::Empty { file });
    }
    Ok(CsvReader {
        columns: Columns::find(&file, &header, map)?,
        file,
        rows,
        map: map.clone(),
        source: source.clone(),
        seen: HashSet::new(),
        tally: Tally::default(),
        row: StringRecord::new(),
        notes: Vec::new(),
        ended: false,
        kept: Vec::new(),
        header,
    })
}

impl Columns {
    fn find(file: &Path, header: &StringRecord, map: &MapFile) -> Result<Self, ReadError> {
        let place = |column: &str, wanted| place(file, header, column, wanted);
        let mut fields = Vec::with_capacity(map.fields.len());
        for (field, column) in &map.fields {
            fields.push((*field, place(column, field.name())?));
        }
        let kind = map
            .kind_column
            .as_deref()
            .map(|column| place(column, "kind_column"));
        Ok(Self {
            count: header.len(),
            record_ref: place(&map.record_ref, "record_ref")?,
            kind: kind.transpose()?,
            fields,
        })
    }
}

fn place(
    file: &Path,
    header: &StringRecord,
    column: &str,
    wanted: &'static str,
) -> Result<usize, ReadError> {
    let mut names = header.iter().map(str::trim);
    names
        .position(|name| name == column.trim())
        .ok_or_else(|| ReadError::NoColumn {
            file: file.to_owned(),
            column: column.to_owned(),
            wanted,
            columns: header.iter().map(|name| name.trim().to_owned()).collect(),
        })
}

impl CsvReader {
    /// Keeps these columns of each record as they are written, for a clkhash profile.
    ///
    /// # Errors
    /// [`ReadError::NoColumn`].
    pub fn keep_columns(&mut self, columns: &[String]) -> Result<(), ReadError> {
        let places = columns
            .iter()
            .map(|column| place(&self.file, &self.header, column, "the clkhash schema"));
        self.kept = places.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Counts of what was read so far.
    #[must_use]
    pub fn report(&self) -> ReadReport {
        self.tally.report()
    }

    /// Bytes of the file read so far, for progress.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.rows.get_ref().position()
    }

    /// One row as a record.
    fn record(&mut self, line: u64) -> Result<SourceRecord, RowRefusal> {
        if self.row.len() != self.columns.count {
            return Err(RowRefusal::ColumnCount);
        }
        let record_ref = RecordRef::new(self.row[self.columns.record_ref].trim())
            .map_err(|_| RowRefusal::RecordRef)?;
        let hash = blake3::hash(record_ref.as_str().as_bytes());
        let mut short_hash = [0; 16];
        short_hash.copy_from_slice(&hash.as_bytes()[..16]);
        if self.seen.contains(&short_hash) {
            return Err(RowRefusal::DuplicateRecordRef);
        }
        let mut values = FieldValues::default();
        for (field, column) in &self.columns.fields {
            values.set(*field, &self.row[*column]);
        }
        self.notes.clear();
        let mut identity = normalise(&values, self.map.locale, &self.source, &mut self.notes);
        for note in &self.notes {
            self.tally.note(*note, line);
        }
        if identity.attributes().next().is_none() {
            return Err(RowRefusal::NoIdentity);
        }
        let kept = self.kept.iter().map(|place| self.row[*place].to_owned());
        identity.set_columns(kept.collect());
        self.tally.record(&identity);
        self.seen.insert(short_hash);
        Ok(SourceRecord {
            record_ref,
            version: 1,
            kind: self.kind(),
            flags: 0,
            identity,
        })
    }

    fn kind(&self) -> EventKind {
        let told = self
            .columns
            .kind
            .and_then(|column| self.map.kinds.get(self.row[column].trim()));
        told.copied().unwrap_or(self.map.kind)
    }
}

impl Iterator for CsvReader {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = match self.rows.read_record(&mut self.row) {
            Ok(true) => self.row.position().map_or(0, csv::Position::line),
            Ok(false) => {
                self.ended = true;
                return None;
            }
            Err(error) => {
                self.ended = true;
                return Some(Err(read_error(&self.file, error)));
            }
        };
        if self.row.as_slice().len() > ROW_BYTES_MAX {
            self.ended = true;
            return Some(Err(ReadError::Malformed {
                file: self.file.clone(),
                line,
            }));
        }
        Some(Ok(match self.record(line) {
            Ok(record) => Row::Record(record),
            Err(reason) => {
                self.tally.refuse(reason, line);
                Row::Refused { line, reason }
            }
        }))
    }
}

/// The CSV reader's error as one of ours. Its own text might quote the row.
fn read_error(file: &Path, error: csv::Error) -> ReadError {
    let file = file.to_owned();
    let line = error.position().map_or(0, csv::Position::line);
    let csv::ErrorKind::Io(error) = error.into_kind() else {
        return ReadError::Malformed { file, line };
    };
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<WrongCharset>())
    {
        Some(WrongCharset { charset, line }) => ReadError::Charset {
            file,
            line: *line,
            charset,
        },
        None => ReadError::Io { file, error },
    }
}

#[cfg(test)]
mod tests;
