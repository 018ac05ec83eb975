//! Names with the frequencies of a population: a head of common names and a long composed tail.
//!
//! How often two strangers share a name decides how hard linkage is. The measure is Σp², the chance
//! that two random people share it. Target for kana surnames: .0022 (own count over a list of Japanese surnames);
//! for given names of one sex and cohort: .003 to .01.

use std::collections::{HashMap, HashSet};

use rand::Rng;

use super::calendar::Day;
use super::names_table as table;
use super::person::Sex;

/// Index of a name in [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameId(u32);

/// A name as written and as read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// Kanji, kana or Latin letters, as a register writes it.
    pub written: String,
    /// Full-width katakana.
    pub kana: String,
}

/// Names with their cumulative weights.
#[derive(Default)]
struct Pool {
    ids: Vec<u32>,
    cumulative: Vec<f64>,
}

impl Pool {
    fn push(&mut self, id: u32, weight: f64) {
        let before = self.cumulative.last().copied().unwrap_or(0.0);
        self.ids.push(id);
        self.cumulative.push(before + weight);
    }

    fn draw(&self, rng: &mut impl Rng) -> NameId {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let at = rng.random::<f64>() * total;
        let index = self.cumulative.partition_point(|&sum| sum <= at);
        NameId(self.ids[index.min(self.ids.len() - 1)])
    }
}

/// Share of the population that bears one of the tabulated surnames; the rest is the composed tail.
const SURNAME_HEAD: f64 = 0.5;
/// Weight of a variant spelling (髙橋) next to its common one (高橋).
const VARIANT_WEIGHT: f64 = 0.08;
/// Share of tabulated given names by cohort: name giving has become more varied.
const GIVEN_HEAD: [f64; 4] = [0.36, 0.36, 0.32, 0.28];

/// All names a synthetic population draws from.
pub struct Names {
    names: Vec<Name>,
    surnames: Pool,
    given: [[Pool; 4]; 2],
    latin: [Pool; 3],
    kanji_foreign: [Pool; 2],
    readings: HashMap<String, Vec<u32>>,
    writings: HashMap<String, Vec<u32>>,
    variants: Vec<(char, char)>,
}

impl Names {
    /// Builds the tables. No randomness: the same names for every seed.
    #[must_use]
    pub fn new() -> Self {
        let mut made = Self {
            names: Vec::new(),
            surnames: Pool::default(),
            given: Default::default(),
            latin: Default::default(),
            kanji_foreign: Default::default(),
            readings: HashMap::new(),
            writings: HashMap::new(),
            variants: parse(table::VARIANTS)
                .filter_map(|pair| Some((pair.written.chars().next()?, pair.kana.chars().next()?)))
                .collect(),
        };
        made.add_surnames();
        let men = (table::MEN, table::MAN_FIRST, table::MAN_SECOND);
        let women = (table::WOMEN, table::WOMAN_FIRST, table::WOMAN_SECOND);
        for (sex, (heads, first, second)) in [men, women].into_iter().enumerate() {
            for (cohort, head) in heads.iter().enumerate() {
                made.given[sex][cohort] = made.given_pool(head, first, second, cohort);
            }
        }
        let latin = [table::LATIN_MEN, table::LATIN_WOMEN, table::LATIN_SURNAMES];
        made.latin = latin.map(|text| made.flat_pool(text));
        let kanji = [table::KANJI_FOREIGN_SURNAMES, table::KANJI_FOREIGN_GIVEN];
        made.kanji_foreign = kanji.map(|text| made.flat_pool(text));
        made
    }

    /// The name of an ID.
    #[must_use]
    pub fn get(&self, id: NameId) -> &Name {
        &self.names[id.0 as usize]
    }

    /// Draws a surname.
    pub fn surname(&self, rng: &mut impl Rng) -> NameId {
        self.surnames.draw(rng)
    }

    /// Draws a given name as parents chose at that time.
    pub fn given(&self, sex: Sex, birth: Day, rng: &mut impl Rng) -> NameId {
        let cohort = match birth.year() {
            ..1945 => 0,
            1945..1975 => 1,
            1975..1995 => 2,
            _ => 3,
        };
        self.given[sex as usize][cohort].draw(rng)
    }

    /// Draws surname and given name in Latin letters.
    pub fn latin(&self, sex: Sex, rng: &mut impl Rng) -> (NameId, NameId) {
        (self.latin[2].draw(rng), self.latin[sex as usize].draw(rng))
    }

    /// Draws a foreign name that is written in kanji.
    pub fn kanji_foreign(&self, rng: &mut impl Rng) -> (NameId, NameId) {
        let [surname, given] = &self.kanji_foreign;
        (surname.draw(rng), given.draw(rng))
    }

    /// Another reading of the same writing, if the tables know one.
    pub fn other_reading(&self, id: NameId, rng: &mut impl Rng) -> Option<&str> {
        let same = self.readings.get(&self.get(id).written)?;
        let other = same[rng.random_range(0..same.len())];
        (other != id.0).then(|| self.names[other as usize].kana.as_str())
    }

    /// Another writing of the same reading: what a clerk types who heard the name.
    pub fn other_writing(&self, id: NameId, rng: &mut impl Rng) -> Option<&str> {
        let same = self.writings.get(&self.get(id).kana)?;
        let other = same[rng.random_range(0..same.len())];
        (other != id.0).then(|| self.names[other as usize].written.as_str())
    }

    /// The variant of a kanji, in either direction.
    #[must_use]
    pub fn variant(&self, kanji: char) -> Option<char> {
        self.variants.iter().find_map(|&(common, variant)| {
            if kanji == common {
                Some(variant)
            } else {
                (kanji == variant).then_some(common)
            }
        })
    }

    /// Whether the character is a variant outside the older character sets.
    #[must_use]
    pub fn is_rare(&self, kanji: char) -> bool {
        self.variants.iter().any(|&(_, variant)| variant == kanji)
    }

    /// Number of different surnames.
    #[must_use]
    pub fn surname_count(&self) -> usize {
        self.surnames.ids.len()
    }

    fn add(&mut self, name: Name) -> u32 {
        let id = self.names.len() as u32;
        let readings = self.readings.entry(name.written.clone()).or_default();
        if readings
            .iter()
            .all(|&i| self.names[i as usize].kana != name.kana)
        {
            readings.push(id);
        }
        let writings = self.writings.entry(name.kana.clone()).or_default();
        if writings
            .iter()
            .all(|&i| self.names[i as usize].written != name.written)
        {
            writings.push(id);
        }
        self.names.push(name);
        id
    }

    /// Head: 1/(rank+10)^.9 of [`SURNAME_HEAD`]. Tail: 1/(rank+60)^.7 of the rest. Σp² is then about
    /// .0024 before names of equal kana are counted together.
    fn add_surnames(&mut self) {
        let head: Vec<Name> = parse(table::SURNAMES).collect();
        let known: HashSet<String> = head.iter().map(|name| name.written.clone()).collect();
        let tail: Vec<Name> = composed(table::SURNAME_FIRST, table::SURNAME_SECOND)
            .filter(|name| !known.contains(&name.written))
            .collect();
        let weights = |count: usize, share: f64, offset: f64, power: f64| -> Vec<f64> {
            let raw = (0..count).map(|rank| (rank as f64 + offset).powf(-power));
            let raw: Vec<f64> = raw.collect();
            let total: f64 = raw.iter().sum();
            raw.iter().map(|weight| weight / total * share).collect()
        };
        let head_weights = weights(head.len(), SURNAME_HEAD, 10.0, 0.9);
        let tail_weights = weights(tail.len(), 1.0 - SURNAME_HEAD, 60.0, 0.7);
        let all = head.into_iter().chain(tail);
        for (name, weight) in all.zip(head_weights.into_iter().chain(tail_weights)) {
            let varied = self.varied(&name);
            let id = self.add(name);
            self.surnames.push(id, weight);
            if let Some(variant) = varied {
                let id = self.add(variant);
                self.surnames.push(id, weight * VARIANT_WEIGHT);
            }
        }
    }

    fn varied(&self, name: &Name) -> Option<Name> {
        let swap = |kanji: char| self.variant(kanji).unwrap_or(kanji);
        let written: String = name.written.chars().map(swap).collect();
        let kana = name.kana.clone();
        (written != name.written).then_some(Name { written, kana })
    }

    fn given_pool(&mut self, head: &str, first: &str, second: &str, cohort: usize) -> Pool {
        let mut pool = Pool::default();
        let share = GIVEN_HEAD[cohort];
        let head: Vec<Name> = parse(head).collect();
        let raw = |rank: usize| 1.0 / (rank as f64 + 9.0);
        let total: f64 = (0..head.len()).map(raw).sum();
        for (rank, name) in head.into_iter().enumerate() {
            let id = self.add(name);
            pool.push(id, share * raw(rank) / total);
        }
        // Each cohort has its own third of the second elements, which are sorted by age.
        let seconds: Vec<&str> = second.split_whitespace().collect();
        let window = seconds.len() / 2;
        let start = (seconds.len() - window) * cohort / 3;
        let tail: Vec<Name> = composed(first, &seconds[start..start + window].join(" ")).collect();
        let each = (1.0 - share) / tail.len() as f64;
        for name in tail {
            let id = self.add(name);
            pool.push(id, each);
        }
        pool
    }

    fn flat_pool(&mut self, text: &str) -> Pool {
        let mut pool = Pool::default();
        for name in parse(text) {
            let id = self.add(name);
            pool.push(id, 1.0);
        }
        pool
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a table of `written/kana`, separated by spaces.
fn parse(text: &str) -> impl Iterator<Item = Name> + '_ {
    text.split_whitespace().filter_map(|entry| {
        let (written, kana) = entry.split_once('/')?;
        Some(Name {
            written: written.replace('_', " "),
            kana: kana.replace('_', " "),
        })
    })
}

/// Every first element with every second one; the sum of ranks orders them, so that combinations
/// of frequent elements come first. An element is not doubled.
fn composed(first: &str, second: &str) -> impl Iterator<Item = Name> {
    let first: Vec<Name> = parse(first).collect();
    let second: Vec<Name> = parse(second).collect();
    let mut ranked = Vec::with_capacity(first.len() * second.len());
    for (i, front) in first.iter().enumerate() {
        for (j, back) in second.iter().enumerate() {
            if front.written != back.written {
                let written = format!("{}{}", front.written, back.written);
                let kana = format!("{}{}", front.kana, back.kana);
                ranked.push((i + j, Name { written, kana }));
            }
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut seen = HashSet::new();
    ranked.retain(|(_, name)| seen.insert(name.written.clone()));
    ranked.into_iter().map(|(_, name)| name)
}
