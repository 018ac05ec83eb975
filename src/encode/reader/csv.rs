//! CSV and its like: a header row, and the columns that the map names.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::csv::StringRecord;

use super::decode::DecodingReader;
use super::{Entry, Form, Found, ROW_BYTES_MAX, ReadError, RowRefusal};
use crate::encode::field::Field;
use crate::encode::map::MapFile;

/// A CSV file.
pub(super) struct CsvForm {
    file: PathBuf,
    rows: ::csv::Reader<DecodingReader<File>>,
    columns: Columns,
    row: StringRecord,
    header: StringRecord,
    /// Columns to keep as they are written.
    kept: Vec<usize>,
}

/// Where in a row the map's columns stand.
struct Columns {
    count: usize,
    record_ref: usize,
    kind: Option<usize>,
    version: Option<usize>,
    flags: Option<usize>,
    fields: Vec<(Field, usize)>,
}

impl CsvForm {
    /// Opens a file and checks its header against the map.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let file = path.to_owned();
        let in_map = |error| ReadError::Map {
            file: file.clone(),
            error,
        };
        let encoding = map.encoding().map_err(in_map)?;
        let delimiter = map.delimiter().map_err(in_map)?;
        let opened = File::open(path).map_err(ReadError::io(path))?;
        let mut rows = ::csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(DecodingReader::new(opened, encoding));
        let header = match rows.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(ReadError::of_rows(&file, error)),
        };
        if header.iter().all(|column| column.trim().is_empty()) {
            return Err(ReadError::Empty { file });
        }
        Ok(Self {
            columns: Columns::find(&file, &header, map)?,
            file,
            rows,
            row: StringRecord::new(),
            header,
            kept: Vec::new(),
        })
    }
}

impl Columns {
    fn find(file: &Path, header: &StringRecord, map: &MapFile) -> Result<Self, ReadError> {
        let mut named = std::iter::once(&map.record_ref).chain(map.fields.values());
        if !named.any(|column| header.iter().any(|name| name.trim() == column.trim())) {
            return Err(ReadError::NoHeader {
                file: file.to_owned(),
                wanted: map.record_ref.trim().to_owned(),
            });
        }
        let place = |column: &str, wanted| place(file, header, column, wanted);
        let mut fields = Vec::with_capacity(map.fields.len());
        for (field, column) in &map.fields {
            fields.push((*field, place(column, field.name())?));
        }
        let optional = |column: &Option<String>, wanted| {
            let column = column.as_deref();
            column.map(|column| place(column, wanted)).transpose()
        };
        Ok(Self {
            count: header.len(),
            record_ref: place(&map.record_ref, "record_ref")?,
            kind: optional(&map.kind_column, "kind_column")?,
            version: optional(&map.version_column, "version_column")?,
            flags: optional(&map.flags_column, "flags_column")?,
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

impl Form for CsvForm {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        let line = match self.rows.read_record(&mut self.row) {
            Ok(true) => self.row.position().map_or(0, ::csv::Position::line),
            Ok(false) => return Ok(Found::End),
            Err(error) => return Err(ReadError::of_rows(&self.file, error)),
        };
        if self.row.as_slice().len() > ROW_BYTES_MAX {
            return Err(ReadError::Malformed {
                file: self.file.clone(),
                line,
            });
        }
        if self.row.len() != self.columns.count {
            let reason = RowRefusal::ColumnCount;
            return Ok(Found::Refused { line, reason });
        }
        entry.begin(line);
        entry
            .record_ref
            .push_str(&self.row[self.columns.record_ref]);
        if let Some(column) = self.columns.kind {
            entry.kind.push_str(&self.row[column]);
        }
        if let Some(column) = self.columns.version {
            entry.version.push_str(&self.row[column]);
        }
        if let Some(column) = self.columns.flags {
            entry.flags.push_str(&self.row[column]);
        }
        for (field, column) in &self.columns.fields {
            entry.set(*field, &self.row[*column]);
        }
        let kept = self.kept.iter().map(|column| self.row[*column].to_owned());
        entry.columns.extend(kept);
        Ok(Found::Record)
    }

    fn keep_columns(&mut self, columns: &[String]) -> Result<(), ReadError> {
        let places = columns
            .iter()
            .map(|column| place(&self.file, &self.header, column, "the clkhash schema"));
        self.kept = places.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn position(&self) -> u64 {
        self.rows.get_ref().position()
    }
}
