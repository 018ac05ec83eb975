//! The messages that a record's tags are the hashes of, in memory that is used again.

use zeroize::{Zeroize, Zeroizing};

/// Bytes of a block of BLAKE3. Messages are filled up with zeros to whole blocks.
const BLOCK: usize = 64;
/// Bytes of a message that are kept in its place: nearly all messages are shorter.
const START: usize = 2 * BLOCK;

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
    pub(super) place: usize,
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

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages[..self.count].iter()
    }

    /// The messages so far and an empty one, which is the next.
    #[inline]
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
    #[inline(always)]
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
    pub(super) fn blocks(&self) -> Zeroizing<Vec<u8>> {
        let mut blocks = Zeroizing::new(Vec::with_capacity(self.length + BLOCK));
        blocks.extend_from_slice(&self.start[..self.length.min(START)]);
        blocks.extend_from_slice(&self.rest);
        blocks.resize(self.length.next_multiple_of(BLOCK), 0);
        blocks
    }

    /// Its one block, if it is not longer.
    pub(super) fn one_block(&self) -> Option<&[u8; BLOCK]> {
        let fits = self.length <= BLOCK;
        self.start.first_chunk().filter(|_| fits)
    }

    /// Its two blocks, if it is not longer, nor shorter.
    pub(super) fn two_blocks(&self) -> Option<&[u8; START]> {
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
