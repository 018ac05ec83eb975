//! Kana: full-width katakana, and the fold keys that make differently written readings equal.
//!
//! | key | folds | for |
//! |---|---|---|
//! | K1 | width, hiragana, long marks | the reading as written |
//! | K2 | small kana, ヂヅヰヱヲ, drops ー | the main key: folding it costs nothing |
//! | K3 | K2 and long vowels | extra: makes 大野 (オオノ) and 小野 (オノ) equal |
//! | K4 | K2 and voicing | extra: makes ヤマザキ and ヤマサキ equal |

use std::borrow::Cow;

use unicode_normalization::char::compose;

use super::text::{clean_name, is_dash, is_name_separator};
use crate::encode::identity::UNKNOWN;

/// Long mark. Written as any dash by some systems.
const LONG_MARK: char = 'ー';

/// The strict key K1: full-width katakana, parts separated by one space; anything that is not
/// kana stays as it is, for [`is_kana_name`] to judge.
///
/// Dashes after kana are long marks; iteration marks (`ヽ`, `ヾ`) are spelled out; a voicing mark
/// on a kana that has no voiced form is dropped.
#[must_use]
pub fn strict_key_k1(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_kana) {
        return Cow::Borrowed(text);
    }
    // Katakana first: ワ゛ composes (ヷ), わ゛ does not.
    let in_katakana = text.chars().map(katakana).collect::<String>();
    let cleaned = clean_name(&in_katakana);
    let mut key = String::with_capacity(cleaned.len());
    let mut previous = ' ';
    for c in cleaned.chars() {
        let next = match katakana(c) {
            c if is_dash(c) && is_kana(previous) => LONG_MARK,
            'ヽ' if is_kana(previous) => previous,
            'ヾ' if is_kana(previous) => compose(previous, '\u{3099}').unwrap_or(previous),
            c if is_name_separator(c) => ' ',
            c => c,
        };
        let voices_nothing = matches!(next, '\u{3099}' | '\u{309A}');
        if voices_nothing || next == ' ' && previous == ' ' {
            continue;
        }
        key.push(next);
        previous = next;
    }
    key.truncate(key.trim_end().len());
    Cow::Owned(key)
}

/// Whether a K1 key is a reading: kana, with unknown characters allowed, and at least one kana.
#[must_use]
pub fn is_kana_name(k1: &str) -> bool {
    let mut kana_count = 0;
    for c in k1.chars() {
        if is_kana(c) {
            kana_count += 1;
        } else if c != ' ' && c != UNKNOWN {
            return false;
        }
    }
    kana_count > 0
}

/// The fold key K2 of a K1 key: small kana large (many resident registers hold large kana only),
/// ヂ→ジ, ヅ→ズ, ヰ→イ, ヱ→エ, ヲ→オ (written either way for one sound), no long mark.
#[must_use]
pub fn fold_key_k2(k1: &str) -> String {
    main_key(Cow::Borrowed(k1)).into_owned()
}

/// As [`fold_key_k2`]: a key that nothing is folded in stays where it is.
#[must_use]
pub fn main_key(k1: Cow<'_, str>) -> Cow<'_, str> {
    let folds = |c| c == LONG_MARK || fold_spelling(c) != c;
    if !k1.chars().any(folds) {
        return k1;
    }
    let folded = k1.chars().filter(|c| *c != LONG_MARK);
    Cow::Owned(folded.map(fold_spelling).collect())
}

/// The fold key K3 of a K1 key: K2, and a long vowel counts as short: オウ, オオ → オ; ウウ → ウ;
/// アア → ア. エイ stays, as it is often two syllables.
#[must_use]
pub fn long_vowel_key_k3(k1: &str) -> String {
    let mut key = String::with_capacity(k1.len());
    let mut previous_vowel = ' ';
    for c in fold_key_k2(k1).chars() {
        let lengthens = matches!(
            (previous_vowel, c),
            ('オ', 'ウ' | 'オ') | ('ウ', 'ウ') | ('ア', 'ア')
        );
        if !lengthens {
            key.push(c);
            previous_vowel = vowel(c);
        }
    }
    key
}

/// The fold key K4 of a K1 key: K2 without voicing marks (ガ→カ, パ→ハ, ヴ→ウ).
#[must_use]
pub fn unvoiced_key_k4(k1: &str) -> String {
    let folded = fold_key_k2(k1);
    // ヸ, ヹ and ヺ become ヰ, ヱ and ヲ only here.
    folded.chars().map(|c| fold_spelling(unvoiced(c))).collect()
}

/// Whether a character is katakana or the long mark.
#[must_use]
pub fn is_kana(c: char) -> bool {
    matches!(c, '\u{30A1}'..='\u{30FA}' | LONG_MARK)
}

/// Hiragana as katakana; any other character as it is.
#[must_use]
pub fn katakana(c: char) -> char {
    match c {
        '\u{3041}'..='\u{3096}' | '\u{309D}' | '\u{309E}' => {
            char::from_u32(c as u32 + 0x60).unwrap_or(c)
        }
        other => other,
    }
}

/// Small kana as large.
#[must_use]
pub fn large_kana(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        other => other,
    }
}

fn fold_spelling(c: char) -> char {
    match large_kana(c) {
        'ヂ' => 'ジ',
        'ヅ' => 'ズ',
        'ヰ' => 'イ',
        'ヱ' => 'エ',
        'ヲ' => 'オ',
        other => other,
    }
}

fn unvoiced(c: char) -> char {
    let mut base = c;
    unicode_normalization::char::decompose_canonical(c, |part| {
        if !matches!(part, '\u{3099}' | '\u{309A}') {
            base = part;
        }
    });
    base
}

/// The vowel that a large kana ends in, for the rows that can be lengthened; else a space.
fn vowel(c: char) -> char {
    match c {
        'ア' | 'カ' | 'ガ' | 'サ' | 'ザ' | 'タ' | 'ダ' | 'ナ' | 'ハ' | 'バ' | 'パ' | 'マ'
        | 'ヤ' | 'ラ' | 'ワ' => 'ア',
        'ウ' | 'ク' | 'グ' | 'ス' | 'ズ' | 'ツ' | 'ヌ' | 'フ' | 'ブ' | 'プ' | 'ム' | 'ユ'
        | 'ル' | 'ヴ' => 'ウ',
        'オ' | 'コ' | 'ゴ' | 'ソ' | 'ゾ' | 'ト' | 'ド' | 'ノ' | 'ホ' | 'ボ' | 'ポ' | 'モ'
        | 'ヨ' | 'ロ' => 'オ',
        _ => ' ',
    }
}
