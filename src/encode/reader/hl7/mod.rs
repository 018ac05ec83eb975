//! HL7 v2 messages with PID and IN1, as SS-MIX2 stores them: one message a file, or many.
//!
//! A message begins with MSH. Only PID, IN1 and the segment of the record ref are kept.

mod charset;
mod segment;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::names::{NameFound, Script, set_names};
use super::{Entry, Form, Found, ReadError, RowRefusal};
use crate::encode::field::Field;
use crate::encode::map::MapFile;
use crate::encode::normalise::Locale;
use segment::{Segment, Separators};

/// Most bytes of a segment. Some carry documents.
const SEGMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A file of messages.
pub(super) struct Hl7Form {
    file: PathBuf,
    input: BufReader<File>,
    /// The charset that the map names; it goes before what messages declare.
    charset: Option<&'static Encoding>,
    record_ref: (String, usize),
    locale: Locale,
    aliases: bool,
    bytes: Vec<u8>,
    line: u64,
    position: u64,
    after_return: bool,
    message: Option<Message>,
    messages: u64,
}

/// A message as far as it is read.
struct Message {
    line: u64,
    separators: Separators,
    encoding: &'static Encoding,
    kept: Vec<Segment>,
    /// The first thing that was wrong.
    fault: Option<(u64, RowRefusal)>,
}

impl Hl7Form {
    /// Opens a file.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let in_map = |error| ReadError::Map {
            file: path.to_owned(),
            error,
        };
        let (name, number) = map.record_item().map_err(in_map)?;
        let charset = map.file.charset.as_ref().map(|_| map.encoding());
        let opened = File::open(path).map_err(ReadError::io(path))?;
        Ok(Self {
            file: path.to_owned(),
            input: BufReader::with_capacity(64 * 1024, opened),
            charset: charset.transpose().map_err(in_map)?,
            record_ref: (name.to_owned(), number),
            locale: map.locale,
            aliases: map.aliases,
            bytes: Vec::new(),
            line: 0,
            position: 0,
            after_return: false,
            message: None,
            messages: 0,
        })
    }

    fn failed(&self, rule: &'static str) -> ReadError {
        ReadError::Form {
            file: self.file.clone(),
            line: self.line.max(1),
            rule,
        }
    }

    /// The bytes up to the next line end (CR, LF or both) into `bytes`; false at the end.
    fn next_line(&mut self) -> Result<bool, ReadError> {
        self.bytes.clear();
        self.line += 1;
        loop {
            let buffer = self.input.fill_buf().map_err(ReadError::io(&self.file))?;
            if buffer.is_empty() {
                return Ok(!self.bytes.is_empty());
            }
            if std::mem::take(&mut self.after_return) && buffer[0] == b'\n' {
                self.input.consume(1);
                self.position += 1;
                continue;
            }
            let end = buffer.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let taken = end.unwrap_or(buffer.len());
            self.bytes.extend_from_slice(&buffer[..taken]);
            let used = taken + usize::from(end.is_some());
            self.after_return = end.is_some_and(|end| buffer[end] == b'\r');
            self.input.consume(used);
            self.position += used as u64;
            if self.bytes.len() > SEGMENT_BYTES_MAX {
                return Err(self.failed("a segment takes at most 16 MiB"));
            }
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Begins a message; gives back the one before.
    fn begin(&mut self) -> Result<Option<Message>, ReadError> {
        self.messages += 1;
        // The parts that say how to read the rest are ASCII.
        let header = String::from_utf8_lossy(&self.bytes);
        let Some(separators) = Separators::of(&header) else {
            return Err(
                self.failed("an MSH segment begins with MSH|^~\\& or other five separators")
            );
        };
        let declared = charset::declared(&header, separators.field, separators.repetition);
        let mut fault = None;
        let encoding = self.charset.or(declared).unwrap_or_else(|| {
            fault = Some((self.line, RowRefusal::MessageCharset));
            encoding_rs::UTF_8
        });
        let mut kept = Vec::new();
        if self.record_ref.0 == "MSH" {
            kept.push(Segment::new(header.into_owned(), separators));
        }
        Ok(self.message.replace(Message {
            line: self.line,
            separators,
            encoding,
            kept,
            fault,
        }))
    }

    /// Adds the segment in `bytes` to the message.
    fn add(&mut self) -> Result<(), ReadError> {
        let line = self.line;
        let is_batch = [&b"FHS"[..], b"BHS", b"BTS", b"FTS"]
            .iter()
            .any(|name| self.bytes.starts_with(name));
        let Some(message) = &mut self.message else {
            return if is_batch {
                Ok(())
            } else {
                Err(self.failed("an HL7 v2 file begins with an MSH segment"))
            };
        };
        if is_batch || message.fault.is_some() {
            return Ok(());
        }
        let wanted = |bytes: &[u8]| {
            let names = ["PID", "IN1", self.record_ref.0.as_str()];
            names.iter().any(|name| bytes.starts_with(name.as_bytes()))
        };
        // Other segments may hold anything; only their beginning is looked at.
        let whole = wanted(&self.bytes);
        let end = if whole { self.bytes.len() } else { 4 };
        let bytes = &self.bytes[..end.min(self.bytes.len())];
        let decoded = if whole {
            charset::decode(bytes, message.encoding)
        } else {
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let Some(text) = decoded else {
            message.fault = Some((line, RowRefusal::MessageCharset));
            return Ok(());
        };
        let segment = Segment::new(text, message.separators);
        let second = segment.name() == "PID" && message.find("PID").is_some();
        if second || !segment.is_well_formed() {
            message.fault = Some((line, RowRefusal::Segment));
        } else if whole {
            message.kept.push(segment);
        }
        Ok(())
    }

    fn found(&self, message: &Message, entry: &mut Entry) -> Found {
        if let Some((line, reason)) = message.fault {
            return Found::Refused { line, reason };
        }
        let Some(pid) = message.find("PID") else {
            return Found::Refused {
                line: message.line,
                reason: RowRefusal::NoPid,
            };
        };
        entry.begin(message.line);
        fill_person(entry, pid, self.locale, self.aliases);
        let insurances = message.kept.iter().filter(|kept| kept.name() == "IN1");
        fill_insurance(entry, insurances);
        let (name, number) = &self.record_ref;
        let record_ref = match name.as_str() {
            "PID" if *number == 3 => local_number(pid),
            _ => message
                .find(name)
                .map(|kept| kept.first(*number))
                .unwrap_or_default(),
        };
        entry.record_ref.push_str(&record_ref);
        Found::Record
    }
}

impl Message {
    fn find(&self, name: &str) -> Option<&Segment> {
        self.kept.iter().find(|kept| kept.name() == name)
    }
}

impl Form for Hl7Form {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        while self.next_line()? {
            // Frames of the transport protocol and ends of text files.
            let frame = |byte: &u8| !matches!(byte, 0x0B | 0x1A | 0x1C);
            self.bytes.retain(frame);
            if let Some(rest) = self.bytes.strip_prefix(b"\xEF\xBB\xBF") {
                self.bytes = rest.to_vec();
            }
            if self.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.bytes.starts_with(b"MSH") {
                if let Some(before) = self.begin()? {
                    return Ok(self.found(&before, entry));
                }
            } else {
                self.add()?;
            }
        }
        match self.message.take() {
            Some(last) => Ok(self.found(&last, entry)),
            None if self.messages == 0 => {
                Err(self.failed("an HL7 v2 file begins with an MSH segment"))
            }
            None => Ok(Found::End),
        }
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// PID-3: the number that its type calls the patient's, or the first.
fn local_number(pid: &Segment) -> String {
    let typed = pid
        .repetitions(3)
        .find(|number| matches!(pid.component(number, 5).as_str(), "PI" | "MR"));
    let found = typed.or_else(|| pid.repetitions(3).next());
    pid.component(found.unwrap_or_default(), 1)
}

fn fill_person(entry: &mut Entry, pid: &Segment, locale: Locale, aliases: bool) {
    let names: Vec<NameFound> = pid
        .repetitions(5)
        .map(|name| NameFound {
            script: match pid.component(name, 8).as_str() {
                "I" => Some(Script::Ideographic),
                "P" => Some(Script::Syllabic),
                "A" => Some(Script::Alphabetic),
                _ => None,
            },
            rank: match pid.component(name, 7).as_str() {
                "L" => 0,
                "" | "D" => 1,
                "A" => 2,
                _ => 3,
            },
            family: pid.component(name, 1),
            given: [pid.component(name, 2), pid.component(name, 3)].join(" "),
            text: String::new(),
        })
        .collect();
    set_names(entry, locale, &names, aliases);
    entry.set(Field::PatientNumber, &local_number(pid));
    entry.set(Field::BirthDate, &date(&pid.first(7)));
    entry.set(Field::Sex, &pid.first(8));
    let home = pid
        .repetitions(11)
        .find(|address| pid.component(address, 7) == "H");
    if let Some(address) = home.or_else(|| pid.repetitions(11).next()) {
        entry.set(Field::Postcode, &pid.component(address, 5));
        let whole = pid.component(address, 8);
        if whole.is_empty() {
            // State, city, street, and what else is told of the place.
            let parts = [4, 3, 1, 2].map(|number| pid.component(address, number));
            entry.set(Field::Address, &parts.concat());
        } else {
            entry.set(Field::Address, &whole);
        }
    }
    let phone = pid.repetitions(13).find_map(|point| {
        let parts = [6, 7].map(|number| pid.component(point, number)).concat();
        let written = [pid.component(point, 1), pid.component(point, 12), parts];
        let is_phone = !matches!(pid.component(point, 3).as_str(), "Internet" | "X.400");
        let mut known = written.into_iter().filter(|text| !text.is_empty());
        known.next().filter(|_| is_phone)
    });
    entry.set(Field::Phone, &phone.unwrap_or_default());
}

/// A timestamp as a date: `yyyymmdd`, `yyyy-mm` or `yyyy`, as far as it goes.
fn date(timestamp: &str) -> String {
    let ascii = timestamp.is_ascii();
    match timestamp.len() {
        6 if ascii => format!("{}-{}", &timestamp[..4], &timestamp[4..]),
        9.. if ascii => timestamp[..8].to_owned(),
        _ => timestamp.to_owned(),
    }
}

/// The first insurance with a symbol or number; the others are public expense.
fn fill_insurance<'a>(entry: &mut Entry, mut insurances: impl Iterator<Item = &'a Segment>) {
    let found = insurances.find(|in1| !in1.field(10).is_empty() || !in1.field(11).is_empty());
    if let Some(in1) = found {
        entry.set(Field::InsurerNo, &in1.first(3));
        entry.set(Field::InsurerSymbol, &in1.first(10));
        entry.set(Field::InsuredNumber, &in1.first(11));
    }
}

#[cfg(test)]
mod tests;
