//! People as normalised records in memory, for tests and simulations.
//!
//! The records are those that [`generate`](super::generate) writes for the same options, read by the
//! reader of `musubi-encode` with the maps of the nine sources: same order, same record refs, same
//! normalisation. Each source passes through a temporary file that is removed at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::maps::MAPS;
use super::shard::{self, Shard};
use super::sources::Source;
use super::truth::{self, PersonTruth, RecordTruth};
use super::write::Row;
use super::{OptionsError, SynthOptions};
use crate::encode::{self, MapFile, ReadError, SourceRecord, open_source};
use crate::terms::SourceId;

/// A population as its sources see it. Plaintext, though of no real person: no `Debug`.
pub struct Sample {
    /// The nine sources, in the order of [`Source::ALL`].
    pub sources: Vec<SampledSource>,
    /// People and then tracers, by number. Some have no record.
    pub people: Vec<PersonTruth>,
}

/// One source's records and the truth about them, side by side.
pub struct SampledSource {
    /// Its name.
    pub name: SourceId,
    /// What it would encode.
    pub records: Vec<SourceRecord>,
    /// The truth about the record at the same place.
    pub truth: Vec<RecordTruth>,
}

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The options are out of range.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The temporary file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// File.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The temporary file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A file that is removed when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn write(bytes: &[u8]) -> Result<Self, SampleError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("musubi-sample-{}-{number}.csv", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        fs::write(&file.0, bytes).map_err(|source| SampleError::Write {
            path: file.0.clone(),
            source,
        })?;
        Ok(file)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing depends on it: a file that stays holds invented people.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes people and their records.
///
/// # Errors
/// [`SampleError`].
pub fn sample(options: &SynthOptions) -> Result<Sample, SampleError> {
    options.check()?;
    let employers = shard::employers(options);
    let plans = shard::plan(options);
    let shards = plans
        .par_iter()
        .map(|plan| Shard::simulate(options, *plan, &employers));
    let shards: Vec<Shard> = shards.collect();
    let sources = (0..Source::ALL.len()).into_par_iter();
    let sources = sources.map(|index| source(&shards, index, options.noise));
    let people = shards
        .iter()
        .flat_map(|shard| truth::people(&shard.population));
    Ok(Sample {
        sources: sources.collect::<Result<_, _>>()?,
        people: people.collect(),
    })
}

fn source(shards: &[Shard], index: usize, noise: f64) -> Result<SampledSource, SampleError> {
    let source = Source::ALL[index];
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut written = Vec::new();
    let header = rows.write_record(source.header().split(','));
    header.expect("memory takes every row");
    for shard in shards {
        let before = written.len() as u64;
        let take = |_: &str, row: &Row, truth: &RecordTruth| {
            let row = rows.write_record(row.fields());
            row.expect("memory takes every row");
            written.push(*truth);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = shard.write(index, before, noise, take);
    }
    let file = Temporary::write(&rows.into_inner().expect("memory can be flushed"))?;
    let map = MapFile::parse(MAPS[index + 1].1).expect("maps that come with musubi are in order");
    let mut made = SampledSource {
        name: SourceId::new(source.name().0).expect("names of sources are of the allowed form"),
        records: Vec::with_capacity(written.len()),
        truth: Vec::with_capacity(written.len()),
    };
    let read = open_source(file.path(), &map, &made.name)?;
    for (row, truth) in read.zip(written) {
        // A row that the reader refuses is no record.
        if let encode::Row::Record(record) = row? {
            made.records.push(record);
            made.truth.push(truth);
        }
    }
    Ok(made)
}
