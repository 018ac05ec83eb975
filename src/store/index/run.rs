//! One run: entries sorted by key, in blocks that never change.
//!
//! In memory are the first key of each block and a Bloom filter, some 1.3 bytes per entry. Neither is
//! kept with the blocks: both are made while a run is written or read at an open.

use std::sync::Arc;

use fastbloom::BloomFilter;

use super::blocks::Blocks;
use super::{Entry, IndexError, KnownRecord};
use crate::store::crypt::RecordKey;
use crate::store::segment::RowLocation;

const ENTRY_BYTES: usize = 52;
/// Entries of a block; the last of a run may have fewer.
const BLOCK_ENTRIES: usize = 256;
/// Blocks that are written in one batch.
const BLOCKS_AT_ONCE: usize = 16;
const FALSE_POSITIVES: f64 = 0.01;

/// A finished run. Answers from several threads at once.
pub(super) struct Run {
    blocks: Arc<Blocks>,
    number: u64,
    entries: u64,
    /// First key of each block.
    fences: Vec<RecordKey>,
    bloom: BloomFilter,
}

/// A run being written.
pub(super) struct RunWriter {
    run: Run,
    block: Vec<u8>,
    /// Whole blocks that wait to be written.
    waiting: Vec<Vec<u8>>,
    written: u64,
}

/// Reads a run front to back.
pub(super) struct RunReader {
    blocks: Arc<Blocks>,
    number: u64,
    entries: u64,
    block: Vec<u8>,
    at: u64,
}

impl RunWriter {
    /// Starts a run of at most `room` entries.
    pub(super) fn create(blocks: &Arc<Blocks>, number: u64, room: u64) -> Self {
        Self {
            run: Run::empty(blocks, number, room),
            block: Vec::with_capacity(BLOCK_ENTRIES * ENTRY_BYTES),
            waiting: Vec::new(),
            written: 0,
        }
    }

    /// Adds the next entry; keys ascend.
    pub(super) fn push(&mut self, (key, known): Entry) -> Result<(), IndexError> {
        self.run.note(&key);
        self.block.extend_from_slice(&key);
        self.block.extend_from_slice(&known.location.encode());
        self.block.extend_from_slice(&known.version.to_le_bytes());
        self.block.extend_from_slice(&known.content);
        if self.block.len() == BLOCK_ENTRIES * ENTRY_BYTES {
            let next = Vec::with_capacity(self.block.len());
            self.waiting.push(std::mem::replace(&mut self.block, next));
            if self.waiting.len() == BLOCKS_AT_ONCE {
                self.write_out()?;
            }
        }
        Ok(())
    }

    /// Ends the run.
    pub(super) fn finish(mut self) -> Result<Run, IndexError> {
        if !self.block.is_empty() {
            self.waiting.push(std::mem::take(&mut self.block));
        }
        self.write_out()?;
        Ok(self.run)
    }

    fn write_out(&mut self) -> Result<(), IndexError> {
        let blocks = std::mem::take(&mut self.waiting);
        let count = blocks.len() as u64;
        (self.run.blocks).put(self.run.number, self.written, blocks)?;
        self.written += count;
        Ok(())
    }
}

impl Run {
    fn empty(blocks: &Arc<Blocks>, number: u64, room: u64) -> Self {
        let room = room as usize;
        Self {
            blocks: Arc::clone(blocks),
            number,
            entries: 0,
            fences: Vec::with_capacity(room.div_ceil(BLOCK_ENTRIES)),
            bloom: BloomFilter::with_false_pos(FALSE_POSITIVES).expected_items(room.max(1)),
        }
    }

    /// Opens a run of so many entries; reads all of it.
    pub(super) fn open(
        blocks: &Arc<Blocks>,
        number: u64,
        entries: u64,
    ) -> Result<Self, IndexError> {
        let mut run = Self::empty(blocks, number, entries);
        let mut reader = RunReader::new(blocks, number, entries);
        while let Some((key, _)) = reader.next()? {
            run.note(&key);
        }
        Ok(run)
    }

    /// Takes the next key into what is in memory.
    fn note(&mut self, key: &RecordKey) {
        if self.entries.is_multiple_of(BLOCK_ENTRIES as u64) {
            self.fences.push(*key);
        }
        self.entries += 1;
        self.bloom.insert_hash(bloom_hash(key));
    }

    /// The run's number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Entries.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// The entry of a key.
    pub(super) fn find(&self, key: &RecordKey) -> Result<Option<KnownRecord>, IndexError> {
        if !self.bloom.contains_hash(bloom_hash(key)) {
            return Ok(None);
        }
        let Some(at) = (self.fences.partition_point(|first| first <= key)).checked_sub(1) else {
            return Ok(None);
        };
        let block = self.blocks.get(self.number, at as u64)?;
        let (entries, _) = block.as_chunks::<ENTRY_BYTES>();
        let found = entries.binary_search_by(|entry| entry[..16].cmp(key));
        Ok(found.ok().map(|at| decode(&entries[at]).1))
    }

    /// Reads the entries in order.
    pub(super) fn read(&self) -> RunReader {
        RunReader::new(&self.blocks, self.number, self.entries)
    }

    /// Removes the run's blocks.
    pub(super) fn remove(&self) -> Result<(), IndexError> {
        self.blocks.remove(self.number, self.fences.len() as u64)
    }
}

impl RunReader {
    fn new(blocks: &Arc<Blocks>, number: u64, entries: u64) -> Self {
        Self {
            blocks: Arc::clone(blocks),
            number,
            entries,
            block: Vec::new(),
            at: 0,
        }
    }

    /// The next entry; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, IndexError> {
        if self.at == self.entries {
            return Ok(None);
        }
        let (block, within) = (
            self.at / BLOCK_ENTRIES as u64,
            self.at as usize % BLOCK_ENTRIES,
        );
        if within == 0 {
            self.block = self.blocks.get(self.number, block)?;
            let count = (self.entries - self.at).min(BLOCK_ENTRIES as u64) as usize;
            if self.block.len() != count * ENTRY_BYTES {
                return Err(IndexError::Contradiction);
            }
        }
        let start = within * ENTRY_BYTES;
        self.at += 1;
        Ok(self.block[start..].first_chunk().map(decode))
    }
}

fn decode(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let mut key = [0; 16];
    let mut location = [0; 16];
    let mut version = [0; 4];
    let mut content = [0; 16];
    key.copy_from_slice(&bytes[..16]);
    location.copy_from_slice(&bytes[16..32]);
    version.copy_from_slice(&bytes[32..36]);
    content.copy_from_slice(&bytes[36..]);
    let known = KnownRecord {
        location: RowLocation::decode(location),
        version: u32::from_le_bytes(version),
        content,
    };
    (key, known)
}

/// The keys are keyed hashes: a part of one is as good as a hash of it.
fn bloom_hash(key: &RecordKey) -> u64 {
    u64::from_le_bytes(*key.first_chunk().expect("a key has more than 8 bytes"))
}
