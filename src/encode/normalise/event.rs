//! When an event took place, and what only date of birth, date of event and name together tell.
//!
//! The year may leave the source, if the linkage profile asks for it; the date does not. The rules
//! are checked here, where the dates are known, and travel as one bit each.

use super::date::{BirthDate, DateError, parse_birth_date, parse_plain_date};
use super::text::clean;
use super::{Note, Rule};
use crate::encode::field::Field;
use crate::encode::identity::Identity;
use crate::terms::{Attribute, EventKind, SourceCheck};

/// What a record tells of its event beyond the kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// Calendar year; 0 if it is not stated or cannot be read.
    pub year: u16,
    /// Rules that are broken: bits of [`SourceCheck`].
    pub flags: u32,
}

/// Reads the date of an event: any form of a date of birth, and months (`202107`, `50607`).
///
/// # Errors
/// [`DateError`] as for a date of birth.
pub fn parse_event_date(text: &str) -> Result<BirthDate, DateError> {
    if let Some(date) = parse_plain_date(text) {
        return date;
    }
    let cleaned = clean(text);
    let digits = cleaned.trim();
    let is_month = matches!(digits.len(), 5 | 6) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_month {
        let first_day = parse_birth_date(&format!("{digits}01"))?;
        return Ok(BirthDate {
            day: None,
            ..first_day
        });
    }
    parse_birth_date(digits)
}

/// Finds what the record tells of its event. A given name that stands for a newborn becomes
/// missing in `identity`, with all that was made of it.
#[must_use]
pub fn event_facts(
    written: &str,
    kind: EventKind,
    identity: &mut Identity,
    notes: &mut Vec<Note>,
) -> EventFacts {
    let mut facts = EventFacts::default();
    if take_placeholder(identity) {
        facts.flags |= SourceCheck::PlaceholderGiven.bit();
    }
    if written.is_empty() {
        return facts;
    }
    let field = Field::EventDate;
    let event = match parse_event_date(written) {
        Ok(event) => event,
        Err(DateError::Form) => {
            let rule = Rule::UnknownForm;
            notes.push(Note { field, rule });
            return facts;
        }
        Err(DateError::Impossible) => {
            let rule = Rule::ImpossibleDate;
            notes.push(Note { field, rule });
            return facts;
        }
    };
    facts.year = event.year;
    if is_before_birth(&event, identity) {
        facts.flags |= SourceCheck::BeforeBirth.bit();
    }
    let born = identity.known(Attribute::BirthYear);
    if let Some(born) = born.and_then(|year| year.parse::<i32>().ok()) {
        let age = i32::from(event.year) - born;
        let (youngest, oldest) = ages(kind);
        if age > oldest || age < youngest {
            facts.flags |= SourceCheck::AgeWindow.bit();
        }
        let insured = identity.known(Attribute::InsuredPerson);
        if insured.is_some_and(|person| wrong_insurer(person, age)) {
            facts.flags |= SourceCheck::SeniorInsurer.bit();
        }
    }
    facts
}

/// Calendar years between birth and event that a kind allows. A missing lower bound is left to
/// [`SourceCheck::BeforeBirth`].
fn ages(kind: EventKind) -> (i32, i32) {
    match kind {
        EventKind::Birth => (i32::MIN, 5),
        EventKind::ChildCheckup => (i32::MIN, 20),
        EventKind::AdultCheckup => (15, 120),
        EventKind::LongTermCare => (39, 120),
        EventKind::Unspecified
        | EventKind::Hospital
        | EventKind::Claim
        | EventKind::Death
        | EventKind::Other => (i32::MIN, 120),
    }
}

/// Compares as far as both dates are known.
fn is_before_birth(event: &BirthDate, identity: &Identity) -> bool {
    let month = u32::from(event.month.unwrap_or_default());
    let day = u32::from(event.day.unwrap_or_default());
    let day = (u32::from(event.year) * 100 + month) * 100 + day;
    let known = match (event.month, event.day) {
        (Some(_), Some(_)) => 8,
        (Some(_), None) => 6,
        _ => 4,
    };
    let born = [
        Attribute::BirthDate,
        Attribute::BirthYearMonth,
        Attribute::BirthYear,
    ];
    let born = born
        .into_iter()
        .find_map(|attribute| identity.known(attribute));
    born.is_some_and(|born| {
        // Both as yyyymmdd; what one of them does not tell is left off both.
        let shared = known.min(born.len()) as u32;
        let digits = |number: u32, of: u32| number / 10_u32.pow(of.saturating_sub(shared));
        let written = born.parse::<u32>().unwrap_or_default();
        digits(written, born.len() as u32) > digits(day, 8)
    })
}

/// Whether the insurer is not one of people of that age. The number starts the insured's key.
fn wrong_insurer(insured_person: &str, age: i32) -> bool {
    if insured_person.starts_with("39") {
        age < 65
    } else {
        age >= 77
    }
}

/// What stands for a newborn's given name, as fold key K2: ベビー, ベビーボーイ, ベビーガール, 新生児.
const NEWBORN_KANA: [&str; 4] = ["ベビ", "ベビボイ", "ベビガル", "シンセイジ"];

/// Removes a given name that stands for a newborn, and all that was made of it.
fn take_placeholder(identity: &mut Identity) -> bool {
    let kana = identity.get(Attribute::GivenKana);
    let stands_for_newborn = kana.is_some_and(|given| NEWBORN_KANA.contains(&given))
        || matches!(
            identity.get(Attribute::GivenKanji),
            Some("ベビー" | "新生児" | "男児" | "女児" | "命名前" | "未命名")
        );
    if stands_for_newborn {
        for attribute in [
            Attribute::GivenKana,
            Attribute::GivenKanji,
            Attribute::NameKana,
            Attribute::NameKanji,
            Attribute::NameCharacters,
        ] {
            identity.set(attribute, "");
        }
    }
    stands_for_newborn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::normalise::kana::{fold_key_k2, strict_key_k1};

    #[test]
    fn names_that_stand_for_newborns_are_folded_as_given_names_are() {
        let written = ["ベビー", "ベビーボーイ", "ベビーガール", "シンセイジ"];
        let folded = written.map(|kana| fold_key_k2(&strict_key_k1(kana)));
        assert_eq!(folded, NEWBORN_KANA);
    }

    fn facts(event: &str, kind: EventKind, values: &[(Attribute, &str)]) -> EventFacts {
        let mut identity = Identity::default();
        for (attribute, value) in values {
            identity.set(*attribute, *value);
        }
        event_facts(event, kind, &mut identity, &mut Vec::new())
    }

    #[test]
    fn months_and_days_of_events_are_read_in_all_forms() {
        for (text, year, month) in [
            ("202107", 2021, Some(7)),
            ("50607", 2024, Some(7)),
            ("2024-01-05", 2024, Some(1)),
            ("昭和47年10月10日", 1972, Some(10)),
            ("2019", 2019, None),
        ] {
            let date = parse_event_date(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((date.year, date.month), (year, month), "{text}");
        }
        assert!(parse_event_date("202113").is_err());
        assert!(parse_event_date("soon").is_err());
    }

    #[test]
    fn rules_that_need_both_dates_are_checked_at_the_source() {
        let born = [
            (Attribute::BirthYear, "1990"),
            (Attribute::BirthDate, "19900702"),
        ];
        let check = |event, kind| facts(event, kind, &born).flags;
        assert_eq!(check("2010-05-05", EventKind::Hospital), 0);
        assert_eq!(
            check("1990-07-01", EventKind::Hospital),
            SourceCheck::BeforeBirth.bit()
        );
        assert_eq!(
            check("199007", EventKind::Claim),
            0,
            "the month may hold it"
        );
        assert_eq!(
            check("2020-05-05", EventKind::ChildCheckup),
            SourceCheck::AgeWindow.bit()
        );
        assert_eq!(
            check("2003-05-05", EventKind::AdultCheckup),
            SourceCheck::AgeWindow.bit()
        );
        assert_eq!(check("2003-05-05", EventKind::ChildCheckup), 0);
        assert_eq!(facts("2010", EventKind::Hospital, &[]).year, 2010);
    }

    #[test]
    fn the_insurer_of_the_old_is_not_that_of_the_young() {
        let with = |insurer: &str, born: &str| {
            let values = [
                (Attribute::BirthYear, born),
                (Attribute::InsuredPerson, insurer),
            ];
            facts("2020-01-01", EventKind::Claim, &values).flags
        };
        assert_eq!(with("39130017||1", "1940"), 0);
        assert_eq!(with("06130017|1|1", "1980"), 0);
        let flag = SourceCheck::SeniorInsurer.bit();
        assert_eq!(with("39130017||1", "1980"), flag);
        assert_eq!(with("06130017|1|1", "1940"), flag);
    }

    #[test]
    fn a_name_that_stands_for_a_newborn_is_missing() {
        let mut identity = Identity::default();
        identity.set(Attribute::SurnameKana, "サトウ");
        identity.set(Attribute::GivenKana, fold_key_k2(&strict_key_k1("ベビー")));
        identity.set(Attribute::NameKana, "サトウベビー");
        let mut notes = Vec::new();
        let facts = event_facts("", EventKind::Hospital, &mut identity, &mut notes);
        assert_eq!(facts.flags, SourceCheck::PlaceholderGiven.bit());
        assert!(identity.get(Attribute::GivenKana).is_none());
        assert!(identity.get(Attribute::NameKana).is_none());
        assert_eq!(identity.get(Attribute::SurnameKana), Some("サトウ"));
    }

    #[test]
    fn a_date_that_cannot_be_read_is_noted() {
        let mut notes = Vec::new();
        let facts = event_facts(
            "soon",
            EventKind::Claim,
            &mut Identity::default(),
            &mut notes,
        );
        assert_eq!(facts, EventFacts::default());
        assert_eq!(notes.len(), 1);
    }
}
