//! Truth files for public evaluation sets, whose truth is inside the data.

use std::path::{Path, PathBuf};

use super::truth::COLUMNS;

/// Why no truth file could be made. Names file, line and rule, never a value.
#[derive(Debug, thiserror::Error)]
pub enum PublicTruthError {
    /// A file cannot be read or written as CSV.
    #[error("cannot read or write {}", path.display())]
    Csv {
        /// File.
        path: PathBuf,
        /// What the reader or writer says.
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
    /// A record ID does not have the form of the set.
    #[error("{}, line {line}: rec_id is not of the form rec-N-org or rec-N-dup-K", path.display())]
    RecordId {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
    },
}

/// Writes the truth of FEBRL files: the person is the number in `rec-N-org` and `rec-N-dup-K`.
/// Returns the number of records.
///
/// # Errors
/// [`PublicTruthError`].
pub fn febrl_truth(files: &[(&str, &Path)], output: &Path) -> Result<u64, PublicTruthError> {
    write_truth(files, "rec_id", "rec_id", person_of_febrl, output)
}

/// Writes the truth of `historical_50k`: the person is the column `cluster`. Returns the number of
/// records.
///
/// # Errors
/// [`PublicTruthError`].
pub fn historical_truth(source: &str, path: &Path, output: &Path) -> Result<u64, PublicTruthError> {
    write_truth(
        &[(source, path)],
        "unique_id",
        "cluster",
        |cluster| Some(cluster),
        output,
    )
}

fn person_of_febrl(record_id: &str) -> Option<&str> {
    let (number, kind) = record_id.strip_prefix("rec-")?.split_once('-')?;
    let known = kind == "org" || kind.starts_with("dup-");
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (known && digits).then_some(number)
}

fn write_truth(
    files: &[(&str, &Path)],
    record_column: &'static str,
    person_column: &'static str,
    person_of: fn(&str) -> Option<&str>,
    output: &Path,
) -> Result<u64, PublicTruthError> {
    let failed = |path: &Path, source| PublicTruthError::Csv {
        path: path.to_owned(),
        source,
    };
    let mut writer = csv::Writer::from_path(output).map_err(|source| failed(output, source))?;
    writer
        .write_record(COLUMNS)
        .map_err(|source| failed(output, source))?;
    let mut count = 0;
    for &(source_name, path) in files {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|source| failed(path, source))?;
        let headers = reader.headers().map_err(|source| failed(path, source))?;
        let index_of = |column: &'static str| {
            let found = headers.iter().position(|header| header == column);
            found.ok_or(PublicTruthError::MissingColumn {
                path: path.to_owned(),
                column,
            })
        };
        let (record_index, person_index) = (index_of(record_column)?, index_of(person_column)?);
        for row in reader.records() {
            let row = row.map_err(|source| failed(path, source))?;
            let line = row.position().map_or(0, csv::Position::line);
            let refused = || PublicTruthError::RecordId {
                path: path.to_owned(),
                line,
            };
            let person = person_of(&row[person_index]).ok_or_else(refused)?;
            let written = writer.write_record([source_name, &row[record_index], person]);
            written.map_err(|source| failed(output, source))?;
            count += 1;
        }
    }
    writer
        .flush()
        .map_err(|source| failed(output, source.into()))?;
    Ok(count)
}
