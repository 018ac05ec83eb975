//! Sealed files: written once, front to back, and checked block by block whenever they are read.
//! Segments and snapshots are the two kinds; `FORMAT.md` gives the bytes.

mod reader;
mod writer;

pub(super) use reader::SealedReader;
pub(super) use writer::SealedWriter;

/// Bytes of the body under one checksum.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// Sections of a body start at multiples of this many bytes: a cache line.
pub(super) const SECTION_ALIGNMENT: u64 = 64;

const TRAILER_BYTES: usize = 96;
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
}

impl Trailer {
    /// Everything but the seal.
    fn encode(&self) -> [u8; TRAILER_BYTES - 32] {
        let mut bytes = [0; TRAILER_BYTES - 32];
        bytes[..8].copy_from_slice(TRAILER_MAGIC);
        bytes[8..12].copy_from_slice(&TRAILER_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.body_bytes.to_le_bytes());
        for (place, count) in bytes[24..56].chunks_exact_mut(8).zip(self.counts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        bytes
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
    body_bytes.div_ceil(BLOCK_BYTES as u64) * 32
}

#[cfg(test)]
mod tests;
