//! What every field goes through first: one form for one character.
//!
//! Sources send full-width and half-width forms, invisible variation selectors and stand-ins for
//! characters that their charset lacks. Left alone, each would make equal names differ.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::kanji::canonical_kanji;
use crate::encode::identity::UNKNOWN;

/// One form for one character, for any field but a name: NFKC, without invisible characters, and
/// with `UNKNOWN` for stand-ins.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text.trim());
    }
    if text.chars().all(|c| is_plain(c) || narrow(c).is_some()) {
        let folded: String = text.chars().map(|c| narrow(c).unwrap_or(c)).collect();
        return Cow::Owned(folded.trim().to_owned());
    }
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let prepared = visible.map(|c| stand_in(combining(c)));
    let folded = prepared.nfkc().map(stand_in).collect::<String>();
    Cow::Owned(folded.trim().to_owned())
}

/// As [`clean`], for names: kanji variants are folded, and characters that NFKC would spell out
/// (`㈱`, `①`, `Ⅲ`) are unknown, since they are no part of a name but gaiji misread.
///
/// Variants are folded before NFKC, which maps some of them elsewhere, and once more after it,
/// since it may give one.
#[must_use]
pub fn clean_name(text: &str) -> Cow<'_, str> {
    let mut has_variants = false;
    let stays = |c| {
        let canonical = canonical_kanji(c);
        has_variants |= canonical != c;
        is_plain(canonical)
    };
    if text.chars().all(stays) {
        if !has_variants {
            return Cow::Borrowed(text.trim());
        }
        let folded: String = text.chars().map(canonical_kanji).collect();
        return Cow::Owned(folded.trim().to_owned());
    }
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let prepared = visible.map(|c| {
        if is_spelled_out(c) {
            UNKNOWN
        } else {
            stand_in(canonical_kanji(combining(c)))
        }
    });
    let folded = prepared.nfkc().map(|c| stand_in(canonical_kanji(c)));
    Cow::Owned(folded.collect::<String>().trim().to_owned())
}

/// Only the letters and digits of a number or code: NFKC, no spaces, no hyphens. Zeros stay, as
/// they distinguish numbers (NDB lost links by padding and stripping them).
#[must_use]
pub fn clean_number(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(text);
    }
    let mut number = clean(text).into_owned();
    number.retain(|c| !c.is_whitespace() && !is_dash(c));
    if number.is_ascii() {
        return Cow::Owned(number);
    }
    // A mark may now stand after another letter.
    Cow::Owned(clean(&number).into_owned())
}

/// The digits of a code, if it holds nothing else but spaces and hyphens.
#[must_use]
pub fn digits_only(text: &str) -> Option<Cow<'_, str>> {
    let number = clean_number(text);
    let all_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits && !number.is_empty()).then_some(number)
}

/// Hyphens, dashes, minus signs and the kana long mark: keyboards and charset conversions turn
/// each into any other.
#[must_use]
pub fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | 'ー' | '－' | 'ｰ' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{FE63}'
    )
}

/// Whether a character separates the parts of a name: spaces, middle dots, commas.
#[must_use]
pub fn is_name_separator(c: char) -> bool {
    // What most names are written in.
    if matches!(c, '\u{3041}'..='\u{30FA}' | '\u{4E00}'..='\u{9FFF}') {
        return false;
    }
    c.is_whitespace()
        || matches!(
            c,
            '・' | '·' | '•' | '‧' | ',' | '、' | '.' | '。' | '=' | '/'
        )
}

/// Whether no rule here changes a character: most are so, and need no decomposing.
fn is_plain(c: char) -> bool {
    match c {
        '?' | '*' => false,
        ' '..='~' => true,
        _ => matches!(
            c,
            '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FC}' | '\u{4E00}'..='\u{9FFF}'
        ),
    }
}

/// What NFKC makes of a full-width space, digit, letter or sign, without the machinery of NFKC:
/// most texts with anything to fold hold only these. Stand-ins are left to it.
fn narrow(c: char) -> Option<char> {
    match c {
        '？' | '＊' => None,
        '\u{3000}' => Some(' '),
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0),
        _ => None,
    }
}

/// The value of a kanji digit; `十` and higher units are none.
#[must_use]
pub fn kanji_digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// A free-standing voicing mark (U+309B, U+309C) becomes the combining one: NFKC alone would make
/// it a space and a mark.
fn combining(c: char) -> char {
    match c {
        '\u{309B}' => '\u{3099}',
        '\u{309C}' => '\u{309A}',
        other => other,
    }
}

/// Variation selectors (IVS included), joiners, byte order marks and controls: not seen, and
/// dropped by one system or another on the way. Line and tab controls stay, as spaces.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{200B}'..='\u{200F}'
            | '\u{2060}' | '\u{FEFF}' | '\u{00AD}'
    ) || (c.is_control() && !c.is_whitespace())
}

/// Stand-ins for a character that could not be represented: the qualification server prints `●`,
/// others `〓`, `■` or `?`; private-use code points are gaiji that only their own system can read.
fn stand_in(c: char) -> char {
    match c {
        '?'
        | '？'
        | '*'
        | '＊'
        | '●'
        | '○'
        | '◯'
        | '〓'
        | '■'
        | '□'
        | '◆'
        | '◇'
        | '★'
        | '☆'
        | '▲'
        | '△'
        | '※'
        | '\u{E000}'..='\u{F8FF}'
        | '\u{F0000}'..='\u{FFFFD}'
        | '\u{100000}'..='\u{10FFFD}' => UNKNOWN,
        other => other,
    }
}

/// Enclosed and squared characters and Roman numerals, which NFKC spells out.
fn is_spelled_out(c: char) -> bool {
    matches!(
        c,
        '\u{2160}'..='\u{217F}' | '\u{2460}'..='\u{24FF}' | '\u{3200}'..='\u{33FF}'
    )
}
