//! From a token to the bits that it sets.

use blake2::Blake2bMac512;
use blake2::digest::{KeyInit, Mac};
use hmac::Hmac;
use md5::Md5;
use sha1::Sha1;
use zeroize::Zeroizing;

/// How a token's bits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashKind {
    /// `blakeHash`: BLAKE2b, 32 bits of the filter for each round.
    Blake,
    /// `doubleHash`: `h1 + i · h2`.
    Double {
        /// Draw `h2` again while it is 0, which would leave one bit for all *i*.
        prevent_singularity: bool,
    },
}

/// The two keys of a feature. No `Debug`; wiped on drop.
pub(super) struct FeatureKeys {
    first: Zeroizing<Vec<u8>>,
    second: Zeroizing<Vec<u8>>,
}

impl FeatureKeys {
    pub(super) fn new(first: &[u8], second: &[u8]) -> Self {
        Self {
            first: Zeroizing::new(first.to_vec()),
            second: Zeroizing::new(second.to_vec()),
        }
    }

    #[cfg(test)]
    pub(super) fn both(&self) -> [&[u8]; 2] {
        [&self.first, &self.second]
    }
}

/// Sets `count` bits of a filter of `length` bits for one token.
pub(super) fn set_bits(
    kind: HashKind,
    keys: &FeatureKeys,
    token: &[u8],
    count: usize,
    length: usize,
    filter: &mut [u64],
) {
    let mut set = |bit: usize| filter[bit / 64] |= 1 << (bit % 64);
    match kind {
        HashKind::Blake => {
            for round in 0..count.div_ceil(32) {
                let hash = blake(&keys.first, round, token);
                let left = count - 32 * round;
                for pair in hash.chunks_exact(2).take(left) {
                    set(usize::from(u16::from_le_bytes([pair[0], pair[1]])) % length);
                }
            }
        }
        HashKind::Double {
            prevent_singularity,
        } => {
            let start = remainder(&hmac::<Hmac<Sha1>>(&keys.first, token, &[]), length);
            let mut step = remainder(&hmac::<Hmac<Md5>>(&keys.second, token, &[]), length);
            if prevent_singularity {
                // clkhash appends the characters U+0000, U+0001, … until the step is not 0.
                for attempt in '\0'.. {
                    if step != 0 {
                        break;
                    }
                    let mut utf8 = [0; 4];
                    let more = attempt.encode_utf8(&mut utf8).as_bytes();
                    step = remainder(&hmac::<Hmac<Md5>>(&keys.second, token, more), length);
                }
            }
            for index in 0..count {
                set((start + index * step) % length);
            }
        }
    }
}

/// BLAKE2b with the round's number in decimal digits as its salt.
fn blake(key: &[u8], round: usize, token: &[u8]) -> [u8; 64] {
    let salt = round.to_string();
    let mut mac = Blake2bMac512::new_with_salt_and_personal(Some(key), salt.as_bytes(), &[])
        .expect("the schema's check keeps keys within 64 bytes, and a round has few digits");
    mac.update(token);
    mac.finalize().into_bytes().into()
}

fn hmac<M: Mac + KeyInit>(key: &[u8], token: &[u8], more: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.update(token);
    mac.update(more);
    mac.finalize().into_bytes().to_vec()
}

/// The bytes, read as one big-endian number, modulo `length`.
fn remainder(bytes: &[u8], length: usize) -> usize {
    bytes
        .iter()
        .fold(0, |rest, byte| (rest * 256 + usize::from(*byte)) % length)
}
