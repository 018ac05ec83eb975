//! Blocking in a run: the plan and its reasons, and the audit that says what blocking missed.

use std::collections::HashMap;

use rayon::prelude::*;

use super::linked::Linked;
use super::scoring::Scored;
use super::tracers;
use crate::block::{self, BlockPlan, Outlook};
use crate::compare::Comparer;
use crate::score::{self, Model};
use crate::terms::methods::Interval;
use crate::terms::profile::{Evidence, LinkageProfile};
use crate::terms::{
    AuditScan, BlockingAudit, BlockingReport, CandidatePair, ComparisonVector, Level, PassReport,
    RecordTable, RowIndex,
};

/// Records of an audit that joins by shared values.
const SAMPLE_ROWS: usize = 2_000;

/// Pairs of an audit that compares each sampled record with all.
const SCANNED_PAIRS: usize = 100_000_000;

/// What a run under this profile blocks on, with the reasons.
#[must_use]
pub fn outlook(profile: &LinkageProfile, table: &RecordTable) -> Outlook {
    let tags: Vec<usize> = (0..profile.tags.len())
        .filter(|tag| profile.tags[*tag].block)
        .collect();
    block::plan(table, &tags)
}

/// What a run under this profile blocks on.
#[must_use]
pub fn block_plan(profile: &LinkageProfile, table: &RecordTable) -> BlockPlan {
    outlook(profile, table).plan
}

/// The report of blocking.
pub(super) fn report(profile: &LinkageProfile, linked: &Linked) -> BlockingReport {
    let Linked { outlook, found, .. } = linked;
    let pass = |tag: usize| found.passes.iter().find(|pass| pass.tag == tag);
    let passes = outlook.tags.iter().map(|planned| {
        let done = pass(planned.tag).copied().unwrap_or_default();
        PassReport {
            tag: profile.tags[planned.tag].name.clone(),
            reason: planned.reason,
            rows: planned.rows,
            estimated_pairs: planned.estimated_pairs,
            pairs: done.pairs,
            new_pairs: done.new_pairs,
            capped_blocks: done.capped_blocks,
            capped_rows: done.capped_rows,
        }
    });
    BlockingReport {
        block_rows_max: outlook.plan.block_rows_max as u64,
        pairs_max: outlook.pairs_max,
        passes: passes.collect(),
        new_rows: linked.new_rows,
        audit: Some(linked.audit),
    }
}

/// What a person should know about blocks that were left out.
pub(super) fn warnings(report: &BlockingReport) -> Vec<String> {
    let capped = report.passes.iter().filter(|pass| pass.capped_blocks > 0);
    let warnings = capped.map(|pass| {
        format!(
            "tag '{}': {} blocks with {} records are larger than {} and were left out",
            pass.tag, pass.capped_blocks, pass.capped_rows, report.block_rows_max
        )
    });
    warnings.collect()
}

/// Scans a random sample of records exactly: of all their pairs at or above the lower cut, how many
/// did blocking propose? `seed` draws the sample; `proposed` is ascending.
pub(super) fn audit(
    profile: &LinkageProfile,
    table: &RecordTable,
    comparer: &Comparer<'_>,
    scored: &Scored,
    proposed: &[CandidatePair],
    seed: u64,
) -> BlockingAudit {
    let model = &scored.estimate.model;
    let lower_bits = scored.choice.thresholds.lower_bits;
    let scan = scan_for(profile, model, lower_bits);
    let wanted = match scan {
        AuditScan::SharedValues => SAMPLE_ROWS,
        AuditScan::AllPairs => (SCANNED_PAIRS / table.len().max(1)).clamp(1, SAMPLE_ROWS),
    };
    let sample = block::sample_rows(table, wanted, seed);
    let reaches = |known: &mut HashMap<ComparisonVector, bool>, pair: CandidatePair| {
        tracers::may_be_one(table, pair) && {
            let vector = comparer.compare(pair);
            let of_vector = || model.weight(&vector).0 >= lower_bits;
            *known.entry(vector).or_insert_with(of_vector)
        }
    };
    let found: Vec<CandidatePair> = match scan {
        AuditScan::SharedValues => {
            let sharing = block::sharing_rows(table, &sample);
            let reaching = sharing
                .into_par_iter()
                .map_init(HashMap::new, |known, pair| (reaches(known, pair), pair));
            let reaching = reaching.filter(|(reaches, _)| *reaches);
            reaching.map(|(_, pair)| pair).collect()
        }
        AuditScan::AllPairs => {
            let mut found: Vec<CandidatePair> = (0..table.len() as RowIndex)
                .into_par_iter()
                .map_init(HashMap::new, |known, row| {
                    let others = sample.iter().filter(|other| **other != row);
                    let pairs = others.map(|other| CandidatePair::new(row, *other));
                    pairs
                        .filter(|pair| reaches(known, *pair))
                        .collect::<Vec<_>>()
                })
                .flatten_iter()
                .collect();
            found.par_sort_unstable();
            found.dedup();
            found
        }
    };
    tally(scan, &sample, &found, proposed)
}

/// Joining by shared values is exact if no filter is compared and a pair that shares no value stays
/// below the lower cut.
fn scan_for(profile: &LinkageProfile, model: &Model, lower_bits: f64) -> AuditScan {
    let rungs = profile
        .comparisons
        .iter()
        .flat_map(|comparison| &comparison.rungs);
    let mut filters = rungs.filter(|rung| matches!(rung.evidence, Evidence::Filter { .. }));
    let mut strangers = ComparisonVector::missing();
    for (index, comparison) in model.comparisons.iter().enumerate() {
        let disagree = Level((comparison.m.len() - 1) as u8);
        if comparison.weight_bits(disagree) > 0.0 {
            strangers.set(index, disagree);
        }
    }
    if filters.next().is_none() && model.weight(&strangers).0 < lower_bits {
        AuditScan::SharedValues
    } else {
        AuditScan::AllPairs
    }
}

/// Counts by sampled record, so that the interval knows how the share differs between records.
fn tally(
    scan: AuditScan,
    sample: &[RowIndex],
    found: &[CandidatePair],
    proposed: &[CandidatePair],
) -> BlockingAudit {
    let mut by_row: HashMap<RowIndex, (f64, f64)> = HashMap::new();
    let mut hits = 0;
    for pair in found {
        let hit = proposed.binary_search(pair).is_ok();
        hits += u64::from(hit);
        for row in [pair.a, pair.b] {
            if sample.contains(&row) {
                let counts = by_row.entry(row).or_default();
                counts.0 += 1.0;
                counts.1 += f64::from(u8::from(hit));
            }
        }
    }
    let share = if found.is_empty() {
        1.0
    } else {
        hits as f64 / found.len() as f64
    };
    BlockingAudit {
        scan,
        rows: sample.len() as u64,
        pairs: found.len() as u64,
        proposed: hits,
        pair_completeness: share,
        interval: interval(&by_row, share),
    }
}

/// Wilson's interval with as many pairs as would vary as much if they were independent (Kish 1965,
/// the design effect); if none was missed, as many as there are records.
fn interval(by_row: &HashMap<RowIndex, (f64, f64)>, share: f64) -> Interval {
    let rows = by_row.len() as f64;
    let pairs: f64 = by_row.values().map(|(pairs, _)| pairs).sum();
    let squares = by_row
        .values()
        .map(|(pairs, hits)| (hits - share * pairs).powi(2));
    let variance = squares.sum::<f64>() / (pairs * pairs) * rows / (rows - 1.0);
    let independent = share * (1.0 - share) / variance;
    let effective = match share > 0.0 && share < 1.0 {
        true => independent.min(pairs),
        false => rows,
    };
    score::wilson(share, effective)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_one_record_count_less_than_pairs_of_many() {
        let of = |rows: &[(f64, f64)]| -> HashMap<RowIndex, (f64, f64)> {
            (0..).zip(rows.iter().copied()).collect()
        };
        // 40 of 200 pairs are missed: one in five of each record, or all of every fifth.
        let spread = interval(&of(&[(5.0, 4.0); 40]), 0.8);
        let mut clumped = vec![(5.0, 5.0); 32];
        clumped.extend([(5.0, 0.0); 8]);
        let clumped = interval(&of(&clumped), 0.8);
        assert!(spread.low > 0.73 && spread.high < 0.86);
        assert!(clumped.low < 0.67 && clumped.high > 0.88);
    }

    #[test]
    fn without_a_miss_the_records_are_the_sample() {
        let rows = (0..100).map(|row| (row, (10.0, 10.0))).collect();
        let found = interval(&rows, 1.0);
        assert!(found.high > 0.999 && found.low > 0.95 && found.low < 0.97);
        let nothing = interval(&HashMap::new(), 1.0);
        assert!(nothing.low == 0.0 && nothing.high == 1.0);
    }
}
