//! Sealed files: written once, front to back, encrypted block by block, and checked block by block
//! whenever they are read. Segments and snapshots are the two kinds; `FORMAT.md` gives the bytes.
//!
//! Each block has a checksum of what stands on the disk, for who has no key, and a tag of the
//! cipher, for who has.

mod reader;
mod scrub;
mod writer;

pub(super) use reader::SealedReader;
pub(super) use scrub::scrub;
pub(super) use writer::SealedWriter;

use super::crypt::{FileId, TAG_BYTES};

/// Bytes of the body under one checksum.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// Sections of a body start at multiples of this many bytes: a cache line.
pub(super) const SECTION_ALIGNMENT: u64 = 64;

const TRAILER_BYTES: usize = 128;
/// Bytes of the seal, the last of the trailer.
const SEAL_BYTES: usize = 32;
/// Bytes of a block's entry in the table: BLAKE3 of the encrypted block, then its tag.
const ENTRY_BYTES: usize = 32 + TAG_BYTES;
const TRAILER_MAGIC: &[u8; 8] = b"MUSUBIEN";
const TRAILER_VERSION: u32 = 1;

/// BLAKE3 that stands for the whole file; the log names it.
pub(super) type Seal = [u8; 32];

/// Numbers that the kind of file needs in order to find its sections.
pub(super) type Counts = [u64; 4];

/// The last bytes of a sealed file.
#[derive(Clone, Copy)]
struct Trailer {
    body_bytes: u64,
    counts: Counts,
    file: FileId,
}

impl Trailer {
    /// Everything but the seal.
    fn encode(&self) -> [u8; TRAILER_BYTES - SEAL_BYTES] {
        let mut bytes = [0; TRAILER_BYTES - SEAL_BYTES];
        bytes[..8].copy_from_slice(TRAILER_MAGIC);
        bytes[8..12].copy_from_slice(&TRAILER_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.body_bytes.to_le_bytes());
        for (place, count) in bytes[24..56].chunks_exact_mut(8).zip(self.counts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        bytes[64..80].copy_from_slice(&self.file);
        bytes
    }

    /// Reads a trailer, if it has its form. The seal is not checked.
    fn decode(bytes: &[u8; TRAILER_BYTES]) -> Option<Self> {
        let word = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a slice of 8 bytes"))
        };
        let trailer = Self {
            body_bytes: word(16),
            counts: [word(24), word(32), word(40), word(48)],
            file: bytes[64..80].try_into().expect("a slice of 16 bytes"),
        };
        bytes.starts_with(&trailer.encode()).then_some(trailer)
    }

    /// The seal: BLAKE3 over the block table and the trailer before it.
    fn seal(&self, table: &[u8]) -> Seal {
        let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/seal");
        hasher.update(table).update(&self.encode());
        *hasher.finalize().as_bytes()
    }
}

/// Bytes of the block table of a body of this length.
fn table_bytes(body_bytes: u64) -> u64 {
    body_bytes.div_ceil(BLOCK_BYTES as u64) * ENTRY_BYTES as u64
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::open_all;
