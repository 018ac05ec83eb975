//! Between blocking and clustering: comparison vectors of many pairs, the model drawn from them,
//! and what it decides about each pair.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::compare::Comparer;
use crate::score::{self, Choice, Estimate, PatternCount};
use crate::terms::profile::LinkageProfile;
use crate::terms::{
    CandidatePair, ComparisonVector, Decision, Link, RecordTable, RowIndex, Thresholds,
};

/// Random pairs from which u is counted.
const RANDOM_PAIRS: u64 = 2_000_000;

/// Seed of the random pairs: the same rows give the same model.
const RANDOM_SEED: u64 = 0x6d75_7375_6269;

/// Pairs compared between two reports of progress.
const COMPARE_CHUNK: usize = 1 << 16;

/// Comparison vectors of pairs, in their order. `done` is told how many are compared.
pub(super) fn compare(
    profile: &LinkageProfile,
    table: &RecordTable,
    pairs: &[CandidatePair],
    done: &(dyn Fn(u64) + Sync),
) -> Vec<ComparisonVector> {
    let comparer = Comparer::new(profile);
    let compared = AtomicU64::new(0);
    let mut vectors = vec![ComparisonVector::missing(); pairs.len()];
    vectors
        .par_chunks_mut(COMPARE_CHUNK)
        .zip(pairs.par_chunks(COMPARE_CHUNK))
        .for_each(|(out, pairs)| {
            for (vector, pair) in out.iter_mut().zip(pairs) {
                *vector = comparer.compare(table, *pair);
            }
            let chunk = pairs.len() as u64;
            done(compared.fetch_add(chunk, Ordering::Relaxed) + chunk);
        });
    vectors
}

/// Scored pairs and the model behind them.
pub(super) struct Scored {
    pub(super) estimate: Estimate,
    pub(super) choice: Choice,
    /// Distinct comparison vectors of all pairs so far, with their counts.
    pub(super) patterns: Vec<PatternCount>,
    pub(super) links: Vec<Link>,
}

impl Scored {
    /// Adds pairs, decided by the model and the cuts as they are.
    pub(super) fn add(&mut self, pairs: &[CandidatePair], vectors: &[ComparisonVector]) {
        self.decide(pairs, vectors, count_patterns(vectors));
    }

    fn decide(
        &mut self,
        pairs: &[CandidatePair],
        vectors: &[ComparisonVector],
        patterns: Vec<PatternCount>,
    ) {
        let model = &self.estimate.model;
        let weights: HashMap<ComparisonVector, _> = patterns
            .iter()
            .map(|(vector, _)| (*vector, model.weight(vector)))
            .collect();
        let thresholds = self.choice.thresholds;
        self.links
            .par_extend(pairs.par_iter().zip(vectors).filter_map(|(pair, vector)| {
                let weight = weights[vector];
                let link = Link {
                    pair: *pair,
                    weight,
                };
                (thresholds.decide(weight) == Decision::Link).then_some(link)
            }));
        self.patterns.extend(patterns);
    }

    /// How many pairs lie between the cuts.
    pub(super) fn reviews(&self) -> u64 {
        let decide = |vector| {
            self.choice
                .thresholds
                .decide(self.estimate.model.weight(vector))
        };
        let in_review = self
            .patterns
            .iter()
            .filter(|(vector, _)| decide(vector) == Decision::Review);
        in_review.map(|(_, count)| count).sum()
    }
}

/// Draws the model from candidate and random pairs, chooses the cuts, decides about the candidates.
pub(super) fn score(
    profile: &LinkageProfile,
    table: &RecordTable,
    pairs: &[CandidatePair],
    vectors: &[ComparisonVector],
    fixed: Option<Thresholds>,
) -> Scored {
    let patterns = count_patterns(vectors);
    let random = count_patterns(&random_vectors(profile, table));
    let rows = table.len() as f64;
    let total_pairs = rows * (rows - 1.0) / 2.0;
    let estimate = score::estimate(profile, &patterns, &random, total_pairs, table.len() as u64);
    let choice = score::choose(&estimate.model, &patterns, fixed);
    let mut scored = Scored {
        estimate,
        choice,
        patterns: Vec::new(),
        links: Vec::new(),
    };
    scored.decide(pairs, vectors, patterns);
    scored
}

/// Distinct comparison vectors with their counts, in a fixed order.
fn count_patterns(vectors: &[ComparisonVector]) -> Vec<PatternCount> {
    let merge = |mut one: HashMap<ComparisonVector, u64>, two: HashMap<ComparisonVector, u64>| {
        for (vector, count) in two {
            *one.entry(vector).or_default() += count;
        }
        one
    };
    let counts = vectors
        .par_chunks(COMPARE_CHUNK)
        .map(|chunk| {
            let mut counts: HashMap<ComparisonVector, u64> = HashMap::new();
            for vector in chunk {
                *counts.entry(*vector).or_default() += 1;
            }
            counts
        })
        .reduce(HashMap::new, merge);
    let mut patterns: Vec<PatternCount> = counts.into_iter().collect();
    patterns.sort_unstable();
    patterns
}

fn random_vectors(profile: &LinkageProfile, table: &RecordTable) -> Vec<ComparisonVector> {
    let rows = table.len() as RowIndex;
    if rows < 2 {
        return Vec::new();
    }
    // By key, so that the order in which records came does not choose the pairs.
    let mut order: Vec<RowIndex> = (0..rows).collect();
    order.par_sort_unstable_by_key(|row| table.key(*row));
    let mut random = ChaCha8Rng::seed_from_u64(RANDOM_SEED);
    let pairs: Vec<CandidatePair> = (0..RANDOM_PAIRS)
        .map(|_| {
            let a = random.random_range(0..rows);
            // Any row but `a`, each as likely.
            let b = (a + random.random_range(1..rows)) % rows;
            CandidatePair::new(order[a as usize], order[b as usize])
        })
        .collect();
    compare(profile, table, &pairs, &|_| ())
}
