//! How alike is this pair? Candidate pair → comparison vector.
//!
//! Every profile goes through one mechanism. A comparison is a ladder of rungs; its level is the
//! first rung that holds. A rung asks a filter (is the Dice similarity at least …?), a tag (do the
//! two agree?), or an attribute (is it known to agree?). What attributes agree is *derived* from
//! the tags, see `derive`: tags are conjunctions, and which of several nested ones
//! agree tells about their parts.

mod derive;
mod values;

use crate::kernel;
use crate::terms::profile::{Comparison, Evidence, LinkageProfile, Rung};
use crate::terms::{
    COMPARISONS_MAX, CandidatePair, ComparisonVector, Level, RecordTable, RowIndex,
};

use derive::{Derivation, KnownAttributes, share_a_value};
use values::ValueClasses;

/// Compares pairs of one table's rows under one profile.
pub struct Comparer<'a> {
    table: &'a RecordTable,
    comparisons: &'a [Comparison],
    derivation: Derivation,
    /// One per comparison.
    values: Vec<Option<ValueClasses>>,
}

impl<'a> Comparer<'a> {
    /// Prepares the comparisons of a profile, and counts the values where it asks for that.
    ///
    /// # Panics
    /// If the profile has more than [`COMPARISONS_MAX`] comparisons.
    #[must_use]
    pub fn new(profile: &'a LinkageProfile, table: &'a RecordTable) -> Self {
        assert!(
            profile.comparisons.len() <= COMPARISONS_MAX,
            "a comparison vector has 16 places"
        );
        let values = profile
            .comparisons
            .iter()
            .map(|comparison| ValueClasses::of(comparison, table));
        Self {
            table,
            comparisons: &profile.comparisons,
            derivation: Derivation::new(profile),
            values: values.collect(),
        }
    }

    /// The comparison vector of a pair. Symmetric in the two rows.
    #[must_use]
    pub fn compare(&self, pair: CandidatePair) -> ComparisonVector {
        let table = self.table;
        let known = self.derivation.derive(table, pair);
        let mut vector = ComparisonVector::missing();
        // The last similarity computed: neighbouring rungs mostly ask the same filter.
        let mut last: Option<(usize, Option<f64>)> = None;
        for (index, comparison) in self.comparisons.iter().enumerate() {
            let mut similarity = |filter: usize| match last {
                Some((known_filter, value)) if known_filter == filter => value,
                _ => {
                    let value = dice(table, pair.a, pair.b, filter);
                    last = Some((filter, value));
                    value
                }
            };
            let mut level = level(comparison, table, pair, &known, &mut similarity);
            if let (Level(0), Some(values)) = (level, &self.values[index]) {
                level = Level(values.of_pair(pair.a, pair.b) as u8);
            }
            vector.set(index, level);
        }
        vector
    }
}

fn dice(table: &RecordTable, a: RowIndex, b: RowIndex, filter: usize) -> Option<f64> {
    Some(kernel::dice(
        table.filter(a, filter)?,
        table.filter(b, filter)?,
    ))
}

fn level(
    comparison: &Comparison,
    table: &RecordTable,
    pair: CandidatePair,
    known: &KnownAttributes,
    similarity: &mut dyn FnMut(usize) -> Option<f64>,
) -> Level {
    let mut asked = false;
    for (index, rung) in comparison.rungs.iter().enumerate() {
        match holds(rung, table, pair, known, similarity) {
            Some(true) if rung.counted_elsewhere => return Level::MISSING,
            Some(true) => return Level(comparison.level_of_rung(index) as u8),
            Some(false) => asked = true,
            None => {}
        }
    }
    if asked {
        Level(comparison.level_of_rung(comparison.rungs.len()) as u8)
    } else {
        Level::MISSING
    }
}

/// Whether a rung holds; `None` if it cannot be asked of this pair.
fn holds(
    rung: &Rung,
    table: &RecordTable,
    pair: CandidatePair,
    known: &KnownAttributes,
    similarity: &mut dyn FnMut(usize) -> Option<f64>,
) -> Option<bool> {
    if !known.agree.contains_all(rung.given) {
        return None;
    }
    match rung.evidence {
        Evidence::Attribute(attribute) => {
            if known.agree.contains(attribute) {
                Some(true)
            } else if known.differ.contains(attribute) {
                Some(false)
            } else {
                None
            }
        }
        Evidence::Near(attribute) => {
            if known.agree.contains(attribute) || known.near.contains(attribute) {
                Some(true)
            } else if known.far.contains(attribute) {
                Some(false)
            } else {
                None
            }
        }
        Evidence::Bucket(tag) => (known.buckets >> tag & 1 == 1).then_some(true),
        Evidence::Tag(tag) => Some(share_a_value(
            table.tag(pair.a, tag)?,
            table.tag(pair.b, tag)?,
        )),
        Evidence::Filter { index, at_least } => similarity(index).map(|value| value >= at_least),
    }
}

#[cfg(test)]
mod tests;
