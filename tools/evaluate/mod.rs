//! Quality against a known truth: pairwise, B-cubed and exact-cluster precision, recall, F1; the
//! same by stratum; pair completeness and reduction ratio of blocking.
//!
//! The overall figures come from a contingency table (records per entity and person), so that a
//! population of millions takes one pass and no pair is ever enumerated. Strata look at the pairs
//! inside persons and inside entities.

pub mod about;
mod bcubed;
pub mod blocking;
pub mod command;
mod exact;
mod pairwise;
pub mod public;
pub mod strata;
pub mod truth;

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

pub use self::blocking::{BlockingQuality, blocking};
pub use self::strata::{Strata, StratumQuality};
pub use self::truth::{ReadTruthError, Truth};

/// Precision, recall and their harmonic mean, each in `[0, 1]`, never NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// Share of what was put together that belongs together; 1 if nothing was put together.
    pub precision: f64,
    /// Share of what belongs together that was put together; 1 if nothing belongs together.
    pub recall: f64,
    /// 2·P·R / (P + R); 0 if both are 0.
    pub f1: f64,
}

impl Quality {
    fn of(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        let f1 = if sum > 0.0 {
            2.0 * precision * recall / sum
        } else {
            0.0
        };
        Self {
            precision,
            recall,
            f1,
        }
    }
}

/// How good a partition is. All counts but [`Evaluation::records_without_truth`] are over records
/// that the truth knows; records of the truth that were not given are counted as alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Records evaluated: those of the truth.
    pub records: u64,
    /// Records given that the truth does not know; left out of every figure.
    pub records_without_truth: u64,
    /// Records of the truth that were not given; each counts as an entity of its own.
    pub records_not_given: u64,
    /// Entities, those of records not given included.
    pub entities: u64,
    /// Persons.
    pub persons: u64,
    /// Over pairs of records.
    pub pairwise: Quality,
    /// Over records.
    pub bcubed: Quality,
    /// Over clusters: the share of entities that hold exactly one person's records, and of persons
    /// whose records are exactly one entity.
    pub exact: Quality,
    /// Pairs of records of one person.
    pub true_pairs: u64,
    /// Pairs of records of one entity.
    pub found_pairs: u64,
    /// Pairs that are both.
    pub correct_pairs: u64,
}

/// Why a partition cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A partition puts each record into one entity.
    #[error("record number {position} of the result was given before: a record has one entity")]
    RepeatedRecord {
        /// Position in the result, from 1.
        position: u64,
    },
}

/// Records per entity, per person, and per both.
#[derive(Default)]
struct Contingency {
    entities: HashMap<u32, u64>,
    persons: HashMap<u32, u64>,
    cells: HashMap<(u32, u32), u64>,
}

impl Contingency {
    fn add(&mut self, entity: u32, person: u32) {
        *self.entities.entry(entity).or_default() += 1;
        *self.persons.entry(person).or_default() += 1;
        *self.cells.entry((entity, person)).or_default() += 1;
    }
}

/// Entities in the numbering of a truth.
pub struct Partition {
    /// The entity of each record of the truth; one that was not given has one of its own.
    entity_of_row: Vec<u32>,
    records_without_truth: u64,
    records_not_given: u64,
}

impl Partition {
    /// Reads entities as (source, record ID, entity).
    ///
    /// # Errors
    /// [`EvaluateError::RepeatedRecord`] if a record of the truth is given twice.
    pub fn new<S, R, E>(
        entities: impl Iterator<Item = (S, R, E)>,
        truth: &Truth,
    ) -> Result<Self, EvaluateError>
    where
        S: AsRef<str>,
        R: AsRef<str>,
        E: Hash + Eq,
    {
        let mut numbers: HashMap<E, u32> = HashMap::new();
        let mut given: Vec<Option<u32>> = vec![None; truth.persons_of_rows().len()];
        let mut records_without_truth = 0;
        for (position, (source, record_id, entity)) in (1..).zip(entities) {
            let Some((row, _)) = truth.row(source.as_ref(), record_id.as_ref()) else {
                records_without_truth += 1;
                continue;
            };
            let next = numbers.len() as u32;
            let number = *numbers.entry(entity).or_insert(next);
            if given[row as usize].replace(number).is_some() {
                return Err(EvaluateError::RepeatedRecord { position });
            }
        }
        let mut alone = numbers.len() as u32..;
        let entity_of_row = given
            .iter()
            .map(|entity| entity.or_else(|| alone.next()).unwrap_or_default());
        Ok(Self {
            entity_of_row: entity_of_row.collect(),
            records_without_truth,
            records_not_given: given.iter().filter(|entity| entity.is_none()).count() as u64,
        })
    }

    /// The overall figures.
    #[must_use]
    pub fn evaluation(&self, truth: &Truth) -> Evaluation {
        let mut table = Contingency::default();
        for (entity, person) in self.entity_of_row.iter().zip(truth.persons_of_rows()) {
            table.add(*entity, *person);
        }
        let pairs = pairwise::count(&table);
        Evaluation {
            records: truth.record_count(),
            records_without_truth: self.records_without_truth,
            records_not_given: self.records_not_given,
            entities: table.entities.len() as u64,
            persons: table.persons.len() as u64,
            pairwise: pairwise::quality(&pairs),
            bcubed: bcubed::quality(&table),
            exact: exact::quality(&table),
            true_pairs: pairs.truly,
            found_pairs: pairs.found,
            correct_pairs: pairs.correct,
        }
    }
}

/// Compares entities with the truth.
///
/// # Errors
/// [`EvaluateError::RepeatedRecord`] if a record of the truth is given twice.
pub fn evaluate<S, R, E>(
    entities: impl Iterator<Item = (S, R, E)>,
    truth: &Truth,
) -> Result<Evaluation, EvaluateError>
where
    S: AsRef<str>,
    R: AsRef<str>,
    E: Hash + Eq,
{
    Ok(Partition::new(entities, truth)?.evaluation(truth))
}

/// Part of a whole; 1 if the whole is empty: who claims nothing claims nothing wrong, and where
/// nothing is to be found nothing is missed.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests;
