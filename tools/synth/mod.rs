//! A synthetic Japanese population and what nine kinds of source record of it.
//!
//! Families are born, marry, divorce, move and die ([`life`]); each source sees some of it ([`sources`])
//! and spells it in its own way, with its own errors ([`noise`], [`write`]). No real person is in it:
//! names and places are general knowledge, every combination is drawn. The truth about who is who
//! goes into `truth.csv` and nowhere else: record IDs follow a shuffled order.

pub mod calendar;
pub mod insurance;
pub mod kana;
pub mod life;
pub mod names;
mod names_table;
pub mod noise;
pub mod person;
pub mod places;
pub mod sources;
pub mod write;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use self::kana::HalfWidth;
use self::names::Names;
use self::places::Places;
use self::sources::Source;
use self::write::{Row, Scribe};

/// Rows between two reports of progress.
const PROGRESS_EVERY: usize = 4_096;

/// What to generate.
#[derive(Debug, Clone)]
pub struct SynthOptions {
    /// Number of people; about six times as many records.
    pub persons: u32,
    /// Seed of all randomness: the same options give the same bytes.
    pub seed: u64,
    /// Folder for the files, made if missing; files of the same names are replaced.
    pub dir: PathBuf,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SynthReport {
    /// Number of people, including the few whom no source has seen.
    pub persons: u64,
    /// Number of records in all sources.
    pub records: u64,
    /// Records per source, in the order of [`Source::ALL`].
    pub sources: Vec<(String, u64)>,
}

/// Why generation failed.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// Nobody to generate.
    #[error("a population needs at least one person")]
    NoPersons,
    /// The folder or a file in it cannot be made.
    #[error("cannot create {}", path.display())]
    Create {
        /// Folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// File.
        path: PathBuf,
        /// What the writer says.
        #[source]
        source: csv::Error,
    },
}

/// One CSV file being written.
struct Sheet {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Sheet {
    fn create(dir: &Path, name: &str, header: &str) -> Result<Self, SynthError> {
        let path = dir.join(format!("{name}.csv"));
        let file = File::create(&path).map_err(|source| SynthError::Create {
            path: path.clone(),
            source,
        })?;
        let writer = csv::Writer::from_writer(BufWriter::new(file));
        let mut sheet = Self { path, writer };
        sheet.row(header.split(','))?;
        Ok(sheet)
    }

    fn row<T: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = T>,
    ) -> Result<(), SynthError> {
        let written = self.writer.write_record(fields);
        written.map_err(|source| SynthError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn finish(mut self) -> Result<(), SynthError> {
        let flushed = self.writer.flush();
        flushed.map_err(|source| SynthError::Write {
            path: self.path.clone(),
            source: source.into(),
        })
    }
}

/// Generates people and writes the nine files and `truth.csv` (source, record_id, person_id).
///
/// `progress` is called with records done and records in all. Memory grows with the number of
/// people, by less than a kilobyte each.
///
/// # Errors
/// [`SynthError`]: nobody to generate, or a file that cannot be made or written.
pub fn generate(
    options: &SynthOptions,
    progress: &dyn Fn(u64, u64),
) -> Result<SynthReport, SynthError> {
    if options.persons == 0 {
        return Err(SynthError::NoPersons);
    }
    fs::create_dir_all(&options.dir).map_err(|source| SynthError::Create {
        path: options.dir.clone(),
        source,
    })?;
    let (names, places, half) = (Names::new(), Places::new(), HalfWidth::new());
    let population = life::simulate(
        options.persons,
        &names,
        &places,
        &mut stream(options.seed, 0),
    );
    let mut planned = Vec::with_capacity(Source::ALL.len());
    for (number, source) in (1..).zip(Source::ALL) {
        let mut rng = stream(options.seed, number);
        let mut events = source.events(&population, &mut rng);
        events.shuffle(&mut rng);
        planned.push((source, events, rng));
    }
    let total: usize = planned.iter().map(|(_, events, _)| events.len()).sum();
    let mut truth = Sheet::create(&options.dir, "truth", "source,record_id,person_id")?;
    let mut report = SynthReport {
        persons: population.persons.len() as u64,
        records: total as u64,
        sources: Vec::new(),
    };
    let mut done = 0_usize;
    for (source, events, mut rng) in planned {
        let (name, letters) = source.name();
        let mut sheet = Sheet::create(&options.dir, name, source.header())?;
        let mut scribe = Scribe::new(source, &population, &names, &places, &half);
        let mut row = Row::default();
        for (index, event) in events.iter().enumerate() {
            let record_id = format!("{letters}{:08}", index + 1);
            scribe.write(&record_id, *event, &mut row, &mut rng);
            sheet.row(row.fields())?;
            truth.row([name, &record_id, &format!("P{:08}", event.person)])?;
            done += 1;
            if done.is_multiple_of(PROGRESS_EVERY) || done == total {
                progress(done as u64, total as u64);
            }
        }
        sheet.finish()?;
        report.sources.push((name.to_owned(), events.len() as u64));
    }
    truth.finish()?;
    Ok(report)
}

/// An independent stream of randomness for each part, so that one does not disturb another.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// The people behind a seed, for tests of marginals.
#[cfg(test)]
fn population(persons: u32, seed: u64, names: &Names) -> person::Population {
    life::simulate(persons, names, &Places::new(), &mut stream(seed, 0))
}

#[cfg(test)]
mod tests;
