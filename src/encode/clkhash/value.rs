//! Brings a value to the form that its format gives, and a token to bytes.

use zeroize::Zeroizing;

use super::ClkValueError;

/// What a feature's values look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// Text, taken as it is.
    Text,
    /// A whole number: without plus sign, leading zeros and surrounding blanks.
    Integer,
    /// A date in this form, brought to `yyyymmdd`.
    Date(Vec<DatePart>),
}

/// A piece of a date's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatePart {
    /// `%Y`: four digits.
    Year,
    /// `%y`: two digits; 69 to 99 are of the 1900s.
    ShortYear,
    /// `%m`: one or two digits.
    Month,
    /// `%d`: one or two digits.
    Day,
    /// This character; a blank stands for one or more.
    Literal(char),
}

/// A sentinel that marks a missing value, and what is hashed in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) sentinel: String,
    pub(super) replace_with: String,
}

/// How tokens become bytes, as Python names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextEncoding {
    Utf8,
    Ascii,
    Latin1,
    /// Little-endian, each token with its byte order mark.
    Utf16,
    Utf16Le,
    Utf16Be,
}

impl Format {
    /// A format by its name in a schema and, for dates, its form in the letters of `strptime`.
    pub(super) fn parse(kind: &str, form: Option<&str>) -> Result<Self, &'static str> {
        match kind {
            "string" | "enum" => Ok(Self::Text),
            "integer" => Ok(Self::Integer),
            "date" => {
                let mut parts = Vec::new();
                let mut form = form.unwrap_or("%Y-%m-%d").chars();
                while let Some(character) = form.next() {
                    parts.push(match character {
                        '%' => match form.next() {
                            Some('Y') => DatePart::Year,
                            Some('y') => DatePart::ShortYear,
                            Some('m') => DatePart::Month,
                            Some('d') => DatePart::Day,
                            Some('%') => DatePart::Literal('%'),
                            _ => return Err("a date is written with %Y, %y, %m, %d and %%"),
                        },
                        blank if blank.is_whitespace() => DatePart::Literal(' '),
                        other => DatePart::Literal(other),
                    });
                }
                Ok(Self::Date(parts))
            }
            _ => Err("format.type is string, integer, date or enum"),
        }
    }

    /// The value that is cut into tokens.
    pub(super) fn value(
        &self,
        entry: &str,
        missing: Option<&Missing>,
    ) -> Result<Zeroizing<String>, ClkValueError> {
        if let Some(missing) = missing.filter(|missing| missing.sentinel == entry) {
            return Ok(Zeroizing::new(missing.replace_with.clone()));
        }
        let value = match self {
            Self::Text => Some(entry.to_owned()),
            Self::Integer => integer(entry),
            Self::Date(parts) => date(parts, entry),
        };
        value.map(Zeroizing::new).ok_or(ClkValueError)
    }
}

/// A whole number in its shortest form: what Python's `int` reads, with full-width digits.
pub(super) fn integer(text: &str) -> Option<String> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut plain = String::new();
    for part in digits.split('_') {
        if part.is_empty() {
            return None;
        }
        for character in part.chars() {
            let digit = match character {
                '０'..='９' => u32::from(character) - u32::from('０'),
                _ => character.to_digit(10)?,
            };
            plain.push(char::from_digit(digit, 10)?);
        }
    }
    let short = plain.trim_start_matches('0');
    Some(match (short, negative) {
        ("", _) => "0".to_owned(),
        (short, true) => format!("-{short}"),
        (short, false) => short.to_owned(),
    })
}

/// A date's text after its parts so far.
#[derive(Clone, Copy, Default)]
struct Found {
    year: u32,
    month: u32,
    day: u32,
}

fn date(parts: &[DatePart], text: &str) -> Option<String> {
    let start = Found {
        year: 1900,
        month: 1,
        day: 1,
    };
    let found = match_date(parts, text, start)?;
    (found.day <= days_in(found.year, found.month))
        .then(|| format!("{:04}{:02}{:02}", found.year, found.month, found.day))
}

/// Matches the rest of the text, trying two digits before one as Python's `strptime` does.
fn match_date(parts: &[DatePart], text: &str, found: Found) -> Option<Found> {
    let Some((part, rest)) = parts.split_first() else {
        return text.is_empty().then_some(found);
    };
    let number = |width: usize| {
        let digits = text.get(..width)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        Some((
            digits.parse::<u32>().ok().filter(|_| plain)?,
            &text[width..],
        ))
    };
    match part {
        DatePart::Literal(' ') => {
            let after = text.trim_start();
            (after.len() < text.len()).then(|| match_date(rest, after, found))?
        }
        DatePart::Literal(character) => match_date(rest, text.strip_prefix(*character)?, found),
        DatePart::Year => {
            let (year, after) = number(4)?;
            (year > 0).then(|| match_date(rest, after, Found { year, ..found }))?
        }
        DatePart::ShortYear => {
            let (short, after) = number(2)?;
            let year = if short >= 69 { 1900 } else { 2000 } + short;
            match_date(rest, after, Found { year, ..found })
        }
        DatePart::Month => [2, 1].into_iter().find_map(|width| {
            let (month, after) = number(width)?;
            let good = (1..=12).contains(&month);
            good.then(|| match_date(rest, after, Found { month, ..found }))?
        }),
        DatePart::Day => [2, 1].into_iter().find_map(|width| {
            let (day, after) = number(width)?;
            let good = (1..=31).contains(&day);
            good.then(|| match_date(rest, after, Found { day, ..found }))?
        }),
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

impl TextEncoding {
    /// Appends a token's bytes.
    pub(super) fn append(self, token: &str, bytes: &mut Vec<u8>) -> Result<(), ClkValueError> {
        match self {
            Self::Utf8 => bytes.extend(token.as_bytes()),
            Self::Ascii | Self::Latin1 => {
                let most = if self == Self::Ascii { 0x7f } else { 0xff };
                for character in token.chars() {
                    let code = u32::from(character);
                    if code > most {
                        return Err(ClkValueError);
                    }
                    bytes.push(code as u8);
                }
            }
            Self::Utf16 | Self::Utf16Le => {
                if self == Self::Utf16 {
                    bytes.extend([0xff, 0xfe]);
                }
                bytes.extend(token.encode_utf16().flat_map(u16::to_le_bytes));
            }
            Self::Utf16Be => bytes.extend(token.encode_utf16().flat_map(u16::to_be_bytes)),
        }
        Ok(())
    }
}
