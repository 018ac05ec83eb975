//! The bytes of a journal: a header in clear, then encrypted frames.

use std::io::{self, Read};

use crate::store::crypt::{FileId, FrameCipher, NONCE_BYTES, TAG_BYTES};
use crate::store::vfs::BoxedFile;

const MAGIC: [u8; 8] = *b"MUSUBIJN";
const VERSION: u32 = 1;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 32;
/// Bytes before the encrypted text of a frame.
pub(super) const PREFIX_BYTES: usize = 20;

/// The header of a journal.
pub(super) fn header(file: &FileId) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..].copy_from_slice(file);
    bytes
}

/// The file ID in a header; `None` if it is none.
pub(super) fn parse_header(bytes: &[u8; HEADER_BYTES]) -> Option<FileId> {
    let file: FileId = *bytes.last_chunk()?;
    (header(&file) == *bytes).then_some(file)
}

/// What stands in clear before a frame; authenticated with it.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    /// Bytes of the encrypted text with nonce and tag.
    pub(super) length: u32,
    /// Frames before this one.
    pub(super) number: u64,
    /// When it arrived, seconds since 1970.
    pub(super) arrived_unix_s: u64,
}

impl Prefix {
    fn encode(self) -> [u8; PREFIX_BYTES] {
        let mut bytes = [0; PREFIX_BYTES];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..].copy_from_slice(&self.arrived_unix_s.to_le_bytes());
        bytes
    }

    /// Reads the prefix of frame `number`, of which at most `room` bytes are there; `None` if no whole
    /// frame of this number can stand here.
    pub(super) fn read(file: &mut BoxedFile, number: u64, room: u64) -> io::Result<Option<Self>> {
        if room < PREFIX_BYTES as u64 {
            return Ok(None);
        }
        let mut length = [0; 4];
        let mut rest = [[0; 8]; 2];
        file.read_exact(&mut length)?;
        file.read_exact(rest.as_flattened_mut())?;
        let prefix = Self {
            length: u32::from_le_bytes(length),
            number: u64::from_le_bytes(rest[0]),
            arrived_unix_s: u64::from_le_bytes(rest[1]),
        };
        let fits = prefix.bytes() <= room && prefix.length as usize >= NONCE_BYTES + TAG_BYTES;
        Ok((fits && prefix.number == number).then_some(prefix))
    }

    /// Bytes of the whole frame.
    pub(super) fn bytes(self) -> u64 {
        PREFIX_BYTES as u64 + u64::from(self.length)
    }

    /// Reads the text that follows the prefix; `None` if it is not what was written.
    pub(super) fn read_text(
        self,
        file: &mut BoxedFile,
        cipher: &FrameCipher,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut sealed = vec![0; self.length as usize];
        file.read_exact(&mut sealed)?;
        Ok(cipher.open(&self.encode(), sealed).ok())
    }
}

/// The bytes of a frame.
pub(super) fn encode(
    cipher: &FrameCipher,
    number: u64,
    arrived_unix_s: u64,
    text: &[u8],
) -> io::Result<Vec<u8>> {
    let length = u32::try_from(NONCE_BYTES + text.len() + TAG_BYTES)
        .map_err(|_| io::Error::other("a chunk is longer than a frame can be"))?;
    let prefix = Prefix {
        length,
        number,
        arrived_unix_s,
    }
    .encode();
    let sealed = cipher
        .seal(&prefix, text)
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok([prefix.as_slice(), &sealed].concat())
}
