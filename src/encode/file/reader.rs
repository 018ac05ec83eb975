//! Reads an encoding file as a stream and refuses one that is not whole.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::row::{RowShape, take_row};
use super::{EncodingHeader, FRAME, FRAME_RECORDS_MAX, HEADER_BYTES_MAX, MAGIC, TRAILER};
use crate::terms::RecordEncoding;

/// What is wrong with an encoding file.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// Not an encoding file at all.
    #[error("is not an encoding file: it does not start with 'MUSUBIE1'")]
    Magic,
    /// Written by a newer musubi.
    #[error("has format version '{found}', and only version 1 is known: use a newer musubi")]
    Version {
        /// The version character.
        found: char,
    },
    /// The header is not one that version 1 has.
    #[error("has a damaged header: make the file again")]
    Header,
    /// It ends before its trailer.
    #[error("is cut short after record {records}: make the file again")]
    Truncated {
        /// Records that could be read.
        records: u64,
    },
    /// The bytes are not those that were written.
    #[error("was altered or damaged (noticed after record {records}): make the file again")]
    Altered {
        /// Records that had been read.
        records: u64,
    },
    /// Bytes after the trailer.
    #[error("goes on after its end, record {records}: make the file again")]
    Trailing {
        /// Records in the file.
        records: u64,
    },
}

/// Why an encoding file is refused.
#[derive(Debug, thiserror::Error)]
#[error("{path} {problem}")]
pub struct ReadEncodingError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: FileProblem,
}

/// Gives the encodings of a file one by one.
///
/// The last item is an error if the file is not whole: what was read before must not be used
/// without reading to the end.
pub struct EncodingReader<R = BufReader<File>> {
    path: PathBuf,
    reader: R,
    hasher: blake3::Hasher,
    header: EncodingHeader,
    shape: RowShape,
    frame: Vec<u8>,
    frame_next: usize,
    frame_records: u32,
    records: u64,
    position: u64,
    ended: bool,
}

impl EncodingReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`ReadEncodingError`].
    pub fn open(path: &Path) -> Result<Self, ReadEncodingError> {
        let file = File::open(path).map_err(|error| ReadEncodingError {
            path: path.into(),
            problem: FileProblem::Io(error),
        })?;
        Self::new(path, BufReader::with_capacity(1 << 16, file))
    }
}

impl<R: Read> EncodingReader<R> {
    /// Reads the header. `path` is for messages.
    ///
    /// # Errors
    /// [`ReadEncodingError`].
    pub fn new(path: &Path, mut reader: R) -> Result<Self, ReadEncodingError> {
        let mut hasher = blake3::Hasher::new();
        let (header, position) =
            read_header(&mut reader, &mut hasher).map_err(|problem| ReadEncodingError {
                path: path.into(),
                problem,
            })?;
        Ok(Self {
            path: path.into(),
            reader,
            hasher,
            shape: RowShape {
                filter_words: header.filter_words(),
                tags: header.tag_slots,
            },
            header,
            frame: Vec::new(),
            frame_next: 0,
            frame_records: 0,
            records: 0,
            position,
            ended: false,
        })
    }

    /// What the encodings are.
    #[must_use]
    pub fn header(&self) -> &EncodingHeader {
        &self.header
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Records given so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    fn next_record(&mut self) -> Result<Option<RecordEncoding>, FileProblem> {
        while self.frame_records == 0 {
            if self.frame_next != self.frame.len() {
                return Err(self.altered());
            }
            match self.take::<1>()? {
                [FRAME] => self.read_frame()?,
                [TRAILER] => {
                    self.read_trailer()?;
                    return Ok(None);
                }
                _ => return Err(self.altered()),
            }
        }
        let mut rest = &self.frame[self.frame_next..];
        let Some(record) = take_row(&mut rest, self.shape) else {
            return Err(self.altered());
        };
        self.frame_next = self.frame.len() - rest.len();
        self.frame_records -= 1;
        self.records += 1;
        Ok(Some(record))
    }

    fn read_frame(&mut self) -> Result<(), FileProblem> {
        let count = u32::from_le_bytes(self.take()?);
        let bytes = u32::from_le_bytes(self.take()?) as usize;
        let count_fits = (1..=FRAME_RECORDS_MAX).contains(&(count as usize));
        if !count_fits || bytes > count as usize * self.shape.bytes_max() {
            return Err(self.altered());
        }
        self.frame.resize(bytes, 0);
        fill(&mut self.reader, &mut self.frame, self.records)?;
        self.hasher.update(&self.frame);
        self.position += bytes as u64;
        self.frame_next = 0;
        self.frame_records = count;
        Ok(())
    }

    fn read_trailer(&mut self) -> Result<(), FileProblem> {
        let count = u64::from_le_bytes(self.take()?);
        let expected = self.hasher.finalize();
        // `Hash` compares in constant time.
        if blake3::Hash::from_bytes(self.take()?) != expected || count != self.records {
            return Err(self.altered());
        }
        let mut more = [0];
        match self.reader.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(FileProblem::Trailing {
                records: self.records,
            }),
            Err(error) => Err(FileProblem::Io(error)),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], FileProblem> {
        let mut bytes = [0; N];
        fill(&mut self.reader, &mut bytes, self.records)?;
        self.hasher.update(&bytes);
        self.position += N as u64;
        Ok(bytes)
    }

    fn altered(&self) -> FileProblem {
        FileProblem::Altered {
            records: self.records,
        }
    }
}

impl<R: Read> Iterator for EncodingReader<R> {
    type Item = Result<RecordEncoding, ReadEncodingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.next_record() {
            Ok(Some(record)) => Some(Ok(record)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(problem) => {
                self.ended = true;
                Some(Err(ReadEncodingError {
                    path: self.path.clone(),
                    problem,
                }))
            }
        }
    }
}

fn read_header(
    reader: &mut impl Read,
    hasher: &mut blake3::Hasher,
) -> Result<(EncodingHeader, u64), FileProblem> {
    let mut magic = [0; MAGIC.len()];
    fill(reader, &mut magic, 0)?;
    let (name, version) = magic.split_at(MAGIC.len() - 1);
    if *name != MAGIC[..MAGIC.len() - 1] {
        return Err(FileProblem::Magic);
    }
    if version[0] != MAGIC[MAGIC.len() - 1] {
        let found = char::from(version[0]);
        return Err(FileProblem::Version {
            found: if found.is_ascii_graphic() { found } else { '?' },
        });
    }
    let mut length = [0; 4];
    fill(reader, &mut length, 0)?;
    let json_bytes = u32::from_le_bytes(length) as usize;
    if json_bytes > HEADER_BYTES_MAX {
        return Err(FileProblem::Header);
    }
    let mut json = vec![0; json_bytes];
    fill(reader, &mut json, 0)?;
    let header = EncodingHeader::from_json(&json).ok_or(FileProblem::Header)?;
    hasher.update(&magic).update(&length).update(&json);
    Ok((header, (magic.len() + length.len() + json_bytes) as u64))
}

/// Reads exactly as many bytes as fit; the end of the file is [`FileProblem::Truncated`].
fn fill(reader: &mut impl Read, bytes: &mut [u8], records: u64) -> Result<(), FileProblem> {
    reader.read_exact(bytes).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            FileProblem::Truncated { records }
        } else {
            FileProblem::Io(error)
        }
    })
}
