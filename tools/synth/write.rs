//! Spells events as rows: each source with its own columns, dates, kana and addresses.

mod columns;

use std::fmt::Write as _;

use rand::Rng;

use super::calendar::{DateStyle, Day};
use super::flags;
use super::insurance::Cover;
use super::kana::HalfWidth;
use super::names::Names;
use super::noise::{NoiseRates, Observed};
use super::person::{Person, Population, Sex};
use super::places::{Home, Places};
use super::sources::{Event, PROGRAMMES, Source};

/// The fields of one row; the strings are used again for the next.
#[derive(Default)]
pub struct Row {
    fields: Vec<String>,
    used: usize,
    flags: u32,
}

impl Row {
    /// The fields written since the last [`Row::clear`].
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields[..self.used]
    }

    /// What is special about the row: bits of [`flags`]. Not one of its fields.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// Begins a new row.
    pub fn clear(&mut self) {
        self.used = 0;
        self.flags = 0;
    }

    fn flag(&mut self, flag: u32) {
        self.flags |= flag;
    }

    /// A new empty field.
    fn field(&mut self) -> &mut String {
        if self.used == self.fields.len() {
            self.fields.push(String::new());
        }
        self.used += 1;
        let field = &mut self.fields[self.used - 1];
        field.clear();
        field
    }

    fn text(&mut self, text: &str) {
        self.field().push_str(text);
    }

    fn date(&mut self, day: Day, style: DateStyle) {
        style.write(day, self.field());
    }
}

/// Writes the rows of one source.
pub struct Scribe<'a> {
    /// The source.
    pub source: Source,
    /// The people.
    pub population: &'a Population,
    /// Their names.
    pub names: &'a Names,
    /// Their places.
    pub places: &'a Places,
    /// Half-width spellings.
    pub half: &'a HalfWidth,
    rates: NoiseRates,
    observed: Observed,
}

/// A person on the day of an event, as far as columns after the name need it.
struct Scene<'a> {
    event: Event,
    person: &'a Person,
    home: &'a Home,
    cover: Cover,
}

impl<'a> Scribe<'a> {
    /// A scribe for one source.
    /// `noise` multiplies the source's error rates.
    #[must_use]
    pub fn new(
        source: Source,
        noise: f64,
        population: &'a Population,
        names: &'a Names,
        places: &'a Places,
        half: &'a HalfWidth,
    ) -> Self {
        let observed = Observed::default();
        Self {
            source,
            population,
            names,
            places,
            half,
            rates: source.noise().scaled(noise),
            observed,
        }
    }

    /// Fills `row` with the record of an event.
    pub fn write(&mut self, record_id: &str, event: Event, row: &mut Row, rng: &mut impl Rng) {
        let population = self.population;
        let person = &population.persons[event.person as usize];
        self.observed
            .observe(person, event.day, &self.rates, self.names, rng);
        row.clear();
        row.flag(self.observed.flags);
        if event.duplicate {
            row.flag(flags::DUPLICATE);
        }
        let mut home = population.home(person, event.day);
        if let Some(old) = population.former_home(person, event.day)
            && rng.random_bool(self.rates.old_address)
        {
            home = old;
            row.flag(flags::OLD_ADDRESS);
        }
        let cover = population.cover(event.person, event.day, self.places);
        let scene = Scene {
            event,
            person,
            home,
            cover,
        };
        row.text(record_id);
        match self.source {
            Source::BirthRegistry => self.birth_registry(&scene, row, rng),
            Source::ChildCheckup => self.child_checkup(&scene, row, rng),
            Source::SpecificCheckup => self.specific_checkup(&scene, row, rng),
            Source::HospitalA => self.hospital_a(&scene, row, rng),
            Source::HospitalB => self.hospital_b(&scene, row, rng),
            Source::HospitalC => self.hospital_c(&scene, row, rng),
            Source::LongTermCare => self.long_term_care(&scene, row, rng),
            Source::DeathRegistry => self.death_registry(&scene, row, rng),
            Source::Claims => self.claims(&scene, row, rng),
        }
    }

    fn birth_registry(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        let filed = Day(scene.event.day.0 + scene.event.detail as i32);
        row.date(filed, DateStyle::EraKanji);
        row.text(&self.observed.surname);
        row.text(&self.observed.given);
        // The form has kana; 1.8 % of early entries lack it.
        let kana = !rng.random_bool(0.018);
        row.text(if kana {
            &self.observed.surname_kana
        } else {
            ""
        });
        row.text(if kana { &self.observed.given_kana } else { "" });
        if !kana {
            row.flag(flags::KANJI_ONLY);
        }
        self.birth_and_sex(DateStyle::EraKanji, ["男", "女"], row);
        self.parent(scene.person.father, Sex::Man, scene, row, rng);
        self.parent(scene.person.mother, Sex::Woman, scene, row, rng);
        self.formal_address(scene, 0.0006, row, rng);
        self.municipality(scene, row);
    }

    fn child_checkup(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.text(PROGRAMMES[scene.event.detail as usize].0);
        row.date(scene.event.day, DateStyle::Hyphens);
        let gap =
            ["　", "　", "　", "　", "　", "　", "　", " ", " ", ""][rng.random_range(0..10_usize)];
        self.full_name(0.08, gap, row, rng);
        let kana = row.field();
        if rng.random_bool(0.05) {
            row.flag(flags::KANJI_ONLY);
        } else {
            let Observed {
                surname_kana,
                given_kana,
                ..
            } = &self.observed;
            write!(kana, "{surname_kana} {given_kana}").expect("a String takes everything");
        }
        self.birth_and_sex(DateStyle::EraPadded, ["M", "F"], row);
        if rng.random_bool(0.154) {
            row.field();
        } else if rng.random_bool(0.45) {
            self.parent(scene.person.father, Sex::Man, scene, row, rng);
        } else {
            self.parent(scene.person.mother, Sex::Woman, scene, row, rng);
        }
        self.desk_address(scene, 0.053, true, row, rng);
        self.municipality(scene, row);
    }

    fn specific_checkup(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.date(scene.event.day, DateStyle::Hyphens);
        self.half_width_name(0.0, row, rng);
        self.full_name(0.35, "　", row, rng);
        self.birth_and_sex(DateStyle::Slashes, ["1", "2"], row);
        self.postcode(scene, 0.06, row, rng);
        self.desk_address(scene, 0.1, false, row, rng);
        let empty = [0.009, 0.02, 0.02].map(|share| rng.random_bool(share));
        self.insurance(scene, empty, row, rng);
        Self::branch(scene, row, rng);
    }

    fn hospital_a(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        write!(row.field(), "{:08}", scene.event.detail).expect("a String takes everything");
        row.date(scene.event.day, DateStyle::Hyphens);
        row.text(&self.observed.surname);
        row.text(&self.observed.given);
        row.text(&self.observed.surname_kana);
        row.text(&self.observed.given_kana);
        self.birth_and_sex(DateStyle::Hyphens, ["M", "F"], row);
        self.postcode(scene, 0.041, row, rng);
        self.desk_address(scene, 0.021, true, row, rng);
        self.phone(scene, row, rng);
        let uninsured = rng.random_bool(0.048);
        self.insurance(scene, [uninsured; 3], row, rng);
    }

    fn hospital_b(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.flag(flags::KANA_ONLY);
        write!(row.field(), "{:08}", scene.event.detail).expect("a String takes everything");
        row.date(scene.event.day, DateStyle::Hyphens);
        self.half_width_name(0.0, row, rng);
        self.birth_and_sex(DateStyle::Compact, ["1", "2"], row);
        self.postcode(scene, 0.019, row, rng);
    }

    fn hospital_c(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        write!(row.field(), "{:08}", scene.event.detail).expect("a String takes everything");
        row.date(scene.event.day, DateStyle::YearMonth);
        let gap = if rng.random_bool(0.1) { "" } else { "　" };
        self.full_name(0.0, gap, row, rng);
        self.half_width_name(0.031, row, rng);
        self.birth_and_sex(DateStyle::EraCode, ["1", "2"], row);
        self.postcode(scene, 0.246, row, rng);
        self.desk_address(scene, 0.121, false, row, rng);
        self.insurance(scene, [false; 3], row, rng);
    }

    fn long_term_care(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.date(scene.event.day, DateStyle::EraKanji);
        write!(row.field(), "{:010}", scene.event.detail).expect("a String takes everything");
        row.text(&self.observed.surname);
        row.text(&self.observed.given);
        self.half_width_name(0.0, row, rng);
        self.birth_and_sex(DateStyle::EraShort, ["男", "女"], row);
        self.formal_address(scene, 0.0105, row, rng);
        self.municipality(scene, row);
    }

    fn death_registry(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.flag(flags::KANJI_ONLY);
        row.date(scene.event.day, DateStyle::EraKanji);
        self.full_name(0.0, "　", row, rng);
        self.birth_and_sex(DateStyle::EraKanji, ["男", "女"], row);
        self.formal_address(scene, 0.006, row, rng);
        self.municipality(scene, row);
    }

    fn claims(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        row.flag(flags::KANA_ONLY);
        row.date(scene.event.day, DateStyle::YearMonth);
        self.half_width_name(0.0, row, rng);
        self.birth_and_sex(DateStyle::Compact, ["1", "2"], row);
        self.insurance(scene, [false; 3], row, rng);
        Self::branch(scene, row, rng);
    }
}
