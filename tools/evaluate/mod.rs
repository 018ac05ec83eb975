//! Quality against a known truth: pairwise and B-cubed precision, recall, F1.
//!
//! Both are computed from a contingency table (records per entity and person), so a population of
//! millions takes one pass and no pair is ever enumerated.

mod bcubed;
mod pairwise;
pub mod public;
pub mod truth;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use serde::Serialize;

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
    let mut numbers: HashMap<E, u32> = HashMap::new();
    let mut table = Contingency::default();
    let mut given = HashSet::new();
    let mut unknown = 0;
    for (position, (source, record_id, entity)) in (1..).zip(entities) {
        let Some((row, person)) = truth.row(source.as_ref(), record_id.as_ref()) else {
            unknown += 1;
            continue;
        };
        if !given.insert(row) {
            return Err(EvaluateError::RepeatedRecord { position });
        }
        let next = numbers.len() as u32;
        table.add(*numbers.entry(entity).or_insert(next), person);
    }
    let absent = truth.persons_without(&given);
    for (number, &person) in (numbers.len() as u32..).zip(&absent) {
        table.add(number, person);
    }
    let pairs = pairwise::count(&table);
    Ok(Evaluation {
        records: truth.record_count(),
        records_without_truth: unknown,
        records_not_given: absent.len() as u64,
        entities: table.entities.len() as u64,
        persons: table.persons.len() as u64,
        pairwise: pairwise::quality(&pairs),
        bcubed: bcubed::quality(&table),
        true_pairs: pairs.truly,
        found_pairs: pairs.found,
        correct_pairs: pairs.correct,
    })
}

#[cfg(test)]
mod tests;
