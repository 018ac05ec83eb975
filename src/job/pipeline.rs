//! One linkage run from the store's live rows to a published partition:
//! load → plan → block → compare → score → audit → complete → cluster → publish.

use std::time::Instant;

use rand::{Rng, SeedableRng};

use super::linked::Linked;
use super::report;
use crate::cluster::{self, Partition};
use crate::store::{LoadTableError, LoadedTable, PublishError, Store};
use crate::terms::run::{Progress, RunReport, StepReport, ThresholdPolicy};
use crate::terms::{EntityId, RunId};

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The store has no linkage profile yet.
    #[error("the store has no linkage profile yet")]
    NoProfile,
    /// There is no run whose model and cuts could be kept.
    #[error("no run before has a model and cuts that could be kept")]
    NothingBefore,
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

/// A run that came to its end.
pub(super) struct Done {
    pub(super) steps: Vec<StepReport>,
    pub(super) report: RunReport,
    /// For the next run to go on from.
    pub(super) linked: Linked,
}

/// Carries a run through its steps and tells how far it is.
pub(super) struct Pipeline<'a> {
    pub(super) store: &'a Store,
    tell: &'a (dyn Fn(&[StepReport], Option<Progress>) + Sync),
    pub(super) steps: Vec<StepReport>,
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

    /// Runs all steps and publishes. Goes on from what a run before found out, if it is kept.
    pub(super) fn run(
        mut self,
        run: RunId,
        policy: ThresholdPolicy,
        kept: Option<Linked>,
    ) -> Result<Done, PipelineError> {
        let (profile, _) = self.store.profile().ok_or(PipelineError::NoProfile)?;
        let linked = self.find(run, &profile, policy, kept)?;
        let partition = &linked.clusters.partition;
        let churn = self.step("publish", 0, |pipeline, _| {
            let entities = assign_entities(pipeline.store, &linked.loaded, partition)?;
            let churn = pipeline.store.publish(run, &linked.loaded, &entities)?;
            Ok((churn, partition.len() as u64))
        })?;
        let mut report = report::of_run(&profile, &linked);
        report.clustering.churn = churn;
        Ok(Done {
            steps: self.steps,
            report,
            linked,
        })
    }

    /// Runs one step: times it, reports its progress, notes what it handled.
    pub(super) fn step<T>(
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

fn assign_entities(
    store: &Store,
    loaded: &LoadedTable,
    clusters: &Partition,
) -> Result<Vec<EntityId>, PipelineError> {
    let previous: Vec<Option<EntityId>> = match store.published() {
        None => vec![None; loaded.table.len()],
        Some(published) => published.entities_of(loaded),
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| PipelineError::Random)?;
    // A generator seeded by the operating system: one call to it instead of one per entity.
    let mut random = rand_chacha::ChaCha20Rng::from_seed(seed);
    Ok(cluster::inherit(&previous, clusters, &mut || {
        EntityId::from_u128(random.random())
    }))
}
