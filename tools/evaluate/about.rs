//! What is known about records and persons beside who is who: noise flags, twins, namesakes,
//! foreigners. Needed only for strata.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::truth::{ReadTruthError, Truth};
use crate::tools::synth::flags;
use crate::tools::synth::truth::PersonTruth;

/// Twins.
pub const TWIN: u8 = 1;
/// People who share names, date of birth and sex with another.
pub const NAMESAKE: u8 = 1 << 1;
/// Foreigners.
pub const FOREIGN: u8 = 1 << 2;

/// Flags that only truths of our own making have; where none occurs, names of sources tell.
const OWN_FLAGS: u32 = !(flags::VARIANT - 1);

/// What a truth knows about one record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordAbout {
    /// Bits of [`flags`].
    pub flags: u32,
    /// Which of the person's surnames held at the event, from 0.
    pub surname_state: u8,
}

impl From<PersonTruth> for u8 {
    fn from(person: PersonTruth) -> Self {
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        bit(person.twin, TWIN) | bit(person.namesake, NAMESAKE) | bit(person.foreign, FOREIGN)
    }
}

/// Columns of `persons.csv` that strata need; all but the first may be missing.
const PERSON: [&str; 8] = [
    "person_id",
    "twin_group",
    "namesake",
    "nationality",
    "birth_surname_kana",
    "given_kana",
    "birth_date",
    "sex",
];

impl Truth {
    /// Adds what `persons.csv` knows: `twin_group` and `nationality` where not empty, `namesake`
    /// where `1`; and everyone with the same reading at birth, date of birth and sex as another is
    /// a namesake too. Persons without records are left out.
    ///
    /// # Errors
    /// [`ReadTruthError`]: unreadable, or without the column `person_id`.
    pub fn read_persons(&mut self, path: &Path) -> Result<(), ReadTruthError> {
        let unreadable = |source| ReadTruthError::Read {
            path: path.to_owned(),
            source,
        };
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        let headers = reader.headers().map_err(unreadable)?.clone();
        let places = PERSON.map(|column| headers.iter().position(|name| name.trim() == column));
        if places[0].is_none() {
            return Err(ReadTruthError::MissingColumn {
                path: PathBuf::from(path),
                column: PERSON[0],
            });
        }
        let mut alike: HashMap<[String; 4], Vec<u32>> = HashMap::new();
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(unreadable)? {
            let field = |index: usize| places[index].and_then(|place| row.get(place));
            let Some(person) = field(0).and_then(|id| self.person(id.trim())) else {
                continue;
            };
            let filled = |index: usize| field(index).is_some_and(|text| !text.trim().is_empty());
            let mut about = 0;
            about |= if filled(1) { TWIN } else { 0 };
            about |= if field(2) == Some("1") { NAMESAKE } else { 0 };
            about |= if filled(3) { FOREIGN } else { 0 };
            self.add_to_person(person, about);
            if (4..8).all(filled) {
                let key = [4, 5, 6, 7].map(|index| field(index).unwrap_or_default().to_owned());
                alike.entry(key).or_default().push(person);
            }
        }
        for persons in alike.into_values().filter(|persons| persons.len() > 1) {
            for person in persons {
                self.add_to_person(person, NAMESAKE);
            }
        }
        Ok(())
    }

    /// Fills in which records have kanji or kana only, if the truth has no flags of our own: the
    /// death registry of `jp_small` has no readings, its hospital B and claims nothing else.
    pub(super) fn infer_scripts(&mut self) {
        if self
            .records()
            .any(|(_, about)| about.flags & OWN_FLAGS != 0)
        {
            return;
        }
        let of_source = |name: &str| match name {
            "death_registry" => flags::KANJI_ONLY,
            "hosp_b" | "ndb" => flags::KANA_ONLY,
            _ => 0,
        };
        let by_source: Vec<u32> = self.sources().map(of_source).collect();
        for (source, about) in self.records_mut() {
            about.flags |= by_source[usize::from(source)];
        }
    }
}
