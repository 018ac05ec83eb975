//! Keyed hashes of many short messages at once.
//!
//! A record has dozens of tags, each the hash of a message that is one block long. Hashed one after
//! the other, each waits for the last round of the one before; side by side, up to sixteen run in
//! the lanes of one register. What comes out is the same: BLAKE3's own keyed hash of each message.
//!
//! The `blake3` crate has this function inside, to hash the chunks of one long message, and gives it
//! out undocumented: so `Cargo.toml` names the exact version, and a test compares it with
//! `blake3::keyed_hash`.

use blake3::IncrementCounter;
use blake3::platform::{MAX_SIMD_DEGREE, Platform};

use super::messages::Messages;
use super::{Key, SECRET_BYTES};

// Flags of the BLAKE3 specification, section 2.1.
const CHUNK_START: u8 = 1 << 0;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED_HASH: u8 = 1 << 4;

/// BLAKE3, keyed, of messages of one length.
struct Lanes<'m, const N: usize> {
    key: [u32; 8],
    messages: [&'m [u8; N]; MAX_SIMD_DEGREE],
    places: [usize; MAX_SIMD_DEGREE],
    filled: usize,
}

impl<'m, const N: usize> Lanes<'m, N> {
    fn new(key: &[u8; SECRET_BYTES]) -> Self {
        let (words, _) = key.as_chunks();
        let mut key = [0; 8];
        for (word, bytes) in key.iter_mut().zip(words) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self {
            key,
            messages: [&[0; N]; MAX_SIMD_DEGREE],
            places: [0; MAX_SIMD_DEGREE],
            filled: 0,
        }
    }

    fn add(&mut self, message: &'m [u8; N], place: usize, numbers: &mut [u64]) {
        self.messages[self.filled] = message;
        self.places[self.filled] = place;
        self.filled += 1;
        if self.filled == MAX_SIMD_DEGREE {
            self.hash(numbers);
        }
    }

    /// Hashes what was added since the last time.
    fn hash(&mut self, numbers: &mut [u64]) {
        if self.filled == 0 {
            return;
        }
        let mut hashes = [0; 32 * MAX_SIMD_DEGREE];
        // Groups of 4, 8 and 16 are hashed in one step, and three alone one after the other: what stands in
        // the lanes that fill a group up is not looked at.
        let lanes = self.filled.next_power_of_two().min(MAX_SIMD_DEGREE);
        Platform::detect().hash_many(
            &self.messages[..lanes],
            &self.key,
            0,
            IncrementCounter::No,
            KEYED_HASH,
            CHUNK_START,
            CHUNK_END | ROOT,
            &mut hashes,
        );
        let places = &self.places[..self.filled];
        for (hash, place) in hashes.chunks_exact(32).zip(places) {
            numbers[*place] = first_number(hash);
        }
        self.filled = 0;
    }
}

impl Key {
    /// Writes the number of each message to its place: the first 8 bytes of its keyed stream,
    /// little-endian.
    pub(in crate::encode) fn numbers(&self, messages: &Messages, numbers: &mut [u64]) {
        let Some(key) = self.blake3() else {
            for message in messages.iter() {
                numbers[message.place] = self.number(&message.blocks());
            }
            return;
        };
        let (mut one_block, mut two_blocks) = (Lanes::new(key), Lanes::new(key));
        for message in messages.iter() {
            if let Some(block) = message.one_block() {
                one_block.add(block, message.place, numbers);
            } else if let Some(blocks) = message.two_blocks() {
                two_blocks.add(blocks, message.place, numbers);
            } else {
                numbers[message.place] = self.number(&message.blocks());
            }
        }
        one_block.hash(numbers);
        two_blocks.hash(numbers);
    }

    fn number(&self, message: &[u8]) -> u64 {
        let mut first = [0; 8];
        self.stream(message).fill(&mut first);
        u64::from_le_bytes(first)
    }
}

fn first_number(hash: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::key::LinkageSecret;
    use crate::encode::key::messages::Value;
    use crate::terms::profile::Suite;

    /// Lengths around whole blocks and around a length that takes more than one byte.
    const LENGTHS: [usize; 12] = [0, 1, 50, 62, 63, 64, 126, 127, 128, 253, 254, 255];

    /// A hundred of each length, so that groups of all sizes are hashed.
    fn values() -> Vec<String> {
        let numbers = 0..100 * LENGTHS.len();
        let value = |number: usize| {
            let digits = format!("{number:04}");
            digits.chars().cycle().take(LENGTHS[number % 12]).collect()
        };
        numbers.map(value).collect()
    }

    fn padded(value: &str) -> Vec<u8> {
        let mut message = vec![7];
        match value.len() {
            255.. => message.extend([255, 255, 0, 0, 0]),
            short => message.push(short as u8),
        }
        message.extend(value.as_bytes());
        message.resize(message.len().next_multiple_of(64), 0);
        message
    }

    #[test]
    fn together_they_are_what_each_is_alone() {
        let secret = LinkageSecret::from_bytes([3; 32]);
        for suite in [Suite::Blake3, Suite::HmacSha256] {
            let key = secret.root(suite);
            let values = values();
            let mut messages = Messages::new();
            let mut written = Value::new();
            for (place, value) in values.iter().enumerate() {
                let (first, second) = value.as_bytes().split_at(value.len() / 3);
                let message = messages.begin(place, &[7]);
                if place % 2 == 0 {
                    written.set(value.as_bytes());
                    message.value(&written);
                } else {
                    message.value_of_two([first, second]);
                }
            }
            let mut numbers = vec![0; values.len()];
            key.numbers(&messages, &mut numbers);
            for (value, number) in values.iter().zip(numbers) {
                let expected = match suite {
                    Suite::Blake3 => *blake3::keyed_hash(key.bytes(), &padded(value)).as_bytes(),
                    Suite::HmacSha256 => {
                        let message = [&[0; 8][..], &padded(value)].concat();
                        super::super::stream::hmac_sha_256(key.bytes(), &[&message])
                    }
                };
                assert_eq!(number, first_number(&expected), "{} bytes", value.len());
            }
        }
    }

    #[test]
    fn a_message_can_start_as_an_earlier_one() {
        let key = LinkageSecret::from_bytes([3; 32]).root(Suite::Blake3);
        for shared in [0, 20, 63, 100, 128, 200] {
            let mut messages = Messages::new();
            messages.begin(0, b"left over from the record before");
            messages.clear();
            messages
                .begin(1, &vec![b'h'; shared])
                .value_of_two([b"a", b""]);
            messages.begin_as(2, 0, shared).value_of_two([b"", b"b"]);
            messages.begin_as(3, 0, shared).value_of_two([b"", b"a"]);
            assert_eq!(messages.count(), 3);
            let mut numbers = [0; 4];
            key.numbers(&messages, &mut numbers);
            assert_eq!(numbers[0], 0);
            assert_eq!(numbers[1], numbers[3], "{shared}");
            assert_ne!(numbers[1], numbers[2], "{shared}");
        }
    }
}
