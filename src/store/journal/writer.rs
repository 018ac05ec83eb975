//! Writes a journal: a frame for each chunk, synced now and then.

use std::io::{self, Write};
use std::path::PathBuf;

use super::frame;
use super::records::{self, Arrival};
use super::{About, journal_path};
use crate::store::crypt::{FileId, FrameCipher};
use crate::store::fault::{Explain, StorageFault};
use crate::store::vault::Vault;
use crate::store::vfs::BoxedFile;
use crate::terms::SubmissionHeader;

/// At most so many bytes are not on stable storage.
const UNSYNCED_MAX: u64 = 64 << 20;

/// The journal of a submission under way. Dropping it leaves the file, so that the submission can go
/// on after a restart; [`Journal::remove`] removes it.
pub struct Journal {
    pub(super) disk: Vault,
    pub(super) path: PathBuf,
    pub(super) file: BoxedFile,
    pub(super) cipher: FrameCipher,
    /// Frames so far.
    pub(super) frames: u64,
    /// Bytes written since the last sync.
    pub(super) unsynced: u64,
    /// Whether the file's name is durable.
    pub(super) named: bool,
}

impl Journal {
    pub(super) fn create(
        disk: &Vault,
        header: &SubmissionHeader,
        now_unix_s: u64,
    ) -> Result<Self, StorageFault> {
        let mut file_id = FileId::default();
        getrandom::fill(&mut file_id)
            .map_err(|error| io::Error::other(error.to_string()))
            .explain("draw random bytes for", disk.root())?;
        let path = journal_path(disk.root(), &file_id);
        let mut file = disk.create(&path)?;
        file.write_all(&frame::header(&file_id))
            .explain("write", &path)?;
        let mut journal = Self {
            cipher: disk.keys().journal_cipher(&file_id),
            disk: disk.clone(),
            path,
            file,
            frames: 0,
            unsynced: frame::HEADER_BYTES as u64,
            named: false,
        };
        journal.write(&About::of(header).encode(), now_unix_s)?;
        Ok(journal)
    }

    /// Adds the next chunk as it arrived. Not durable before [`Journal::sync`], but for what came 64 MiB
    /// before.
    ///
    /// # Errors
    /// [`StorageFault`]: the journal is of no use any more.
    pub fn append(&mut self, records: &[Arrival], now_unix_s: u64) -> Result<(), StorageFault> {
        self.write(&records::encode(records), now_unix_s)?;
        if self.unsynced >= UNSYNCED_MAX {
            self.sync()?;
        }
        Ok(())
    }

    fn write(&mut self, text: &[u8], now_unix_s: u64) -> Result<(), StorageFault> {
        let bytes = frame::encode(&self.cipher, self.frames, now_unix_s, text)
            .explain("encrypt a frame of", &self.path)?;
        self.file.write_all(&bytes).explain("write", &self.path)?;
        self.frames += 1;
        self.unsynced += bytes.len() as u64;
        Ok(())
    }

    /// Makes all chunks so far durable.
    ///
    /// # Errors
    /// [`StorageFault`]: it is unknown what is durable.
    pub fn sync(&mut self) -> Result<(), StorageFault> {
        if self.unsynced > 0 {
            self.file.sync_data().confirm(&self.path)?;
            self.unsynced = 0;
        }
        if !self.named {
            self.disk.sync_name(&self.path)?;
            self.named = true;
        }
        Ok(())
    }

    /// Removes the file: the submission is taken in, or given up.
    pub fn remove(self) {
        // A leftover is removed when journals are looked through; there is nobody here to tell.
        let _ = self.disk.remove(&self.path);
    }
}
