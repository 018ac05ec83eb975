//! Writes a sealed file with constant memory.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{BLOCK_BYTES, Counts, SECTION_ALIGNMENT, Seal, Trailer};
use crate::store::disk::{Disk, PartialFile};
use crate::store::fault::{Explain, StorageFault};
use crate::store::vfs::BoxedFile;

/// A sealed file being written under a temporary name; dropping it removes the file.
pub(in crate::store) struct SealedWriter {
    path: PathBuf,
    out: BufWriter<BoxedFile>,
    guard: PartialFile,
    block: blake3::Hasher,
    block_filled: usize,
    body_bytes: u64,
    table: Vec<u8>,
}

impl SealedWriter {
    /// Starts the file.
    pub(in crate::store) fn create(disk: &Disk, path: &Path) -> Result<Self, StorageFault> {
        let file = disk.create(path)?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 18, file),
            guard: disk.partial(path.to_owned()),
            block: blake3::Hasher::new(),
            block_filled: 0,
            body_bytes: 0,
            table: Vec::new(),
        })
    }

    /// Appends bytes to the body.
    pub(in crate::store) fn write(&mut self, mut bytes: &[u8]) -> Result<(), StorageFault> {
        self.out.write_all(bytes).explain("write", &self.path)?;
        self.body_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.block_filled;
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.block.update(now);
            self.block_filled += now.len();
            if self.block_filled == BLOCK_BYTES {
                self.close_block();
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
        if self.block_filled > 0 {
            self.close_block();
        }
        let trailer = Trailer {
            body_bytes: self.body_bytes,
            counts,
        };
        let seal = trailer.seal(&self.table);
        for part in [self.table.as_slice(), &trailer.encode(), &seal] {
            self.out.write_all(part).explain("write", &self.path)?;
        }
        self.out.flush().explain("write", &self.path)?;
        self.out.get_mut().sync_all().confirm(&self.path)?;
        Ok((self.guard, seal))
    }

    fn close_block(&mut self) {
        self.table
            .extend_from_slice(self.block.finalize().as_bytes());
        self.block.reset();
        self.block_filled = 0;
    }
}
