//! Bytes of a declared charset as UTF-8, while reading.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// Malformed sequences that a legacy charset may have before they are counted against it.
const MALFORMED_ALLOWED: u64 = 20;
/// Past those, one malformed sequence in this many characters beyond ASCII is allowed.
const CHARACTERS_PER_MALFORMED: u64 = 50;

/// The bytes are not of the declared charset.
#[derive(Debug, thiserror::Error)]
#[error("not {charset} at line {line}")]
pub struct WrongCharset {
    /// The charset declared.
    pub charset: &'static str,
    /// Where the first malformed sequence stands, from 1.
    pub line: u64,
}

/// Decodes a stream; a byte order mark is dropped, and CR LF becomes LF, so that lines are counted
/// alike.
///
/// In UTF-8 one malformed sequence shows that the file is something else. A legacy charset has
/// gaiji without a meaning outside their system: those become U+FFFD, an unknown character, unless
/// there are so many that the charset must be wrong.
pub struct DecodingReader<R> {
    inner: R,
    decoder: Decoder,
    encoding: &'static Encoding,
    bytes: Vec<u8>,
    unread: std::ops::Range<usize>,
    text: String,
    /// What `text` is folded into.
    folded: String,
    taken: usize,
    at_end: bool,
    /// A CR at the end of the last stretch, held back until it is known whether LF follows.
    held_return: bool,
    line: u64,
    malformed: u64,
    malformed_line: u64,
    beyond_ascii: u64,
    position: u64,
}

impl<R: Read> DecodingReader<R> {
    /// Reads `inner` as `encoding`.
    pub fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            bytes: vec![0; 64 * 1024],
            unread: 0..0,
            text: String::with_capacity(256 * 1024),
            folded: String::new(),
            taken: 0,
            at_end: false,
            held_return: false,
            line: 1,
            malformed: 0,
            malformed_line: 0,
            beyond_ascii: 0,
            position: 0,
        }
    }

    /// Bytes of `inner` read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Decodes the next stretch into `text`. Leaves it empty at the end.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        while self.text.is_empty() && !self.at_end {
            if std::mem::take(&mut self.held_return) {
                self.text.push('\r');
            }
            if self.unread.is_empty() {
                let read = self.inner.read(&mut self.bytes)?;
                self.unread = 0..read;
                self.position += read as u64;
            }
            let last = self.unread.is_empty();
            self.decode_unread(last)?;
            self.at_end = last;
            if !last && self.text.ends_with('\r') {
                self.text.pop();
                self.held_return = true;
            }
        }
        if self.text.contains('\r') {
            self.fold_line_ends();
        }
        Ok(())
    }

    /// CR LF becomes LF.
    fn fold_line_ends(&mut self) {
        self.folded.clear();
        let mut stretches = self.text.split('\r');
        self.folded.extend(stretches.next());
        for stretch in stretches {
            if !stretch.starts_with('\n') {
                self.folded.push('\r');
            }
            self.folded.push_str(stretch);
        }
        std::mem::swap(&mut self.text, &mut self.folded);
    }

    fn decode_unread(&mut self, last: bool) -> io::Result<()> {
        loop {
            let source = &self.bytes[self.unread.clone()];
            let start = self.text.len();
            let (result, read) =
                self.decoder
                    .decode_to_string_without_replacement(source, &mut self.text, last);
            self.unread.start += read;
            let new = &self.text.as_bytes()[start..];
            self.line += new.iter().filter(|byte| **byte == b'\n').count() as u64;
            // Leading bytes of characters past ASCII; continuation bytes are below 0xC0.
            self.beyond_ascii += new.iter().filter(|byte| **byte >= 0xC0).count() as u64;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => self.text.reserve(64 * 1024),
                DecoderResult::Malformed(..) => self.count_malformed()?,
            }
        }
    }

    fn count_malformed(&mut self) -> io::Result<()> {
        if self.malformed == 0 {
            self.malformed_line = self.line;
        }
        self.malformed += 1;
        let allowed = MALFORMED_ALLOWED + self.beyond_ascii / CHARACTERS_PER_MALFORMED;
        if self.encoding == UTF_8 || self.malformed > allowed {
            let wrong = WrongCharset {
                charset: self.encoding.name(),
                line: self.malformed_line,
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
        }
        self.text.push(char::REPLACEMENT_CHARACTER);
        Ok(())
    }
}

impl<R: Read> Read for DecodingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() {
            self.refill()?;
        }
        let count = out.len().min(self.text.len() - self.taken);
        out[..count].copy_from_slice(&self.text.as_bytes()[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
