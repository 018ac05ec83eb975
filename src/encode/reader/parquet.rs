//! Parquet: the columns that the map names, row by row. Other columns are not read.
//!
//! Built with the cargo feature `parquet` only.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field as Cell;
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::Type;

use super::{Entry, Form, Found, ReadError};
use crate::encode::field::Field;
use crate::encode::map::MapFile;

/// A Parquet file.
pub(super) struct ParquetForm {
    file: PathBuf,
    rows: RowIter<'static>,
    columns: Columns,
    /// Columns kept as they are written.
    kept: Vec<String>,
    row: u64,
    row_count: u64,
    bytes: u64,
}

/// Names of the columns.
struct Columns {
    record_ref: String,
    kind: Option<String>,
    version: Option<String>,
    flags: Option<String>,
    fields: Vec<(Field, String)>,
}

impl ParquetForm {
    /// Opens a file and checks its columns against the map.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let columns = Columns {
            record_ref: map.record_ref.trim().to_owned(),
            kind: map.kind_column.clone(),
            version: map.version_column.clone(),
            flags: map.flags_column.clone(),
            fields: map
                .fields
                .iter()
                .map(|(field, column)| (*field, column.trim().to_owned()))
                .collect(),
        };
        let bytes = std::fs::metadata(path).map_err(ReadError::io(path))?.len();
        let (rows, row_count) = rows(path, &columns, &[])?;
        Ok(Self {
            file: path.to_owned(),
            rows,
            columns,
            kept: Vec::new(),
            row: 0,
            row_count,
            bytes,
        })
    }
}

impl Columns {
    /// Each with what the map wants it for.
    fn wanted(&self) -> Vec<(&str, &'static str)> {
        let mut wanted = vec![(self.record_ref.as_str(), "record_ref")];
        for (column, what) in [
            (&self.kind, "kind_column"),
            (&self.version, "version_column"),
            (&self.flags, "flags_column"),
        ] {
            wanted.extend(column.as_deref().map(|column| (column, what)));
        }
        let fields = self.fields.iter();
        wanted.extend(fields.map(|(field, column)| (column.as_str(), field.name())));
        wanted
    }
}

/// The rows with these columns only, and how many rows there are.
fn rows(
    path: &Path,
    columns: &Columns,
    kept: &[String],
) -> Result<(RowIter<'static>, u64), ReadError> {
    let file = File::open(path).map_err(ReadError::io(path))?;
    let reader = SerializedFileReader::new(file).map_err(|error| of_parquet(path, 0, error))?;
    let metadata = reader.metadata().file_metadata();
    let count = u64::try_from(metadata.num_rows()).unwrap_or_default();
    let schema = metadata.schema();
    let mut wanted = columns.wanted();
    wanted.extend(
        kept.iter()
            .map(|column| (column.as_str(), "the clkhash schema")),
    );
    let known = schema.get_fields();
    for (column, what) in &wanted {
        if !known.iter().any(|field| field.name() == *column) {
            return Err(ReadError::NoColumn {
                file: path.to_owned(),
                column: (*column).to_owned(),
                wanted: what,
                columns: known.iter().map(|field| field.name().to_owned()).collect(),
            });
        }
    }
    let used = known
        .iter()
        .filter(|field| wanted.iter().any(|(column, _)| *column == field.name()));
    let projection = Type::group_type_builder(schema.name())
        .with_fields(used.cloned().collect())
        .build();
    let rows = projection
        .and_then(|projection| RowIter::from_file_into(Box::new(reader)).project(Some(projection)))
        .map_err(|error| of_parquet(path, 0, error))?;
    Ok((rows, count))
}

/// The library's error without its text, which might quote a value.
fn of_parquet(path: &Path, line: u64, error: ParquetError) -> ReadError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) => ReadError::Io {
                file: path.to_owned(),
                error: *error,
            },
            Err(_) => broken(path, line),
        },
        _ => broken(path, line),
    }
}

fn broken(path: &Path, line: u64) -> ReadError {
    ReadError::Form {
        file: path.to_owned(),
        line,
        rule: "a Parquet file has a whole footer and whole pages, uncompressed or Snappy",
    }
}

/// A cell as a CSV would hold it; what is no single value is empty.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Str(text) => text.clone(),
        Cell::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        // Whole numbers next to empty cells become floating in many tools.
        Cell::Float(number) => number.to_string(),
        Cell::Double(number) => number.to_string(),
        Cell::Null | Cell::Group(_) | Cell::ListInternal(_) | Cell::MapInternal(_) => String::new(),
        other => other.to_string(),
    }
}

impl Form for ParquetForm {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        let row = match self.rows.next() {
            None => return Ok(Found::End),
            Some(Ok(row)) => row,
            Some(Err(error)) => return Err(of_parquet(&self.file, self.row + 1, error)),
        };
        self.row += 1;
        entry.begin(self.row);
        let is = |column: &Option<String>, name: &str| column.as_deref() == Some(name);
        for (name, cell) in row.get_column_iter() {
            let text = text(cell);
            if *name == self.columns.record_ref {
                entry.record_ref.push_str(&text);
            }
            if is(&self.columns.kind, name) {
                entry.kind.push_str(&text);
            }
            if is(&self.columns.version, name) {
                entry.version.push_str(&text);
            }
            if is(&self.columns.flags, name) {
                entry.flags.push_str(&text);
            }
            let fields = self.columns.fields.iter();
            for (field, _) in fields.filter(|(_, column)| column == name) {
                entry.set(*field, &text);
            }
        }
        for kept in &self.kept {
            let mut cells = row.get_column_iter();
            let cell = cells.find(|(name, _)| *name == kept);
            entry
                .columns
                .push(cell.map_or_else(String::new, |(_, cell)| self::text(cell)));
        }
        Ok(Found::Record)
    }

    fn keep_columns(&mut self, columns: &[String]) -> Result<(), ReadError> {
        (self.rows, self.row_count) = rows(&self.file, &self.columns, columns)?;
        self.kept = columns.to_vec();
        Ok(())
    }

    fn position(&self) -> u64 {
        let share = self.row as f64 / self.row_count.max(1) as f64;
        (self.bytes as f64 * share) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::parquet::basic::{ConvertedType, Repetition, Type as Physical};
    use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
    use ::parquet::file::writer::SerializedFileWriter;

    use super::*;
    use crate::encode::reader::{Row, open_source};
    use crate::terms::{Attribute, SourceId};

    const MAP: &str = "record_ref = 'id'\nlocale = 'jp'\n[file]\nform = 'parquet'\n[fields]\n\
        name_kana = 'kana'\nbirth_date = 'born'\nsex = 'sex'\n";

    fn write(path: &Path) {
        let column = |name: &str, physical, converted| {
            let column = Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_converted_type(converted);
            Arc::new(column.build().expect("a column"))
        };
        let fields = vec![
            column("id", Physical::BYTE_ARRAY, ConvertedType::UTF8),
            column("diagnosis", Physical::BYTE_ARRAY, ConvertedType::UTF8),
            column("kana", Physical::BYTE_ARRAY, ConvertedType::UTF8),
            column("born", Physical::INT32, ConvertedType::DATE),
            column("sex", Physical::DOUBLE, ConvertedType::NONE),
        ];
        let schema = Type::group_type_builder("rows").with_fields(fields).build();
        let file = File::create(path).expect("created");
        let schema = Arc::new(schema.expect("a schema"));
        let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).expect("begun");
        for group in 0..2 {
            let texts = |texts: [&str; 2]| texts.map(|text| ByteArray::from(text));
            let ids = [format!("R{group}0"), format!("R{group}1")];
            let mut rows = writer.next_row_group().expect("a group");
            let all = [
                texts([&ids[0], &ids[1]]),
                texts(["x", "y"]),
                texts(["ヤマダ　タロウ", "サトウ　ハナ"]),
            ];
            for column in &all {
                let mut cells = rows.next_column().expect("room").expect("a column");
                let levels = Some(&[1, 1][..]);
                cells
                    .typed::<ByteArrayType>()
                    .write_batch(column, levels, None)
                    .expect("written");
                cells.close().expect("closed");
            }
            let mut cells = rows.next_column().expect("room").expect("a column");
            // 1949-05-22, and nothing.
            let days = cells.typed::<Int32Type>();
            days.write_batch(&[-7529], Some(&[1, 0]), None)
                .expect("written");
            cells.close().expect("closed");
            let mut cells = rows.next_column().expect("room").expect("a column");
            let sexes = cells.typed::<DoubleType>();
            sexes
                .write_batch(&[1.0, 2.0], Some(&[1, 1]), None)
                .expect("written");
            cells.close().expect("closed");
            rows.close().expect("closed");
        }
        writer.close().expect("closed");
    }

    #[test]
    fn columns_of_several_types_are_read_and_broken_files_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.parquet");
        write(&path);
        let map = MapFile::parse(MAP).expect("a map");
        let source = SourceId::new("hosp_a").expect("a name");
        let mut reader = open_source(&path, &map, &source).expect("opened");
        let mut people = Vec::new();
        for row in reader.by_ref() {
            let Row::Record(record) = row.expect("read") else {
                panic!("refused")
            };
            let get = |attribute| record.identity.get(attribute).unwrap_or("-").to_owned();
            let label = record.record_ref.as_str().to_owned();
            people.push([
                label,
                get(Attribute::NameKana),
                get(Attribute::BirthDate),
                get(Attribute::Sex),
            ]);
        }
        assert_eq!(people.len(), 4);
        assert_eq!(people[0], ["R00", "ヤマダタロウ", "19490522", "1"]);
        assert_eq!(people[3], ["R11", "サトウハナ", "-", "2"]);
        assert_eq!(
            reader.position(),
            std::fs::metadata(&path).expect("there").len()
        );

        let other = MapFile::parse(&MAP.replace("'kana'", "'yomi'")).expect("a map");
        let error = open_source(&path, &other, &source)
            .err()
            .expect("refused")
            .to_string();
        assert!(
            error.contains("yomi") && error.contains("diagnosis"),
            "{error}"
        );
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() - 9]).expect("cut");
        let error = open_source(&path, &map, &source)
            .err()
            .expect("refused")
            .to_string();
        assert!(error.contains("Parquet"), "{error}");
    }
}
