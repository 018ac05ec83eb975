//! Which of a record's names stands in which script: sources list them in any order, and leave
//! out the code that tells.

use super::Entry;
use crate::encode::field::Field;
use crate::encode::normalise::Locale;
use crate::encode::normalise::kana::{is_kana_name, strict_key_k1};
use crate::encode::normalise::latin::is_latin_name;

/// How a name is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Kanji, or kanji and kana: `I`, `IDE`.
    Ideographic,
    /// The reading: `P`, `SYL`.
    Syllabic,
    /// Latin letters: `A`, `ABC`.
    Alphabetic,
}

/// One of a record's names. Plaintext: no `Debug`.
pub(super) struct NameFound {
    /// As the source tells it; `None`: told by the letters.
    pub(super) script: Option<Script>,
    /// The lower, the sooner it is taken.
    pub(super) rank: u8,
    pub(super) family: String,
    pub(super) given: String,
    /// The name in one text.
    pub(super) text: String,
}

impl NameFound {
    fn script(&self) -> Script {
        let all = [self.family.as_str(), &self.given, &self.text].join(" ");
        self.script.unwrap_or_else(|| {
            if is_kana_name(&strict_key_k1(&all)) {
                Script::Syllabic
            } else if is_latin_name(&all) {
                Script::Alphabetic
            } else {
                Script::Ideographic
            }
        })
    }

    fn is_blank(&self) -> bool {
        [&self.family, &self.given, &self.text]
            .iter()
            .all(|part| part.trim().is_empty())
    }

    /// Where a name is not split, the family part carries all of it.
    fn put(&self, entry: &mut Entry, [surname, given, whole]: [Field; 3]) {
        if self.family.trim().is_empty() || self.given.trim().is_empty() {
            let parts = [&self.text, &self.family, &self.given];
            let known = parts.into_iter().find(|part| !part.trim().is_empty());
            entry.set(whole, known.map_or("", String::as_str));
        } else {
            entry.set(surname, &self.family);
            entry.set(given, &self.given);
        }
    }
}

/// Sets the name fields from all names of a record: in each script the one of lowest rank.
pub(super) fn set_names(entry: &mut Entry, locale: Locale, names: &[NameFound]) {
    const KANJI: [Field; 3] = [Field::SurnameKanji, Field::GivenKanji, Field::NameKanji];
    const KANA: [Field; 3] = [Field::SurnameKana, Field::GivenKana, Field::NameKana];
    const LATIN: [Field; 3] = [Field::Surname, Field::Given, Field::FullName];
    let of = |wanted: Option<Script>| {
        let known = names.iter().filter(|name| !name.is_blank());
        let fitting = known.filter(|name| wanted.is_none_or(|script| name.script() == script));
        fitting.min_by_key(|name| name.rank)
    };
    match locale {
        Locale::Latin => {
            if let Some(name) = of(Some(Script::Alphabetic)).or_else(|| of(None)) {
                name.put(entry, LATIN);
            }
        }
        Locale::Jp => {
            // Foreigners' names stand in the kanji fields.
            let written = of(Some(Script::Ideographic)).or_else(|| of(Some(Script::Alphabetic)));
            if let Some(name) = written {
                name.put(entry, KANJI);
            }
            if let Some(name) = of(Some(Script::Syllabic)) {
                name.put(entry, KANA);
            }
        }
    }
}
