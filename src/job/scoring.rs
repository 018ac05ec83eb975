//! Between blocking and clustering: comparison vectors of many pairs, the model drawn from them,
//! and what it decides about each pair.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::cluster;
use crate::compare::Comparer;
use crate::score::{self, Choice, Estimate, LinkCounts, PatternCount};
use crate::store::Store;
use crate::terms::profile::LinkageProfile;
use crate::terms::run::ThresholdPolicy;
use crate::terms::{CandidatePair, ComparisonVector, Decision, Link, RecordTable, RowIndex};

/// Random pairs from which u is counted; unit tests link many small sets.
const RANDOM_PAIRS: u64 = if cfg!(test) { 200_000 } else { 2_000_000 };

/// Seed of the random pairs: the same rows give the same model.
const RANDOM_SEED: u64 = 0x6d75_7375_6269;

/// From even odds up, a pair below the upper cut supports a merge that a link proposes.
const SUPPORT_BITS: f64 = 0.0;

/// What the methods sheet says of a model that was not estimated on the records of its run.
pub(super) const KEPT: &str = "model and cuts are those of an earlier run";

/// Pairs compared between two reports of progress.
const COMPARE_CHUNK: usize = 1 << 16;

/// Comparison vectors of pairs, in their order. `done` is told how many are compared.
pub(super) fn compare(
    comparer: &Comparer<'_>,
    pairs: &[CandidatePair],
    done: &(dyn Fn(u64) + Sync),
) -> Vec<ComparisonVector> {
    let compared = AtomicU64::new(0);
    let mut vectors = vec![ComparisonVector::missing(); pairs.len()];
    vectors
        .par_chunks_mut(COMPARE_CHUNK)
        .zip(pairs.par_chunks(COMPARE_CHUNK))
        .for_each(|(out, pairs)| {
            for (vector, pair) in out.iter_mut().zip(pairs) {
                *vector = comparer.compare(*pair);
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
    /// Pairs above the upper cut.
    pub(super) links: Vec<Link>,
    /// Pairs below it that are still more likely one person than not.
    pub(super) supporting: Vec<Link>,
    /// Pairs by source and weight.
    pub(super) counts: LinkCounts,
    sources: usize,
}

impl Scored {
    /// No pairs yet.
    pub(super) fn new(estimate: Estimate, choice: Choice, sources: usize) -> Self {
        Self {
            counts: LinkCounts::new(choice.thresholds.upper_bits, sources),
            estimate,
            choice,
            patterns: Vec::new(),
            links: Vec::new(),
            supporting: Vec::new(),
            sources,
        }
    }

    /// Adds pairs, decided by the model and the cuts as they are.
    pub(super) fn add(
        &mut self,
        table: &RecordTable,
        pairs: &[CandidatePair],
        vectors: &[ComparisonVector],
    ) {
        self.decide(table, pairs, vectors, count_patterns(vectors));
    }

    /// Keeps the links and supporting pairs for which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl Fn(CandidatePair) -> bool) {
        self.links.retain(|link| keep(link.pair));
        self.supporting.retain(|link| keep(link.pair));
    }

    fn decide(
        &mut self,
        table: &RecordTable,
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
        let empty = LinkCounts::new(thresholds.upper_bits, self.sources);
        let chunks = pairs
            .par_chunks(COMPARE_CHUNK)
            .zip(vectors.par_chunks(COMPARE_CHUNK));
        let counts = chunks.map(|(pairs, vectors)| {
            let mut counts = empty.clone();
            for (pair, vector) in pairs.iter().zip(vectors) {
                let sources = (table.source(pair.a), table.source(pair.b));
                counts.add(weights[vector], sources, 1);
            }
            counts
        });
        for counts in counts.collect::<Vec<_>>() {
            self.counts.merge(&counts);
        }
        let links = |wanted: Decision| {
            let weights = &weights;
            let scored = pairs
                .par_iter()
                .zip(vectors)
                .map(move |(pair, vector)| Link {
                    pair: *pair,
                    weight: weights[vector],
                });
            scored.filter(move |link| {
                thresholds.decide(link.weight) == wanted && link.weight.0 >= SUPPORT_BITS
            })
        };
        self.links.par_extend(links(Decision::Link));
        self.supporting.par_extend(links(Decision::Review));
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
/// `sources`: how many the table knows.
pub(super) fn score(
    profile: &LinkageProfile,
    table: &RecordTable,
    sources: usize,
    comparer: &Comparer<'_>,
    pairs: &[CandidatePair],
    vectors: &[ComparisonVector],
    policy: ThresholdPolicy,
) -> Scored {
    let patterns = count_patterns(vectors);
    let random = count_patterns(&random_vectors(comparer, table));
    let rows = table.len() as f64;
    let total_pairs = rows * (rows - 1.0) / 2.0;
    let estimate = score::estimate(profile, &patterns, &random, total_pairs, table.len() as u64);
    let choice = match policy {
        // What is kept from a run before needs no choice: see `as_before`.
        ThresholdPolicy::Precision | ThresholdPolicy::AsBefore => {
            score::choose(&estimate.model, &patterns, None)
        }
        ThresholdPolicy::Given(cuts) => score::choose(&estimate.model, &patterns, Some(cuts)),
        ThresholdPolicy::FalseLinksPer1000(target) => {
            let people = joined_at_even_odds(&estimate, &patterns, table.len(), pairs, vectors);
            score::choose_by_false_links(&estimate.model, &patterns, target, people as f64)
        }
    };
    let mut scored = Scored::new(estimate, choice, sources);
    scored.decide(table, pairs, vectors, patterns);
    scored
}

/// The model and the cuts of the last run that succeeded, from its report; `None` if there is none, or its
/// model was of another profile.
pub(super) fn as_before(store: &Store, profile: &LinkageProfile) -> Option<(Estimate, Choice)> {
    let last = store.runs().into_iter().find_map(|run| run.report)?;
    let estimate = score::estimate_of(profile, &last, KEPT)?;
    let choice = Choice {
        thresholds: last.thresholds,
        expected_precision: last.expected_precision,
        rule: last.threshold_rule,
    };
    Some((estimate, choice))
}

/// How many groups of rows there are if all pairs above even odds are joined: about the people.
fn joined_at_even_odds(
    estimate: &Estimate,
    patterns: &[PatternCount],
    rows: usize,
    pairs: &[CandidatePair],
    vectors: &[ComparisonVector],
) -> usize {
    let likely: HashSet<ComparisonVector> = patterns
        .iter()
        .map(|(vector, _)| *vector)
        .filter(|vector| estimate.model.weight(vector).0 >= SUPPORT_BITS)
        .collect();
    let joined = pairs.iter().zip(vectors);
    let joined = joined.filter(|(_, vector)| likely.contains(vector));
    cluster::component_count(rows, joined.map(|(pair, _)| *pair))
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

fn random_vectors(comparer: &Comparer<'_>, table: &RecordTable) -> Vec<ComparisonVector> {
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
    compare(comparer, &pairs, &|_| ())
}
