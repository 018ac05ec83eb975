//! Methods sheets.

use super::names::{parse_source_name, source_name};
use super::run::RunError;
use crate::terms::methods::{
    AlternativeMethod, ComparisonMethod, CutEstimate, EstimateBasis, Interval, MethodsSheet,
    TracerRecall,
};
use crate::wire::pb;

impl From<Interval> for pb::Interval {
    fn from(Interval { low, high }: Interval) -> Self {
        Self { low, high }
    }
}

impl From<pb::Interval> for Interval {
    fn from(pb::Interval { low, high }: pb::Interval) -> Self {
        Self { low, high }
    }
}

fn intervals(intervals: &[Interval]) -> Vec<pb::Interval> {
    intervals
        .iter()
        .map(|interval| (*interval).into())
        .collect()
}

impl From<&MethodsSheet> for pb::MethodsSheet {
    fn from(sheet: &MethodsSheet) -> Self {
        let comparisons = sheet.comparisons.iter();
        let alternatives = sheet.alternatives.iter();
        let basis = match sheet.basis {
            EstimateBasis::Decoys => pb::EstimateBasis::Decoys,
            EstimateBasis::Model => pb::EstimateBasis::Model,
        };
        Self {
            model_fingerprint: sheet.model_fingerprint.clone(),
            profile_fingerprint: sheet.profile_fingerprint.clone(),
            comparisons: comparisons
                .map(|comparison| pb::ComparisonMethod {
                    name: comparison.name.clone(),
                    m_pair_count: comparison.m_pairs,
                    u_pair_count: comparison.u_pairs,
                    m: intervals(&comparison.m),
                    u: intervals(&comparison.u),
                })
                .collect(),
            alternatives: alternatives
                .map(|alternative| pb::AlternativeMethod {
                    name: alternative.name.clone(),
                    share: alternative.share,
                    counted: alternative.counted,
                })
                .collect(),
            basis: basis.into(),
            decoy_sources: sheet.decoy_sources.iter().map(source_name).collect(),
            cuts: sheet.cuts.iter().map(Into::into).collect(),
            percolation_margin: sheet.percolation_margin,
            fallbacks: sheet.fallbacks.clone(),
            tracers: sheet.tracers.map(Into::into),
            people: sheet.people.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::MethodsSheet> for MethodsSheet {
    type Error = RunError;

    fn try_from(sheet: pb::MethodsSheet) -> Result<Self, RunError> {
        let basis = match pb::EstimateBasis::try_from(sheet.basis) {
            Ok(pb::EstimateBasis::Decoys) => EstimateBasis::Decoys,
            Ok(pb::EstimateBasis::Model) => EstimateBasis::Model,
            Ok(pb::EstimateBasis::Unspecified) | Err(_) => return Err(RunError::Basis),
        };
        let named = sheet
            .decoy_sources
            .iter()
            .map(|name| parse_source_name(name));
        let decoy_sources = named
            .collect::<Result<_, _>>()
            .map_err(|rule| RunError::Name {
                field: "decoy_sources",
                rule,
            })?;
        let into = |values: Vec<pb::Interval>| values.into_iter().map(Into::into).collect();
        let comparisons = sheet.comparisons.into_iter();
        let alternatives = sheet.alternatives.into_iter();
        Ok(Self {
            model_fingerprint: sheet.model_fingerprint,
            profile_fingerprint: sheet.profile_fingerprint,
            comparisons: comparisons
                .map(|comparison| ComparisonMethod {
                    name: comparison.name,
                    m_pairs: comparison.m_pair_count,
                    u_pairs: comparison.u_pair_count,
                    m: into(comparison.m),
                    u: into(comparison.u),
                })
                .collect(),
            alternatives: alternatives
                .map(|alternative| AlternativeMethod {
                    name: alternative.name,
                    share: alternative.share,
                    counted: alternative.counted,
                })
                .collect(),
            basis,
            decoy_sources,
            cuts: sheet.cuts.into_iter().map(Into::into).collect(),
            percolation_margin: sheet.percolation_margin,
            tracers: sheet.tracers.map(Into::into),
            people: sheet.people.map(TryInto::try_into).transpose()?,
            fallbacks: sheet.fallbacks,
        })
    }
}

impl From<TracerRecall> for pb::TracerRecall {
    fn from(tracers: TracerRecall) -> Self {
        Self {
            person_count: tracers.people,
            pair_count: tracers.pairs,
            recall: tracers.recall,
            recall_interval: Some(tracers.interval.into()),
        }
    }
}

impl From<pb::TracerRecall> for TracerRecall {
    fn from(tracers: pb::TracerRecall) -> Self {
        Self {
            people: tracers.person_count,
            pairs: tracers.pair_count,
            recall: tracers.recall,
            interval: tracers.recall_interval.map(Into::into).unwrap_or_default(),
        }
    }
}

impl From<&CutEstimate> for pb::CutEstimate {
    fn from(cut: &CutEstimate) -> Self {
        Self {
            cut_bits: cut.cut_bits,
            link_count: cut.links,
            false_link_count: cut.false_links,
            false_link_interval: Some(cut.false_interval.into()),
            precision: cut.precision,
            precision_interval: Some(cut.precision_interval.into()),
            relative_recall: cut.relative_recall,
            false_links_per_1000_people: cut.false_links_per_1000,
        }
    }
}

impl From<pb::CutEstimate> for CutEstimate {
    fn from(cut: pb::CutEstimate) -> Self {
        let interval = |interval: Option<pb::Interval>| interval.unwrap_or_default().into();
        Self {
            cut_bits: cut.cut_bits,
            links: cut.link_count,
            false_links: cut.false_link_count,
            false_interval: interval(cut.false_link_interval),
            precision: cut.precision,
            precision_interval: interval(cut.precision_interval),
            relative_recall: cut.relative_recall,
            false_links_per_1000: cut.false_links_per_1000_people,
        }
    }
}
