//! Writes an encoding file: under a name of its own until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::row::{RowShape, append_row};
use super::{EncodingHeader, FRAME, FRAME_RECORDS_MAX, HEADER_BYTES_MAX, MAGIC, TRAILER};
use crate::terms::RecordEncoding;

/// Why an encoding file is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteEncodingError {
    /// The system refused.
    #[error("cannot write {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// An encoding of another shape than the header's.
    #[error("record {record} does not have the number of filter words and tags of the profile")]
    Shape {
        /// Position in the file, from 1.
        record: u64,
    },
    /// The header is too long.
    #[error("the header of {path} would be longer than {HEADER_BYTES_MAX} bytes")]
    HeaderLength {
        /// Which file.
        path: PathBuf,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenFile {
    /// Records in the file.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes `PATH.partial` and gives it the name `PATH` when it is whole and on stable storage.
/// Dropped before [`EncodingWriter::finish`], it removes the partial file.
pub struct EncodingWriter {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    shape: RowShape,
    frame: Vec<u8>,
    frame_records: usize,
    records: u64,
    bytes: u64,
    finished: bool,
}

impl EncodingWriter {
    /// Begins a file. Only the owner can read it.
    ///
    /// # Errors
    /// [`WriteEncodingError`].
    pub fn create(path: &Path, header: &EncodingHeader) -> Result<Self, WriteEncodingError> {
        let json = header.to_json();
        if json.len() > HEADER_BYTES_MAX {
            return Err(WriteEncodingError::HeaderLength { path: path.into() });
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let failed = |error| WriteEncodingError::Io {
            path: partial.clone(),
            error,
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(failed)?;
        let mut writer = Self {
            path: path.into(),
            partial,
            file: BufWriter::with_capacity(1 << 16, file),
            hasher: blake3::Hasher::new(),
            shape: RowShape {
                filter_words: header.filter_words(),
                tags: header.tag_slots,
            },
            frame: Vec::new(),
            frame_records: 0,
            records: 0,
            bytes: 0,
            finished: false,
        };
        writer.put(&MAGIC)?;
        // At most HEADER_BYTES_MAX.
        writer.put(&(json.len() as u32).to_le_bytes())?;
        writer.put(&json)?;
        Ok(writer)
    }

    /// Adds one encoding.
    ///
    /// # Errors
    /// [`WriteEncodingError`].
    pub fn append(&mut self, encoding: &RecordEncoding) -> Result<(), WriteEncodingError> {
        let fits = encoding.filters.len() == self.shape.filter_words
            && encoding.tags.len() == self.shape.tags;
        if !fits {
            return Err(WriteEncodingError::Shape {
                record: self.records + 1,
            });
        }
        append_row(encoding, &mut self.frame);
        self.frame_records += 1;
        self.records += 1;
        if self.frame_records == FRAME_RECORDS_MAX {
            self.end_frame()?;
        }
        Ok(())
    }

    /// Writes the trailer, waits until all is on stable storage and gives the file its name. A
    /// file of that name is replaced.
    ///
    /// # Errors
    /// [`WriteEncodingError`].
    pub fn finish(mut self) -> Result<WrittenFile, WriteEncodingError> {
        self.end_frame()?;
        self.put(&[TRAILER])?;
        self.put(&self.records.to_le_bytes())?;
        let hash = *self.hasher.finalize().as_bytes();
        self.put(&hash)?;
        self.file.flush().map_err(|e| self.failed(e))?;
        self.file.get_ref().sync_all().map_err(|e| self.failed(e))?;
        fs::rename(&self.partial, &self.path).map_err(|e| self.failed(e))?;
        self.finished = true;
        sync_folder(&self.path).map_err(|e| self.failed(e))?;
        Ok(WrittenFile {
            records: self.records,
            bytes: self.bytes,
        })
    }

    fn end_frame(&mut self) -> Result<(), WriteEncodingError> {
        if self.frame_records == 0 {
            return Ok(());
        }
        let frame = std::mem::take(&mut self.frame);
        self.put(&[FRAME])?;
        // At most 4096 rows, each below 17 KiB: both numbers fit.
        self.put(&(self.frame_records as u32).to_le_bytes())?;
        self.put(&(frame.len() as u32).to_le_bytes())?;
        self.put(&frame)?;
        self.frame = frame;
        self.frame.clear();
        self.frame_records = 0;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteEncodingError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| self.failed(e))
    }

    fn failed(&self, error: io::Error) -> WriteEncodingError {
        WriteEncodingError::Io {
            path: self.partial.clone(),
            error,
        }
    }
}

impl Drop for EncodingWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about a failure here; the next run writes over the file.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
