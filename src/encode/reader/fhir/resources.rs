//! The resources of a FHIR file, one after the other, each as its own piece of JSON.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::encode::reader::ReadError;

/// Most bytes of a bundle: it is held in memory.
const BUNDLE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes of a resource in a line of its own. A Patient may carry a photo.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One resource. Plaintext: no `Debug`.
pub(super) struct Resource<'a> {
    /// Where it begins, from 1.
    pub(super) line: u64,
    pub(super) json: &'a [u8],
}

/// Line and place of each resource.
type Pieces = Vec<(u64, Range<usize>)>;

/// Where the resources come from.
pub(super) enum Resources {
    /// A resource a line.
    Lines {
        file: PathBuf,
        input: BufReader<File>,
        buffer: Vec<u8>,
        line: u64,
        position: u64,
    },
    /// One JSON value, held in memory: a bundle or a lone resource.
    Whole {
        bytes: Vec<u8>,
        pieces: Pieces,
        next: usize,
    },
}

impl Resources {
    /// Opens a file and tells by its first line which form it has.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let io = ReadError::io(path);
        let file = File::open(path).map_err(&io)?;
        let length = file.metadata().map_err(&io)?.len();
        let mut input = BufReader::with_capacity(64 * 1024, file);
        let mut first = Vec::new();
        input
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut first)
            .map_err(&io)?;
        let alone: Result<Value, _> = serde_json::from_slice(without_mark(&first));
        let is_line = alone.is_ok_and(|value| value["resourceType"] != "Bundle");
        if is_line {
            return Ok(Self::Lines {
                file: path.to_owned(),
                input: BufReader::with_capacity(64 * 1024, File::open(path).map_err(&io)?),
                buffer: Vec::new(),
                line: 0,
                position: 0,
            });
        }
        if length > BUNDLE_BYTES_MAX {
            return Err(ReadError::TooLarge {
                file: path.to_owned(),
                bytes_max: BUNDLE_BYTES_MAX,
            });
        }
        let mut bytes = first;
        let rest = BUNDLE_BYTES_MAX.saturating_sub(bytes.len() as u64);
        input.take(rest).read_to_end(&mut bytes).map_err(&io)?;
        let pieces = pieces(&bytes).map_err(|(line, rule)| ReadError::Form {
            file: path.to_owned(),
            line,
            rule,
        })?;
        Ok(Self::Whole {
            bytes,
            pieces,
            next: 0,
        })
    }

    /// The next resource; `None` at the end. Blank lines are left out.
    pub(super) fn next(&mut self) -> Result<Option<Resource<'_>>, ReadError> {
        match self {
            Self::Whole {
                bytes,
                pieces,
                next,
            } => {
                let piece = pieces.get(*next);
                *next += 1;
                Ok(piece.map(|(line, range)| Resource {
                    line: *line,
                    json: &bytes[range.clone()],
                }))
            }
            Self::Lines {
                file,
                input,
                buffer,
                line,
                position,
            } => {
                loop {
                    buffer.clear();
                    let read = input
                        .by_ref()
                        .take(LINE_BYTES_MAX)
                        .read_until(b'\n', buffer)
                        .map_err(ReadError::io(file))?;
                    if read == 0 {
                        return Ok(None);
                    }
                    *line += 1;
                    *position += read as u64;
                    if read as u64 == LINE_BYTES_MAX {
                        return Err(ReadError::Form {
                            file: file.clone(),
                            line: *line,
                            rule: "a resource in a line takes less than 16 MiB",
                        });
                    }
                    if !buffer.iter().all(u8::is_ascii_whitespace) {
                        break;
                    }
                }
                Ok(Some(Resource {
                    line: *line,
                    json: without_mark(buffer),
                }))
            }
        }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Lines { position, .. } => *position,
            Self::Whole { pieces, next, .. } => {
                let done = next.checked_sub(1).and_then(|last| pieces.get(last));
                done.map_or(0, |(_, range)| range.end as u64)
            }
        }
    }
}

/// Without a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Where the resources stand in one JSON value: the values of `resource` in the elements of a
/// bundle's `entry`, or the value itself if it is a resource.
///
/// Only brackets and strings are looked at, so that no tree of the whole is built; each piece is
/// parsed by itself later. The error is a line and a rule.
fn pieces(bytes: &[u8]) -> Result<Pieces, (u64, &'static str)> {
    /// Depth of the object that has `resource`: bundle, entry array, element.
    const ELEMENT: usize = 3;
    const BROKEN: &str = "the JSON ends in the middle, or its brackets do not match";
    let mut found = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    let mut keys: [&[u8]; ELEMENT + 1] = [b""; ELEMENT + 1];
    let mut start = None;
    let mut whole_start = None;
    let mut last_string: &[u8] = b"";
    let mut line = 1;
    let mut at = bytes.len() - without_mark(bytes).len();
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'\n' => line += 1,
            b'"' => {
                let length = string_length(&bytes[at + 1..]).ok_or((line, BROKEN))?;
                last_string = &bytes[at + 1..at + 1 + length];
                at += length + 1;
            }
            b':' if open.len() <= ELEMENT => keys[open.len()] = last_string,
            b'{' | b'[' => {
                let in_entry = open.len() == ELEMENT && keys[1] == b"entry";
                if in_entry && keys[ELEMENT] == b"resource" && byte == b'{' {
                    start = Some((line, at));
                }
                if open.is_empty() {
                    whole_start = Some((line, at));
                }
                open.push(byte);
                if let Some(key) = keys.get_mut(open.len()) {
                    *key = b"";
                }
            }
            b'}' | b']' => {
                let opened = open.pop().ok_or((line, BROKEN))?;
                if (opened == b'{') != (byte == b'}') {
                    return Err((line, BROKEN));
                }
                if open.len() == ELEMENT
                    && let Some((from_line, from)) = start.take()
                {
                    found.push((from_line, from..at + 1));
                }
            }
            _ => {}
        }
        at += 1;
    }
    if !open.is_empty() {
        return Err((line, BROKEN));
    }
    let Some((first_line, from)) = whole_start else {
        return Err((1, "a FHIR file is a JSON object, or one in each line"));
    };
    if found.is_empty() {
        found.push((first_line, from..bytes.len()));
    }
    Ok(found)
}

/// Bytes up to the quote that closes a string.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    bytes.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })
}
