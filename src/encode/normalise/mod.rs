//! What a field becomes before it is encoded: one spelling of each fact.
//!
//! Encodings hide how alike two values are in ways no later step can mend, so everything that
//! writers do differently for one and the same fact is folded here, each rule with its reason.
//! All functions are pure; what they cannot read becomes missing, which agrees with everything,
//! and is noted by field and rule.

pub mod address;
pub mod date;
pub mod event;
pub mod insurance;
mod japanese;
pub mod kana;
pub mod kanji;
pub mod latin;
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
    match locale {
        Locale::Jp => japanese::fill(fields, notes, &mut identity),
        Locale::Latin => western::fill(fields, &mut identity),
    }
    fill_birth_date(fields.get(Field::BirthDate), notes, &mut identity);
    fill_sex(fields.get(Field::Sex), notes, &mut identity);
    let patient_number = text::clean_number(fields.get(Field::PatientNumber));
    if !patient_number.is_empty() {
        identity.set(
            Attribute::PatientNumber,
            format!("{source}|{patient_number}"),
        );
    }
    identity
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
    let year = date.year;
    identity.set(Attribute::BirthYear, format!("{year:04}"));
    if let Some(month) = date.month {
        identity.set(Attribute::BirthYearMonth, format!("{year:04}{month:02}"));
    }
    if let (Some(month), Some(day)) = (date.month, date.day) {
        identity.set(Attribute::BirthDate, format!("{year:04}{month:02}{day:02}"));
        identity.set(Attribute::BirthMonthDay, format!("{month:02}{day:02}"));
        identity.set(Attribute::BirthYearDay, format!("{year:04}{day:02}"));
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
mod tests;
