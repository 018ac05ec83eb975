//! Dates of birth: every written form that sources use, as year, month and day.
//!
//! Wrongly read dates would part a person's records, and wrongly guessed ones would join
//! strangers: an impossible date is an error, and an unknown day is never the first.

use std::borrow::Cow;

use super::text::{clean, kanji_digit};

/// A date of birth, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BirthDate {
    /// Gregorian year, 1000 to 9999.
    pub year: u16,
    /// Month, if known.
    pub month: Option<u8>,
    /// Day, if known; only with a month.
    pub day: Option<u8>,
    /// Whether the era had not begun or was over on that day (昭和65年). The year is right by
    /// arithmetic: desks go on counting.
    pub out_of_era: bool,
}

/// Why a text is no date. Names the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not one of the written forms.
    #[error(
        "a date is yyyy-mm-dd, yyyy/mm/dd, yyyymmdd, era and year (S24.5.22, 昭和24年5月22日) or an era code (3240522)"
    )]
    Form,
    /// A month past 12, or a day that its month does not have.
    #[error("a date is a day of the calendar")]
    Impossible,
}

/// An era with its code in receipts, its first day and its last, as yyyymmdd. The last day of one
/// is the first day of the next where the change came during the day.
struct Era {
    code: u8,
    letter: char,
    names: [&'static str; 2],
    first: u32,
    last: u32,
}

#[expect(
    clippy::inconsistent_digit_grouping,
    reason = "grouped as year, month and day"
)]
const ERAS: [Era; 5] = [
    Era {
        code: 1,
        letter: 'M',
        names: ["明治", "明"],
        first: 1868_01_25,
        last: 1912_07_30,
    },
    Era {
        code: 2,
        letter: 'T',
        names: ["大正", "大"],
        first: 1912_07_30,
        last: 1926_12_25,
    },
    Era {
        code: 3,
        letter: 'S',
        names: ["昭和", "昭"],
        first: 1926_12_25,
        last: 1989_01_07,
    },
    Era {
        code: 4,
        letter: 'H',
        names: ["平成", "平"],
        first: 1989_01_08,
        last: 2019_04_30,
    },
    Era {
        code: 5,
        letter: 'R',
        names: ["令和", "令"],
        first: 2019_05_01,
        last: 9999_12_31,
    },
];

/// Reads a date of birth in any of the written forms.
///
/// # Errors
/// [`DateError::Form`] if the form is not known, [`DateError::Impossible`] if the calendar has no
/// such day.
pub fn parse_birth_date(text: &str) -> Result<BirthDate, DateError> {
    if let Some(date) = parse_plain_date(text) {
        return date;
    }
    let cleaned = clean(text);
    let spelled = if cleaned.is_ascii() {
        cleaned
    } else {
        Cow::Owned(cleaned.replace("元年", "1年"))
    };
    let (era, rest) = split_era(spelled.trim());
    if let Some(era) = era {
        let six_digits = rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = if six_digits {
            [&rest[..2], &rest[2..4], &rest[4..]].map(|two| two.parse().unwrap_or_default())
        } else {
            split_numbers(&arabic(rest))?
        };
        return in_era(era, numbers);
    }
    // Tools that know no whole number next to an empty cell write it as floating.
    let whole = rest.strip_suffix(".0").unwrap_or(rest);
    if whole.len() >= 7 && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_digits(whole);
    }
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_digits(rest);
    }
    let numbers = split_numbers(&arabic(day_part(rest)))?;
    let year_has_four_digits = (1000..=9999).contains(&numbers[0]);
    if !year_has_four_digits {
        return Err(DateError::Form);
    }
    checked(numbers, false)
}

/// A date written `yyyy-mm-dd`, `yyyy/mm/dd` or `yyyymmdd`: most are, and need none of the rest. `None`
/// if it is written in another way, or before the year 1000.
pub(super) fn parse_plain_date(text: &str) -> Option<Result<BirthDate, DateError>> {
    let bytes = text.as_bytes();
    let separators = match bytes {
        [_, _, _, _, b'-', _, _, b'-', _, _] | [_, _, _, _, b'/', _, _, b'/', _, _] => 1,
        [_, _, _, _, _, _, _, _] => 0,
        _ => return None,
    };
    let number = |from: usize, digits: usize| {
        let digits = &bytes[from..from + digits];
        let value = |sum: u32, digit: &u8| sum * 10 + u32::from(digit - b'0');
        let all_digits = digits.iter().all(u8::is_ascii_digit);
        all_digits.then(|| digits.iter().fold(0, value))
    };
    let year = number(0, 4).filter(|year| *year >= 1000)?;
    let month = number(4 + separators, 2)?;
    let day = number(6 + 2 * separators, 2)?;
    Some(checked([year, month, day], false))
}

/// The era that a text begins with (name, first character of the name, or letter), and the rest.
fn split_era(text: &str) -> (Option<&'static Era>, &str) {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, text);
    }
    for era in &ERAS {
        for name in era.names {
            if let Some(rest) = text.strip_prefix(name) {
                return (Some(era), rest);
            }
        }
        let lower = era.letter.to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix([era.letter, lower]) {
            return (Some(era), rest);
        }
    }
    (None, text)
}

/// Eight digits are yyyymmdd; seven are an era code, year, month and day, as in receipts; four are
/// a year. Six could be two forms (yymmdd, yyyymm) and are none.
fn from_digits(digits: &str) -> Result<BirthDate, DateError> {
    let number = |from: usize, to: usize| digits[from..to].parse().map_err(|_| DateError::Form);
    match digits.len() {
        4 => checked([number(0, 4)?, 0, 0], false),
        7 => {
            let code = digits.as_bytes()[0] - b'0';
            let era = ERAS
                .iter()
                .find(|era| era.code == code)
                .ok_or(DateError::Form)?;
            in_era(era, [number(1, 3)?, number(3, 5)?, number(5, 7)?])
        }
        8 => checked([number(0, 4)?, number(4, 6)?, number(6, 8)?], false),
        _ => Err(DateError::Form),
    }
}

fn in_era(era: &Era, [year, month, day]: [u32; 3]) -> Result<BirthDate, DateError> {
    if !(1..=99).contains(&year) {
        return Err(DateError::Form);
    }
    let gregorian = era.first / 10_000 + year - 1;
    // Without a month or day any day of the year might be meant: in era if one of them is.
    let earliest = gregorian * 10_000 + month * 100 + day;
    let latest = gregorian * 10_000
        + if month == 0 {
            1231
        } else {
            month * 100 + if day == 0 { 31 } else { day }
        };
    let out_of_era = latest < era.first || earliest > era.last;
    checked([gregorian, month, day], out_of_era)
}

/// Checks the calendar. Month or day 0 is unknown; a day without a month means nothing.
fn checked([year, month, day]: [u32; 3], out_of_era: bool) -> Result<BirthDate, DateError> {
    let year = u16::try_from(year)
        .ok()
        .filter(|year| (1000..=9999).contains(year));
    let year = year.ok_or(DateError::Form)?;
    let month = u8::try_from(month).ok().filter(|month| *month <= 12);
    let month = month.ok_or(DateError::Impossible)?;
    let day = u8::try_from(day)
        .ok()
        .filter(|day| *day <= days_in(year, month));
    let day = day.ok_or(DateError::Impossible)?;
    Ok(BirthDate {
        year,
        month: (month != 0).then_some(month),
        day: (month != 0 && day != 0).then_some(day),
        out_of_era,
    })
}

/// Days of a month in the Gregorian calendar; 31 where the month is not known.
fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day between separators. Missing, `不詳` (not known) and `--` count as 0. A sign
/// before a number is no separator: such dates come from broken arithmetic.
fn split_numbers(text: &str) -> Result<[u32; 3], DateError> {
    let mut numbers = [0; 3];
    let marks = ['年', '月', '日', '.', '/', '-'];
    let unknown = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        let in_digits = text.replace("不詳", "0").replace("不明", "0");
        Cow::Owned(in_digits.replace("頃", ""))
    };
    let mut parts = unknown.trim().trim_end_matches(marks).split(marks);
    for number in &mut numbers {
        let Some(part) = parts.next() else { break };
        let part = part.trim();
        if part.len() > 4 || part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(DateError::Form);
        }
        *number = part.parse().map_err(|_| DateError::Form)?;
    }
    if parts.next().is_some() || numbers[0] == 0 {
        return Err(DateError::Form);
    }
    Ok(numbers)
}

/// Kanji numerals as digits (昭和二十四年五月, 一九四九年), for registers that spell them out.
fn arabic(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut numeral: Option<u32> = None;
    let mut after_digit = false;
    for c in text.chars() {
        if let Some(digit) = kanji_digit(c) {
            let value = numeral.unwrap_or_default();
            let shifted = if after_digit {
                value.saturating_mul(10)
            } else {
                value
            };
            numeral = Some(shifted.saturating_add(digit));
            after_digit = true;
        } else if c == '十' {
            numeral = Some(numeral.unwrap_or(1).saturating_mul(10));
            after_digit = false;
        } else {
            if let Some(value) = numeral.take() {
                out.push_str(&value.to_string());
            }
            after_digit = false;
            out.push(c);
        }
    }
    if let Some(value) = numeral {
        out.push_str(&value.to_string());
    }
    Cow::Owned(out)
}

/// The date of a timestamp (`1949-05-22T00:00:00`, `1949/05/22 0:00`).
fn day_part(text: &str) -> &str {
    match text.find(['T', ' ']) {
        Some(at) if at >= 8 && text[at..].contains(':') => &text[..at],
        _ => text,
    }
}
