//! What clustering says in a run's report.

use crate::terms::{
    Churn, ClusteringReport, FalseMergeEstimate, OversizeReport, SetAsideCount, SetAsideReason,
};
use crate::wire::pb;

impl From<&Churn> for pb::Churn {
    fn from(churn: &Churn) -> Self {
        Self {
            existing_count: churn.existing,
            created_count: churn.created,
            merged_count: churn.merged,
            split_count: churn.split,
            retired_count: churn.retired,
        }
    }
}

impl From<pb::Churn> for Churn {
    fn from(churn: pb::Churn) -> Self {
        Self {
            existing: churn.existing_count,
            created: churn.created_count,
            merged: churn.merged_count,
            split: churn.split_count,
            retired: churn.retired_count,
        }
    }
}

impl From<&ClusteringReport> for pb::ClusteringReport {
    fn from(report: &ClusteringReport) -> Self {
        let oversize = &report.oversize;
        let set_aside = report.set_aside.iter().map(|count| pb::SetAsideCount {
            reason: count.reason.code().to_owned(),
            link_count: count.links,
        });
        Self {
            set_aside: set_aside.collect(),
            oversize: Some(pb::OversizeReport {
                component_count: oversize.components,
                record_count: oversize.rows,
                largest_record_count: oversize.largest_rows,
                cut_bits: oversize.cut_bits,
                undivided_record_count: oversize.undivided,
            }),
            false_merges: report.false_merges.map(|estimate| pb::FalseMergeEstimate {
                refused_merge_count: estimate.refused_merges,
                trial_merge_count: estimate.trial_merges,
                trial_refusal_count: estimate.trial_refusals,
                false_merges: estimate.false_merges,
                low: estimate.low,
                high: estimate.high,
            }),
            churn: Some((&report.churn).into()),
        }
    }
}

impl From<pb::ClusteringReport> for ClusteringReport {
    /// Reasons that this version does not know are left out.
    fn from(report: pb::ClusteringReport) -> Self {
        let oversize = report.oversize.unwrap_or_default();
        let known = report.set_aside.into_iter().filter_map(|count| {
            Some(SetAsideCount {
                reason: SetAsideReason::from_code(&count.reason)?,
                links: count.link_count,
            })
        });
        Self {
            set_aside: known.collect(),
            oversize: OversizeReport {
                components: oversize.component_count,
                rows: oversize.record_count,
                largest_rows: oversize.largest_record_count,
                cut_bits: oversize.cut_bits,
                undivided: oversize.undivided_record_count,
            },
            false_merges: report.false_merges.map(|estimate| FalseMergeEstimate {
                refused_merges: estimate.refused_merge_count,
                trial_merges: estimate.trial_merge_count,
                trial_refusals: estimate.trial_refusal_count,
                false_merges: estimate.false_merges,
                low: estimate.low,
                high: estimate.high,
            }),
            churn: report.churn.map(Into::into).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_round_trip() {
        let report = ClusteringReport {
            set_aside: SetAsideReason::ALL
                .map(|reason| SetAsideCount { reason, links: 3 })
                .to_vec(),
            oversize: OversizeReport {
                components: 1,
                rows: 2,
                largest_rows: 3,
                cut_bits: 4.5,
                undivided: 5,
            },
            false_merges: Some(FalseMergeEstimate {
                refused_merges: 1,
                trial_merges: 2,
                trial_refusals: 3,
                false_merges: 4.0,
                low: 5.0,
                high: 6.0,
            }),
            churn: Churn {
                existing: 1,
                created: 2,
                merged: 3,
                split: 4,
                retired: 5,
            },
        };
        let sent = pb::ClusteringReport::from(&report);
        assert_eq!(ClusteringReport::from(sent), report);
    }
}
