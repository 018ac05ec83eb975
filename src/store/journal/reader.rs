//! Reads a journal up to its last whole frame.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::About;
use super::frame::{self, HEADER_BYTES, Prefix};
use super::records::{self, Arrival};
use super::writer::Journal;
use crate::store::crypt::FrameCipher;
use crate::store::fault::{Explain, StorageFault};
use crate::store::vault::Vault;
use crate::store::vfs::BoxedFile;
use crate::terms::SubmissionHeader;

/// A journal that is read from its first chunk on.
pub struct JournalReader {
    disk: Vault,
    path: PathBuf,
    file: BoxedFile,
    cipher: FrameCipher,
    header: SubmissionHeader,
    /// When the submission began, and its last chunk so far arrived, seconds since 1970.
    began_unix_s: u64,
    length: u64,
    /// End of the last frame that was read.
    end: u64,
    /// Frames read.
    frames: u64,
}

impl JournalReader {
    /// Opens a journal; `None` if it is gone, or torn before its first chunk.
    pub(super) fn open(disk: &Vault, path: &Path) -> Result<Option<Self>, StorageFault> {
        let mut file = match disk.open_to_write(path) {
            Err(StorageFault::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            opened => opened?,
        };
        let length = file.length().explain("inspect", path)?;
        let mut header = [0; HEADER_BYTES];
        let Some(room) = length.checked_sub(HEADER_BYTES as u64) else {
            return Ok(None);
        };
        file.read_exact(&mut header).explain("read", path)?;
        let Some(file_id) = frame::parse_header(&header) else {
            return Ok(None);
        };
        let cipher = disk.keys().journal_cipher(&file_id);
        let Some(prefix) = Prefix::read(&mut file, 0, room).explain("read", path)? else {
            return Ok(None);
        };
        let text = prefix.read_text(&mut file, &cipher).explain("read", path)?;
        let Some(about) = text.and_then(|text| About::decode(&text)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            disk: disk.clone(),
            path: path.to_owned(),
            file,
            cipher,
            header: about.into_header(),
            began_unix_s: prefix.arrived_unix_s,
            length,
            end: HEADER_BYTES as u64 + prefix.bytes(),
            frames: 1,
        }))
    }

    /// What the source said before the first record.
    #[must_use]
    pub fn header(&self) -> &SubmissionHeader {
        &self.header
    }

    /// When the submission began, seconds since 1970.
    pub(super) fn began_unix_s(&self) -> u64 {
        self.began_unix_s
    }

    /// When the last chunk arrived, seconds since 1970. Looks at the lengths of the frames only.
    pub(super) fn last_arrival_unix_s(mut self) -> Result<u64, StorageFault> {
        let mut last = self.began_unix_s;
        while let Some(prefix) = self.prefix()? {
            last = prefix.arrived_unix_s;
            self.end += prefix.bytes();
            self.frames += 1;
            self.file
                .seek(SeekFrom::Start(self.end))
                .explain("read", &self.path)?;
        }
        Ok(last)
    }

    /// The next chunk as it arrived; `None` after the last whole one.
    ///
    /// # Errors
    /// [`StorageFault`] if the disk does not read.
    pub fn chunk(&mut self) -> Result<Option<Vec<Arrival>>, StorageFault> {
        let Some(prefix) = self.prefix()? else {
            return Ok(None);
        };
        let text = prefix
            .read_text(&mut self.file, &self.cipher)
            .explain("read", &self.path)?;
        let chunk = text.and_then(|text| records::decode(&text));
        if chunk.is_some() {
            self.end += prefix.bytes();
            self.frames += 1;
        }
        Ok(chunk)
    }

    fn prefix(&mut self) -> Result<Option<Prefix>, StorageFault> {
        let room = self.length - self.end;
        Prefix::read(&mut self.file, self.frames, room).explain("read", &self.path)
    }

    /// Goes on after the last chunk that was read: cuts what follows it, and makes the rest durable.
    ///
    /// # Errors
    /// [`StorageFault`]: it is unknown what is durable.
    pub fn go_on(mut self) -> Result<Journal, StorageFault> {
        self.file.set_len(self.end).explain("cut", &self.path)?;
        self.file
            .seek(SeekFrom::Start(self.end))
            .explain("write", &self.path)?;
        let mut journal = Journal {
            disk: self.disk,
            path: self.path,
            file: self.file,
            cipher: self.cipher,
            frames: self.frames,
            unsynced: self.end,
            named: false,
        };
        journal.sync()?;
        Ok(journal)
    }
}
