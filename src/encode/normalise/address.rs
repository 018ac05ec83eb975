//! Japanese addresses: the town, and the block numbers in hyphen form.
//!
//! One place is written `大阪府柏原市今町四丁目６番１８号`, `柏原市今町４－６－１８` or
//! `今町4丁目6-18 ハイツ桜403`. Linkage keeps what all of them say: the town and the numbers.

use super::kana::{katakana, large_kana};
use super::kanji::{canonical_kanji, is_kanji};
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
    let prefecture_bytes = prefecture_bytes(&folded);
    let (prefecture, rest) = folded.split_at(prefecture_bytes);
    let rest = rest.trim_start();
    let municipality = Municipality::find(rest);
    let (place, block) = split_block(rest, municipality.end);
    let omittable_bytes = Municipality::find(&place).omittable;
    Address {
        prefecture: prefecture.to_owned(),
        place,
        omittable_bytes,
        block,
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
        let c = large_kana(katakana(canonical_kanji(c)));
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

/// Where the municipality ends, and how much of it writers leave out. In bytes.
#[derive(Default)]
struct Municipality {
    end: usize,
    omittable: usize,
}

/// Cities whose names hold the character of a district.
const CITIES_WITH_DISTRICT: [&str; 5] = ["郡山市", "大和郡山市", "蒲郡市", "小郡市", "郡上市"];

/// Cities that have wards, as [`fold_place`] writes them.
const CITIES_WITH_WARDS: [&str; 20] = [
    "札幌市",
    "仙台市",
    "サイタマ市",
    "千葉市",
    "横浜市",
    "川崎市",
    "相模原市",
    "新潟市",
    "静岡市",
    "浜松市",
    "名古屋市",
    "京都市",
    "大阪市",
    "堺市",
    "神戸市",
    "岡山市",
    "広島市",
    "北九州市",
    "福岡市",
    "熊本市",
];

impl Municipality {
    /// A city with its ward; a district with its town or village; a city; a ward. A town without
    /// its district is not told from the towns inside a city, and counts as one of them.
    fn find(text: &str) -> Self {
        let numbers = text
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(text.len());
        let named = &text[..numbers];
        let with_wards = || {
            CITIES_WITH_WARDS
                .iter()
                .find(|city| named.starts_with(**city))
        };
        if named.contains('区')
            && let Some(city) = with_wards()
            && let Some(ward) = end_of(&named[city.len()..], &['区'])
        {
            return Self {
                end: city.len() + ward,
                omittable: city.len(),
            };
        }
        let in_listed_city = || {
            CITIES_WITH_DISTRICT
                .iter()
                .any(|city| named.starts_with(city))
        };
        if let Some(district) = end_of(named, &['郡'])
            && !in_listed_city()
            && !named[..district].contains('市')
            && let Some(town) = end_of(&named[district..], &['町', '村'])
        {
            return Self {
                end: district + town,
                omittable: district,
            };
        }
        if let Some(mut end) = end_of(named, &['市']) {
            // 四日市市, 廿日市市, 野々市市: the name itself ends in 市.
            if named[end..].starts_with('市') {
                end += '市'.len_utf8();
            }
            return Self { end, omittable: 0 };
        }
        Self {
            end: end_of(named, &['区']).unwrap_or_default(),
            omittable: 0,
        }
    }
}

/// End of the first of some marks that is not the first character (市川市, 町田).
fn end_of(text: &str, marks: &[char]) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (at, c) = characters.find(|(_, c)| marks.contains(c))?;
    Some(at + c.len_utf8())
}

/// Splits at the first number that names a block: digits, or kanji numerals before a counter.
///
/// Kanji numerals without a counter belong to the place (二日市, 西九条), and so does `八丁目`
/// right after the municipality: a chōme needs a town before it.
fn split_block(text: &str, municipality_end: usize) -> (String, String) {
    let mut position = 0;
    while let Some(c) = text[position..].chars().next() {
        let rest = &text[position..];
        let starts_block = if c.is_ascii_digit() {
            !after_digits(rest).starts_with('条')
        } else if is_numeral(c) && position > municipality_end {
            is_counter(rest.trim_start_matches(is_numeral))
        } else {
            false
        };
        if starts_block {
            let place = text[..position].trim_end().trim_end_matches('-');
            return (without_spaces(place), block_numbers(rest));
        }
        // A numeral is taken or left as a whole.
        let run = rest.len()
            - rest
                .trim_start_matches(|d| is_numeral(d) && is_numeral(c))
                .len();
        let digits = rest.len() - after_digits(rest).len();
        position += run.max(digits).max(c.len_utf8());
    }
    (without_spaces(text), String::new())
}

/// The numbers at the start, with counters and hyphens between them, until something else comes.
fn block_numbers(text: &str) -> String {
    let mut numbers: Vec<String> = Vec::with_capacity(BLOCK_NUMBERS_MAX);
    let mut rest = text;
    while numbers.len() < BLOCK_NUMBERS_MAX {
        let digits_end = rest.len() - after_digits(rest).len();
        let numeral_end = rest.len() - rest.trim_start_matches(is_numeral).len();
        if digits_end > 0 {
            let digits = rest[..digits_end].trim_start_matches('0');
            numbers.push(if digits.is_empty() {
                "0".to_owned()
            } else {
                digits.to_owned()
            });
            rest = &rest[digits_end..];
        } else if numeral_end > 0 {
            numbers.push(numeral_value(&rest[..numeral_end]).to_string());
            rest = &rest[numeral_end..];
        } else {
            break;
        }
        let Some(next) = after_joiner(rest) else {
            break;
        };
        rest = next;
    }
    numbers.join("-")
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
