//! Children of a couple: when they come, twins, and where they go after a divorce.

use rand::Rng;

use super::{Couple, Simulation, last_day};
use crate::tools::synth::calendar::Day;
use crate::tools::synth::names::{NameId, Names};
use crate::tools::synth::person::{Sex, at};

/// Twins of the same sex: all identical pairs and half of the others.
const TWINS_SAME_SEX: f64 = 0.65;
/// Minor children who live with the mother after a divorce.
const CHILDREN_FOLLOW_MOTHER: f64 = 0.85;
/// Children of a mother who returned to her surname whose surname is changed with hers.
const CHILD_TAKES_SURNAME: f64 = 0.65;
/// Deliveries of twins; about one birth in a hundred.
const TWIN_DELIVERIES: f64 = 0.011;

impl<R: Rng> Simulation<'_, R> {
    /// The couple's children: none to four, the first a year or more after the wedding.
    pub(super) fn raise(&mut self, couple: &Couple) {
        let wanted = [0, 1, 1, 2, 2, 2, 2, 3, 3, 4][self.rng.random_range(0..10_usize)];
        let fertile = self.person(couple.wife).birth.plus_years(42.0);
        let until = couple
            .divorced
            .unwrap_or(last_day())
            .min(fertile)
            .min(last_day());
        let mut day = couple.married.plus_years(self.between(0.8, 4.0));
        let mut position = 2;
        for _ in 0..wanted {
            let parents_live = self.alive(couple.wife, day) && self.alive(couple.husband, day);
            if day > until || self.full() || !parents_live {
                return;
            }
            let sex = if self.rng.random_bool(0.513) {
                Sex::Man
            } else {
                Sex::Woman
            };
            let first = self.bear(couple, day, sex, position);
            position += 1;
            if self.rng.random_bool(TWIN_DELIVERIES) && !self.full() {
                let same = self.rng.random_bool(TWINS_SAME_SEX);
                let second_sex = if same { sex } else { sex.other() };
                let second = self.bear(couple, day, second_sex, position);
                position += 1;
                self.tell_apart(first, second);
                for twin in [first, second] {
                    self.made.persons[twin as usize].twin = Some(first);
                }
            }
            day = day.plus_years(self.between(1.2, 5.0));
        }
    }

    /// Parents do not give two twins names that read the same.
    fn tell_apart(&mut self, first: u32, second: u32) {
        let kana = |names: &Names, id: NameId| names.get(id).kana.clone();
        let taken = kana(self.names, self.person(first).given);
        let (sex, birth) = (self.person(second).sex, self.person(second).birth);
        while kana(self.names, self.person(second).given) == taken {
            let other = self.names.given(sex, birth, self.rng);
            self.made.persons[second as usize].given = other;
        }
    }

    fn bear(&mut self, couple: &Couple, day: Day, sex: Sex, position: u8) -> u32 {
        let surname = *at(&self.person(couple.husband).surnames, day);
        let child = self.new_person(sex, day, surname, couple.household, position);
        if let Some(ends) = couple.divorced
            && day.age_at(ends) < 18
            && self.rng.random_bool(CHILDREN_FOLLOW_MOTHER)
        {
            let mother = *at(&self.person(couple.wife).memberships, ends);
            self.join(child, ends, mother.household, position);
            if couple.returned && self.rng.random_bool(CHILD_TAKES_SURNAME) {
                let surname = *at(&self.person(couple.wife).surnames, ends);
                self.made.persons[child as usize]
                    .surnames
                    .push((ends, surname));
            }
        }
        let person = &mut self.made.persons[child as usize];
        person.father = Some(couple.husband);
        person.mother = Some(couple.wife);
        self.growing.push(child);
        child
    }
}
