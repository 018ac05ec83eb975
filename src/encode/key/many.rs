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
use zeroize::Zeroize;

use super::{Key, SECRET_BYTES};

/// Bytes of a block of BLAKE3. Messages are filled up with zeros to whole blocks.
const BLOCK: usize = 64;

// Flags of the BLAKE3 specification, section 2.1.
const CHUNK_START: u8 = 1 << 0;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED_HASH: u8 = 1 << 4;

/// Messages, each with the place that its number goes to. Memory that is used again.
///
/// A message is filled up with zeros to a multiple of 64 bytes: whoever writes one sees to it that
/// its end can be told.
///
/// # Privacy
/// Plaintext: no `Debug`, wiped on drop.
pub(in crate::encode) struct Messages {
    /// The message that is being written.
    message: Vec<u8>,
    one_block: Lane<BLOCK>,
    two_blocks: Lane<{ 2 * BLOCK }>,
    longer: Vec<(Vec<u8>, usize)>,
}

/// Messages of one length.
struct Lane<const N: usize> {
    messages: Vec<[u8; N]>,
    places: Vec<usize>,
}

impl Messages {
    /// None yet.
    pub(in crate::encode) fn new() -> Self {
        Self {
            // Room for usual ones, so that growing leaves no copies behind.
            message: Vec::with_capacity(4 * BLOCK),
            one_block: Lane::new(),
            two_blocks: Lane::new(),
            longer: Vec::new(),
        }
    }

    /// Forgets all messages.
    pub(in crate::encode) fn clear(&mut self) {
        self.one_block.clear();
        self.two_blocks.clear();
        self.longer.clear();
    }

    /// Begins a message with these bytes.
    pub(in crate::encode) fn begin(&mut self, bytes: &[u8]) {
        self.message.clear();
        self.message.extend_from_slice(bytes);
    }

    /// Appends a value in two pieces, its length before it: one byte, or 255 and `u32 LE` from 255
    /// bytes on.
    pub(in crate::encode) fn value(&mut self, pieces: [&str; 2]) {
        let length = pieces[0].len() + pieces[1].len();
        match u8::try_from(length) {
            Ok(short) if short < u8::MAX => self.message.push(short),
            _ => {
                self.message.push(u8::MAX);
                // A value is a field of a person: far shorter than 2³² bytes.
                self.message.extend((length as u32).to_le_bytes());
            }
        }
        for piece in pieces {
            self.message.extend_from_slice(piece.as_bytes());
        }
    }

    /// Bytes of the message so far.
    pub(in crate::encode) fn length(&self) -> usize {
        self.message.len()
    }

    /// Goes back to the first bytes of the message.
    pub(in crate::encode) fn back_to(&mut self, length: usize) {
        self.message.truncate(length);
    }

    /// Takes the message as it stands in; its number goes to `place`. It can then be gone on with.
    pub(in crate::encode) fn put(&mut self, place: usize) {
        let message = self.message.as_slice();
        if message.len() <= BLOCK {
            self.one_block.put(message, place);
        } else if message.len() <= 2 * BLOCK {
            self.two_blocks.put(message, place);
        } else {
            let mut blocks = message.to_vec();
            blocks.resize(message.len().next_multiple_of(BLOCK), 0);
            self.longer.push((blocks, place));
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.message.zeroize();
        self.one_block.messages.zeroize();
        self.two_blocks.messages.zeroize();
        for (message, _) in &mut self.longer {
            message.zeroize();
        }
    }
}

impl<const N: usize> Lane<N> {
    fn new() -> Self {
        Self {
            messages: Vec::with_capacity(64),
            places: Vec::with_capacity(64),
        }
    }

    fn clear(&mut self) {
        self.messages.clear();
        self.places.clear();
    }

    /// `message`: at most `N` bytes.
    fn put(&mut self, message: &[u8], place: usize) {
        let mut blocks = [0; N];
        blocks[..message.len()].copy_from_slice(message);
        self.messages.push(blocks);
        self.places.push(place);
    }

    /// BLAKE3, keyed, of all messages.
    fn blake3(&self, key: &[u8; SECRET_BYTES], numbers: &mut [u64]) {
        let (words, _) = key.as_chunks();
        let mut key_words = [0; 8];
        for (word, bytes) in key_words.iter_mut().zip(words) {
            *word = u32::from_le_bytes(*bytes);
        }
        let platform = Platform::detect();
        let mut hashes = [0; 32 * MAX_SIMD_DEGREE];
        let groups = self.messages.chunks(MAX_SIMD_DEGREE);
        for (messages, places) in groups.zip(self.places.chunks(MAX_SIMD_DEGREE)) {
            // Lanes past the last message are not looked at.
            let lanes: [&[u8; N]; MAX_SIMD_DEGREE] =
                std::array::from_fn(|lane| messages.get(lane).unwrap_or(&messages[0]));
            platform.hash_many(
                &lanes[..messages.len()],
                &key_words,
                0,
                IncrementCounter::No,
                KEYED_HASH,
                CHUNK_START,
                CHUNK_END | ROOT,
                &mut hashes,
            );
            for (hash, place) in hashes.chunks_exact(32).zip(places) {
                numbers[*place] = first_number(hash);
            }
        }
    }
}

impl Key {
    /// Writes the number of each message to its place: the first 8 bytes of its keyed stream,
    /// little-endian.
    pub(in crate::encode) fn numbers(&self, messages: &Messages, numbers: &mut [u64]) {
        if let Some(key) = self.blake3() {
            messages.one_block.blake3(key, numbers);
            messages.two_blocks.blake3(key, numbers);
        } else {
            let one = messages.one_block.messages.iter().map(|m| m.as_slice());
            let one = one.zip(&messages.one_block.places);
            let two = messages.two_blocks.messages.iter().map(|m| m.as_slice());
            let two = two.zip(&messages.two_blocks.places);
            one.chain(two)
                .for_each(|(message, place)| numbers[*place] = self.number(message));
        }
        for (message, place) in &messages.longer {
            numbers[*place] = self.number(message);
        }
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
            for (place, value) in values.iter().enumerate() {
                let (first, second) = value.split_at(value.len() / 3);
                messages.begin(&[7]);
                messages.value([first, second]);
                messages.put(place);
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
    fn a_message_can_be_gone_on_with_and_cleared_ones_are_gone() {
        let key = LinkageSecret::from_bytes([3; 32]).root(Suite::Blake3);
        let mut messages = Messages::new();
        messages.begin(b"x");
        messages.put(0);
        messages.clear();
        messages.begin(b"head");
        let head = messages.length();
        for (place, value) in ["a", "b", "a"].into_iter().enumerate() {
            messages.back_to(head);
            messages.value([value, ""]);
            messages.put(place + 1);
        }
        let mut numbers = [0; 4];
        key.numbers(&messages, &mut numbers);
        assert_eq!(numbers[0], 0);
        assert_eq!(numbers[1], numbers[3]);
        assert_ne!(numbers[1], numbers[2]);
    }
}
