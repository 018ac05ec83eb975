//! Writes a sealed file with constant memory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{BLOCK_BYTES, Counts, SECTION_ALIGNMENT, Seal, Trailer};
use crate::store::crypt::{BlockCipher, FileId};
use crate::store::disk::PartialFile;
use crate::store::fault::{Explain, StorageFault};
use crate::store::vault::Vault;
use crate::store::vfs::BoxedFile;

/// A sealed file being written under a temporary name; dropping it removes the file.
pub(in crate::store) struct SealedWriter {
    path: PathBuf,
    out: BoxedFile,
    guard: PartialFile,
    file: FileId,
    cipher: BlockCipher,
    /// The block that is being filled, plain.
    block: Vec<u8>,
    blocks: u64,
    body_bytes: u64,
    table: Vec<u8>,
}

impl SealedWriter {
    /// Starts the file.
    pub(in crate::store) fn create(disk: &Vault, path: &Path) -> Result<Self, StorageFault> {
        let mut file = FileId::default();
        getrandom::fill(&mut file)
            .map_err(|error| io::Error::other(error.to_string()))
            .explain("draw random bytes for", path)?;
        Ok(Self {
            path: path.to_owned(),
            out: disk.create(path)?,
            guard: disk.partial(path.to_owned()),
            file,
            cipher: disk.keys().file_cipher(&file),
            block: Vec::with_capacity(BLOCK_BYTES),
            blocks: 0,
            body_bytes: 0,
            table: Vec::new(),
        })
    }

    /// Appends bytes to the body.
    pub(in crate::store) fn write(&mut self, mut bytes: &[u8]) -> Result<(), StorageFault> {
        self.body_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.block.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            if self.block.len() == BLOCK_BYTES {
                self.close_block()?;
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Appends zeros up to the start of the next section.
    pub(in crate::store) fn align(&mut self) -> Result<(), StorageFault> {
        let zeros = self.body_bytes.next_multiple_of(SECTION_ALIGNMENT) - self.body_bytes;
        self.write(&[0; SECTION_ALIGNMENT as usize][..zeros as usize])
    }

    /// Closes the file; its content is on stable storage on return, its name is still temporary.
    pub(in crate::store) fn finish(
        mut self,
        counts: Counts,
    ) -> Result<(PartialFile, Seal), StorageFault> {
        if !self.block.is_empty() {
            self.close_block()?;
        }
        let trailer = Trailer {
            body_bytes: self.body_bytes,
            counts,
            file: self.file,
        };
        let seal = trailer.seal(&self.table);
        let mut end = self.table;
        end.extend_from_slice(&trailer.encode());
        end.extend_from_slice(&seal);
        self.out.write_all(&end).explain("write", &self.path)?;
        self.out.sync_all().confirm(&self.path)?;
        Ok((self.guard, seal))
    }

    /// Encrypts the block and writes it out.
    fn close_block(&mut self) -> Result<(), StorageFault> {
        let tag = self.cipher.seal(self.blocks, &mut self.block);
        self.out
            .write_all(&self.block)
            .explain("write", &self.path)?;
        let checksum = blake3::hash(&self.block);
        self.table.extend_from_slice(checksum.as_bytes());
        self.table.extend_from_slice(&tag);
        self.block.clear();
        self.blocks += 1;
        Ok(())
    }
}
