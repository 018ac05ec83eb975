//! Bytes of the log: its header, and the frame around each entry's encrypted payload.

use crate::store::crypt::{DataKeys, NONCE_BYTES, NotAuthentic, TAG_BYTES};

/// Bytes of the file header.
pub(super) const HEADER_BYTES: usize = 64;

/// Bytes before the payload: length, kind, place in the group, sequence.
pub(super) const PREFIX_BYTES: usize = 17;

/// Bytes after the payload: the chain value.
pub(super) const CHAIN_BYTES: usize = 32;

/// Most bytes of an encrypted payload. A length above it is damage, not an entry.
pub(super) const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Most bytes of a payload before it is encrypted.
pub(super) const PLAIN_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - NONCE_BYTES - TAG_BYTES;

const MAGIC: &[u8; 8] = b"MUSUBILG";
const FORMAT_VERSION: u32 = 1;

/// Chain value: BLAKE3 over everything so far.
pub(super) type Chain = [u8; CHAIN_BYTES];

/// The file header of a new log.
pub(super) fn header(store_id: &[u8; 16]) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[16..32].copy_from_slice(store_id);
    let checksum = blake3::hash(&bytes[..32]);
    bytes[32..].copy_from_slice(checksum.as_bytes());
    bytes
}

/// Checks a file header; gives the chain value that the first entry builds on.
///
/// The error is the offset and the rule.
pub(super) fn check_header(bytes: &[u8; HEADER_BYTES]) -> Result<Chain, (u64, &'static str)> {
    if &bytes[..8] != MAGIC {
        return Err((0, "this is not a log of a musubi store"));
    }
    if bytes[8..12] != FORMAT_VERSION.to_le_bytes() {
        return Err((
            8,
            "the log has a format version that this program does not know",
        ));
    }
    let checksum = blake3::hash(&bytes[..32]);
    if bytes[32..] != *checksum.as_bytes() {
        return Err((32, "the header does not match its checksum"));
    }
    Ok(*checksum.as_bytes())
}

/// The part before the payload, as read.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    /// Bytes of the payload.
    pub(super) length: usize,
    /// Kind of the entry.
    pub(super) kind: u8,
    /// Entries of the same group before this one. A group is written and synced at once.
    pub(super) place: u32,
    /// Number of the entry.
    pub(super) sequence: u64,
}

impl Prefix {
    /// Reads the first [`PREFIX_BYTES`] of an entry.
    pub(super) fn decode(bytes: &[u8; PREFIX_BYTES]) -> Self {
        let (length, rest) = bytes.split_at(4);
        Self {
            length: u32::from_le_bytes(length.try_into().expect("4 bytes")) as usize,
            kind: rest[0],
            place: u32::from_le_bytes(rest[1..5].try_into().expect("4 bytes")),
            sequence: u64::from_le_bytes(rest[5..].try_into().expect("8 bytes")),
        }
    }

    fn encode(self) -> [u8; PREFIX_BYTES] {
        let mut bytes = [0; PREFIX_BYTES];
        bytes[..4].copy_from_slice(&(self.length as u32).to_le_bytes());
        bytes[4] = self.kind;
        bytes[5..9].copy_from_slice(&self.place.to_le_bytes());
        bytes[9..].copy_from_slice(&self.sequence.to_le_bytes());
        bytes
    }

    /// Decrypts the payload of an entry with this prefix.
    pub(super) fn open(self, keys: &DataKeys, sealed: Vec<u8>) -> Result<Vec<u8>, NotAuthentic> {
        keys.open_payload(&self.encode(), sealed)
    }

    /// Chain value after an entry with this prefix and payload.
    pub(super) fn chain(self, previous: &Chain, payload: &[u8]) -> Chain {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(previous)
            .update(&self.encode())
            .update(payload);
        *hasher.finalize().as_bytes()
    }
}

/// The bytes of an entry and the chain value after it.
///
/// The prefix is given with the length of the plain payload.
pub(super) fn encode(
    keys: &DataKeys,
    previous: &Chain,
    prefix: Prefix,
    payload: &[u8],
) -> (Vec<u8>, Chain) {
    let prefix = Prefix {
        length: NONCE_BYTES + prefix.length + TAG_BYTES,
        ..prefix
    };
    let sealed = keys.seal_payload(&prefix.encode(), previous, payload);
    let chain = prefix.chain(previous, &sealed);
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + sealed.len() + CHAIN_BYTES);
    bytes.extend_from_slice(&prefix.encode());
    bytes.extend_from_slice(&sealed);
    bytes.extend_from_slice(&chain);
    (bytes, chain)
}
