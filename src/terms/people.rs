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

/// Counts of people below this are told as "fewer", to nobody more exactly.
pub const SMALL_COUNT: u64 = 10;

impl CountedPeople {
    /// The count, unless it is of somebody but of fewer than [`SMALL_COUNT`], as found or as estimated.
    #[must_use]
    pub fn unless_small(self) -> Option<Self> {
        let enough = self.entities >= SMALL_COUNT && self.people >= SMALL_COUNT as f64;
        (self.entities == 0 || enough).then_some(self)
    }
}

/// People of whom a source, an event kind or a year knows something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleGroup {
    /// The source's name, the kind's name, or the year.
    pub name: String,
    /// How many; `None`: fewer than [`SMALL_COUNT`].
    #[serde(flatten)]
    pub counted: Option<CountedPeople>,
}

/// People of whom two kinds of event are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleOverlap {
    /// The two kinds, in order.
    pub kinds: [EventKind; 2],
    /// How many; `None`: fewer than [`SMALL_COUNT`].
    #[serde(flatten)]
    pub counted: Option<CountedPeople>,
}

/// The number of people behind a publication. Tracers are nobody.
///
/// # Privacy
/// Small parts are not told. What can be had by subtracting one part from another is not hidden.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_few_people_are_not_told() {
        let of = |entities, people| {
            let counted = CountedPeople {
                entities,
                people,
                ..CountedPeople::default()
            };
            counted.unless_small().map(|told| told.entities)
        };
        assert_eq!(of(10, 10.0), Some(10));
        assert_eq!(of(9, 11.0), None);
        assert_eq!(of(11, 9.5), None);
        assert_eq!(of(1, 1.0), None);
        assert_eq!(of(0, 0.0), Some(0), "nobody is no secret");
        let group = PeopleGroup {
            name: "2019".into(),
            counted: None,
        };
        let json = serde_json::to_string(&group).expect("JSON");
        assert_eq!(json, r#"{"name":"2019"}"#);
        assert_eq!(
            serde_json::from_str::<PeopleGroup>(&json).expect("back"),
            group
        );
    }
}
