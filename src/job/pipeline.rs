//! One linkage run from the store's live rows to a published partition:
//! load → block → compare → score → complete → cluster → publish.

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use super::scoring::{self, Scored};
use super::{clustering, people, tracers};
use crate::block::{self, BlockPlan, Candidates};
use crate::cluster::{self, ClusterRules, Evidence, Partition};
use crate::compare::Comparer;
use crate::score;
use crate::store::{LoadTableError, LoadedTable, PublishError, Store};
use crate::terms::profile::LinkageProfile;
use crate::terms::run::{Progress, RunReport, SourceCount, StepReport, ThresholdPolicy};
use crate::terms::{ClusteringReport, EntityId, RowIndex, RunId};

/// Blocks with more rows than this are left out of a pass.
const BLOCK_ROWS_MAX: usize = 1_000;

/// Inside components of links up to this many rows, every pair is compared.
const COMPONENT_ROWS_MAX: usize = 200;

/// Entity sizes from here up are counted together.
const ENTITY_SIZE_MAX: usize = 20;

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The store has no linkage profile yet.
    #[error("the store has no linkage profile yet")]
    NoProfile,
    /// There is nothing to link.
    #[error("there are no records to link; submit encodings first")]
    NoRecords,
    /// The rows could not be read.
    #[error("the records could not be read")]
    Load(#[from] LoadTableError),
    /// The result could not be stored.
    #[error("the result could not be stored")]
    Publish(#[from] PublishError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers for new entity IDs")]
    Random,
}

/// Carries a run through its steps and tells how far it is.
pub(super) struct Pipeline<'a> {
    store: &'a Store,
    tell: &'a (dyn Fn(&[StepReport], Option<Progress>) + Sync),
    steps: Vec<StepReport>,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(
        store: &'a Store,
        tell: &'a (dyn Fn(&[StepReport], Option<Progress>) + Sync),
    ) -> Self {
        Self {
            store,
            tell,
            steps: Vec::new(),
        }
    }

    /// Runs all steps and publishes. Returns the steps and the report.
    pub(super) fn run(
        mut self,
        run: RunId,
        policy: ThresholdPolicy,
    ) -> Result<(Vec<StepReport>, RunReport), PipelineError> {
        let (profile, _) = self.store.profile().ok_or(PipelineError::NoProfile)?;

        let loaded = self.step("load", 0, |pipeline, _| {
            let loaded = pipeline.store.load_table()?;
            let rows = loaded.table.len() as u64;
            if rows == 0 {
                Err(PipelineError::NoRecords)
            } else {
                Ok((loaded, rows))
            }
        })?;
        let table = &loaded.table;

        let plan = block_plan(&profile);
        let found = self.step("block", plan.tags.len() as u64, |_, done| {
            let found = block::candidates(table, &plan, done);
            let pairs = found.pairs.len() as u64;
            Ok((found, pairs))
        })?;

        let comparer = Comparer::new(&profile, table);
        let vectors = self.step("compare", found.pairs.len() as u64, |_, done| {
            let vectors = scoring::compare(&comparer, &found.pairs, done);
            let pairs = vectors.len() as u64;
            Ok((vectors, pairs))
        })?;

        let mut scored = self.step("score", 0, |_, _| {
            let sources = loaded.sources.len();
            let scored = scoring::score(
                &profile,
                table,
                sources,
                &comparer,
                &found.pairs,
                &vectors,
                policy,
            );
            let links = scored.links.len() as u64;
            Ok((scored, links))
        })?;
        drop(vectors);

        let completed = self.step("complete", 0, |_, done| {
            let missed =
                cluster::uncompared(table.len(), &scored.links, &found.pairs, COMPONENT_ROWS_MAX);
            let vectors = scoring::compare(&comparer, &missed, done);
            scored.add(table, &missed, &vectors);
            scored.retain(|pair| tracers::may_be_one(table, pair));
            Ok((missed.len() as u64, missed.len() as u64))
        })?;

        let rules = ClusterRules::of(&profile, scored.choice.thresholds.upper_bits);
        let clusters = self.step("cluster", 0, |_, _| {
            let evidence = Evidence {
                links: &scored.links,
                supporting: &scored.supporting,
                verdicts: &[],
            };
            let clusters = cluster::solve(table, evidence, &rules);
            let count = clusters.partition.len() as u64;
            Ok((clusters, count))
        })?;

        let churn = self.step("publish", 0, |pipeline, _| {
            let entities = assign_entities(pipeline.store, &loaded, &clusters.partition)?;
            let churn = pipeline.store.publish(run, &loaded, &entities)?;
            Ok((churn, clusters.partition.len() as u64))
        })?;

        let mut report = report(&profile, &loaded, &found, &scored, &clusters);
        report.clustering = clustering::report(table, &clusters, &rules);
        report.clustering.churn = churn;
        let warnings = clustering::warnings(&clusters, &report);
        report.warnings.extend(warnings);
        report.candidate_pairs += completed;
        Ok((self.steps, report))
    }

    /// Runs one step: times it, reports its progress, notes what it handled.
    fn step<T>(
        &mut self,
        name: &str,
        planned: u64,
        work: impl FnOnce(&Self, &(dyn Fn(u64) + Sync)) -> Result<(T, u64), PipelineError>,
    ) -> Result<T, PipelineError> {
        let started = Instant::now();
        let tell = |done: u64| {
            let progress = Progress {
                step: name.to_owned(),
                done,
                planned,
            };
            (self.tell)(&self.steps, Some(progress));
        };
        tell(0);
        let (value, items) = work(self, &tell)?;
        let seconds = started.elapsed().as_secs_f64();
        self.steps.push(StepReport {
            name: name.to_owned(),
            seconds,
            items,
        });
        (self.tell)(&self.steps, None);
        Ok(value)
    }
}

/// What a run under this profile blocks on.
#[must_use]
pub fn block_plan(profile: &LinkageProfile) -> BlockPlan {
    let tags = (0..profile.tags.len())
        .filter(|tag| profile.tags[*tag].block)
        .collect();
    BlockPlan {
        tags,
        block_rows_max: BLOCK_ROWS_MAX,
    }
}

fn assign_entities(
    store: &Store,
    loaded: &LoadedTable,
    clusters: &Partition,
) -> Result<Vec<EntityId>, PipelineError> {
    let rows = loaded.table.len() as RowIndex;
    let previous: Vec<Option<EntityId>> = match store.published() {
        None => vec![None; rows as usize],
        Some(published) => (0..rows)
            .into_par_iter()
            .map(|row| {
                let source = &loaded.sources[usize::from(loaded.table.source(row))];
                published.entity_of(source, &loaded.refs.record_ref(row))
            })
            .collect(),
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| PipelineError::Random)?;
    // A generator seeded by the operating system: one call to it instead of one per entity.
    let mut random = rand_chacha::ChaCha20Rng::from_seed(seed);
    Ok(cluster::inherit(&previous, clusters, &mut || {
        EntityId::from_u128(random.random())
    }))
}

fn report(
    profile: &LinkageProfile,
    loaded: &LoadedTable,
    found: &Candidates,
    scored: &Scored,
    clusters: &cluster::Clusters,
) -> RunReport {
    let table = &loaded.table;
    let mut records = vec![0; loaded.sources.len()];
    let real = |row: &RowIndex| !tracers::is_tracer(table, *row);
    for row in (0..table.len() as RowIndex).filter(real) {
        records[usize::from(table.source(row))] += 1;
    }
    let mut entity_sizes = vec![0; ENTITY_SIZE_MAX];
    // No cluster holds both tracers and people: its first row tells.
    for rows in clusters.partition.iter().filter(|rows| real(&rows[0])) {
        entity_sizes[rows.len().min(ENTITY_SIZE_MAX) - 1] += 1;
    }
    let mut warnings = scored.estimate.warnings.clone();
    for capped in &found.capped {
        warnings.push(format!(
            "tag '{}': {} blocks with {} records are larger than {BLOCK_ROWS_MAX} and were left out",
            profile.tags[capped.tag].name, capped.blocks, capped.rows
        ));
    }
    let entities = entity_sizes.iter().sum();
    let errors = score::estimate_errors(&scored.counts, &records, entities);
    let tracers = tracers::people(loaded);
    let (people, leanings) = people::count(&people::Linkage {
        table,
        sources: &loaded.sources,
        partition: &clusters.partition,
        scored,
        errors: &errors,
        tracers: &tracers,
    });
    let mut methods = score::methods_sheet(profile, &scored.estimate, errors, &loaded.sources);
    methods.tracers = tracers::recall(&tracers, &clusters.partition);
    methods.people = Some(people);
    methods.fallbacks.extend(leanings);
    warnings.extend(
        methods
            .fallbacks
            .iter()
            .skip(scored.estimate.warnings.len())
            .cloned(),
    );
    let real_records = records.iter().sum();
    let named = loaded.sources.iter().cloned().zip(records);
    RunReport {
        records: real_records,
        entities,
        sources: named
            .map(|(source, records)| SourceCount { source, records })
            .collect(),
        candidate_pairs: found.pairs.len() as u64,
        blocks_capped: found.capped.iter().map(|capped| capped.blocks).sum(),
        links: scored.links.len() as u64,
        reviews: scored.reviews(),
        links_set_aside: clusters.set_aside().len() as u64,
        thresholds: scored.choice.thresholds,
        threshold_rule: scored.choice.rule,
        prior_probability: scored.estimate.model.prior_probability,
        expected_precision: scored.choice.expected_precision,
        histogram: score::histogram(&scored.estimate.model, &scored.patterns),
        entity_sizes,
        comparisons: scored.estimate.model.report(profile),
        clustering: ClusteringReport::default(),
        methods: Some(methods),
        warnings,
    }
}
