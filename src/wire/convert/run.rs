//! Runs and their reports.

use super::names::{NameError, parse_run_name, parse_source_name, run_name, source_name};
use crate::terms::Thresholds;
use crate::terms::run::{
    ComparisonReport, LevelReport, Progress, Run, RunReport, RunState, SourceCount, StepReport,
    ThresholdRule, WeightHistogram,
};
use crate::wire::pb;

/// Why a run is malformed. Names the field and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A name.
    #[error("field '{field}': {rule}")]
    Name {
        /// Which.
        field: &'static str,
        /// The rule.
        rule: NameError,
    },
    /// A state that does not exist.
    #[error("field 'state': a state that this version does not know")]
    State,
    /// A reason or scan of blocking that does not exist.
    #[error("field 'blocking': a code that this version does not know")]
    Blocking,
    /// A basis of estimates that does not exist.
    #[error("field 'basis': a basis that this version does not know")]
    Basis,
    /// Thresholds that are not numbers, or the wrong way round.
    #[error("field 'thresholds': two finite numbers, lower_bits not above upper_bits")]
    Thresholds,
    /// A part is missing.
    #[error("field '{field}' is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
}

impl From<Thresholds> for pb::Thresholds {
    fn from(thresholds: Thresholds) -> Self {
        Self {
            upper_bits: thresholds.upper_bits,
            lower_bits: thresholds.lower_bits,
        }
    }
}

impl TryFrom<pb::Thresholds> for Thresholds {
    type Error = RunError;

    fn try_from(thresholds: pb::Thresholds) -> Result<Self, RunError> {
        let finite = thresholds.upper_bits.is_finite() && thresholds.lower_bits.is_finite();
        if !finite || thresholds.lower_bits > thresholds.upper_bits {
            return Err(RunError::Thresholds);
        }
        Ok(Self {
            upper_bits: thresholds.upper_bits,
            lower_bits: thresholds.lower_bits,
        })
    }
}

impl From<RunState> for pb::RunState {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::Queued,
            RunState::Running => Self::Running,
            RunState::Succeeded => Self::Succeeded,
            RunState::Failed => Self::Failed,
        }
    }
}

fn state_from(code: i32) -> Result<RunState, RunError> {
    match pb::RunState::try_from(code) {
        Ok(pb::RunState::Queued) => Ok(RunState::Queued),
        Ok(pb::RunState::Running) => Ok(RunState::Running),
        Ok(pb::RunState::Succeeded) => Ok(RunState::Succeeded),
        Ok(pb::RunState::Failed) => Ok(RunState::Failed),
        Ok(pb::RunState::Unspecified) | Err(_) => Err(RunError::State),
    }
}

impl From<&Run> for pb::Run {
    fn from(run: &Run) -> Self {
        Self {
            name: run_name(run.id),
            state: pb::RunState::from(run.state).into(),
            create_time_unix_s: run.created_unix_s,
            steps: run
                .steps
                .iter()
                .map(|step| pb::Step {
                    name: step.name.clone(),
                    seconds: step.seconds,
                    item_count: step.items,
                })
                .collect(),
            progress: run.progress.as_ref().map(|progress| pb::Progress {
                step: progress.step.clone(),
                done_count: progress.done,
                planned_count: progress.planned,
            }),
            failure: run.failure.clone().unwrap_or_default(),
            report: run.report.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::Run> for Run {
    type Error = RunError;

    fn try_from(run: pb::Run) -> Result<Self, RunError> {
        let id = parse_run_name(&run.name).map_err(|rule| RunError::Name {
            field: "name",
            rule,
        })?;
        Ok(Self {
            id,
            state: state_from(run.state)?,
            created_unix_s: run.create_time_unix_s,
            steps: run
                .steps
                .into_iter()
                .map(|step| StepReport {
                    name: step.name,
                    seconds: step.seconds,
                    items: step.item_count,
                })
                .collect(),
            progress: run.progress.map(|progress| Progress {
                step: progress.step,
                done: progress.done_count,
                planned: progress.planned_count,
            }),
            failure: (!run.failure.is_empty()).then_some(run.failure),
            report: run.report.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&RunReport> for pb::RunReport {
    fn from(report: &RunReport) -> Self {
        Self {
            record_count: report.records,
            entity_count: report.entities,
            sources: report
                .sources
                .iter()
                .map(|count| pb::SourceCount {
                    source: source_name(&count.source),
                    record_count: count.records,
                })
                .collect(),
            candidate_pair_count: report.candidate_pairs,
            capped_block_count: report.blocks_capped,
            link_count: report.links,
            review_count: report.reviews,
            set_aside_link_count: report.links_set_aside,
            thresholds: Some(report.thresholds.into()),
            target_precision: match report.threshold_rule {
                ThresholdRule::TargetPrecision(target) => Some(target),
                ThresholdRule::TargetFalseLinks(_) | ThresholdRule::Given => None,
            },
            target_false_links_per_1000_people: match report.threshold_rule {
                ThresholdRule::TargetFalseLinks(target) => Some(target),
                ThresholdRule::TargetPrecision(_) | ThresholdRule::Given => None,
            },
            prior_probability: report.prior_probability,
            expected_precision: report.expected_precision,
            histogram: Some(pb::WeightHistogram {
                from_bits: report.histogram.from_bits,
                bin_bits: report.histogram.bin_bits,
                counts: report.histogram.counts.clone(),
            }),
            entity_size_counts: report.entity_sizes.clone(),
            comparisons: report.comparisons.iter().map(Into::into).collect(),
            methods: report.methods.as_ref().map(Into::into),
            warnings: report.warnings.clone(),
            clustering: Some((&report.clustering).into()),
            blocking: Some((&report.blocking).into()),
        }
    }
}

impl TryFrom<pb::RunReport> for RunReport {
    type Error = RunError;

    fn try_from(report: pb::RunReport) -> Result<Self, RunError> {
        let thresholds = report.thresholds.ok_or(RunError::Missing {
            field: "thresholds",
        })?;
        let histogram = report
            .histogram
            .ok_or(RunError::Missing { field: "histogram" })?;
        let mut sources = Vec::with_capacity(report.sources.len());
        for count in report.sources {
            let source = parse_source_name(&count.source).map_err(|rule| RunError::Name {
                field: "sources",
                rule,
            })?;
            sources.push(SourceCount {
                source,
                records: count.record_count,
            });
        }
        Ok(Self {
            records: report.record_count,
            entities: report.entity_count,
            sources,
            candidate_pairs: report.candidate_pair_count,
            blocks_capped: report.capped_block_count,
            links: report.link_count,
            reviews: report.review_count,
            links_set_aside: report.set_aside_link_count,
            thresholds: thresholds.try_into()?,
            threshold_rule: match (
                report.target_precision,
                report.target_false_links_per_1000_people,
            ) {
                (Some(target), _) => ThresholdRule::TargetPrecision(target),
                (None, Some(target)) => ThresholdRule::TargetFalseLinks(target),
                (None, None) => ThresholdRule::Given,
            },
            prior_probability: report.prior_probability,
            expected_precision: report.expected_precision,
            histogram: WeightHistogram {
                from_bits: histogram.from_bits,
                bin_bits: histogram.bin_bits,
                counts: histogram.counts,
            },
            entity_sizes: report.entity_size_counts,
            comparisons: report.comparisons.into_iter().map(Into::into).collect(),
            methods: report.methods.map(TryInto::try_into).transpose()?,
            warnings: report.warnings,
            clustering: report.clustering.map(Into::into).unwrap_or_default(),
            blocking: report
                .blocking
                .map(TryInto::try_into)
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

impl From<&ComparisonReport> for pb::ComparisonModel {
    fn from(comparison: &ComparisonReport) -> Self {
        Self {
            name: comparison.name.clone(),
            levels: comparison
                .levels
                .iter()
                .map(|level| pb::LevelModel {
                    m_probability: level.m_probability,
                    u_probability: level.u_probability,
                    weight_bits: level.weight_bits,
                })
                .collect(),
        }
    }
}

impl From<pb::ComparisonModel> for ComparisonReport {
    fn from(model: pb::ComparisonModel) -> Self {
        Self {
            name: model.name,
            levels: model
                .levels
                .into_iter()
                .map(|level| LevelReport {
                    m_probability: level.m_probability,
                    u_probability: level.u_probability,
                    weight_bits: level.weight_bits,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
