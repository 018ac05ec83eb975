//! Which runs the index consists of, and how far in the log they go. One value, replaced as a whole.

use super::Applied;

const HEADER_BYTES: usize = 64;
const RUN_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 32;

/// What the index consists of.
pub(super) struct Manifest {
    /// How far it goes.
    pub(super) applied: Applied,
    /// Number of the next run.
    pub(super) next: u64,
    /// Number and entries of each run, oldest first.
    pub(super) runs: Vec<(u64, u64)>,
}

impl Manifest {
    /// The bytes that stand for it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.applied.submission.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.applied.hash);
        bytes.extend_from_slice(&self.applied.rewritings.to_le_bytes());
        bytes.extend_from_slice(&self.next.to_le_bytes());
        bytes.extend_from_slice(&(self.runs.len() as u64).to_le_bytes());
        for (number, entries) in &self.runs {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&entries.to_le_bytes());
        }
        let checksum = *blake3::hash(&bytes).as_bytes();
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Reads it, if it is what was written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (header, runs) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let word = |at: usize| header[at..].first_chunk().copied().map(u64::from_le_bytes);
        let (runs, rest) = runs.as_chunks::<RUN_BYTES>();
        let is_whole = *checksum == *blake3::hash(bytes).as_bytes()
            && rest.is_empty()
            && word(56)? == runs.len() as u64;
        let pair = |bytes: &[u8; RUN_BYTES]| {
            let word = u128::from_le_bytes(*bytes);
            (word as u64, (word >> 64) as u64)
        };
        is_whole.then_some(Self {
            applied: Applied {
                submission: word(0)?,
                hash: *header[8..].first_chunk()?,
                rewritings: word(40)?,
            },
            next: word(48)?,
            runs: runs.iter().map(pair).collect(),
        })
    }
}
