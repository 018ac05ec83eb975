//! What a run says about its clusters: why links were set aside, how many merges went wrong, how
//! far the people are from growing together.

use crate::cluster::{self, ClusterRules, Clusters};
use crate::terms::{ClusteringReport, RecordTable};

/// Below this margin a few more false links tie all people together.
const MARGIN_MIN: f64 = 2.0;

/// The report of the clusters of a run.
pub(super) fn report(
    table: &RecordTable,
    clusters: &Clusters,
    rules: &ClusterRules,
) -> ClusteringReport {
    ClusteringReport {
        set_aside: clusters.set_aside_counts(),
        oversize: clusters.oversize(),
        false_merges: cluster::false_merges(table, clusters, rules),
        ..ClusteringReport::default()
    }
}

/// What a person should know about the clusters.
///
/// `margin`: the percolation margin.
pub(super) fn warnings(
    clusters: &Clusters,
    report: &ClusteringReport,
    margin: Option<f64>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let oversize = &report.oversize;
    if oversize.components > 0 {
        warnings.push(format!(
            "{} components of links with {} records, the largest with {}, are too large for one \
             person; their links below {:.1} bits were set aside",
            oversize.components, oversize.rows, oversize.largest_rows, oversize.cut_bits
        ));
    }
    if oversize.undivided > 0 {
        warnings.push(format!(
            "{} records lie in components that no cut divides: many records seem to be alike",
            oversize.undivided
        ));
    }
    if margin.is_some_and(|margin| margin < MARGIN_MIN) {
        warnings.push(
            "people are close to growing together into one component: raise the upper cut".into(),
        );
    }
    if clusters.contradictory_verdicts() > 0 {
        warnings.push(format!(
            "{} verdicts 'same person' contradict verdicts 'different people' and were left out",
            clusters.contradictory_verdicts()
        ));
    }
    warnings
}
