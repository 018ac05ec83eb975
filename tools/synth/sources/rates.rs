//! How noisy each kind of source is, with the published figure beside the rate where there is one.

use super::Source;
use crate::tools::synth::noise::NoiseRates;

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
}
