//! The nine kinds of source: their columns, who appears in them and when, and how noisy they are.

use rand::Rng;

use super::calendar::Day;
use super::insurance::own_number;
use super::life::last_day;
use super::noise::NoiseRates;
use super::person::{Person, Population};

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Births, as the municipality registers them.
    BirthRegistry,
    /// Checkups of children up to middle school.
    ChildCheckup,
    /// Yearly checkups from 40 to 74.
    SpecificCheckup,
    /// A hospital with split name columns, insurance and phone.
    HospitalA,
    /// A hospital with kana names only.
    HospitalB,
    /// A hospital with claim-style dates and large kana.
    HospitalC,
    /// Certifications for long-term care.
    LongTermCare,
    /// Deaths, as the municipality registers them.
    DeathRegistry,
    /// Claims, kana only, with insurance and branch.
    Claims,
}

/// Something that a source records about a person.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Index of the person.
    pub person: u32,
    /// The day it happened.
    pub day: Day,
    /// Patient number, insured number, or number of the programme.
    pub detail: u32,
    /// A second record of the same event.
    pub duplicate: bool,
}

/// Programmes of child checkups with the age at which they happen and how many years they take.
pub const PROGRAMMES: [(&str, f64, f64); 4] = [
    ("1歳6か月児健診", 1.5, 0.5),
    ("3歳児健診", 3.0, 0.9),
    ("就学時健診", 5.6, 0.9),
    ("中学校健診", 12.3, 2.6),
];

/// Registers: entered from papers, checked, near-perfect in dates. Of 160 million insurance records
/// 0.87 % differ from the resident register in name or address, variant kanji not counted: here
/// two names of kanji and two of kana go wrong in 0.2 % each. Date of birth or sex differ in 2,779,
/// 1.7×10⁻⁵ (Ministry of Health figures of 2023, in hodanren.doc-net.or.jp, 2023-12-17).
const REGISTER: NoiseRates = NoiseRates {
    kanji: 0.002,
    variant: 0.0,
    unknown_character: 0.0,
    kana_for_kanji: 0.0,
    kana: 0.002,
    misread: 0.0,
    large_kana: 0.0,
    birth: 0.000_01,
    era: 0.0,
    sex: 0.000_007,
    swapped: 0.0,
    old_surname: 0.0,
    old_address: 0.0,
    no_birth: 0.0,
    no_sex: 0.0,
};

/// A desk that types from a form or a card. No figure is published for hospital desks: these are
/// assumptions.
const DESK: NoiseRates = NoiseRates {
    kanji: 0.012,
    variant: 0.012,
    unknown_character: 0.05,
    kana_for_kanji: 0.0,
    kana: 0.012,
    misread: 0.005,
    large_kana: 0.01,
    birth: 0.008,
    era: 0.0,
    sex: 0.0025,
    swapped: 0.0012,
    old_surname: 0.10,
    old_address: 0.07,
    no_birth: 0.0025,
    no_sex: 0.003,
};

impl Source {
    /// All nine, in the order in which they are written.
    pub const ALL: [Self; 9] = [
        Self::BirthRegistry,
        Self::ChildCheckup,
        Self::SpecificCheckup,
        Self::HospitalA,
        Self::HospitalB,
        Self::HospitalC,
        Self::LongTermCare,
        Self::DeathRegistry,
        Self::Claims,
    ];

    /// Name of the source and of its file, and the letters its record IDs begin with.
    #[must_use]
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::BirthRegistry => ("birth_registry", "BR"),
            Self::ChildCheckup => ("child_checkup", "CC"),
            Self::SpecificCheckup => ("specific_checkup", "SC"),
            Self::HospitalA => ("hosp_a", "HA"),
            Self::HospitalB => ("hosp_b", "HB"),
            Self::HospitalC => ("hosp_c", "HC"),
            Self::LongTermCare => ("ltc", "LT"),
            Self::DeathRegistry => ("death_registry", "DR"),
            Self::Claims => ("ndb", "ND"),
        }
    }

    /// Columns, separated by commas.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::BirthRegistry => {
                "record_id,filing_date,surname,given,surname_kana,given_kana,birth_date,sex,father,mother,address,muni_code"
            }
            Self::ChildCheckup => {
                "record_id,program,exam_date,name,name_kana,birth_date,sex,guardian,address,muni_code"
            }
            Self::SpecificCheckup => {
                "record_id,exam_date,name_kana,name,birth_date,sex,postcode,address,insurer_no,symbol,number,branch"
            }
            Self::HospitalA => {
                "record_id,patient_no,updated,surname,given,surname_kana,given_kana,birth_date,sex,postcode,address,phone,insurer_no,symbol,number"
            }
            Self::HospitalB => "record_id,patient_no,admission,name_kana,birth_date,sex,postcode",
            Self::HospitalC => {
                "record_id,patient_no,visit_month,name,name_kana,birth_date,sex,postcode,address,insurer_no,symbol,number"
            }
            Self::LongTermCare => {
                "record_id,certified,insured_no,surname,given,name_kana,birth_date,sex,address,muni_code"
            }
            Self::DeathRegistry => "record_id,death_date,name,birth_date,sex,address,muni_code",
            Self::Claims => {
                "record_id,claim_month,name_kana,birth_date,sex,insurer_no,symbol,number,branch"
            }
        }
    }

    /// Error rates. Registers are cleanest, hospital C the worst: dates by era, large kana, kana
    /// where the claim character set lacks a kanji.
    #[must_use]
    pub fn noise(self) -> NoiseRates {
        match self {
            Self::BirthRegistry => REGISTER,
            // Old people's families file these. Of deaths, date of birth, date of death and
            // address code together found 97.4 % exactly and 99.4 % with one of them wrong (Iwasaki
            // 2000, J Epidemiol 10:362), so that about 2 % have one wrong: a third of it here.
            Self::DeathRegistry => NoiseRates {
                kanji: 0.005,
                birth: 0.004,
                era: 0.003,
                sex: 0.001,
                ..REGISTER
            },
            Self::LongTermCare => NoiseRates {
                kana: 0.011,
                kanji: 0.006,
                variant: 0.004,
                birth: 0.006,
                era: 0.006,
                sex: 0.002,
                swapped: 0.001,
                old_surname: 0.02,
                old_address: 0.02,
                misread: 0.005,
                large_kana: 0.013,
                no_birth: 0.0025,
                no_sex: 0.003,
                ..REGISTER
            },
            Self::ChildCheckup => NoiseRates {
                era: 0.003,
                birth: 0.006,
                old_address: 0.03,
                old_surname: 0.02,
                ..DESK
            },
            // Sent by insurers: names from the card, surname often the former one at work.
            Self::SpecificCheckup => NoiseRates {
                birth: 0.006,
                old_surname: 0.055,
                old_address: 0.02,
                kana: 0.014,
                large_kana: 0.004,
                unknown_character: 0.08,
                ..DESK
            },
            Self::HospitalA => DESK,
            Self::HospitalB => NoiseRates {
                kana: 0.018,
                birth: 0.011,
                swapped: 0.004,
                ..DESK
            },
            Self::HospitalC => NoiseRates {
                kanji: 0.02,
                variant: 0.02,
                unknown_character: 0.2,
                kana_for_kanji: 0.009,
                kana: 0.03,
                misread: 0.008,
                large_kana: 0.55,
                birth: 0.009,
                era: 0.005,
                sex: 0.004,
                swapped: 0.0045,
                old_surname: 0.13,
                old_address: 0.09,
                ..DESK
            },
            // Typed by whoever bills. Of some 120 million people 330,000 have claims of one ID5
            // that differ in sex or month of birth (JCMI 2024, 4-G-3-03): 0.28 %. About half of
            // the wrong dates change year or month.
            Self::Claims => NoiseRates {
                kana: 0.02,
                birth: 0.004,
                sex: 0.000_8,
                old_address: 0.0,
                swapped: 0.0034,
                old_surname: 0.08,
                ..DESK
            },
        }
    }

    /// First day of the period that the source covers.
    fn since(self) -> Day {
        let year = match self {
            Self::BirthRegistry => 1970,
            Self::ChildCheckup => 1986,
            Self::DeathRegistry => 1995,
            Self::HospitalA | Self::LongTermCare => 2000,
            Self::HospitalC => 2002,
            Self::HospitalB => 2004,
            Self::SpecificCheckup => 2008,
            Self::Claims => 2009,
        };
        Day::of(year, 1, 1)
    }

    /// What this source records of the whole population, person by person.
    pub fn events(self, population: &Population, rng: &mut impl Rng) -> Vec<Event> {
        let mut events = Vec::new();
        for (index, person) in (0..).zip(&population.persons) {
            let number = u64::from(population.number(index));
            let mut seen = Seen {
                source: self,
                index,
                person,
                events: &mut events,
            };
            match self {
                Self::BirthRegistry => seen.birth(rng),
                Self::ChildCheckup => seen.child(rng),
                Self::SpecificCheckup => seen.checkups(rng),
                Self::HospitalA => seen.visits(0.31, number, rng),
                Self::HospitalB => seen.visits(0.19, number, rng),
                Self::HospitalC => seen.visits(0.36, number, rng),
                Self::LongTermCare => seen.care(number, rng),
                Self::DeathRegistry => seen.death(rng),
                Self::Claims => seen.claims(rng),
            }
        }
        events
    }
}

/// The eight digits that a hospital gives a patient; `second` is for an ID issued twice.
fn patient_number(source: Source, person: u64, second: bool) -> u32 {
    let number = own_number(2 * person + u64::from(second), source as u64, 90_000_000);
    10_000_000 + number as u32
}

/// One person before one source.
struct Seen<'a> {
    source: Source,
    index: u32,
    person: &'a Person,
    events: &'a mut Vec<Event>,
}

impl Seen<'_> {
    /// Records an event if the person is there and the source covers the day.
    fn record(&mut self, day: Day, detail: u32) {
        if day >= self.source.since() && day <= last_day() && self.person.present(day) {
            self.events.push(Event {
                person: self.index,
                day,
                detail,
                duplicate: false,
            });
        }
    }

    /// A random day of the person's presence within the source's period.
    fn some_day(&self, rng: &mut impl Rng) -> Option<Day> {
        let from = self
            .source
            .since()
            .max(self.person.seen.0)
            .max(self.person.birth);
        let end = self.person.death.unwrap_or(last_day());
        let until = end.min(self.person.seen.1).min(last_day());
        (from < until).then(|| Day(rng.random_range(from.0..until.0)))
    }

    /// Filed within 14 days, as the law asks; 0.15 % are filed twice.
    fn birth(&mut self, rng: &mut impl Rng) {
        if self.person.mother.is_none() && !rng.random_bool(0.6) || !rng.random_bool(0.97) {
            return;
        }
        let times = if rng.random_bool(0.0015) { 2 } else { 1 };
        for _ in 0..times {
            self.record(self.person.birth, rng.random_range(1..15));
        }
    }

    /// Six in ten children live where the municipality takes part.
    fn child(&mut self, rng: &mut impl Rng) {
        if !rng.random_bool(0.6) {
            return;
        }
        for (programme, (_, age, spread)) in (0..).zip(PROGRAMMES) {
            let day = self
                .person
                .birth
                .plus_years(age + spread * rng.random::<f64>());
            if rng.random_bool(0.9) {
                self.record(day, programme);
            }
        }
    }

    /// People go every year, sometimes, or never.
    fn checkups(&mut self, rng: &mut impl Rng) {
        let rate = [0.0, 0.1, 0.15, 0.25, 0.45][rng.random_range(0..5_usize)];
        for year in 2008..2024 {
            let day = Day(Day::of(year, 4, 1).0 + rng.random_range(0..330));
            if (40..75).contains(&self.person.birth.age_at(day)) && rng.random_bool(rate) {
                self.record(day, 0);
            }
        }
    }

    /// One to four visits. One patient in forty gets a second number: an ID issued twice.
    fn visits(&mut self, share: f64, person: u64, rng: &mut impl Rng) {
        if !rng.random_bool(share) {
            return;
        }
        let twice = rng.random_bool(0.045);
        let visits = [1, 1, 1, 1, 1, 2, 2, 2, 2, 3][rng.random_range(0..10_usize)];
        for _ in 0..visits {
            let Some(day) = self.some_day(rng) else {
                return;
            };
            let second = twice && rng.random_bool(0.5);
            self.record(day, patient_number(self.source, person, second));
        }
    }

    /// Certified once, most often past 75, and renewed every two years or so.
    fn care(&mut self, person: u64, rng: &mut impl Rng) {
        let insured = own_number(person, 0, 1_000_000_000) as u32;
        let age = 66.0 + 12.0 * (rng.random::<f64>() + rng.random::<f64>());
        let mut day = self.person.birth.plus_years(age).max(self.source.since());
        let times = [0, 1, 1, 1, 2, 2, 2, 3, 3, 5][rng.random_range(0..10_usize)];
        for _ in 0..times {
            self.record(day, insured);
            day = day.plus_years(1.0 + 2.0 * rng.random::<f64>());
        }
    }

    fn death(&mut self, rng: &mut impl Rng) {
        if let Some(day) = self.person.death
            && rng.random_bool(0.98)
        {
            self.record(day, 0);
        }
    }

    fn claims(&mut self, rng: &mut impl Rng) {
        let claims = [0, 1, 1, 2, 2, 2, 2, 3, 3, 4][rng.random_range(0..10_usize)];
        for _ in 0..claims {
            let Some(day) = self.some_day(rng) else {
                return;
            };
            self.record(day, 0);
        }
    }
}
