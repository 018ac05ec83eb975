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
use zeroize::{Zeroize, Zeroizing};

use super::{Key, SECRET_BYTES};

/// Bytes of a block of BLAKE3. Messages are filled up with zeros to whole blocks.
const BLOCK: usize = 64;
/// Bytes of a message that are kept in its place: nearly all messages are shorter.
const START: usize = 2 * BLOCK;

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
    messages: Vec<Message>,
    count: usize,
}

/// A message, written where it is hashed.
pub(in crate::encode) struct Message {
    /// Its first bytes, zeros after its end.
    start: [u8; START],
    /// What comes after them.
    rest: Vec<u8>,
    length: usize,
    place: usize,
}

/// Most bytes of a short value with its length.
const SHORT: usize = 32;

/// A value with its length before it (one byte, or 255 and `u32 LE` from 255 bytes on), as it stands
/// in many messages of a record.
///
/// # Privacy
/// Plaintext: no `Debug`, wiped on drop.
pub(in crate::encode) struct Value {
    /// All of it and zeros, if it is short: copying as many bytes each time is faster than looking how many.
    short: [u8; SHORT],
    /// All of it, if it is longer.
    long: Vec<u8>,
    length: usize,
}

impl Value {
    /// An empty value.
    pub(in crate::encode) fn new() -> Self {
        Self {
            short: [0; SHORT],
            long: Vec::new(),
            length: 1,
        }
    }

    /// Becomes this value.
    pub(in crate::encode) fn set(&mut self, value: &[u8]) {
        self.length = value.len() + 1;
        if self.length <= SHORT {
            self.short = [0; SHORT];
            self.short[0] = value.len() as u8;
            self.short[1..self.length].copy_from_slice(value);
        } else {
            self.long.clear();
            let (length, bytes) = length_prefix(value.len());
            self.long.extend_from_slice(&length[..bytes]);
            self.long.extend_from_slice(value);
            self.length = self.long.len();
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.short.zeroize();
        self.long.zeroize();
    }
}

/// A length as it stands before a value, and how many bytes it takes.
fn length_prefix(length: usize) -> ([u8; 5], usize) {
    match u8::try_from(length) {
        Ok(short) if short < u8::MAX => ([short, 0, 0, 0, 0], 1),
        _ => {
            // A value is a field of a person: far shorter than 2³² bytes.
            let [a, b, c, d] = (length as u32).to_le_bytes();
            ([u8::MAX, a, b, c, d], 5)
        }
    }
}

impl Messages {
    /// None yet.
    pub(in crate::encode) fn new() -> Self {
        Self {
            messages: Vec::new(),
            count: 0,
        }
    }

    /// Forgets all messages.
    pub(in crate::encode) fn clear(&mut self) {
        self.count = 0;
    }

    /// How many there are.
    pub(in crate::encode) fn count(&self) -> usize {
        self.count
    }

    /// Begins a message that starts with these bytes; its number goes to `place`.
    pub(in crate::encode) fn begin(&mut self, place: usize, bytes: &[u8]) -> &mut Message {
        let (_, message) = self.next(place);
        message.write(bytes);
        message
    }

    /// Begins a message that starts as an earlier one, with its first `length` bytes.
    pub(in crate::encode) fn begin_as(
        &mut self,
        place: usize,
        earlier: usize,
        length: usize,
    ) -> &mut Message {
        let (before, message) = self.next(place);
        let in_start = length.min(START);
        message.write(&before[earlier].start[..in_start]);
        message.write(&before[earlier].rest[..length - in_start]);
        message
    }

    /// The messages so far and an empty one, which is the next.
    fn next(&mut self, place: usize) -> (&[Message], &mut Message) {
        if self.count == self.messages.len() {
            self.messages.push(Message {
                start: [0; START],
                rest: Vec::new(),
                length: 0,
                place,
            });
        }
        let (before, rest) = self.messages.split_at_mut(self.count);
        let message = &mut rest[0];
        message.start = [0; START];
        message.rest.clear();
        message.length = 0;
        message.place = place;
        self.count += 1;
        (before, message)
    }
}

impl Message {
    /// Appends a value.
    #[inline]
    pub(in crate::encode) fn value(&mut self, value: &Value) {
        if value.length > SHORT {
            self.write(&value.long);
        } else if self.length + SHORT <= START {
            self.start[self.length..self.length + SHORT].copy_from_slice(&value.short);
            self.length += value.length;
        } else {
            self.write(&value.short[..value.length]);
        }
    }

    /// As [`Message::value`], of two pieces that are one value.
    pub(in crate::encode) fn value_of_two(&mut self, pieces: [&[u8]; 2]) {
        let (length, bytes) = length_prefix(pieces[0].len() + pieces[1].len());
        self.write(&length[..bytes]);
        self.write(pieces[0]);
        self.write(pieces[1]);
    }

    /// Bytes so far.
    pub(in crate::encode) fn length(&self) -> usize {
        self.length
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if end <= START {
            self.start[self.length..end].copy_from_slice(bytes);
        } else {
            let room = START.saturating_sub(self.length);
            let (in_start, after) = bytes.split_at(room);
            self.start[START - room..].copy_from_slice(in_start);
            self.rest.extend_from_slice(after);
        }
        self.length = end;
    }

    /// The whole message in whole blocks.
    fn blocks(&self) -> Zeroizing<Vec<u8>> {
        let mut blocks = Zeroizing::new(Vec::with_capacity(self.length + BLOCK));
        blocks.extend_from_slice(&self.start[..self.length.min(START)]);
        blocks.extend_from_slice(&self.rest);
        blocks.resize(self.length.next_multiple_of(BLOCK), 0);
        blocks
    }

    /// Its one block, if it is not longer.
    fn one_block(&self) -> Option<&[u8; BLOCK]> {
        let fits = self.length <= BLOCK;
        self.start.first_chunk().filter(|_| fits)
    }

    /// Its two blocks, if it is not longer, nor shorter.
    fn two_blocks(&self) -> Option<&[u8; START]> {
        let fits = self.length > BLOCK && self.length <= START;
        Some(&self.start).filter(|_| fits)
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.start.zeroize();
        self.rest.zeroize();
    }
}

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
        let mut hashes = [0; 32 * MAX_SIMD_DEGREE];
        // Where half a group would be hashed in two steps or more, a whole one takes no longer; what
        // stands in the other lanes is not looked at.
        let lanes = match self.filled {
            filled if filled > MAX_SIMD_DEGREE / 2 => MAX_SIMD_DEGREE,
            filled => filled,
        };
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
            for message in &messages.messages[..messages.count] {
                numbers[message.place] = self.number(&message.blocks());
            }
            return;
        };
        let (mut one_block, mut two_blocks) = (Lanes::new(key), Lanes::new(key));
        for message in &messages.messages[..messages.count] {
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
