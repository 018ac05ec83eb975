//! Names and other words in Latin letters: capitals without marks, order and spaces ignored.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::text::clean;
use crate::encode::identity::UNKNOWN;

/// Parts of a text in Latin letters: capitals and digits without marks, split at anything else.
///
/// `Đ→D`, `Ł→L`, `Ø→O`, `ß→SS` and their like are written out, since Unicode does not decompose
/// them. An apostrophe joins (`O'Brien` and `OBrien` are one name).
#[must_use]
pub fn latin_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    for c in clean(text).nfd().chain(std::iter::once(' ')) {
        match c {
            'a'..='z' => token.push(c.to_ascii_uppercase()),
            'A'..='Z' | '0'..='9' | UNKNOWN => token.push(c),
            '\'' | '’' | '‘' | '`' | 'ʼ' => {}
            c if is_combining_mark(c) => {}
            c => match spelled_out(c) {
                Some(letters) => token.push_str(letters),
                // A part without a known letter says nothing.
                None if token.chars().all(|known| known == UNKNOWN) => token.clear(),
                None => tokens.push(std::mem::take(&mut token)),
            },
        }
    }
    tokens
}

/// All parts in one word. Writers set spaces and hyphens freely (`van den Berg`, `Vandenberg`;
/// `pridham street`, `pridhamstreet`), so that they cannot tell names apart.
#[must_use]
pub fn latin_word(text: &str) -> String {
    latin_tokens(text).concat()
}

/// All parts of some texts, sorted and joined by spaces: the same whatever their order.
#[must_use]
pub fn sorted_tokens(texts: &[&str]) -> String {
    let mut tokens: Vec<String> = texts.iter().flat_map(|text| latin_tokens(text)).collect();
    tokens.sort_unstable();
    tokens.join(" ")
}

/// Whether a name is written in Latin letters: at least one, and no letter of another script.
/// Receipts can only hold them full-width.
#[must_use]
pub fn is_latin_name(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(is_latin_letter)
}

fn is_latin_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(
            c,
            '\u{00C0}'..='\u{024F}'
                | '\u{1E00}'..='\u{1EFF}'
                | '\u{FF21}'..='\u{FF3A}'
                | '\u{FF41}'..='\u{FF5A}'
        )
}

/// Latin letters that have no decomposition.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'Đ' | 'đ' | 'Ð' | 'ð' => "D",
        'Ł' | 'ł' => "L",
        'Ø' | 'ø' => "O",
        'ß' | 'ẞ' => "SS",
        'Æ' | 'æ' => "AE",
        'Œ' | 'œ' => "OE",
        'Þ' | 'þ' => "TH",
        'Ħ' | 'ħ' => "H",
        'ı' => "I",
        'Ŧ' | 'ŧ' => "T",
        'Ŋ' | 'ŋ' => "NG",
        _ => return None,
    })
}
