//! A column of a segment on disk until the segment is finished. Encrypted under a key that nobody
//! keeps, so that a spool that a crash leaves behind tells nothing.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::store::crypt::{BlockCipher, TAG_BYTES, ephemeral_cipher};
use crate::store::disk::{Disk, PartialFile};
use crate::store::fault::{Explain, StorageFault};
use crate::store::sealed::SealedWriter;
use crate::store::vfs::BoxedFile;

/// Plain bytes of a chunk.
const CHUNK_BYTES: usize = 1 << 16;

/// A column on disk; dropping it removes the file.
pub(super) struct Spool {
    path: PathBuf,
    file: BoxedFile,
    cipher: BlockCipher,
    /// The chunk that is being filled, plain.
    chunk: Vec<u8>,
    /// Chunks written out; all of them full.
    chunks: u64,
    _guard: PartialFile,
}

impl Spool {
    pub(super) fn create(disk: &Disk, path: PathBuf) -> Result<Self, StorageFault> {
        let cipher = ephemeral_cipher()
            .map_err(|error| io::Error::other(error.to_string()))
            .explain("draw random bytes for", &path)?;
        Ok(Self {
            file: disk.create(&path)?,
            cipher,
            chunk: Vec::with_capacity(CHUNK_BYTES + TAG_BYTES),
            chunks: 0,
            _guard: disk.partial(path.clone()),
            path,
        })
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), StorageFault> {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.chunk.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            if self.chunk.len() == CHUNK_BYTES {
                let tag = self.cipher.seal(self.chunks, &mut self.chunk);
                self.chunk.extend_from_slice(&tag);
                self.file
                    .write_all(&self.chunk)
                    .explain("write", &self.path)?;
                self.chunk.clear();
                self.chunks += 1;
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Appends the column to a segment. The last chunk never was on disk.
    pub(super) fn drain_into(mut self, body: &mut SealedWriter) -> Result<(), StorageFault> {
        self.file
            .seek(SeekFrom::Start(0))
            .explain("read", &self.path)?;
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut tag = [0; TAG_BYTES];
        for number in 0..self.chunks {
            self.file
                .read_exact(&mut buffer)
                .and_then(|()| self.file.read_exact(&mut tag))
                .explain("read", &self.path)?;
            self.cipher.open(number, &mut buffer, &tag).map_err(|_| {
                let offset = number * (CHUNK_BYTES + TAG_BYTES) as u64;
                StorageFault::damaged(&self.path, offset, "the spool is not what was written")
            })?;
            body.write(&buffer)?;
        }
        body.write(&self.chunk)
    }
}
