//! What a field becomes before it is encoded: one spelling of each fact.
//!
//! Encodings hide how alike two values are in ways no later step can mend, so everything that
//! writers do differently for one and the same fact is folded here, each rule with its reason.
//! All functions are pure; what they cannot read becomes missing, which agrees with everything,
//! and is noted by field and rule.

pub mod address;
pub mod common_names;
pub mod date;
pub mod event;
pub mod insurance;
mod japanese;
pub mod kana;
pub mod kanji;
pub mod latin;
mod municipality;
pub mod name;
pub mod place;
pub mod sex;
pub mod text;
mod western;

use serde::{Deserialize, Serialize};

use super::field::{Field, FieldValues};
use super::identity::Identity;
use crate::terms::{Attribute, SourceId};

/// Whose conventions a source's fields follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Japanese: kana and kanji, eras, insurers, towns and blocks.
    Jp,
    /// Names in Latin letters, Western addresses.
    Latin,
}

/// What was noticed about a field. Everything before [`Rule::InsurerCheckDigit`] makes it missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The written form is not known.
    UnknownForm,
    /// The calendar has no such day.
    ImpossibleDate,
    /// The code is none of those known.
    UnknownCode,
    /// Too few or too many digits, or something else among them.
    Digits,
    /// A reading that holds something other than kana.
    NotKana,
    /// The check digit of a municipality code is wrong.
    MunicipalityCheckDigit,
    /// No symbol where the number means nothing without one.
    SymbolMissing,
    /// The check digit of an insurer number is wrong; the number is used.
    InsurerCheckDigit,
    /// Month or day is not known; the year is used.
    PartialDate,
    /// The era had not begun or was over; the year is taken by arithmetic.
    OutOfEra,
    /// 1 January, which registers write for a day that is not known; the date is used.
    PlaceholderDate,
    /// Kana in the kanji field; used as the reading where there is none.
    KanaInKanji,
}

impl Rule {
    /// The rule's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownForm => "unknown_form",
            Self::ImpossibleDate => "impossible_date",
            Self::UnknownCode => "unknown_code",
            Self::Digits => "digits",
            Self::NotKana => "not_kana",
            Self::MunicipalityCheckDigit => "municipality_check_digit",
            Self::SymbolMissing => "symbol_missing",
            Self::InsurerCheckDigit => "insurer_check_digit",
            Self::PartialDate => "partial_date",
            Self::OutOfEra => "out_of_era",
            Self::PlaceholderDate => "placeholder_date",
            Self::KanaInKanji => "kana_in_kanji",
        }
    }
}

/// A field of one record and the rule that it ran into. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note {
    /// Which field.
    pub field: Field,
    /// Which rule.
    pub rule: Rule,
}

/// Turns one record's fields into attributes. `notes` gains what was noticed on the way.
///
/// `source` is bound into numbers that mean nothing outside it.
#[must_use]
pub fn normalise(
    fields: &FieldValues<'_>,
    locale: Locale,
    source: &SourceId,
    notes: &mut Vec<Note>,
) -> Identity {
    let mut identity = Identity::default();
    normalise_into(fields, locale, source, notes, &mut identity);
    identity
}

/// As [`normalise`], in the memory of an identity that is no longer needed.
pub fn normalise_into(
    fields: &FieldValues<'_>,
    locale: Locale,
    source: &SourceId,
    notes: &mut Vec<Note>,
    identity: &mut Identity,
) {
    identity.clear();
    match locale {
        Locale::Jp => japanese::fill(fields, notes, identity),
        Locale::Latin => western::fill(fields, identity),
    }
    fill_birth_date(fields.get(Field::BirthDate), notes, identity);
    fill_sex(fields.get(Field::Sex), notes, identity);
    let patient_number = text::clean_number(fields.get(Field::PatientNumber));
    if !patient_number.is_empty() {
        identity.set_parts(
            Attribute::PatientNumber,
            &[source.as_str(), "|", &patient_number],
        );
    }
}

fn fill_birth_date(written: &str, notes: &mut Vec<Note>, identity: &mut Identity) {
    if written.is_empty() {
        return;
    }
    let mut note = |rule| {
        notes.push(Note {
            field: Field::BirthDate,
            rule,
        })
    };
    let date = match date::parse_birth_date(written) {
        Ok(date) => date,
        Err(date::DateError::Form) => return note(Rule::UnknownForm),
        Err(date::DateError::Impossible) => return note(Rule::ImpossibleDate),
    };
    if date.out_of_era {
        note(Rule::OutOfEra);
    }
    if (date.month, date.day) == (Some(1), Some(1)) {
        note(Rule::PlaceholderDate);
    }
    let mut digits = *b"00000000";
    let day = u32::from(date.day.unwrap_or(0));
    let mut rest = u32::from(date.year) * 10_000 + u32::from(date.month.unwrap_or(0)) * 100 + day;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let digits = std::str::from_utf8(&digits).expect("ASCII digits");
    let (year, month, day) = (&digits[..4], &digits[4..6], &digits[6..]);
    identity.set(Attribute::BirthYear, year);
    if date.month.is_some() {
        identity.set(Attribute::BirthYearMonth, &digits[..6]);
    }
    if date.month.is_some() && date.day.is_some() {
        identity.set(Attribute::BirthDate, digits);
        identity.set_parts(Attribute::BirthMonthDay, &[month, day]);
        identity.set_parts(Attribute::BirthYearDay, &[year, day]);
    } else {
        note(Rule::PartialDate);
    }
}

fn fill_sex(written: &str, notes: &mut Vec<Note>, identity: &mut Identity) {
    match sex::parse_sex(written) {
        Ok(Some(sex)) => identity.set(Attribute::Sex, sex),
        Ok(None) => {}
        Err(_) => notes.push(Note {
            field: Field::Sex,
            rule: Rule::UnknownCode,
        }),
    }
}

/// Sets the postcode and its leading parts, as far as it is long enough for them.
fn fill_postcode(postcode: &str, identity: &mut Identity) {
    identity.set(Attribute::Postcode, postcode);
    for (attribute, length) in [(Attribute::Postcode5, 5), (Attribute::Postcode3, 3)] {
        if let Some(leading) = postcode.get(..length) {
            identity.set(attribute, leading);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
