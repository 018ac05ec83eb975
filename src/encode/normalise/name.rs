//! A Japanese person's name: surname, given name and whole, from whichever fields a source has.

use std::borrow::Cow;

use super::kana::{is_kana, large_kana, main_key, strict_key_k1};
use super::text::{clean_name, is_name_separator};
use crate::encode::identity::UNKNOWN;

/// A name, split where its source splits it. Plaintext: no `Debug`.
#[derive(Default, Clone)]
pub struct PersonName<'a> {
    /// Surname; empty if unknown.
    pub surname: Cow<'a, str>,
    /// Given name, parts joined; empty if unknown.
    pub given: Cow<'a, str>,
    whole: Whole<'a>,
}

/// The whole name.
#[derive(Clone)]
enum Whole<'a> {
    /// Surname and given name, as they stand in their fields.
    Parts,
    /// This text; empty if unknown.
    Text(Cow<'a, str>),
}

impl Default for Whole<'_> {
    fn default() -> Self {
        Self::Text(Cow::Borrowed(""))
    }
}

impl<'a> PersonName<'a> {
    /// A name that its source holds in two fields. A source that cannot split writes the whole
    /// name into one of them: that part is then taken as it stands.
    #[must_use]
    pub fn from_parts(surname: Cow<'a, str>, given: Cow<'a, str>) -> Self {
        let surname = join(surname);
        let given = join(given);
        let whole = if surname.is_empty() || given.is_empty() {
            Whole::default()
        } else {
            Whole::Parts
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
        let first = Cow::Owned(parts.next().unwrap_or_default().to_owned());
        let given = parts.collect::<String>();
        if given.is_empty() {
            return Self {
                whole: Whole::Text(first),
                ..Self::default()
            };
        }
        Self {
            surname: first,
            given: Cow::Owned(given),
            whole: Whole::Parts,
        }
    }

    /// The whole name without the split, in two pieces; empty unless both parts, or the unsplit
    /// whole, are known.
    #[must_use]
    pub fn whole(&self) -> [&str; 2] {
        match &self.whole {
            Whole::Parts => [&self.surname, &self.given],
            Whole::Text(text) => [text, ""],
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.surname.is_empty() && self.given.is_empty() && self.whole() == ["", ""]
    }

    /// The same name with each part folded, character by character.
    #[must_use]
    pub fn map(self, fold: impl Fn(Cow<'a, str>) -> Cow<'a, str>) -> Self {
        Self {
            surname: fold(self.surname),
            given: fold(self.given),
            whole: match self.whole {
                Whole::Parts => Whole::Parts,
                Whole::Text(text) => Whole::Text(fold(text)),
            },
        }
    }

    /// Takes out the parts in which no character is known: they say nothing.
    fn without_unknown_parts(mut self) -> Self {
        let says_nothing = |part: &str| part.chars().all(|c| c == UNKNOWN);
        let (surname, given) = (says_nothing(&self.surname), says_nothing(&self.given));
        if matches!(self.whole, Whole::Parts) && (surname || given) {
            self.whole = Whole::Text(Cow::Owned(self.whole().concat()));
        }
        if let Whole::Text(text) = &self.whole
            && says_nothing(text)
        {
            self.whole = Whole::default();
        }
        if surname {
            self.surname = Cow::Borrowed("");
        }
        if given {
            self.given = Cow::Borrowed("");
        }
        self
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
    fn read(self, clean: impl Fn(&'t str) -> Cow<'t, str>) -> PersonName<'t> {
        let name = if is_blank(self.surname) && is_blank(self.given) {
            PersonName::from_whole(&clean(self.whole))
        } else {
            PersonName::from_parts(clean(self.surname), clean(self.given))
        };
        name.without_unknown_parts()
    }

    /// Whether no field holds anything.
    #[must_use]
    pub fn is_blank(self) -> bool {
        [self.surname, self.given, self.whole]
            .into_iter()
            .all(is_blank)
    }

    /// All fields one after the other, to judge the script by.
    #[must_use]
    pub fn joined(self) -> String {
        [self.surname, self.given, self.whole].join(" ")
    }
}

/// The reading under K2. `None` if the fields hold something that is not kana.
#[must_use]
pub fn kana_name(written: WrittenName<'_>) -> Option<PersonName<'_>> {
    let name = written.read(strict_key_k1);
    let is_reading = |part: &str| part.chars().all(|c| is_kana(c) || c == UNKNOWN);
    let whole = match &name.whole {
        Whole::Parts => "",
        Whole::Text(text) => text,
    };
    let all_readings = [&name.surname, &name.given, whole]
        .into_iter()
        .all(is_reading);
    all_readings.then(|| name.map(main_key))
}

/// The name in kanji, variants folded, small kana large (`一ッ橋`, `一ツ橋`; `ヶ`, `ケ`).
#[must_use]
pub fn kanji_name(written: WrittenName<'_>) -> PersonName<'_> {
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
pub fn sorted_characters(name: [&str; 2]) -> Vec<char> {
    let mut characters = Vec::with_capacity(32);
    characters.extend(name.into_iter().flat_map(str::chars));
    characters.sort_unstable();
    characters
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

fn join(part: Cow<'_, str>) -> Cow<'_, str> {
    if part.contains(is_name_separator) {
        Cow::Owned(part.split(is_name_separator).collect())
    } else {
        part
    }
}
