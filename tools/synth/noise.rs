//! What goes wrong between a person and a record of that person.

use rand::Rng;

use super::calendar::{Day, month_days};
use super::flags;
use super::kana::{enlarge, mistype};
use super::names::{NameId, Names};
use super::person::{Person, Sex, at, before};

/// How often each error happens in a source: a share of records, unless said otherwise.
///
/// Where a figure is published, `sources.rs` cites it beside the rate. None exists for hospital
/// desks; theirs are set so that names go wrong in a few percent, dates in about one percent, and
/// sex in a few per mille of records. These lie near those of the public set `jp_small`, so the two
/// are not independent of each other.
#[derive(Clone, Copy)]
pub struct NoiseRates {
    /// Surname or given name written with another kanji of the same reading, or one dropped.
    pub kanji: f64,
    /// A variant kanji for the common one or the reverse (髙/高), per variant kanji in the name.
    pub variant: f64,
    /// A rare kanji printed as `■` or `?`, per rare kanji: the character set lacks it.
    pub unknown_character: f64,
    /// A given name's kanji replaced by its kana: the system cannot send it.
    pub kana_for_kanji: f64,
    /// One slip in a kana name, for surname and given name each.
    pub kana: f64,
    /// Another reading guessed from the kanji, where the kanji have one.
    pub misread: f64,
    /// Small kana stored large, per name that has them: a habit of the system.
    pub large_kana: f64,
    /// A wrong date of birth: a digit, day and month exchanged, or a default of 1 January.
    pub birth: f64,
    /// The right year under the wrong era: S↔H 63 years, T↔S 14 years, H↔R 30 years.
    pub era: f64,
    /// The wrong sex.
    pub sex: f64,
    /// Surname and given name in each other's place.
    pub swapped: f64,
    /// The surname before the last change, per person who had one.
    pub old_surname: f64,
    /// The home before the last move, per person who had one.
    pub old_address: f64,
    /// Date of birth left empty.
    pub no_birth: f64,
    /// Sex left empty.
    pub no_sex: f64,
}

impl NoiseRates {
    /// All rates times a factor, none above 1.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let of = |rate: f64| (rate * factor).clamp(0.0, 1.0);
        Self {
            kanji: of(self.kanji),
            variant: of(self.variant),
            unknown_character: of(self.unknown_character),
            kana_for_kanji: of(self.kana_for_kanji),
            kana: of(self.kana),
            misread: of(self.misread),
            large_kana: of(self.large_kana),
            birth: of(self.birth),
            era: of(self.era),
            sex: of(self.sex),
            swapped: of(self.swapped),
            old_surname: of(self.old_surname),
            old_address: of(self.old_address),
            no_birth: of(self.no_birth),
            no_sex: of(self.no_sex),
        }
    }
}

/// Records of a foreigner with an alias that use it.
const USES_ALIAS: f64 = 0.25;
/// Records of a foreigner with the given name first.
const GIVEN_FIRST: f64 = 0.08;
/// Second given names left out, or joined to the first, per foreigner who has them.
const SHORT_GIVEN: f64 = 0.08;

/// Who a record says it is about. All text in full-width form; the source spells it.
#[derive(Default)]
pub struct Observed {
    /// Surname as written.
    pub surname: String,
    /// Given name as written.
    pub given: String,
    /// Surname in katakana.
    pub surname_kana: String,
    /// Given name in katakana.
    pub given_kana: String,
    /// Date of birth, if given.
    pub birth: Option<Day>,
    /// Sex, if given.
    pub sex: Option<Sex>,
    /// What went wrong: bits of [`flags`].
    pub flags: u32,
}

fn set(slot: &mut String, text: &str) {
    slot.clear();
    slot.push_str(text);
}

impl Observed {
    /// Observes a person on a day: first the facts, then what goes wrong.
    pub fn observe(
        &mut self,
        person: &Person,
        day: Day,
        rates: &NoiseRates,
        names: &Names,
        rng: &mut impl Rng,
    ) {
        self.flags = 0;
        let mut surname = *at(&person.surnames, day);
        if let Some(old) = before(&person.surnames, day)
            && rng.random_bool(rates.old_surname)
        {
            surname = *old;
            self.flags |= flags::OLD_NAME;
        }
        let mut given = person.given;
        if let Some(alias) = person.alias
            && rng.random_bool(USES_ALIAS)
        {
            (surname, given) = alias;
            self.flags |= flags::ALIAS;
        }
        set(&mut self.surname, &names.get(surname).written);
        set(&mut self.surname_kana, &names.get(surname).kana);
        set(&mut self.given, &names.get(given).written);
        set(&mut self.given_kana, &names.get(given).kana);
        self.birth = Some(person.birth);
        self.sex = Some(person.sex);
        let latin = self.surname.as_bytes().first().is_some_and(u8::is_ascii);
        if latin {
            self.disturb_latin(rng);
        } else {
            self.disturb_kanji(surname, given, rates, names, rng);
        }
        self.disturb_kana(given, rates, names, rng);
        if rng.random_bool(rates.swapped) {
            self.swap();
        }
        self.disturb_rest(day, rates, rng);
    }

    fn swap(&mut self) {
        self.flags ^= flags::SWAPPED;
        std::mem::swap(&mut self.surname, &mut self.given);
        std::mem::swap(&mut self.surname_kana, &mut self.given_kana);
    }

    fn disturb_latin(&mut self, rng: &mut impl Rng) {
        if self.given.contains(' ') && rng.random_bool(SHORT_GIVEN) {
            self.flags |= flags::GIVEN_KANA;
            if rng.random_bool(0.5) {
                self.given_kana.retain(|letter| letter != ' ');
            } else {
                let end = self.given_kana.find(' ').unwrap_or(self.given_kana.len());
                self.given_kana.truncate(end);
            }
        }
        if rng.random_bool(GIVEN_FIRST) {
            self.swap();
        }
    }

    fn disturb_kanji(
        &mut self,
        surname: NameId,
        given: NameId,
        rates: &NoiseRates,
        names: &Names,
        rng: &mut impl Rng,
    ) {
        let slots = [
            (&mut self.surname, surname, flags::SURNAME_KANJI),
            (&mut self.given, given, flags::GIVEN_KANJI),
        ];
        for (slot, id, flag) in slots {
            if rng.random_bool(rates.kanji) {
                match names.other_writing(id, rng) {
                    Some(other) => {
                        set(slot, other);
                        self.flags |= flag;
                    }
                    None if slot.chars().count() > 1 => {
                        slot.pop();
                        self.flags |= flag;
                    }
                    None => {}
                }
            }
            if slot.chars().any(|kanji| names.variant(kanji).is_some()) {
                let noted = &mut self.flags;
                let spelled = slot
                    .chars()
                    .map(|kanji| respell(kanji, rates, names, noted, rng));
                *slot = spelled.collect();
            }
        }
        if rng.random_bool(rates.kana_for_kanji) {
            set(&mut self.given, &names.get(given).kana);
            self.flags |= flags::GIVEN_KANJI;
        }
    }

    fn disturb_kana(
        &mut self,
        given: NameId,
        rates: &NoiseRates,
        names: &Names,
        rng: &mut impl Rng,
    ) {
        if rng.random_bool(rates.misread)
            && let Some(other) = names.other_reading(given, rng)
        {
            set(&mut self.given_kana, other);
            self.flags |= flags::MISREAD;
        }
        let slots = [
            (&mut self.surname_kana, flags::SURNAME_KANA),
            (&mut self.given_kana, flags::GIVEN_KANA),
        ];
        for (slot, flag) in slots {
            if rng.random_bool(rates.kana) && mistype(slot, rng) {
                self.flags |= flag;
            }
        }
        if rng.random_bool(rates.large_kana) {
            self.flags |= flags::LARGE_KANA;
            enlarge(&mut self.surname_kana);
            enlarge(&mut self.given_kana);
        }
    }

    fn disturb_rest(&mut self, day: Day, rates: &NoiseRates, rng: &mut impl Rng) {
        if let Some(birth) = self.birth {
            let wrong = if rng.random_bool(rates.birth) {
                wrong_date(birth, day, rng)
            } else if rng.random_bool(rates.era) {
                wrong_era(birth, day).unwrap_or(birth)
            } else {
                birth
            };
            if wrong != birth {
                self.flags |= flags::BIRTH_DATE;
            }
            self.birth = Some(wrong);
        }
        if rng.random_bool(rates.no_birth) {
            self.birth = None;
            self.flags = self.flags & !flags::BIRTH_DATE | flags::NO_BIRTH_DATE;
        }
        if rng.random_bool(rates.sex) {
            self.sex = self.sex.map(Sex::other);
            self.flags |= flags::SEX;
        }
        if rng.random_bool(rates.no_sex) {
            self.sex = None;
            self.flags = self.flags & !flags::SEX | flags::NO_SEX;
        }
    }
}

/// A kanji as the source spells it; what differs is noted in `noted`.
fn respell(
    kanji: char,
    rates: &NoiseRates,
    names: &Names,
    noted: &mut u32,
    rng: &mut impl Rng,
) -> char {
    let Some(other) = names.variant(kanji) else {
        return kanji;
    };
    let rare = names.is_rare(kanji);
    if rare && rng.random_bool(rates.unknown_character) {
        *noted |= flags::UNKNOWN_CHARACTER;
        return if rng.random_bool(0.6) { '■' } else { '?' };
    }
    // A rare kanji is replaced by the common one far more often than the reverse.
    let often = if rare { 12.0 } else { 1.0 };
    if rng.random_bool((rates.variant * often).min(1.0)) {
        *noted |= flags::VARIANT;
        return other;
    }
    kanji
}

/// A wrong date of birth that is not after the record.
fn wrong_date(birth: Day, record: Day, rng: &mut impl Rng) -> Day {
    let (year, month, day) = birth.date();
    let wrong = match rng.random_range(0..20) {
        0..4 if day <= 12 => Day::of(year, day, month),
        0..7 => Day::of(year, month, day % month_days(year, month) + 1),
        7..10 => Day::of(year, month, if day > 10 { day - 10 } else { day + 10 }),
        10..13 => Day::of(year, month % 12 + 1, day),
        13..15 => Day::of(year + 1, month, day),
        15..17 => Day::of(year - 1, month, day),
        17 => Day::of(year - 10, month, day),
        18 => Day::of(year + 10, month, day),
        _ => Day::of(year, 1, 1),
    };
    if wrong > record {
        Day::of(year - 1, month, day)
    } else {
        wrong
    }
}

/// The same year of another era, if that gives a day between 1890 and the record.
fn wrong_era(birth: Day, record: Day) -> Option<Day> {
    let (year, month, day) = birth.date();
    let shift = match year {
        ..1927 => 14,
        1927..1940 => -14,
        1940..1989 => 63,
        1989..2019 => -63,
        _ => -30,
    };
    let wrong = Day::of(year + shift, month, day);
    (wrong <= record && wrong > Day::of(1890, 1, 1)).then_some(wrong)
}
