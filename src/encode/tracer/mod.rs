//! Tracers: records of invented people that every source plants, so that a run can be asked how many
//! true pairs it finds. Nothing else tells recall: scores of real pairs do not.
//!
//! All sources that hold the linkage secret invent the same people without talking to each other:
//! person *i* is drawn from a keyed stream over *i*. Each source writes that person as it writes its
//! own, with the fields that its map has, and with errors drawn from a stream over *i* and its name.
//! They go through the same normalisation and encoding as everybody else.
//!
//! # What the server sees
//! [`RecordFlag::Tracer`](crate::terms::RecordFlag::Tracer), and the record ref
//! `musubi-tracer-<i>`: equal numbers are one person. So a server can keep them out of every count,
//! entity and export, and count which planted pairs it found. It does not learn who they are: names
//! and dates follow from the linkage secret, so that they are no known plaintext.
//!
//! # Errors planted
//! Rates are those of published comparisons where there are any (names that disagree with the
//! resident register: 0.9 %; birth dates: 0.002 %, desks are worse; surnames changed at marriage:
//! 0.75 % of women a year), for records that are some years apart.

mod names;

use super::field::Field;
use super::key::{Key, KeyStream, LinkageSecret};
use super::map::{FileFormName, MapFile};
use super::reader::Entry;
use crate::terms::profile::Suite;
use crate::terms::{SourceId, TRACER_PREFIX};
use names::{MEN, PLACES, SURNAMES, WOMEN};

/// Most tracers of one file: the error of a recall estimated from so many is far below a point.
pub const TRACERS_MAX: u32 = 100_000;

/// Errors of one record, in thousandths.
mod rate {
    /// One kana replaced, left out or doubled, in one of the two readings.
    pub const KANA: u32 = 15;
    /// Another shape of a kanji, or another kanji.
    pub const KANJI: u32 = 10;
    /// Surname and given name in each other's field.
    pub const SWAPPED: u32 = 2;
    /// Year, month or day mistyped.
    pub const BIRTH_DATE: u32 = 5;
    /// Sex mistyped.
    pub const SEX: u32 = 1;
    /// Women with another surname, from marriage or divorce.
    pub const SURNAME: u32 = 40;
    /// Moved to another place.
    pub const MOVED: u32 = 150;
    /// Another insurer and number.
    pub const INSURER: u32 = 200;
    /// A field that is not filled in: phone, address, insurance.
    pub const LEFT_OUT: u32 = 100;
}

/// Makes tracers as one source would have recorded them. Holds a key: no `Debug`.
pub struct TracerMaker {
    key: Key,
    source: SourceId,
    fields: Vec<Field>,
}

/// An invented person, before any error. No `Debug`, although nobody is behind it: who holds the
/// store must not be able to guess it.
struct Person {
    is_woman: bool,
    surname: (String, String),
    given: (String, String),
    birth: [u32; 3],
    place: usize,
    block: [u32; 3],
    phone: u32,
    insurer: u32,
    symbol: u32,
    number: u32,
    branch: u32,
}

/// Numbers from a keyed stream.
struct Draw<'a>(KeyStream<'a>);

impl Draw<'_> {
    /// A number below `limit`; the bias is below 2⁻¹⁶ for the limits here.
    fn below(&mut self, limit: u32) -> u32 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        ((u128::from(u64::from_le_bytes(bytes)) * u128::from(limit)) >> 64) as u32
    }

    fn happens(&mut self, thousandths: u32) -> bool {
        self.below(1000) < thousandths
    }

    fn name(&mut self, table: &[(&str, &str)]) -> (String, String) {
        // Tables are short.
        let (kanji, kana) = table[self.below(table.len() as u32) as usize];
        (kanji.to_owned(), kana.to_owned())
    }
}

impl TracerMaker {
    /// For one source's file under one epoch.
    #[must_use]
    pub fn new(secret: &LinkageSecret, epoch: &str, source: &SourceId, map: &MapFile) -> Self {
        let fields = match map.file.form {
            FileFormName::Csv | FileFormName::Parquet => map.fields.keys().copied().collect(),
            FileFormName::Fhir | FileFormName::Hl7v2 | FileFormName::Uke => TOLD_BY_FORM.to_vec(),
        };
        Self {
            // The suite of a profile decides how people are encoded, not who is invented.
            key: secret.root(Suite::Blake3).epoch(epoch).tracers(),
            source: source.clone(),
            fields,
        }
    }

    /// Tracer number `index` as this source writes it. The same arguments, the same entry.
    #[must_use]
    pub fn entry(&self, index: u32) -> Entry {
        let index_bytes = index.to_le_bytes();
        let mut person = Person::draw(&mut Draw(self.key.stream(&index_bytes)));
        let message = [&index_bytes[..], self.source.as_str().as_bytes()].concat();
        let mut noise = Draw(self.key.stream(&message));
        let written = person.write(&mut noise);
        let mut entry = Entry::of_tracer(format!("{TRACER_PREFIX}{index:06}"));
        for field in &self.fields {
            if let Some((_, text)) = written.iter().find(|(known, _)| known == field) {
                entry.set(*field, text);
            }
        }
        entry
    }
}

/// Fields of a form that says itself what is where.
const TOLD_BY_FORM: [Field; 12] = [
    Field::SurnameKanji,
    Field::GivenKanji,
    Field::SurnameKana,
    Field::GivenKana,
    Field::BirthDate,
    Field::Sex,
    Field::Postcode,
    Field::Address,
    Field::Phone,
    Field::InsurerNo,
    Field::InsurerSymbol,
    Field::InsuredNumber,
];

impl Person {
    fn draw(draw: &mut Draw<'_>) -> Self {
        let is_woman = draw.below(2) == 1;
        Self {
            is_woman,
            surname: draw.name(&SURNAMES),
            given: draw.name(if is_woman { &WOMEN } else { &MEN }),
            birth: [
                1930 + draw.below(90),
                1 + draw.below(12),
                1 + draw.below(28),
            ],
            place: draw.below(PLACES.len() as u32) as usize,
            block: [1 + draw.below(6), 1 + draw.below(30), 1 + draw.below(20)],
            phone: draw.below(100_000_000),
            insurer: draw.below(3_000),
            symbol: 1 + draw.below(9_999),
            number: 1 + draw.below(999_999),
            branch: draw.below(5),
        }
    }

    /// The person's fields with errors.
    fn write(&mut self, noise: &mut Draw<'_>) -> Vec<(Field, String)> {
        if self.is_woman && noise.happens(rate::SURNAME) {
            self.surname = noise.name(&SURNAMES);
        }
        if noise.happens(rate::MOVED) {
            self.place = noise.below(PLACES.len() as u32) as usize;
            self.block[1] = 1 + noise.below(30);
        }
        if noise.happens(rate::INSURER) {
            self.insurer = noise.below(3_000);
            self.number = 1 + noise.below(999_999);
        }
        self.mistype(noise);
        let [year, month, day] = self.birth;
        let (city, area, town) = PLACES[self.place];
        let sex = if self.is_woman { "2" } else { "1" };
        let block = self.block.map(|number| number.to_string()).join("-");
        let postcode = format!("{area}{:03}", self.block[1]);
        let insurer = insurer_number(self.insurer);
        let mut fields = vec![
            (Field::SurnameKanji, self.surname.0.clone()),
            (Field::GivenKanji, self.given.0.clone()),
            (
                Field::NameKanji,
                format!("{}　{}", self.surname.0, self.given.0),
            ),
            (Field::SurnameKana, self.surname.1.clone()),
            (Field::GivenKana, self.given.1.clone()),
            (
                Field::NameKana,
                format!("{}　{}", self.surname.1, self.given.1),
            ),
            (Field::BirthDate, format!("{year:04}-{month:02}-{day:02}")),
            (Field::Sex, sex.to_owned()),
            (Field::Municipality, city.to_owned()),
        ];
        if !noise.happens(rate::LEFT_OUT) {
            fields.push((Field::Postcode, postcode));
            fields.push((Field::Address, format!("{town}{block}")));
        }
        if !noise.happens(rate::LEFT_OUT) {
            fields.push((Field::Phone, format!("090{:08}", self.phone)));
        }
        if !noise.happens(rate::LEFT_OUT) {
            fields.push((Field::InsurerNo, insurer));
            fields.push((Field::InsurerSymbol, self.symbol.to_string()));
            fields.push((Field::InsuredNumber, self.number.to_string()));
            fields.push((Field::InsuredBranch, format!("{:02}", self.branch)));
        }
        fields
    }

    fn mistype(&mut self, noise: &mut Draw<'_>) {
        if noise.happens(rate::KANA) {
            let part = if noise.below(2) == 0 {
                &mut self.surname.1
            } else {
                &mut self.given.1
            };
            *part = mistyped(part, noise);
        }
        if noise.happens(rate::KANJI) {
            let other = noise.name(&SURNAMES).0;
            let first = other.chars().next().unwrap_or('田');
            let mut kanji: Vec<char> = self.given.0.chars().collect();
            if let Some(last) = kanji.last_mut() {
                *last = first;
            }
            self.given.0 = kanji.into_iter().collect();
        }
        if noise.happens(rate::SWAPPED) {
            std::mem::swap(&mut self.surname, &mut self.given);
        }
        if noise.happens(rate::BIRTH_DATE) {
            match noise.below(3) {
                0 => self.birth[0] += 1 + noise.below(9),
                1 => self.birth[1] = 1 + noise.below(12),
                _ => self.birth[2] = 1 + noise.below(28),
            }
        }
        if noise.happens(rate::SEX) {
            self.is_woman = !self.is_woman;
        }
    }
}

/// A reading with one kana replaced, left out or doubled.
fn mistyped(kana: &str, noise: &mut Draw<'_>) -> String {
    const OTHERS: [char; 8] = ['ア', 'イ', 'カ', 'シ', 'タ', 'マ', 'ラ', 'ン'];
    let mut characters: Vec<char> = kana.chars().collect();
    let at = noise.below(characters.len().max(1) as u32) as usize;
    match noise.below(3) {
        _ if characters.is_empty() => {}
        0 => characters[at] = OTHERS[noise.below(8) as usize],
        1 if characters.len() > 1 => {
            characters.remove(at);
        }
        _ => characters.insert(at, characters[at]),
    }
    characters.into_iter().collect()
}

/// An insurer number with its check digit: weights 2 and 1 in turn from the right, digits added.
fn insurer_number(index: u32) -> String {
    let body = 6_130_000 + index;
    let mut sum = 0;
    let mut rest = body;
    for weight in [2, 1, 2, 1, 2, 1, 2] {
        let product = rest % 10 * weight;
        sum += product / 10 + product % 10;
        rest /= 10;
    }
    format!("{body:07}{}", (10 - sum % 10) % 10).to_string()
}

#[cfg(test)]
mod tests;
