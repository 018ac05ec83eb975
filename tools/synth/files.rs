//! Writes a population to files: shards in parallel, their rows in order.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::calendar::DateStyle;
use super::insurance::Employers;
use super::maps::MAPS;
use super::shard::{self, Shard, ShardPlan};
use super::sources::Source;
use super::truth::{PERSON_COLUMNS, RECORD_COLUMNS, RecordTruth, person_row};
use super::write::Row;
use super::{OptionsError, SynthOptions, TABLES};

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SynthReport {
    /// Number of people, including the few whom no source has seen; tracers not counted.
    pub persons: u64,
    /// Number of tracers.
    pub tracers: u64,
    /// Number of records in all sources, those of tracers included.
    pub records: u64,
    /// Records of these that repeat another of the same source.
    pub duplicates: u64,
    /// Records per source, in the order of [`Source::ALL`].
    pub sources: Vec<(String, u64)>,
}

/// Why generation failed.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The options are out of range.
    #[error(transparent)]
    Options(#[from] OptionsError),
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
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// One file being written.
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(dir: &Path, name: &str, header: &str) -> Result<Self, SynthError> {
        let path = dir.join(format!("{name}.csv"));
        let file = File::create(&path).map_err(|source| SynthError::Create {
            path: path.clone(),
            source,
        })?;
        let mut output = Self {
            path,
            file: BufWriter::new(file),
        };
        output.write(header.as_bytes())?;
        output.write(b"\n")?;
        Ok(output)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SynthError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| self.failed(source))
    }

    fn finish(mut self) -> Result<(), SynthError> {
        let flushed = self.file.flush();
        flushed.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> SynthError {
        SynthError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// Rows in memory.
type Sheet = csv::Writer<Vec<u8>>;

fn push<T: AsRef<[u8]>>(sheet: &mut Sheet, fields: impl IntoIterator<Item = T>) {
    let written = sheet.write_record(fields);
    written.expect("memory takes every row of any length");
}

fn bytes(sheet: Sheet) -> Vec<u8> {
    sheet.into_inner().expect("memory can be flushed")
}

fn sheet() -> Sheet {
    csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new())
}

/// The rows of one source in one shard.
struct Written {
    rows: Vec<u8>,
    truth: Vec<u8>,
    duplicates: u64,
    /// Records per person of the shard.
    records: Vec<u32>,
}

/// All files of a population.
struct Files {
    sources: Vec<Output>,
    truth: Output,
    persons: Output,
    tracers: Option<Output>,
}

impl Files {
    fn create(options: &SynthOptions, dir: &Path) -> Result<Self, SynthError> {
        fs::create_dir_all(dir).map_err(|source| SynthError::Create {
            path: dir.to_owned(),
            source,
        })?;
        for (name, text) in MAPS {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|source| SynthError::Write { path, source })?;
        }
        let sources = Source::ALL
            .iter()
            .map(|source| Output::create(dir, source.name().0, source.header()));
        let records = RECORD_COLUMNS.join(",");
        let tracers = (options.tracers > 0).then(|| Output::create(dir, "tracers", &records));
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
            truth: Output::create(dir, "truth", &records)?,
            persons: Output::create(dir, "persons", &PERSON_COLUMNS.join(","))?,
            tracers: tracers.transpose()?,
        })
    }

    fn append(&mut self, shard: &Shard, written: &[Written]) -> Result<(), SynthError> {
        let mut records = vec![0_u32; shard.population.persons.len()];
        for (output, source) in self.sources.iter_mut().zip(written) {
            output.write(&source.rows)?;
            self.truth.write(&source.truth)?;
            if let Some(tracers) = self.tracers.as_mut().filter(|_| shard.plan.tracers) {
                tracers.write(&source.truth)?;
            }
            for (sum, count) in records.iter_mut().zip(&source.records) {
                *sum += count;
            }
        }
        let mut persons = sheet();
        for (index, count) in (0..).zip(records) {
            let tracer = shard.plan.tracers;
            let row = person_row(&shard.population, index, tracer, &TABLES.names, count);
            push(&mut persons, row);
        }
        self.persons.write(&bytes(persons))
    }

    fn finish(self) -> Result<(), SynthError> {
        let single = [self.truth, self.persons];
        let all = self.sources.into_iter().chain(single).chain(self.tracers);
        all.into_iter().try_for_each(Output::finish)
    }
}

/// Generates people and writes the nine files, their maps, and the truth; files of the same names
/// are replaced.
///
/// `progress` is called with people done and people in all. Memory is that of one shard per thread,
/// some 60 MiB each, however many people.
///
/// # Errors
/// [`SynthError`]: options out of range, or a file that cannot be made or written.
pub fn generate(
    options: &SynthOptions,
    dir: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<SynthReport, SynthError> {
    options.check()?;
    let mut files = Files::create(options, dir)?;
    let employers = shard::employers(options);
    let mut counts = [0_u64; Source::ALL.len()];
    let (mut done, mut duplicates) = (0, 0);
    let total = u64::from(options.persons) + u64::from(options.tracers);
    let plans = shard::plan(options);
    for batch in plans.chunks(rayon::current_num_threads()) {
        for (shard, written) in write_batch(options, batch, &employers, &mut counts) {
            files.append(&shard, &written)?;
            duplicates += written.iter().map(|source| source.duplicates).sum::<u64>();
            done += u64::from(shard.plan.persons);
            progress(done, total);
        }
    }
    files.finish()?;
    let named = Source::ALL.iter().zip(counts);
    Ok(SynthReport {
        persons: u64::from(options.persons),
        tracers: u64::from(options.tracers),
        records: counts.iter().sum(),
        duplicates,
        sources: named
            .map(|(source, count)| (source.name().0.to_owned(), count))
            .collect(),
    })
}

/// Makes some shards at the same time. `counts` holds the records per source of all shards before,
/// and then of these as well.
fn write_batch(
    options: &SynthOptions,
    batch: &[ShardPlan],
    employers: &Employers,
    counts: &mut [u64; Source::ALL.len()],
) -> Vec<(Shard, Vec<Written>)> {
    let shards = batch
        .par_iter()
        .map(|plan| Shard::simulate(options, *plan, employers));
    let shards: Vec<Shard> = shards.collect();
    let mut tasks = Vec::new();
    for shard in shards {
        let before = *counts;
        for (count, source) in counts.iter_mut().zip(&shard.sources) {
            *count += source.events.len() as u64;
        }
        tasks.push((shard, before));
    }
    let written = tasks.into_par_iter().map(|(shard, before)| {
        let sources = before.into_par_iter().enumerate();
        let written = sources.map(|(index, before)| write_source(options, &shard, index, before));
        let written = written.collect();
        (shard, written)
    });
    written.collect()
}

fn write_source(options: &SynthOptions, shard: &Shard, index: usize, before: u64) -> Written {
    let (mut rows, mut truth) = (sheet(), sheet());
    let mut records = vec![0; shard.population.persons.len()];
    let mut duplicates = 0;
    let (source, _) = Source::ALL[index].name();
    let mut fields = [const { String::new() }; 4];
    let take = |record_id: &str, row: &Row, about: &RecordTruth| {
        push(&mut rows, row.fields());
        fields.iter_mut().for_each(String::clear);
        let [person, date, state, flags] = &mut fields;
        about.write_person_id(person);
        DateStyle::Hyphens.write(about.day, date);
        state.push_str(&about.surname_state.to_string());
        flags.push_str(&about.flags.to_string());
        push(&mut truth, [source, record_id, person, date, state, flags]);
        records[(about.person - shard.population.first) as usize] += 1;
        duplicates += u64::from(about.flags & super::flags::DUPLICATE != 0);
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) = shard.write(index, before, options.noise, take);
    Written {
        rows: bytes(rows),
        truth: bytes(truth),
        duplicates,
        records,
    }
}
