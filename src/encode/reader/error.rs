//! Why a source's file cannot be read, or not on.

use std::path::{Path, PathBuf};

use super::ROW_BYTES_MAX;
use super::decode::WrongCharset;
use crate::encode::map::MapError;

/// Why a file cannot be read, or not on. Names file, line and rule, never a value.
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
    /// The header names no column of the map. What stands there may be values, so it is not told.
    #[error(
        "{}: line 1 names none of the map's columns (such as {wanted}): the first line of the file must name the \
         columns, and the map its separator", file.display()
    )]
    NoHeader {
        /// Which file.
        file: PathBuf,
        /// A column that the map names.
        wanted: String,
    },
    /// A column of a type that is not read (Parquet).
    #[error("{}: column {column:?}: {rule}", file.display())]
    Column {
        /// Which file.
        file: PathBuf,
        /// Which column.
        column: String,
        /// What is asked of it.
        rule: &'static str,
    },
    /// A clkhash profile with a file that has no columns.
    #[error("a clkhash profile hashes the columns of a CSV file, and this file is of another form")]
    NotColumns,
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
    /// The file is not of the form that the map names.
    #[error("{}: line {line}: {rule}; the map must name the form of the file", file.display())]
    Form {
        /// Which file.
        file: PathBuf,
        /// Where it shows.
        line: u64,
        /// What the form asks for.
        rule: &'static str,
    },
    /// A file that has to be held in memory is too large for it.
    #[error("{}: more than {bytes_max} bytes in one JSON value; give the resources line by line (NDJSON)", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// The program was built without the adapter.
    #[error("this musubi-encode was built without Parquet: build it with `--features parquet`")]
    NoParquet,
    /// The temporary file that finds repeated record refs fails.
    #[error("the temporary file of hashed record refs (see TMPDIR): {0}")]
    Seen(std::io::Error),
    /// The map says something that cannot be done.
    #[error("{}: {error}", file.display())]
    Map {
        /// The file that was to be read.
        file: PathBuf,
        /// What is wrong in the map.
        error: MapError,
    },
}

impl ReadError {
    /// The CSV reader's error as one of ours. Its own text might quote the row.
    pub(super) fn of_rows(file: &Path, error: ::csv::Error) -> Self {
        let file = file.to_owned();
        let line = error.position().map_or(0, ::csv::Position::line);
        let ::csv::ErrorKind::Io(error) = error.into_kind() else {
            return Self::Malformed { file, line };
        };
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<WrongCharset>())
        {
            Some(WrongCharset { charset, line }) => Self::Charset {
                file,
                line: *line,
                charset,
            },
            None => Self::Io { file, error },
        }
    }

    /// The system's error on a file.
    pub(super) fn io(file: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |error| Self::Io {
            file: file.to_owned(),
            error,
        }
    }
}
