//! How many people? Entities, corrected for what linkage gets wrong, with an interval.
//!
//! Counts only; nothing here names a record, an entity or a person.

use serde::{Deserialize, Serialize};

use super::EventKind;
use super::methods::Interval;

/// What the number of missed links rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleBasis {
    /// On tracers: into how many entities people fall whose records are known.
    Tracers,
    /// On the model's expectation for pairs that were compared. Of pairs that blocking never proposed
    /// nothing is known: the lower end of an interval is as if every record that is alone belonged to
    /// somebody else.
    Model,
}

/// A number of people, as found and as estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CountedPeople {
    /// Entities found.
    pub entities: u64,
    /// Estimated people.
    pub people: f64,
    /// Their 95 % interval.
    pub interval: Interval,
}

/// People of whom a source, an event kind or a year knows something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleGroup {
    /// The source's name, the kind's name, or the year.
    pub name: String,
    /// How many.
    #[serde(flatten)]
    pub counted: CountedPeople,
}

/// People of whom two kinds of event are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleOverlap {
    /// The two kinds, in order.
    pub kinds: [EventKind; 2],
    /// How many.
    #[serde(flatten)]
    pub counted: CountedPeople,
}

/// The number of people behind a publication. Tracers are nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleCount {
    /// All people.
    #[serde(flatten)]
    pub all: CountedPeople,
    /// What the missed links rest on.
    pub basis: PeopleBasis,
    /// Entities too many, because links between one person's records were missed.
    pub excess_entities: f64,
    /// Interval of the excess.
    pub excess_interval: Interval,
    /// People too few, because records of two were put into one entity.
    pub hidden_people: f64,
    /// Interval of the hidden.
    pub hidden_interval: Interval,
    /// By source.
    pub sources: Vec<PeopleGroup>,
    /// By kind of event; only kinds that occur.
    pub kinds: Vec<PeopleGroup>,
    /// By year of an event, ascending; only if sources tell it.
    pub years: Vec<PeopleGroup>,
    /// By pair of kinds; only pairs of which an entity has both.
    pub overlaps: Vec<PeopleOverlap>,
}
