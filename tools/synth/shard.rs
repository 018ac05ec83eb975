//! A shard: some thousand people who may know each other, and what the sources record of them.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::insurance::Employers;
use super::life::{self, World};
use super::person::Population;
use super::sources::{Event, Source};
use super::truth::RecordTruth;
use super::write::{Row, Scribe};
use super::{SynthOptions, TABLES, stream};

/// People of a shard; the last may have fewer.
pub const SHARD_PERSONS: u32 = 20_000;

/// Streams of randomness that a shard may use: the people, then one for each source.
const STREAMS: u64 = 16;
/// Stream of what all shards share.
const SHARED_STREAM: u64 = u64::MAX;

/// Which people a shard has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShardPlan {
    number: u64,
    /// Number of the first person among everyone.
    pub first: u32,
    /// How many people.
    pub persons: u32,
    /// Whether they are tracers.
    pub tracers: bool,
}

/// All shards: first the people, then the tracers.
pub(super) fn plan(options: &SynthOptions) -> Vec<ShardPlan> {
    let mut plans = Vec::new();
    let mut first = 0;
    for (people, tracers) in [(options.persons, false), (options.tracers, true)] {
        let end = first + people;
        while first < end {
            let persons = SHARD_PERSONS.min(end - first);
            plans.push(ShardPlan {
                number: plans.len() as u64,
                first,
                persons,
                tracers,
            });
            first += persons;
        }
    }
    plans
}

/// Everyone's employers.
pub(super) fn employers(options: &SynthOptions) -> Employers {
    Employers::new(options.persons, &mut stream(options.seed, SHARED_STREAM))
}

/// What one source is going to record.
pub(super) struct SourcePlan {
    source: Source,
    /// Events in the order of the file.
    pub events: Vec<Event>,
    rng: ChaCha8Rng,
}

/// People and the events of their lives, not yet written.
pub(super) struct Shard {
    pub plan: ShardPlan,
    pub population: Population,
    /// In the order of [`Source::ALL`].
    pub sources: Vec<SourcePlan>,
}

impl Shard {
    /// Simulates the people and what each source sees of them.
    pub(super) fn simulate(options: &SynthOptions, plan: ShardPlan, employers: &Employers) -> Self {
        let world = World {
            names: &TABLES.names,
            places: &TABLES.places,
            employers,
            namesakes: options.namesakes,
        };
        let streams = plan.number * STREAMS;
        let mut rng = stream(options.seed, streams);
        let population = life::simulate(&world, plan.first, plan.persons, &mut rng);
        let mut sources = Vec::with_capacity(Source::ALL.len());
        for (number, source) in (1..).zip(Source::ALL) {
            let mut rng = stream(options.seed, streams + number);
            let seen = source.events(&population, &mut rng);
            let mut events = registered(seen, options, &mut rng);
            events.shuffle(&mut rng);
            sources.push(SourcePlan {
                source,
                events,
                rng,
            });
        }
        Self {
            plan,
            population,
            sources,
        }
    }

    /// Writes the rows of one source, in order. `before` records of that source are in the shards
    /// before this one. `take` gets each record's ID, row and truth.
    pub(super) fn write<E>(
        &self,
        index: usize,
        before: u64,
        noise: f64,
        mut take: impl FnMut(&str, &Row, &RecordTruth) -> Result<(), E>,
    ) -> Result<(), E> {
        let SourcePlan {
            source,
            events,
            rng,
        } = &self.sources[index];
        let mut rng = rng.clone();
        let tables = &*TABLES;
        let mut scribe = Scribe::new(
            *source,
            noise,
            &self.population,
            &tables.names,
            &tables.places,
            &tables.half,
        );
        let mut row = Row::default();
        let mut record_id = String::new();
        let (_, letters) = source.name();
        for (number, event) in (before + 1..).zip(events) {
            record_id.clear();
            record_id.push_str(letters);
            push_padded(number, &mut record_id);
            scribe.write(&record_id, *event, &mut row, &mut rng);
            let truth = RecordTruth::of(&self.population, event, row.flags(), self.plan.tracers);
            take(&record_id, &row, &truth)?;
        }
        Ok(())
    }
}

/// Appends a number with at least eight digits.
fn push_padded(number: u64, out: &mut String) {
    use std::fmt::Write as _;
    write!(out, "{number:08}").expect("a String takes everything");
}

/// What reaches the source: one event per person if asked, the covered share, and duplicates.
fn registered(seen: Vec<Event>, options: &SynthOptions, rng: &mut impl Rng) -> Vec<Event> {
    let mut kept = Vec::with_capacity(seen.len());
    for events in seen.chunk_by(|a, b| a.person == b.person) {
        let events = if options.one_per_source {
            let chosen = rng.random_range(0..events.len());
            &events[chosen..=chosen]
        } else {
            events
        };
        for event in events {
            if options.coverage < 1.0 && !rng.random_bool(options.coverage) {
                continue;
            }
            kept.push(*event);
            if options.duplicates > 0.0 && rng.random_bool(options.duplicates) {
                kept.push(Event {
                    duplicate: true,
                    ..*event
                });
            }
        }
    }
    kept
}
