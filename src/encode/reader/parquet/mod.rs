//! Parquet: the columns that the map names, row by row. Other columns are not read.
//!
//! Row groups are read one after the other and of each column a page at a time, so that memory does
//! not grow with the file. The line that reports tell is the row, from 1. Built with the cargo feature
//! `parquet` only.

mod cell;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::Type;

use super::{Entry, Form, Found, ROW_BYTES_MAX, ReadError};
use crate::encode::field::Field;
use crate::encode::map::MapFile;
use cell::{CellForm, CellText, unreadable_columns};

/// A Parquet file.
pub(super) struct ParquetForm {
    file: PathBuf,
    rows: RowIter<'static>,
    /// What is wanted, and the column that holds it.
    wanted: Vec<(Use, String)>,
    /// The columns that are read, in the order of the file.
    columns: Vec<Column>,
    /// How many columns are kept as they are written.
    kept: usize,
    row: u64,
    row_count: u64,
    bytes: u64,
}

/// What the cells of a column are for.
#[derive(Clone, Copy)]
enum Use {
    RecordRef,
    Kind,
    Version,
    Flags,
    Field(Field),
    /// Kept as it is written, at this place.
    Kept(usize),
}

/// A column that is read.
struct Column {
    name: String,
    form: CellForm,
    uses: Vec<Use>,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Self::RecordRef => "record_ref",
            Self::Kind => "kind_column",
            Self::Version => "version_column",
            Self::Flags => "flags_column",
            Self::Field(field) => field.name(),
            Self::Kept(_) => "the clkhash schema",
        }
    }
}

impl ParquetForm {
    /// Opens a file and checks its columns against the map.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let mut wanted = vec![(Use::RecordRef, map.record_ref.trim().to_owned())];
        for (column, wanted_for) in [
            (&map.kind_column, Use::Kind),
            (&map.version_column, Use::Version),
            (&map.flags_column, Use::Flags),
        ] {
            wanted.extend(
                column
                    .as_deref()
                    .map(|name| (wanted_for, name.trim().to_owned())),
            );
        }
        let fields = map.fields.iter();
        wanted.extend(fields.map(|(field, column)| (Use::Field(*field), column.trim().to_owned())));
        let bytes = std::fs::metadata(path).map_err(ReadError::io(path))?.len();
        let (rows, columns, row_count) = rows(path, &wanted)?;
        Ok(Self {
            file: path.to_owned(),
            rows,
            wanted,
            columns,
            kept: 0,
            row: 0,
            row_count,
            bytes,
        })
    }

    fn broken(&self, rule: &'static str) -> ReadError {
        ReadError::Form {
            file: self.file.clone(),
            line: self.row,
            rule,
        }
    }
}

/// The rows with the wanted columns only, those columns, and how many rows there are.
fn rows(
    path: &Path,
    wanted: &[(Use, String)],
) -> Result<(RowIter<'static>, Vec<Column>, u64), ReadError> {
    let file = File::open(path).map_err(ReadError::io(path))?;
    let opened = guarded(|| SerializedFileReader::new(file));
    let reader = opened.map_err(|error| of_parquet(path, 0, error))?;
    let metadata = reader.metadata().file_metadata();
    let count = u64::try_from(metadata.num_rows()).unwrap_or_default();
    let schema = metadata.schema();
    let known = schema.get_fields();
    for (wanted_for, name) in wanted {
        if !known.iter().any(|field| field.name() == name) {
            return Err(ReadError::NoColumn {
                file: path.to_owned(),
                column: name.clone(),
                wanted: wanted_for.name(),
                columns: known.iter().map(|field| field.name().to_owned()).collect(),
            });
        }
    }
    let refused = |column: &str, rule| ReadError::Column {
        file: path.to_owned(),
        column: column.to_owned(),
        rule,
    };
    let (mut columns, mut read) = (Vec::new(), Vec::new());
    for field in known {
        let of_it = wanted.iter().filter(|(_, name)| name == field.name());
        let uses: Vec<Use> = of_it.map(|(wanted_for, _)| *wanted_for).collect();
        if !uses.is_empty() {
            let name = field.name().to_owned();
            let form = CellForm::of(field).map_err(|rule| refused(&name, rule))?;
            columns.push(Column { name, form, uses });
            read.push(field.clone());
        }
    }
    for (name, rule) in unreadable_columns(reader.metadata()) {
        if columns.iter().any(|column| column.name == name) {
            return Err(refused(name, rule));
        }
    }
    let projection = Type::group_type_builder(schema.name())
        .with_fields(read)
        .build();
    let rows = projection
        .and_then(|projection| RowIter::from_file_into(Box::new(reader)).project(Some(projection)))
        .map_err(|error| of_parquet(path, 0, error))?;
    Ok((rows, columns, count))
}

/// Calls the library, which panics on some broken files: that is an error of the file too. What it was
/// working on is not used again.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General(String::new())))
}

/// The library's error without its text, which might quote a value.
fn of_parquet(path: &Path, line: u64, error: ParquetError) -> ReadError {
    let file = path.to_owned();
    if let ParquetError::External(inner) = error
        && let Ok(error) = inner.downcast::<std::io::Error>()
    {
        return ReadError::Io {
            file,
            error: *error,
        };
    }
    ReadError::Form {
        file,
        line,
        rule: "a Parquet file has a whole footer and whole pages, and its text is UTF-8",
    }
}

impl Form for ParquetForm {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        self.row += 1;
        let row = match guarded(|| self.rows.next().transpose()) {
            Ok(Some(row)) => row,
            Ok(None) => {
                self.row -= 1;
                return Ok(Found::End);
            }
            Err(error) => return Err(of_parquet(&self.file, self.row, error)),
        };
        entry.begin(self.row);
        entry.columns.resize(self.kept, String::new());
        let mut bytes = 0;
        for ((_, cell), column) in row.get_column_iter().zip(&self.columns) {
            let CellText::Is(text) = column.form.text(cell) else {
                return Err(ReadError::Charset {
                    file: self.file.clone(),
                    line: self.row,
                    charset: "UTF-8",
                });
            };
            bytes += text.len() * column.uses.len();
            if bytes > ROW_BYTES_MAX {
                return Err(self.broken("a row has at most a mebibyte of text"));
            }
            for wanted_for in &column.uses {
                match *wanted_for {
                    Use::RecordRef => entry.record_ref.push_str(&text),
                    Use::Kind => entry.kind.push_str(&text),
                    Use::Version => entry.version.push_str(&text),
                    Use::Flags => entry.flags.push_str(&text),
                    Use::Field(field) => entry.set(field, &text),
                    Use::Kept(place) => entry.columns[place].push_str(&text),
                }
            }
        }
        Ok(Found::Record)
    }

    fn keep_columns(&mut self, columns: &[String]) -> Result<(), ReadError> {
        let kept = columns.iter().enumerate();
        self.wanted
            .extend(kept.map(|(place, name)| (Use::Kept(place), name.clone())));
        (self.rows, self.columns, self.row_count) = rows(&self.file, &self.wanted)?;
        self.kept = columns.len();
        Ok(())
    }

    fn position(&self) -> u64 {
        let share = self.row as f64 / self.row_count.max(1) as f64;
        (self.bytes as f64 * share) as u64
    }
}

#[cfg(test)]
mod tests;
