//! How many false merges went through? Estimated from broken rules of the life course alone.

use super::judge::{Fact, Judge};
use super::{ClusterRules, Clusters};
use crate::terms::{FalseMergeEstimate, RecordTable, RowIndex};

/// Rows looked at for trial merges, about.
const SAMPLE_ROWS: usize = 400_000;
/// Trial merges of one date of birth, sex and place, at most: no place counts too much.
const TRIALS_OF_A_VALUE: usize = 4;
/// Fewer trial merges say nothing.
const TRIALS_MIN: u64 = 100;
/// Width of a 95 % interval, in standard deviations.
const DEVIATIONS: f64 = 1.96;

/// Merges for trial entities of people who share date of birth, sex and place, and counts how many a
/// rule refuses; see [`FalseMergeEstimate`].
///
/// `None` if the profile has no tag of date of birth, sex and place alone, if too few entities share
/// one, or if no trial was refused.
#[must_use]
pub fn false_merges(
    table: &RecordTable,
    clusters: &Clusters,
    rules: &ClusterRules,
) -> Option<FalseMergeEstimate> {
    let judge = Judge { table, rules };
    let cluster_of = clusters.partition.cluster_of_rows();
    let facts = |cluster: u32| -> Vec<Fact> {
        let rows = clusters.partition.cluster(cluster as usize);
        rows.iter().map(|row| judge.fact(*row)).collect()
    };
    let key = |cluster: &u32| {
        let rows = clusters.partition.cluster(*cluster as usize).iter();
        rows.map(|row| table.key(*row)).min()
    };
    let (mut trials, mut refused) = (0_u64, 0_u64);
    for tag in &rules.neighbours {
        let mut found = sample(table, *tag);
        found.sort_unstable();
        for group in found.chunk_by(|x, y| x.0 == y.0) {
            let mut sharing: Vec<u32> = (group.iter())
                .map(|(_, row)| cluster_of[*row as usize])
                .collect();
            sharing.sort_unstable();
            sharing.dedup();
            // By key and not by number: the same trials whatever the order of rows.
            sharing.sort_unstable_by_key(key);
            for pair in sharing.chunks_exact(2).take(TRIALS_OF_A_VALUE) {
                trials += 1;
                let conflict = judge.conflict(&facts(pair[0]), &facts(pair[1]));
                refused += u64::from(conflict.is_some());
            }
        }
    }
    estimate(clusters.refused_merges(), trials, refused)
}

/// Rows that have a tag, with its value; of a large table those of some of the values.
fn sample(table: &RecordTable, tag: usize) -> Vec<(u64, RowIndex)> {
    let every = (table.len() / SAMPLE_ROWS).max(1) as u64;
    (0..table.len() as RowIndex)
        .filter_map(|row| Some((table.tag(row, tag)?[0], row)))
        .filter(|(value, _)| value.is_multiple_of(every))
        .collect()
}

fn estimate(refused_merges: u64, trials: u64, refused: u64) -> Option<FalseMergeEstimate> {
    if trials < TRIALS_MIN || refused == 0 {
        return None;
    }
    let chance = refused as f64 / trials as f64;
    let odds = (1.0 - chance) / chance;
    let merges = refused_merges as f64;
    // The refused merges are a Poisson count, the trials a binomial one.
    let deviation = ((merges + 1.0) + merges * merges / refused as f64).sqrt() * odds;
    let false_merges = merges * odds;
    Some(FalseMergeEstimate {
        refused_merges,
        trial_merges: trials,
        trial_refusals: refused,
        false_merges,
        low: (false_merges - DEVIATIONS * deviation).max(0.0),
        high: false_merges + DEVIATIONS * deviation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_sees_tells_of_what_it_does_not_see() {
        // One in four false merges breaks a rule; 50 broke one: about 150 did not.
        let found = estimate(50, 4000, 1000).expect("enough");
        assert!((found.false_merges - 150.0).abs() < 1e-9);
        assert!(found.low > 80.0 && found.high < 220.0);
        assert!(estimate(50, 99, 20).is_none());
        assert!(estimate(50, 4000, 0).is_none());
        let none = estimate(0, 4000, 1000).expect("enough");
        assert!(none.false_merges == 0.0 && none.low == 0.0 && none.high < 10.0);
    }
}
