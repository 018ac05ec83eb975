//! A Japanese person's name: surname, given name and whole, from whichever fields a source has.

use std::borrow::Cow;

use super::kana::{fold_key_k2, is_kana, large_kana, strict_key_k1};
use super::text::{clean_name, is_name_separator};
use crate::encode::identity::UNKNOWN;

/// A name, split where its source splits it. Plaintext: no `Debug`.
#[derive(Default, Clone)]
pub struct PersonName {
    /// Surname; empty if unknown.
    pub surname: String,
    /// Given name, parts joined; empty if unknown.
    pub given: String,
    /// Whole name without the split; empty unless both parts, or the unsplit whole, are known.
    pub whole: String,
}

impl PersonName {
    /// A name that its source holds in two fields. A source that cannot split writes the whole
    /// name into one of them: that part is then taken as it stands.
    #[must_use]
    pub fn from_parts(surname: &str, given: &str) -> Self {
        let surname = join(surname);
        let given = join(given);
        let whole = if surname.is_empty() || given.is_empty() {
            String::new()
        } else {
            format!("{surname}{given}")
        };
        Self {
            surname,
            given,
            whole,
        }
    }

    /// A name in one field: surname first, then given names, at the separators. Without a
    /// separator it cannot be split, and only the whole is known.
    #[must_use]
    pub fn from_whole(name: &str) -> Self {
        let mut parts = name
            .split(is_name_separator)
            .filter(|part| !part.is_empty());
        let first = parts.next().unwrap_or_default();
        let given = parts.collect::<String>();
        let whole = format!("{first}{given}");
        let surname = if given.is_empty() {
            String::new()
        } else {
            first.to_owned()
        };
        Self {
            surname,
            given,
            whole,
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.surname.is_empty() && self.given.is_empty() && self.whole.is_empty()
    }

    /// The same name with each part folded.
    #[must_use]
    pub fn map(&self, fold: impl Fn(&str) -> String) -> Self {
        Self {
            surname: fold(&self.surname),
            given: fold(&self.given),
            whole: fold(&self.whole),
        }
    }
}

/// What a source wrote about one name in one script.
#[derive(Default, Clone, Copy)]
pub struct WrittenName<'a> {
    /// Surname field.
    pub surname: &'a str,
    /// Given name field.
    pub given: &'a str,
    /// Whole-name field, used only if both others are empty.
    pub whole: &'a str,
}

impl<'t> WrittenName<'t> {
    /// Each field put through `clean`, and split.
    fn read(self, clean: impl Fn(&'t str) -> Cow<'t, str>) -> PersonName {
        let mut name = if self.surname.trim().is_empty() && self.given.trim().is_empty() {
            PersonName::from_whole(&clean(self.whole))
        } else {
            PersonName::from_parts(&clean(self.surname), &clean(self.given))
        };
        for part in [&mut name.surname, &mut name.given, &mut name.whole] {
            if !has_known(part) {
                part.clear();
            }
        }
        name
    }

    /// Whether no field holds anything.
    #[must_use]
    pub fn is_blank(self) -> bool {
        [self.surname, self.given, self.whole]
            .iter()
            .all(|text| text.trim().is_empty())
    }

    /// All fields one after the other, to judge the script by.
    #[must_use]
    pub fn joined(self) -> String {
        [self.surname, self.given, self.whole].join(" ")
    }
}

/// The reading under K2. `None` if the fields hold something that is not kana.
#[must_use]
pub fn kana_name(written: WrittenName<'_>) -> Option<PersonName> {
    let name = written.read(strict_key_k1);
    let is_reading = |part: &String| part.chars().all(|c| is_kana(c) || c == UNKNOWN);
    let all_readings = [&name.surname, &name.given, &name.whole]
        .into_iter()
        .all(is_reading);
    all_readings.then(|| name.map(fold_key_k2))
}

/// The name in kanji, variants folded, small kana large (`一ッ橋`, `一ツ橋`; `ヶ`, `ケ`).
#[must_use]
pub fn kanji_name(written: WrittenName<'_>) -> PersonName {
    written.read(|text| {
        let cleaned = clean_name(text);
        if cleaned.chars().any(|c| large_kana(c) != c) {
            Cow::Owned(cleaned.chars().map(large_kana).collect())
        } else {
            cleaned
        }
    })
}

/// The characters of a name in order of their code points: the same when surname and given name
/// stand in each other's field.
#[must_use]
pub fn sorted_characters(name: &str) -> String {
    let mut characters = Vec::with_capacity(name.len() / 3 + 1);
    characters.extend(name.chars());
    characters.sort_unstable();
    characters.into_iter().collect()
}

/// Whether any character is known. A part without one says nothing.
fn has_known(part: &str) -> bool {
    part.chars().any(|c| c != UNKNOWN)
}

fn join(part: &str) -> String {
    if part.contains(is_name_separator) {
        part.split(is_name_separator).collect()
    } else {
        part.to_owned()
    }
}
