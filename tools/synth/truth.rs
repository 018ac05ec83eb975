//! Who is who: the truth about records and people, for evaluation only.

use std::fmt::Write as _;

use super::calendar::{DateStyle, Day};
use super::flags;
use super::names::Names;
use super::person::{Nationality, Person, Population, Sex};
use super::sources::Event;

/// Columns of `truth.csv`.
pub const RECORD_COLUMNS: [&str; 6] = [
    "source",
    "record_id",
    "person_id",
    "event_date",
    "surname_state",
    "noise_flags",
];

/// Columns of `persons.csv`.
pub const PERSON_COLUMNS: [&str; 17] = [
    "person_id",
    "sex",
    "birth_date",
    "death_date",
    "birth_surname",
    "given",
    "given_kana",
    "birth_surname_kana",
    "n_surname_changes",
    "married",
    "divorced",
    "twin_group",
    "namesake",
    "nationality",
    "father",
    "mother",
    "n_records",
];

/// The truth about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTruth {
    /// Number of the person among everyone.
    pub person: u32,
    /// Whether that is a tracer.
    pub tracer: bool,
    /// Day of the event.
    pub day: Day,
    /// Which of the person's surnames held then, from 0.
    pub surname_state: u8,
    /// What is special about the record: bits of [`flags`].
    pub flags: u32,
}

impl RecordTruth {
    pub(super) fn of(population: &Population, event: &Event, noted: u32, tracer: bool) -> Self {
        let surnames = &population.persons[event.person as usize].surnames;
        let begun = surnames.partition_point(|(from, _)| *from <= event.day);
        Self {
            person: population.number(event.person),
            tracer,
            day: event.day,
            surname_state: begun.saturating_sub(1) as u8,
            flags: noted | if tracer { flags::TRACER } else { 0 },
        }
    }

    /// Appends `person_id`: `P` and the number, `T` for a tracer.
    pub fn write_person_id(&self, out: &mut String) {
        write_person_id(self.person, self.tracer, out);
    }
}

/// The truth about one person that strata need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PersonTruth {
    /// One of twins.
    pub twin: bool,
    /// Planted beside another of the same name and date of birth, or that other.
    pub namesake: bool,
    /// Of foreign nationality.
    pub foreign: bool,
}

/// The truth about the people of a population, in their order.
pub(super) fn people(population: &Population) -> Vec<PersonTruth> {
    let of = |person: &Person| PersonTruth {
        twin: person.twin.is_some(),
        namesake: person.namesake.is_some(),
        foreign: person.nationality.is_some(),
    };
    let mut people: Vec<PersonTruth> = population.persons.iter().map(of).collect();
    for other in population.persons.iter().filter_map(|p| p.namesake) {
        people[other as usize].namesake = true;
    }
    people
}

fn write_person_id(number: u32, tracer: bool, out: &mut String) {
    let letter = if tracer { 'T' } else { 'P' };
    write!(out, "{letter}{number:08}").expect("a String takes everything");
}

fn date(day: Option<Day>) -> String {
    let mut out = String::new();
    if let Some(day) = day {
        DateStyle::Hyphens.write(day, &mut out);
    }
    out
}

/// The row of one person in `persons.csv`.
pub(super) fn person_row(
    population: &Population,
    index: u32,
    tracer: bool,
    names: &Names,
    records: u32,
) -> [String; PERSON_COLUMNS.len()] {
    let person: &Person = &population.persons[index as usize];
    let id = |index: u32| {
        let mut out = String::new();
        write_person_id(population.number(index), tracer, &mut out);
        out
    };
    let relative = |index: Option<u32>| index.map_or(String::new(), id);
    let (surname, given) = (names.get(person.surnames[0].1), names.get(person.given));
    let nationality = match person.nationality {
        None => "",
        Some(Nationality::LatinName) => "latin",
        Some(Nationality::KanjiName) => "kanji",
    };
    [
        id(index),
        if person.sex == Sex::Man { "M" } else { "F" }.to_owned(),
        date(Some(person.birth)),
        date(person.death),
        surname.written.clone(),
        given.written.clone(),
        given.kana.clone(),
        surname.kana.clone(),
        (person.surnames.len() - 1).to_string(),
        date(person.married),
        date(person.divorced),
        relative(person.twin),
        u8::from(person.namesake.is_some()).to_string(),
        nationality.to_owned(),
        relative(person.father),
        relative(person.mother),
        records.to_string(),
    ]
}
