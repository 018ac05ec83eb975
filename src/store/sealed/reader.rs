//! Reads a sealed file front to back; no byte is handed out before its block proved authentic.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{
    BLOCK_BYTES, Counts, ENTRY_BYTES, SEAL_BYTES, SECTION_ALIGNMENT, Seal, TRAILER_BYTES, Trailer,
    table_bytes,
};
use crate::store::crypt::{BlockCipher, Tag};
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};
use crate::store::vault::Vault;
use crate::store::vfs::BoxedFile;

/// Blocks that are read, and decrypted on all cores, together.
const BLOCKS_TOGETHER: usize = 8;

/// A sealed file being read.
pub(in crate::store) struct SealedReader {
    path: PathBuf,
    file: BoxedFile,
    cipher: BlockCipher,
    trailer: Trailer,
    table: Vec<u8>,
    /// Start of the blocks in memory.
    start: u64,
    blocks: Vec<u8>,
    /// Next byte to hand out, from the start of the body.
    position: u64,
}

impl SealedReader {
    /// Opens a file that must carry the seal `expected`.
    pub(in crate::store) fn open(
        disk: &Vault,
        path: &Path,
        expected: &Seal,
    ) -> Result<Self, StorageFault> {
        let (mut file, trailer, table, seal) = open_checked(disk, path)?;
        if seal != *expected {
            let length = file.length().explain("inspect", path)?;
            let rule = "the file is whole but is not the one that the log names";
            let offset = length - SEAL_BYTES as u64;
            return Err(StorageFault::damaged(path, offset, rule));
        }
        file.seek(SeekFrom::Start(0)).explain("read", path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            cipher: disk.keys().file_cipher(&trailer.file),
            trailer,
            table,
            start: 0,
            blocks: Vec::new(),
            position: 0,
        })
    }

    /// Numbers that the writer left.
    pub(in crate::store) fn counts(&self) -> Counts {
        self.trailer.counts
    }

    /// A fault at the present position.
    pub(in crate::store) fn fault(&self, rule: &'static str) -> StorageFault {
        StorageFault::damaged(&self.path, self.position, rule)
    }

    /// Fills `out` with the next bytes of the body.
    pub(in crate::store) fn read(&mut self, mut out: &mut [u8]) -> Result<(), StorageFault> {
        while !out.is_empty() {
            let at = (self.position - self.start) as usize;
            if at == self.blocks.len() {
                self.next_blocks()?;
                continue;
            }
            let count = out.len().min(self.blocks.len() - at);
            let (now, rest) = out.split_at_mut(count);
            now.copy_from_slice(&self.blocks[at..at + count]);
            self.position += count as u64;
            out = rest;
        }
        Ok(())
    }

    /// Bytes that remain must be at least `bytes`; guards allocations.
    pub(in crate::store) fn expect_bytes(&self, bytes: u64) -> Result<(), StorageFault> {
        if self.position.checked_add(bytes) > Some(self.trailer.body_bytes)
            || self.position.checked_add(bytes).is_none()
        {
            return Err(self.fault("a section reaches past the end of the body"));
        }
        Ok(())
    }

    /// The next `count` values of `N` bytes each.
    pub(in crate::store) fn read_values<const N: usize, T>(
        &mut self,
        count: u64,
        decode: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, StorageFault> {
        self.expect_bytes(count.saturating_mul(N as u64))?;
        let mut values = Vec::with_capacity(count as usize);
        let mut buffer = vec![0; 512 * N];
        let mut left = count as usize;
        while left > 0 {
            let now = left.min(512);
            self.read(&mut buffer[..now * N])?;
            let (chunks, _) = buffer[..now * N].as_chunks::<N>();
            values.extend(chunks.iter().map(|bytes| decode(*bytes)));
            left -= now;
        }
        Ok(values)
    }

    /// Appends the next `count` little-endian words to `out`. The position is a multiple of 8, as
    /// at the start of a section.
    pub(in crate::store) fn read_words(
        &mut self,
        count: u64,
        out: &mut Vec<u64>,
    ) -> Result<(), StorageFault> {
        self.expect_bytes(count.saturating_mul(8))?;
        let mut left = count as usize;
        while left > 0 {
            let at = (self.position - self.start) as usize;
            let (words, _) = self.blocks[at..].as_chunks::<8>();
            if words.is_empty() {
                self.next_blocks()?;
                continue;
            }
            let now = &words[..words.len().min(left)];
            out.extend(now.iter().map(|word| u64::from_le_bytes(*word)));
            self.position += now.len() as u64 * 8;
            left -= now.len();
        }
        Ok(())
    }

    /// The next `bytes` bytes as text.
    pub(in crate::store) fn read_text(&mut self, bytes: u64) -> Result<String, StorageFault> {
        self.expect_bytes(bytes)?;
        let mut text = vec![0; bytes as usize];
        self.read(&mut text)?;
        String::from_utf8(text).map_err(|_| self.fault("the text section is not UTF-8"))
    }

    /// Passes over `bytes` bytes, checking them.
    pub(in crate::store) fn skip(&mut self, bytes: u64) -> Result<(), StorageFault> {
        self.expect_bytes(bytes)?;
        let target = self.position + bytes;
        while self.start + (self.blocks.len() as u64) < target {
            self.position = self.start + self.blocks.len() as u64;
            self.next_blocks()?;
        }
        self.position = target;
        Ok(())
    }

    /// Passes over the zeros before the next section.
    pub(in crate::store) fn align(&mut self) -> Result<(), StorageFault> {
        self.skip(self.position.next_multiple_of(SECTION_ALIGNMENT) - self.position)
    }

    /// Checks what is left of the body, which must be nothing but the end of the last section.
    pub(in crate::store) fn finish(mut self) -> Result<(), StorageFault> {
        self.align()?;
        if self.position != self.trailer.body_bytes {
            return Err(self.fault("the body is longer than its sections"));
        }
        Ok(())
    }

    fn next_blocks(&mut self) -> Result<(), StorageFault> {
        let start = self.start + self.blocks.len() as u64;
        let together = (BLOCKS_TOGETHER * BLOCK_BYTES) as u64;
        let length = (self.trailer.body_bytes - start).min(together) as usize;
        if length == 0 {
            return Err(self.fault("a section reaches past the end of the body"));
        }
        self.blocks.resize(length, 0);
        self.file
            .read_exact(&mut self.blocks)
            .explain("read", &self.path)?;
        let first = start as usize / BLOCK_BYTES;
        let (cipher, table) = (&self.cipher, &self.table);
        let blocks = self.blocks.par_chunks_mut(BLOCK_BYTES).enumerate();
        let damaged = blocks.filter_map(|(index, block)| {
            let entry = (first + index) * ENTRY_BYTES;
            let tag: Tag = *table[entry..entry + ENTRY_BYTES]
                .last_chunk()
                .expect("an entry ends with a tag");
            let opened = cipher.open((first + index) as u64, block, &tag);
            opened.is_err().then_some(index)
        });
        if let Some(index) = damaged.min() {
            let rule = "the block of 1 MiB from here is not what was written";
            let offset = start + (index * BLOCK_BYTES) as u64;
            return Err(StorageFault::damaged(&self.path, offset, rule));
        }
        self.start = start;
        Ok(())
    }
}

/// Opens a file and checks its trailer and table against its own seal.
pub(super) fn open_checked(
    disk: &Disk,
    path: &Path,
) -> Result<(BoxedFile, Trailer, Vec<u8>, Seal), StorageFault> {
    let mut file = disk.open(path)?;
    let length = file.length().explain("inspect", path)?;
    let damaged = |offset, rule| Err(StorageFault::damaged(path, offset, rule));
    let Some(trailer_start) = length.checked_sub(TRAILER_BYTES as u64) else {
        return damaged(0, "the file is shorter than its trailer");
    };
    let mut bytes = [0; TRAILER_BYTES];
    file.seek(SeekFrom::Start(trailer_start))
        .and_then(|_| file.read_exact(&mut bytes))
        .explain("read", path)?;
    let Some(trailer) = Trailer::decode(&bytes) else {
        return damaged(trailer_start, "the trailer does not have its form");
    };
    if trailer
        .body_bytes
        .checked_add(table_bytes(trailer.body_bytes.min(length)))
        != Some(trailer_start)
    {
        return damaged(trailer_start + 16, "the file does not have its length");
    }
    let mut table = vec![0; table_bytes(trailer.body_bytes) as usize];
    file.seek(SeekFrom::Start(trailer.body_bytes))
        .and_then(|_| file.read_exact(&mut table))
        .explain("read", path)?;
    let seal = trailer.seal(&table);
    if !bytes.ends_with(&seal) {
        return damaged(
            trailer.body_bytes,
            "the table of checksums does not match the seal",
        );
    }
    Ok((file, trailer, table, seal))
}
