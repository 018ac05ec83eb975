//! Where encodings go: an encoding file to submit, or a CSV to look at and to attack.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use data_encoding::HEXLOWER;

use super::EncodeError;
use crate::encode::file::{EncodingHeader, EncodingWriter, WrittenFile};
use crate::terms::RecordEncoding;
use crate::terms::profile::Layout;

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputFormat {
    /// An encoding file, checksummed, to be submitted.
    #[default]
    Mse,
    /// `id,e0,e1,…`: every filter, then every tag, in hexadecimal; absent ones empty. Not to be
    /// submitted.
    Csv,
}

/// An output that is being written.
pub(super) enum Output {
    Mse(Box<EncodingWriter>),
    Csv(Box<CsvOutput>),
}

impl Output {
    pub(super) fn create(
        format: OutputFormat,
        path: &Path,
        header: &EncodingHeader,
        layout: &Layout,
    ) -> Result<Self, EncodeError> {
        Ok(match format {
            OutputFormat::Mse => Self::Mse(Box::new(EncodingWriter::create(path, header)?)),
            OutputFormat::Csv => Self::Csv(Box::new(CsvOutput::create(path, layout.clone())?)),
        })
    }

    pub(super) fn append(&mut self, encoding: &RecordEncoding) -> Result<(), EncodeError> {
        match self {
            Self::Mse(writer) => Ok(writer.append(encoding)?),
            Self::Csv(writer) => writer.append(encoding),
        }
    }

    pub(super) fn finish(self) -> Result<WrittenFile, EncodeError> {
        match self {
            Self::Mse(writer) => Ok(writer.finish()?),
            Self::Csv(writer) => writer.finish(),
        }
    }
}

/// A CSV under a name of its own until it is whole.
pub(super) struct CsvOutput {
    path: PathBuf,
    partial: PathBuf,
    rows: csv::Writer<BufWriter<File>>,
    layout: Layout,
    records: u64,
    finished: bool,
}

impl CsvOutput {
    fn create(path: &Path, layout: Layout) -> Result<Self, EncodeError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(failed(&partial))?;
        let mut output = Self {
            path: path.to_owned(),
            partial,
            rows: csv::Writer::from_writer(BufWriter::new(file)),
            records: 0,
            finished: false,
            layout,
        };
        let columns = output.layout.filter_count() + output.layout.tag_slots();
        let names = (0..columns).map(|index| format!("e{index}"));
        output.write(std::iter::once("id".to_owned()).chain(names))?;
        Ok(output)
    }

    fn append(&mut self, encoding: &RecordEncoding) -> Result<(), EncodeError> {
        let mut row = vec![encoding.record_ref.as_str().to_owned()];
        for index in 0..self.layout.filter_count() {
            let mut cell = String::new();
            if encoding.presence & self.layout.filter_bit(index) != 0 {
                let words = &encoding.filters[self.layout.filter_range(index)];
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                HEXLOWER.encode_append(&bytes, &mut cell);
            }
            row.push(cell);
        }
        for index in 0..self.layout.tag_count() {
            let present = encoding.presence & self.layout.tag_bit(index) != 0;
            let slots = &encoding.tags[self.layout.tag_range(index)];
            row.extend(slots.iter().map(|tag| {
                if present {
                    format!("{tag:016x}")
                } else {
                    String::new()
                }
            }));
        }
        self.records += 1;
        self.write(row)
    }

    fn write(&mut self, row: impl IntoIterator<Item = String>) -> Result<(), EncodeError> {
        let path = &self.partial;
        let written = self.rows.write_record(row).map_err(io::Error::from);
        written.map_err(failed(path))
    }

    fn finish(mut self) -> Result<WrittenFile, EncodeError> {
        let partial = self.partial.clone();
        self.rows.flush().map_err(failed(&partial))?;
        self.rows
            .get_ref()
            .get_ref()
            .sync_all()
            .map_err(failed(&partial))?;
        let bytes = fs::metadata(&partial).map_err(failed(&partial))?.len();
        fs::rename(&partial, &self.path).map_err(failed(&self.path))?;
        self.finished = true;
        Ok(WrittenFile {
            records: self.records,
            bytes,
        })
    }
}

impl Drop for CsvOutput {
    fn drop(&mut self) {
        if !self.finished {
            // What is left of it is only in the way.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> EncodeError + '_ {
    move |error| EncodeError::WriteCsv {
        path: path.to_owned(),
        error,
    }
}
