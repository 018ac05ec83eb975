//! Columns that several sources share: names, dates, addresses, insurance.

use std::fmt::Write as _;

use rand::Rng;

use super::{Row, Scene, Scribe};
use crate::tools::synth::calendar::DateStyle;
use crate::tools::synth::flags;
use crate::tools::synth::insurance::{Symbol, spread};
use crate::tools::synth::person::{Sex, at};
use crate::tools::synth::places::AddressStyle;

/// Branch numbers are printed since this year, and half of the systems pass them on.
const BRANCH_SINCE: i32 = 2021;
const PASSES_BRANCH: f64 = 0.5;
/// Insurer numbers whose leading zero a spreadsheet has eaten.
const LOSES_ZERO: f64 = 0.015;

impl Scribe<'_> {
    pub(super) fn full_name(&self, empty: f64, gap: &str, row: &mut Row, rng: &mut impl Rng) {
        if rng.random_bool(empty) {
            row.text("");
            row.flag(flags::KANA_ONLY);
            return;
        }
        let field = row.field();
        field.push_str(&self.observed.surname);
        field.push_str(gap);
        field.push_str(&self.observed.given);
    }

    pub(super) fn half_width_name(&self, empty: f64, row: &mut Row, rng: &mut impl Rng) {
        if rng.random_bool(empty) {
            row.text("");
            row.flag(flags::KANJI_ONLY);
            return;
        }
        let field = row.field();
        self.half.write(&self.observed.surname_kana, field);
        field.push(' ');
        self.half.write(&self.observed.given_kana, field);
    }

    pub(super) fn birth_and_sex(&self, style: DateStyle, sexes: [&str; 2], row: &mut Row) {
        let field = row.field();
        if let Some(birth) = self.observed.birth {
            style.write(birth, field);
        }
        row.text(self.observed.sex.map_or("", |sex| sexes[sex as usize]));
    }

    /// A parent's name at the event. Parents outside the population are made up on the spot; they
    /// bear the child's surname.
    pub(super) fn parent(
        &self,
        parent: Option<u32>,
        sex: Sex,
        scene: &Scene,
        row: &mut Row,
        rng: &mut impl Rng,
    ) {
        let (surname, given) = match parent {
            Some(index) => {
                let parent = &self.population.persons[index as usize];
                (*at(&parent.surnames, scene.event.day), parent.given)
            }
            None => {
                let born = scene.person.birth.plus_years(-30.0);
                let surname = *at(&scene.person.surnames, scene.event.day);
                (surname, self.names.given(sex, born, rng))
            }
        };
        let (surname, given) = (self.names.get(surname), self.names.get(given));
        write!(row.field(), "{}　{}", surname.written, given.written)
            .expect("a String takes everything");
    }

    pub(super) fn formal_address(
        &self,
        scene: &Scene,
        empty: f64,
        row: &mut Row,
        rng: &mut impl Rng,
    ) {
        if rng.random_bool(empty) {
            row.text("");
            row.flag(flags::NO_ADDRESS);
            return;
        }
        let style = AddressStyle::Formal;
        self.places
            .write_address(scene.home, style, true, Some('　'), row.field());
    }

    /// As a desk types it: with or without prefecture and building; `varied` desks mix digit widths.
    pub(super) fn desk_address(
        &self,
        scene: &Scene,
        empty: f64,
        varied: bool,
        row: &mut Row,
        rng: &mut impl Rng,
    ) {
        let style = match rng.random_range(0..10) {
            0..5 if varied => AddressStyle::FullWidth,
            5..7 if varied => AddressStyle::Banchi,
            _ => AddressStyle::HalfWidth,
        };
        let prefecture = rng.random_bool(if varied { 0.45 } else { 0.25 });
        let building = [None, Some('　'), Some(' ')][rng.random_range(0..3_usize)];
        if rng.random_bool(empty) {
            row.text("");
            row.flag(flags::NO_ADDRESS);
            return;
        }
        self.places
            .write_address(scene.home, style, prefecture, building, row.field());
    }

    pub(super) fn postcode(&self, scene: &Scene, empty: f64, row: &mut Row, rng: &mut impl Rng) {
        let field = row.field();
        if !rng.random_bool(empty) {
            self.places.write_postcode(scene.home, field);
        }
    }

    pub(super) fn municipality(&self, scene: &Scene, row: &mut Row) {
        let code = self.places.municipality(scene.home).code;
        write!(row.field(), "{code}").expect("a String takes everything");
    }

    /// A mobile number for two in three, which stays for life, else the household's line.
    pub(super) fn phone(&self, scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        let field = row.field();
        if rng.random_bool(0.12) {
            return;
        }
        let own = self.population.number(scene.event.person);
        let member = at(&scene.person.memberships, scene.event.day);
        let written = if spread(own, 11, 3) > 0 {
            let network = 7 + spread(own, 12, 3);
            write!(field, "0{network}0{:08}", spread(own, 13, 100_000_000))
        } else {
            let household = self.population.household_number(member.household);
            write!(field, "07{:08}", spread(household, 14, 100_000_000))
        };
        written.expect("a String takes everything");
    }

    pub(super) fn insurance(
        &self,
        scene: &Scene,
        empty: [bool; 3],
        row: &mut Row,
        rng: &mut impl Rng,
    ) {
        let cover = &scene.cover;
        let insurer = row.field();
        let lost = rng.random_bool(LOSES_ZERO);
        if !empty[0] {
            cover.write_insurer(lost, insurer);
        }
        let symbol = row.field();
        if !empty[1] {
            cover.write_symbol(symbol);
        }
        let number = row.field();
        if !empty[2] {
            write!(number, "{}", cover.number).expect("a String takes everything");
        }
    }

    /// The old-old have no branch; others since 2021, if the system passes it on.
    pub(super) fn branch(scene: &Scene, row: &mut Row, rng: &mut impl Rng) {
        let field = row.field();
        let printed = scene.event.day.year() >= BRANCH_SINCE && scene.cover.symbol != Symbol::None;
        if printed && rng.random_bool(PASSES_BRANCH) {
            write!(field, "{:02}", scene.cover.branch).expect("a String takes everything");
        }
    }
}
