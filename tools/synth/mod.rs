//! A synthetic Japanese population and what nine kinds of source record of it.
//!
//! Families are born, marry, divorce, move, change insurer and die ([`life`]); each source sees some
//! of it ([`sources`]) and spells it in its own way, with its own errors ([`noise`], [`write`]). No
//! real person is in it: names and places are general knowledge, every combination is drawn. The
//! truth about who is who goes into `truth.csv` and `persons.csv` and nowhere else: record IDs follow
//! a shuffled order, and what is special about a record ([`flags`]) is no column of a source.
//!
//! # Files
//! [`files::generate`] writes nine sources as CSV with their maps, `truth.csv` (source, record_id,
//! person_id, event_date, surname_state, noise_flags), `persons.csv`, and `tracers.csv` if tracers
//! are asked for. Columns are those of the public set `jp_small`.
//!
//! # In a test
//! With the feature `source`, people become normalised records without touching a disk:
//!
//! ```
//! use musubi::tools::synth::SynthOptions;
//! use musubi::tools::synth::sample::{Sample, sample};
//!
//! let options = SynthOptions { persons: 50, seed: 7, duplicates: 0.02, one_per_source: true, ..SynthOptions::default() };
//! let made: Sample = sample(&options).expect("options are in range");
//! let source = &made.sources[0];
//! assert_eq!(source.records.len(), source.truth.len()); // record i is about person truth[i].person
//! ```
//!
//! # Shards
//! People are made in shards of [`SHARD_PERSONS`], each from its own streams of randomness, so that
//! the bytes do not depend on the number of threads and memory does not grow with the number of
//! people. Relatives are of one shard. A file holds shard after shard, each shuffled.
//!
//! # Noise model
//! A record starts from the facts of its day: the surname then held, home, insurance. Then, with the
//! rates of the source ([`sources::Source::noise`], times [`SynthOptions::noise`]) and independently
//! of each other: the surname or home before the last change; a foreigner's alias; another kanji of
//! the same reading, or one left out; a variant kanji; a rare kanji as `■` or `?`; kana in place of
//! kanji; another reading of the given name; a slip in the kana (six in ten a confused letter, else
//! left out, doubled, or exchanged); small kana stored large; surname and given name exchanged; a
//! wrong date of birth (day and month exchanged, a digit, a neighbouring year, 1 January) or the
//! right year of the wrong era; the wrong sex; date of birth or sex left empty. Addresses, numbers
//! and readings are missing in some sources with rates of their own ([`write`]).

pub mod calendar;
pub mod command;
pub mod files;
pub mod flags;
pub mod insurance;
pub mod kana;
pub mod life;
pub mod maps;
pub mod names;
mod names_table;
pub mod noise;
pub mod person;
pub mod places;
#[cfg(feature = "source")]
pub mod sample;
mod shard;
pub mod sources;
pub mod truth;
pub mod write;

use std::sync::LazyLock;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use self::files::{SynthError, SynthReport, generate};
pub use self::shard::SHARD_PERSONS;

use self::kana::HalfWidth;
use self::names::Names;
use self::places::Places;

/// Most people that can be made: beyond, numbers of patients would repeat.
pub const PERSONS_MAX: u32 = 45_000_000;

/// What to generate. The same options give the same bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthOptions {
    /// Number of people; about six times as many records.
    pub persons: u32,
    /// Seed of all randomness.
    pub seed: u64,
    /// Share of people, from 0 to 0.1, who are planted as the namesake of another: same surname,
    /// given name, date of birth and sex. More come about by chance in large populations.
    pub namesakes: f64,
    /// Share of events, from 0 to 1, that their source records twice, with errors of its own each time.
    pub duplicates: f64,
    /// Keep one event of each person in each source, so that only duplicates repeat a person.
    pub one_per_source: bool,
    /// Share of events, from 0 to 1, that reach their source at all.
    pub coverage: f64,
    /// Factor on all error rates, from 0 to 100.
    pub noise: f64,
    /// Further people, with records like everyone's, who are listed as tracers.
    pub tracers: u32,
}

/// Namesakes by default. Of 3.0 million people, 500 to 1,700 pairs of different people are expected
/// to share kana name, date of birth and sex, computed from the frequencies of names: this many
/// people are planted beside another, so that a small population has its share as well.
pub const NAMESAKES: f64 = 0.000_3;

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            persons: 20_000,
            seed: 1,
            namesakes: NAMESAKES,
            duplicates: 0.0,
            one_per_source: false,
            coverage: 1.0,
            noise: 1.0,
            tracers: 0,
        }
    }
}

/// Why options are refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// Nobody to generate, or too many.
    #[error("people and tracers together are {given}; they must be 1 to {PERSONS_MAX}")]
    Persons {
        /// As asked.
        given: u64,
    },
    /// A share or factor is out of its range.
    #[error("{option} is {given}; it must be 0 to {most}")]
    Range {
        /// Name of the option.
        option: &'static str,
        /// As asked.
        given: f64,
        /// Largest allowed.
        most: f64,
    },
}

impl SynthOptions {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`OptionsError`].
    pub fn check(&self) -> Result<(), OptionsError> {
        let given = u64::from(self.persons) + u64::from(self.tracers);
        if self.persons == 0 || given > u64::from(PERSONS_MAX) {
            return Err(OptionsError::Persons { given });
        }
        for (option, given, most) in [
            ("namesakes", self.namesakes, 0.1),
            ("duplicates", self.duplicates, 1.0),
            ("coverage", self.coverage, 1.0),
            ("noise", self.noise, 100.0),
        ] {
            if !(0.0..=most).contains(&given) {
                return Err(OptionsError::Range {
                    option,
                    given,
                    most,
                });
            }
        }
        Ok(())
    }
}

/// Tables without randomness, made once.
struct Tables {
    names: Names,
    places: Places,
    half: HalfWidth,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    names: Names::new(),
    places: Places::new(),
    half: HalfWidth::new(),
});

/// An independent stream of randomness for each part, so that one does not disturb another.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

#[cfg(test)]
mod rate_tests;
#[cfg(test)]
mod tests;
