//! Which record refs were seen: exact, and in memory that does not grow with the file.
//!
//! Up to a limit the hashes of all refs are kept in memory. Past it they go to a temporary file
//! without a name, and a Bloom filter answers for most refs that they are new. Where it does not,
//! the part of the file that the ref would be in is read through.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::ReadError;

/// Refs kept in memory before the file is begun.
const IN_MEMORY_MAX: usize = 1 << 16;
/// 32 MiB: at 10 million refs one new ref in 10,000 is looked up for nothing.
const FILTER_GROUPS: usize = 1 << 19;
/// Words of a group of the filter: one line of the processor's cache, which is all that a ref touches.
const GROUP_WORDS: usize = 8;
const FILTER_HASHES: u32 = 7;
const PARTS: usize = 256;
const HASH_BYTES: usize = 16;
/// Bytes of a part that are written together.
const BLOCK_BYTES: usize = 64 * HASH_BYTES;

/// Hash of a record ref.
type RefHash = [u8; HASH_BYTES];

/// The refs of one file so far.
pub(super) struct SeenRefs {
    in_memory: HashSet<RefHash>,
    in_memory_max: usize,
    spilled: Option<Spilled>,
}

/// Refs in a file: parts by the first byte of the hash, each a list of blocks.
struct Spilled {
    filter: Vec<[u64; GROUP_WORDS]>,
    file: File,
    blocks_written: u64,
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    /// Numbers of its full blocks in the file.
    blocks: Vec<u64>,
    /// What does not yet fill a block.
    rest: Vec<u8>,
}

impl SeenRefs {
    pub(super) fn new() -> Self {
        Self::with_limit(IN_MEMORY_MAX)
    }

    fn with_limit(in_memory_max: usize) -> Self {
        Self {
            in_memory: HashSet::new(),
            in_memory_max,
            spilled: None,
        }
    }

    /// Brings near what will be looked at for these refs. One after the other, each would wait for
    /// memory.
    pub(super) fn fetch<'a>(&self, hashes: impl Iterator<Item = &'a RefHash>) {
        if let Some(spilled) = &self.spilled {
            let words = hashes.map(|hash| spilled.filter[group(hash)][0]);
            std::hint::black_box(words.fold(0, |all, word| all | word));
        }
    }

    /// Whether the ref was put in.
    pub(super) fn contains(&mut self, hash: &RefHash) -> Result<bool, ReadError> {
        match &mut self.spilled {
            None => Ok(self.in_memory.contains(hash)),
            Some(spilled) => spilled.contains(hash).map_err(ReadError::Seen),
        }
    }

    /// Puts a ref in that is not there.
    pub(super) fn insert(&mut self, hash: &RefHash) -> Result<(), ReadError> {
        if let Some(spilled) = &mut self.spilled {
            return spilled.insert(hash).map_err(ReadError::Seen);
        }
        self.in_memory.insert(*hash);
        if self.in_memory.len() > self.in_memory_max {
            let mut spilled = Spilled::new().map_err(ReadError::Seen)?;
            for hash in std::mem::take(&mut self.in_memory) {
                spilled.insert(&hash).map_err(ReadError::Seen)?;
            }
            self.spilled = Some(spilled);
        }
        Ok(())
    }
}

impl Spilled {
    fn new() -> io::Result<Self> {
        Ok(Self {
            filter: vec![[0; GROUP_WORDS]; FILTER_GROUPS],
            file: tempfile::tempfile()?,
            blocks_written: 0,
            parts: std::iter::repeat_with(Part::default).take(PARTS).collect(),
        })
    }

    fn contains(&mut self, hash: &RefHash) -> io::Result<bool> {
        let group = &self.filter[group(hash)];
        let may_be = bits_of_group(hash).all(|bit| group[bit / 64] >> (bit % 64) & 1 == 1);
        if !may_be {
            return Ok(false);
        }
        let part = &self.parts[usize::from(hash[0])];
        if holds(&part.rest, hash) {
            return Ok(true);
        }
        let mut block = [0; BLOCK_BYTES];
        for number in &part.blocks {
            self.file
                .seek(SeekFrom::Start(number * BLOCK_BYTES as u64))?;
            self.file.read_exact(&mut block)?;
            if holds(&block, hash) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn insert(&mut self, hash: &RefHash) -> io::Result<()> {
        let group = &mut self.filter[group(hash)];
        for bit in bits_of_group(hash) {
            group[bit / 64] |= 1 << (bit % 64);
        }
        let part = &mut self.parts[usize::from(hash[0])];
        part.rest.extend(hash);
        if part.rest.len() == BLOCK_BYTES {
            let end = self.blocks_written * BLOCK_BYTES as u64;
            self.file.seek(SeekFrom::Start(end))?;
            self.file.write_all(&part.rest)?;
            part.blocks.push(self.blocks_written);
            part.rest.clear();
            self.blocks_written += 1;
        }
        Ok(())
    }
}

fn holds(hashes: &[u8], wanted: &RefHash) -> bool {
    let (hashes, _) = hashes.as_chunks::<HASH_BYTES>();
    hashes.contains(wanted)
}

/// The group of the filter that a ref is in.
fn group(hash: &RefHash) -> usize {
    half(hash, 0) as usize % FILTER_GROUPS
}

/// The bits that a ref sets in its group: nine bits of the hash name one of 512.
fn bits_of_group(hash: &RefHash) -> impl Iterator<Item = usize> {
    let places = half(hash, 8);
    (0..FILTER_HASHES).map(move |index| (places >> (9 * index)) as usize % (64 * GROUP_WORDS))
}

fn half(hash: &RefHash, from: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[from..from + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(number: u32) -> RefHash {
        let mut short = [0; HASH_BYTES];
        short.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..HASH_BYTES]);
        short
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn refs_in_a_file_are_found_as_in_a_set(
            numbers in prop::collection::vec(0_u32..60_000, 20_000..120_000),
            limit in 0_usize..2_000,
        ) {
            let mut seen = SeenRefs::with_limit(limit);
            let mut expected = HashSet::new();
            for number in numbers {
                let hash = hash(number);
                let found = seen.contains(&hash).expect("a temporary file");
                prop_assert_eq!(found, !expected.insert(number));
                if !found {
                    seen.insert(&hash).expect("a temporary file");
                }
            }
            prop_assert!(seen.in_memory.is_empty() && seen.spilled.is_some());
        }
    }

    #[test]
    fn a_ref_is_found_even_where_the_filter_says_yes_to_all() {
        let mut seen = SeenRefs::with_limit(0);
        for number in 0..200_000 {
            seen.insert(&hash(number)).expect("a temporary file");
        }
        if let Some(spilled) = &mut seen.spilled {
            spilled.filter.fill([u64::MAX; GROUP_WORDS]);
        }
        for number in [0, 7, 199_999] {
            assert!(seen.contains(&hash(number)).expect("a temporary file"));
        }
        assert!(!seen.contains(&hash(200_000)).expect("a temporary file"));
    }
}
