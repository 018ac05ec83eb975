//! Keyed streams: as many pseudo-random bytes of a message as are asked for, in either suite.
//!
//! - `blake3`: BLAKE3, keyed, its extendable output.
//! - `hmac-sha-256`: block *i* is HMAC-SHA-256(key, `u64 LE i ‖ message`), from *i* = 0.

use hmac::digest::{KeyInit, Mac};
use sha2::Sha256;

use super::SECRET_BYTES;

pub(super) type Hmac = hmac::Hmac<Sha256>;

/// A stream that is being read.
pub(in crate::encode) enum KeyStream<'a> {
    Blake3(blake3::OutputReader),
    HmacSha256(CounterMode<'a>),
}

/// Where a stream in counter mode stands.
pub(in crate::encode) struct CounterMode<'a> {
    keyed: &'a Hmac,
    message: &'a [u8],
    counter: u64,
    block: [u8; 32],
    /// Bytes of the block that were given out.
    used: usize,
}

impl<'a> KeyStream<'a> {
    pub(super) fn blake3(key: &[u8; SECRET_BYTES], message: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        Self::Blake3(hasher.update(message).finalize_xof())
    }

    pub(super) fn hmac_sha_256(keyed: &'a Hmac, message: &'a [u8]) -> Self {
        Self::HmacSha256(CounterMode {
            keyed,
            message,
            counter: 0,
            block: [0; 32],
            used: 32,
        })
    }

    /// The next bytes.
    pub(in crate::encode) fn fill(&mut self, out: &mut [u8]) {
        match self {
            Self::Blake3(reader) => reader.fill(out),
            Self::HmacSha256(stream) => stream.fill(out),
        }
    }
}

impl CounterMode<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        let mut filled = 0;
        while filled < out.len() {
            if self.used == self.block.len() {
                let mut hmac = self.keyed.clone();
                hmac.update(&self.counter.to_le_bytes());
                hmac.update(self.message);
                self.block = hmac.finalize().into_bytes().into();
                self.counter += 1;
                self.used = 0;
            }
            let count = (out.len() - filled).min(self.block.len() - self.used);
            let from = &self.block[self.used..self.used + count];
            out[filled..filled + count].copy_from_slice(from);
            self.used += count;
            filled += count;
        }
    }
}

pub(super) fn keyed(key: &[u8; SECRET_BYTES]) -> Hmac {
    <Hmac as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length")
}

/// HMAC-SHA-256 of a message in pieces.
pub(super) fn hmac_sha_256(key: &[u8; SECRET_BYTES], message: &[&[u8]]) -> [u8; 32] {
    let mut hmac = keyed(key);
    message.iter().for_each(|piece| hmac.update(piece));
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_meets_test_case_1_of_rfc_4231() {
        let mut key = [0; SECRET_BYTES];
        key[..20].fill(0x0b);
        // An HMAC pads a short key with zeros: 20 bytes and the same 20 with zeros are one key.
        let hmac = hmac_sha_256(&key, &[b"Hi ", b"There"]);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&hmac),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn counter_mode_is_the_blocks_in_order_however_it_is_read() {
        let key = [9; SECRET_BYTES];
        let keyed = keyed(&key);
        let mut stream = KeyStream::hmac_sha_256(&keyed, b"message");
        let mut read = vec![0; 70];
        stream.fill(&mut read[..5]);
        stream.fill(&mut read[5..]);
        let mut expected = Vec::new();
        for counter in 0_u64..3 {
            expected.extend(hmac_sha_256(&key, &[&counter.to_le_bytes(), b"message"]));
        }
        assert_eq!(read, expected[..70]);
    }
}
