//! What a run found out, and the two ways to find it out: over all records, or over those that came
//! since the run before.

use super::pipeline::{Pipeline, PipelineError};
use super::scoring::{self, Scored};
use super::{blocking, tracers};
use crate::block::{self, BlockPlan, Candidates, Outlook};
use crate::cluster::{self, ClusterRules, Clusters, Evidence};
use crate::compare::Comparer;
use crate::store::LoadedTable;
use crate::terms::profile::LinkageProfile;
use crate::terms::run::ThresholdPolicy;
use crate::terms::{BlockingAudit, CandidatePair, RowIndex, RunId};

/// Inside components of links up to this many rows, every pair is compared.
const COMPONENT_ROWS_MAX: usize = 200;

/// Of this share of new rows and more, all are linked anew, and the model with them.
const NEW_ROWS_MAX: f64 = 0.1;

/// All that a run found out. Kept, it lets the next run look at new records only.
///
/// # Privacy
/// Holds encodings and links: no `Debug`.
pub(super) struct Linked {
    pub(super) loaded: LoadedTable,
    pub(super) outlook: Outlook,
    pub(super) found: Candidates,
    /// Pairs that links connect and blocking missed, ascending.
    pub(super) completed: Vec<CandidatePair>,
    /// How its cuts were chosen.
    pub(super) policy: ThresholdPolicy,
    pub(super) scored: Scored,
    pub(super) clusters: Clusters,
    pub(super) audit: BlockingAudit,
    /// Rows over which the model was estimated.
    pub(super) model_rows: usize,
    /// Rows that were new to this run, if it looked at those only.
    pub(super) new_rows: Option<u64>,
}

impl Linked {
    /// Whether a run may go on from here: cuts chosen alike or kept, and nothing that counts how common a
    /// value is among all rows.
    fn fits(&self, profile: &LinkageProfile, policy: ThresholdPolicy) -> bool {
        let alike = policy == ThresholdPolicy::AsBefore || self.policy == policy;
        alike && profile.comparisons.iter().all(|one| !one.by_frequency)
    }
}

impl Pipeline<'_> {
    /// Goes on from what the run before found out, if it can, and links all records otherwise.
    pub(super) fn find(
        &mut self,
        run: RunId,
        profile: &LinkageProfile,
        policy: ThresholdPolicy,
        kept: Option<Linked>,
    ) -> Result<Linked, PipelineError> {
        if let Some(kept) = kept.filter(|kept| kept.fits(profile, policy))
            && let Some(linked) = self.link_new(run, profile, policy, kept)?
        {
            return Ok(linked);
        }
        self.steps.clear();
        self.link_all(run, profile, policy)
    }

    fn link_all(
        &mut self,
        run: RunId,
        profile: &LinkageProfile,
        policy: ThresholdPolicy,
    ) -> Result<Linked, PipelineError> {
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
        let outlook = self.step("plan", 0, |_, _| {
            let outlook = blocking::outlook(profile, table);
            let passes = outlook.plan.tags.len() as u64;
            Ok((outlook, passes))
        })?;
        let plan = &outlook.plan;
        let found = self.step("block", plan.tags.len() as u64, |_, done| {
            let found = block::candidates(table, plan, done);
            let pairs = found.pairs.len() as u64;
            Ok((found, pairs))
        })?;
        let comparer = Comparer::new(profile, table);
        let pairs = &found.pairs;
        let vectors = self.step("compare", pairs.len() as u64, |_, done| {
            let vectors = scoring::compare(&comparer, pairs, done);
            Ok((vectors, pairs.len() as u64))
        })?;
        let mut scored = self.step("score", 0, |pipeline, _| {
            let sources = loaded.sources.len();
            let mut scored = if policy == ThresholdPolicy::AsBefore {
                let before = scoring::as_before(pipeline.store, profile);
                let (estimate, choice) = before.ok_or(PipelineError::NothingBefore)?;
                let mut scored = Scored::new(estimate, choice, sources);
                scored.add(table, pairs, &vectors);
                scored
            } else {
                scoring::score(profile, table, sources, &comparer, pairs, &vectors, policy)
            };
            scored.retain(|pair| tracers::may_be_one(table, pair));
            let links = scored.links.len() as u64;
            Ok((scored, links))
        })?;
        drop(vectors);
        let audit = self.audit(run, profile, &loaded, &comparer, &scored, pairs)?;
        let completed = self.step("complete", 0, |_, done| {
            let missed = complete(&comparer, &loaded, &mut scored, pairs, &[], None, done);
            let count = missed.len() as u64;
            Ok((missed, count))
        })?;
        let rules = rules(profile, &scored);
        let clusters = self.step("cluster", 0, |_, _| {
            let clusters = cluster::solve(table, evidence(&scored), &rules);
            let count = clusters.partition.len() as u64;
            Ok((clusters, count))
        })?;
        Ok(Linked {
            model_rows: table.len(),
            loaded,
            outlook,
            found,
            completed,
            policy,
            scored,
            clusters,
            audit,
            new_rows: None,
        })
    }

    /// Links what came since. `None`: what is kept no longer holds.
    ///
    /// With the model and the cuts as they were, the result is that of a run over all records.
    fn link_new(
        &mut self,
        run: RunId,
        profile: &LinkageProfile,
        policy: ThresholdPolicy,
        mut kept: Linked,
    ) -> Result<Option<Linked>, PipelineError> {
        let added = self.step("load", 0, |pipeline, _| {
            let added = pipeline.store.extend_table(&mut kept.loaded)?;
            let count = added.as_ref().map_or(0, ExactSizeIterator::len) as u64;
            Ok((added, count))
        })?;
        let Some(added) = added else { return Ok(None) };
        let table = &kept.loaded.table;
        let grown = (table.len() - kept.model_rows) as f64;
        if policy == ThresholdPolicy::AsBefore {
            kept.scored.estimate.warnings = vec![scoring::KEPT.into()];
        } else if grown > NEW_ROWS_MAX * kept.model_rows as f64 {
            return Ok(None);
        }
        kept.policy = policy;
        // Tags that nobody had before may now be shared.
        let plan = BlockPlan {
            tags: kept.outlook.tags.iter().map(|one| one.tag).collect(),
            block_rows_max: kept.outlook.plan.block_rows_max,
        };
        let more = self.step("block", 0, |_, _| {
            let more = block::more_candidates(table, &plan, added.start);
            let pairs = more.as_ref().map_or(0, |more| more.pairs.len()) as u64;
            Ok((more, pairs))
        })?;
        let Some(more) = more else { return Ok(None) };
        let comparer = Comparer::new(profile, table);
        let vectors = self.step("compare", more.pairs.len() as u64, |_, done| {
            let vectors = scoring::compare(&comparer, &more.pairs, done);
            Ok((vectors, more.pairs.len() as u64))
        })?;
        let scored = &mut kept.scored;
        let known = (scored.links.len(), scored.supporting.len());
        self.step("score", 0, |_, _| {
            scored.add(table, &more.pairs, &vectors);
            scored.retain(|pair| tracers::may_be_one(table, pair));
            Ok(((), (scored.links.len() - known.0) as u64))
        })?;
        kept.found.add(more);
        let pairs = &kept.found.pairs;
        kept.audit = self.audit(run, profile, &kept.loaded, &comparer, scored, pairs)?;
        let mut touched: Vec<bool> = vec![false; table.len()];
        added.clone().for_each(|row| touched[row as usize] = true);
        let missed = self.step("complete", 0, |_, done| {
            mark(&mut touched, scored, known);
            let of_component = |rows: &[RowIndex]| rows.iter().any(|row| touched[*row as usize]);
            let missed = complete(
                &comparer,
                &kept.loaded,
                scored,
                pairs,
                &kept.completed,
                Some(&of_component),
                done,
            );
            let count = missed.len() as u64;
            Ok((missed, count))
        })?;
        kept.completed.extend(missed);
        kept.completed.sort();
        let rules = rules(profile, scored);
        kept.clusters = self.step("cluster", 0, |_, _| {
            mark(&mut touched, scored, known);
            let touched = (0..).zip(&touched).filter(|(_, touched)| **touched);
            let touched: Vec<RowIndex> = touched.map(|(row, _)| row).collect();
            let before = &kept.clusters;
            let again = cluster::solve_again(table, evidence(scored), &rules, before, &touched);
            let count = again.partition.len() as u64;
            Ok((again, count))
        })?;
        kept.new_rows = Some(added.len() as u64);
        Ok(Some(kept))
    }

    fn audit(
        &mut self,
        run: RunId,
        profile: &LinkageProfile,
        loaded: &LoadedTable,
        comparer: &Comparer<'_>,
        scored: &Scored,
        pairs: &[CandidatePair],
    ) -> Result<BlockingAudit, PipelineError> {
        self.step("audit", 0, |_, _| {
            let seed = run.as_u128() as u64;
            let audit = blocking::audit(profile, &loaded.table, comparer, scored, pairs, seed);
            Ok((audit, audit.pairs))
        })
    }
}

/// The rules of clustering under the cuts in force.
pub(super) fn rules(profile: &LinkageProfile, scored: &Scored) -> ClusterRules {
    ClusterRules::of(profile, scored.choice.thresholds.upper_bits)
}

pub(super) fn evidence(scored: &Scored) -> Evidence<'_> {
    Evidence {
        links: &scored.links,
        supporting: &scored.supporting,
        verdicts: &[],
    }
}

/// Marks the ends of links and supporting pairs beyond the first so many.
fn mark(touched: &mut [bool], scored: &Scored, known: (usize, usize)) {
    let links = scored.links[known.0..].iter();
    for link in links.chain(&scored.supporting[known.1..]) {
        touched[link.pair.a as usize] = true;
        touched[link.pair.b as usize] = true;
    }
}

/// Says of the rows of a component whether it is to be looked at.
type OfComponent<'a> = &'a (dyn Fn(&[RowIndex]) -> bool + Sync);

/// Compares the pairs that links connect over others and blocking missed, of all components or those
/// wanted; gives them, ascending.
pub(super) fn complete(
    comparer: &Comparer<'_>,
    loaded: &LoadedTable,
    scored: &mut Scored,
    proposed: &[CandidatePair],
    completed: &[CandidatePair],
    wanted: Option<OfComponent<'_>>,
    done: &(dyn Fn(u64) + Sync),
) -> Vec<CandidatePair> {
    let table = &loaded.table;
    let all = |_: &[RowIndex]| true;
    let links = &scored.links;
    let mut missed = cluster::uncompared(
        table.len(),
        links,
        proposed,
        COMPONENT_ROWS_MAX,
        wanted.unwrap_or(&all),
    );
    missed.retain(|pair| completed.binary_search(pair).is_err());
    missed.sort_unstable();
    let vectors = scoring::compare(comparer, &missed, done);
    scored.add(table, &missed, &vectors);
    scored.retain(|pair| tracers::may_be_one(table, pair));
    missed
}

#[cfg(test)]
#[path = "linked_tests.rs"]
mod tests;
