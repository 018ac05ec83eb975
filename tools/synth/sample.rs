//! People as normalised records in memory, for tests and simulations that touch no disk.
//!
//! The records are those that [`generate`](super::generate) writes for the same options and that
//! `musubi-encode` would read from its files: same order, same record refs, same normalisation.

use rayon::prelude::*;

use super::maps::MAPS;
use super::shard::{self, Shard};
use super::sources::Source;
use super::truth::{self, PersonTruth, RecordTruth};
use super::write::Row;
use super::{OptionsError, SynthOptions};
use crate::encode::field::{Field, FieldValues};
use crate::encode::normalise::event::event_facts;
use crate::encode::normalise::normalise;
use crate::encode::{MapFile, SourceRecord};
use crate::terms::{RecordRef, SourceId};

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

/// Makes people and their records.
///
/// # Errors
/// [`OptionsError`].
pub fn sample(options: &SynthOptions) -> Result<Sample, OptionsError> {
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
        sources: sources.collect(),
        people: people.collect(),
    })
}

fn source(shards: &[Shard], index: usize, noise: f64) -> SampledSource {
    let (name, _) = Source::ALL[index].name();
    let name = SourceId::new(name).expect("names of sources are of the allowed form");
    let map = MapFile::parse(MAPS[index + 1].1).expect("maps that come with musubi are in order");
    let header: Vec<&str> = Source::ALL[index].header().split(',').collect();
    let place = |column: &String| header.iter().position(|name| name == column);
    let fields = map.fields.iter().map(|(field, column)| {
        let place = place(column).expect("the map names columns of the header");
        (*field, place)
    });
    let fields: Vec<(Field, usize)> = fields.collect();
    let mut made = SampledSource {
        name,
        records: Vec::new(),
        truth: Vec::new(),
    };
    let mut notes = Vec::new();
    for shard in shards {
        let before = made.records.len() as u64;
        let take = |record_id: &str, row: &Row, truth: &RecordTruth| {
            let mut values = FieldValues::default();
            for (field, place) in &fields {
                values.set(*field, row.fields()[*place].trim());
            }
            notes.clear();
            let mut identity = normalise(&values, map.locale, &made.name, &mut notes);
            let written = values.get(Field::EventDate);
            let event = event_facts(written, map.kind, &mut identity, &mut notes);
            made.records.push(SourceRecord {
                record_ref: RecordRef::new(record_id).expect("two letters and digits"),
                version: 1,
                kind: map.kind,
                year: event.year,
                flags: event.flags,
                identity,
            });
            made.truth.push(*truth);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = shard.write(index, before, noise, take);
    }
    made
}
