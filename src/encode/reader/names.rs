//! Which of a record's names stands in which script: sources list them in any order, and leave
//! out the code that tells.

use super::Entry;
use super::alias::OtherName;
use crate::encode::field::Field;
use crate::encode::normalise::Locale;
use crate::encode::normalise::kana::{is_kana_name, strict_key_k1};
use crate::encode::normalise::latin::is_latin_name;

/// Highest rank of a name that a person goes by beside another.
pub(super) const RANK_ALIAS: u8 = 2;

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
    /// The lower, the sooner it is taken; up to [`RANK_ALIAS`] it may be a further name.
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

    /// The name in one text, surname first.
    fn whole(&self) -> String {
        if self.family.trim().is_empty() && self.given.trim().is_empty() {
            return self.text.trim().to_owned();
        }
        let both = [self.family.trim(), self.given.trim()].join(" ");
        both.trim().to_owned()
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

/// Sets the name fields from all names of a record: in each script the one of lowest rank, but the
/// reading of the name that was taken if its rank tells which. With `aliases` the others become further
/// names in the same way.
pub(super) fn set_names(entry: &mut Entry, locale: Locale, names: &[NameFound], aliases: bool) {
    const KANJI: [Field; 3] = [Field::SurnameKanji, Field::GivenKanji, Field::NameKanji];
    const KANA: [Field; 3] = [Field::SurnameKana, Field::GivenKana, Field::NameKana];
    const LATIN: [Field; 3] = [Field::Surname, Field::Given, Field::FullName];
    let mut known: Vec<&NameFound> = names.iter().filter(|name| !name.is_blank()).collect();
    known.sort_by_key(|name| name.rank);
    match locale {
        Locale::Latin => {
            let alphabetic = |name: &&NameFound| name.script() == Script::Alphabetic;
            if let Some(name) = known
                .iter()
                .copied()
                .find(alphabetic)
                .or(known.first().copied())
            {
                name.put(entry, LATIN);
            }
        }
        Locale::Jp => {
            // Foreigners' names stand in the kanji fields.
            let (written, reading) = take_name(&mut known);
            if let Some(name) = written {
                name.put(entry, KANJI);
            }
            if let Some(name) = reading {
                name.put(entry, KANA);
            }
            known.retain(|name| aliases && name.rank <= RANK_ALIAS);
            while !known.is_empty() {
                let (written, reading) = take_name(&mut known);
                let whole = |name: Option<&NameFound>| name.map_or(String::new(), NameFound::whole);
                entry.other_names.push(OtherName {
                    kanji: whole(written),
                    kana: whole(reading),
                });
            }
        }
    }
}

/// The first name in kanji, or else in Latin letters, and its reading, both taken out of the list, which
/// is in order of rank.
fn take_name<'a>(names: &mut Vec<&'a NameFound>) -> (Option<&'a NameFound>, Option<&'a NameFound>) {
    let mut take = |wanted: &dyn Fn(&NameFound) -> bool| {
        let place = names.iter().position(|name| wanted(name))?;
        Some(names.remove(place))
    };
    let written = take(&|name| name.script() == Script::Ideographic)
        .or_else(|| take(&|name| name.script() == Script::Alphabetic));
    let is_reading = |name: &NameFound| name.script() == Script::Syllabic;
    let of_written = |name: &NameFound| written.is_some_and(|written| written.rank == name.rank);
    let reading = take(&|name| is_reading(name) && of_written(name)).or_else(|| take(&is_reading));
    (written, reading)
}
