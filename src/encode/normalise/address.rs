//! Japanese addresses: the town, and the block numbers in hyphen form.
//!
//! One place is written `大阪府柏原市今町四丁目６番１８号`, `柏原市今町４－６－１８` or
//! `今町4丁目6-18 ハイツ桜403`. Linkage keeps what all of them say: the town and the numbers.

use super::kana::{katakana, large_kana};
use super::kanji::{canonical_kanji, is_kanji};
use super::municipality::Municipality;
use super::text::{clean, is_dash, kanji_digit};

/// Most numbers that name a block: chōme, block, house. What follows is a flat.
const BLOCK_NUMBERS_MAX: usize = 3;

/// An address in parts. Plaintext: no `Debug`.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Address {
    /// Prefecture, if written.
    pub prefecture: String,
    /// Municipality and town, as written but in one form of each character.
    pub place: String,
    /// The first part of `place`: district or city before a ward, in bytes. Often left out.
    omittable_bytes: usize,
    /// Numbers joined by hyphens, at most three; without building and flat.
    pub block: String,
}

impl Address {
    /// The town as records share it: without prefecture, without the city before its ward
    /// (`大阪市北区` is written `北区`) and without the district (`相楽郡`), which many leave out.
    #[must_use]
    pub fn town(&self) -> &str {
        &self.place[self.omittable_bytes..]
    }
}

/// Reads an address.
#[must_use]
pub fn parse_address(text: &str) -> Address {
    let cleaned = clean(text);
    let folded = fold_place(&cleaned);
    let (prefecture, rest) = folded.split_at(prefecture_bytes(&folded));
    let rest = rest.trim_start();
    let municipality = Municipality::find(rest);
    let (place, block) = split_block(rest, municipality.end);
    let place = without_spaces(place);
    // A place that ends where the numbers begin has the municipality that was found before them.
    let omittable_bytes = if place == rest[..municipality.named] {
        municipality.omittable
    } else {
        Municipality::find(&place).omittable
    };
    Address {
        prefecture: prefecture.to_owned(),
        place,
        omittable_bytes,
        block: block_numbers(block),
    }
}

/// One form of each character: kanji variants, hiragana as katakana, small kana large, `ガ` and
/// `ケ` alike between kanji (`旭ガ丘`, `旭ヶ丘`, `旭が丘`); `大字` is dropped.
fn fold_place(cleaned: &str) -> String {
    let mut folded = String::with_capacity(cleaned.len());
    let mut written = cleaned.chars().peekable();
    // Of a run of `ガ` only one can stand between kanji.
    let mut previous = ' ';
    while let Some(c) = written.next() {
        if c == '大' && written.next_if_eq(&'字').is_some() {
            continue;
        }
        let c = match c {
            '\u{3041}'..='\u{30FF}' => large_kana(katakana(c)),
            _ => canonical_kanji(c),
        };
        let between_kanji = c == 'ガ'
            && is_kanji(previous)
            && written
                .peek()
                .is_some_and(|next| is_kanji(canonical_kanji(*next)));
        folded.push(if between_kanji { 'ケ' } else { c });
        previous = c;
    }
    folded
}

/// Length of the prefecture at the start, if there is one.
fn prefecture_bytes(text: &str) -> usize {
    for whole in ["北海道", "東京都", "大阪府", "京都府"] {
        if text.starts_with(whole) {
            return whole.len();
        }
    }
    // All others are two or three kanji and 県; a town such as 山県市 must not be cut.
    let mut characters = text.char_indices().skip(2).take(2);
    match characters.find(|(_, c)| *c == '県') {
        Some((at, c)) => at + c.len_utf8(),
        None => 0,
    }
}

/// Splits at the first number that names a block: digits, or kanji numerals before a counter.
///
/// Kanji numerals without a counter belong to the place (二日市, 西九条), and so does `八丁目`
/// right after the municipality: a chōme needs a town before it.
fn split_block(text: &str, municipality_end: usize) -> (&str, &str) {
    let mut position = 0;
    let begins_number = |c: char| c.is_ascii_digit() || is_numeral(c);
    while let Some(found) = text[position..].find(begins_number) {
        position += found;
        let rest = &text[position..];
        // A numeral is taken or left as a whole.
        let (run, starts_block) = if rest.as_bytes()[0].is_ascii_digit() {
            let after = after_digits(rest);
            (rest.len() - after.len(), !after.starts_with('条'))
        } else {
            let after = rest.trim_start_matches(is_numeral);
            let is_block = position > municipality_end && is_counter(after);
            (rest.len() - after.len(), is_block)
        };
        if starts_block {
            let place = text[..position].trim_end().trim_end_matches('-');
            return (place, rest);
        }
        position += run;
    }
    (text, "")
}

/// The numbers at the start, with counters and hyphens between them, until something else comes.
fn block_numbers(text: &str) -> String {
    let mut numbers = String::with_capacity(if text.is_empty() { 0 } else { 16 });
    let mut rest = text;
    for _ in 0..BLOCK_NUMBERS_MAX {
        let separator = if numbers.is_empty() { "" } else { "-" };
        let after = after_digits(rest);
        if after.len() < rest.len() {
            let digits = rest[..rest.len() - after.len()].trim_start_matches('0');
            numbers.push_str(separator);
            numbers.push_str(if digits.is_empty() { "0" } else { digits });
            rest = after;
        } else {
            let after = rest.trim_start_matches(is_numeral);
            if after.len() == rest.len() {
                break;
            }
            let value = numeral_value(&rest[..rest.len() - after.len()]);
            numbers.push_str(separator);
            numbers.push_str(&value.to_string());
            rest = after;
        }
        let Some(next) = after_joiner(rest) else {
            break;
        };
        rest = next;
    }
    numbers
}

/// What follows a counter or hyphen, if a number may go on there. A space ends the block: what
/// follows is a building.
fn after_joiner(text: &str) -> Option<&str> {
    for counter in ["丁目", "番地", "番", "号", "地割"] {
        if let Some(rest) = text.strip_prefix(counter) {
            let rest = rest.strip_prefix(['ノ', '之']).unwrap_or(rest);
            return Some(rest.strip_prefix(is_dash).unwrap_or(rest));
        }
    }
    let after = text.strip_prefix(|c| is_dash(c) || matches!(c, 'ノ' | '之'))?;
    Some(after)
}

fn after_digits(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit())
}

fn is_counter(text: &str) -> bool {
    ["丁目", "番", "号"]
        .iter()
        .any(|counter| text.starts_with(counter))
}

fn is_numeral(c: char) -> bool {
    kanji_digit(c).is_some() || matches!(c, '十' | '百')
}

/// The value of a kanji numeral below 1,000 (二十四), or of digits in a row (二四).
fn numeral_value(numeral: &str) -> u32 {
    let mut total = 0_u32;
    let mut pending: Option<u32> = None;
    for c in numeral.chars() {
        match kanji_digit(c) {
            Some(digit) => {
                pending = Some(
                    pending
                        .unwrap_or(0)
                        .saturating_mul(10)
                        .saturating_add(digit),
                );
            }
            None => {
                let unit = if c == '百' { 100 } else { 10 };
                let count = pending.take().unwrap_or(1);
                total = total.saturating_add(count.saturating_mul(unit));
            }
        }
    }
    total.saturating_add(pending.unwrap_or(0))
}

fn without_spaces(text: &str) -> String {
    if text.contains(char::is_whitespace) {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    } else {
        text.to_owned()
    }
}
