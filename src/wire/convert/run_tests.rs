//! Runs survive the line; malformed ones are refused by field.

use super::*;
use crate::terms::methods::{
    AlternativeMethod, ComparisonMethod, CutEstimate, EstimateBasis, Interval, MethodsSheet,
};
use crate::terms::{
    AuditScan, BlockingAudit, BlockingReport, PassReason, PassReport, RunId, SourceId,
};

fn run() -> Run {
    Run {
        id: RunId::from_u128(99),
        state: RunState::Succeeded,
        created_unix_s: 1_790_000_000,
        steps: vec![StepReport {
            name: "load".into(),
            seconds: 0.25,
            items: 10,
        }],
        progress: Some(Progress {
            step: "block".into(),
            done: 1,
            planned: 2,
        }),
        failure: None,
        report: Some(RunReport {
            records: 10,
            entities: 4,
            sources: vec![SourceCount {
                source: SourceId::new("hosp_a").expect("good name"),
                records: 10,
            }],
            candidate_pairs: 20,
            blocks_capped: 1,
            links: 6,
            reviews: 2,
            links_set_aside: 1,
            thresholds: Thresholds {
                upper_bits: 4.5,
                lower_bits: -1.0,
            },
            threshold_rule: ThresholdRule::TargetPrecision(0.995),
            prior_probability: 0.001,
            expected_precision: 0.99,
            histogram: WeightHistogram {
                from_bits: -40.0,
                bin_bits: 1.0,
                counts: vec![3, 0, 17],
            },
            entity_sizes: vec![1, 2, 1],
            comparisons: vec![ComparisonReport {
                name: "birth".into(),
                levels: vec![LevelReport {
                    m_probability: 0.9,
                    u_probability: 0.01,
                    weight_bits: 6.49,
                }],
            }],
            blocking: blocking(),
            clustering: crate::terms::ClusteringReport::default(),
            methods: Some(methods()),
            warnings: vec!["one block was left out".into()],
        }),
    }
}

fn blocking() -> BlockingReport {
    BlockingReport {
        block_rows_max: 1_000,
        pairs_max: 5_000,
        passes: vec![PassReport {
            tag: "name+birth".into(),
            reason: PassReason::Shared,
            rows: 9,
            estimated_pairs: 18,
            pairs: 20,
            new_pairs: 19,
            capped_blocks: 1,
            capped_rows: 1_200,
        }],
        new_rows: Some(3),
        audit: Some(BlockingAudit {
            scan: AuditScan::SharedValues,
            rows: 10,
            pairs: 16,
            proposed: 15,
            pair_completeness: 0.9375,
            interval: Interval {
                low: 0.7,
                high: 0.99,
            },
        }),
    }
}

#[test]
fn a_scan_that_nobody_knows_is_refused() {
    let mut message = pb::BlockingReport::from(&blocking());
    if let Some(audit) = &mut message.audit {
        audit.scan = "by_hand".into();
    }
    assert_eq!(BlockingReport::try_from(message), Err(RunError::Blocking));
}

fn methods() -> MethodsSheet {
    let interval = |low, high| Interval { low, high };
    MethodsSheet {
        model_fingerprint: "ab".into(),
        profile_fingerprint: "cd".into(),
        comparisons: vec![ComparisonMethod {
            name: "birth".into(),
            m_pairs: 50.5,
            u_pairs: 2_000.0,
            m: vec![interval(0.8, 0.95)],
            u: vec![interval(0.005, 0.02)],
        }],
        alternatives: vec![AlternativeMethod {
            name: "twins".into(),
            share: 0.02,
            counted: true,
        }],
        basis: EstimateBasis::Model,
        decoy_sources: vec![SourceId::new("hosp_a").expect("good name")],
        cuts: vec![CutEstimate {
            cut_bits: 4.5,
            links: 6,
            false_links: 0.5,
            false_interval: interval(0.1, 2.5),
            precision: 0.92,
            precision_interval: interval(0.58, 0.98),
            relative_recall: 0.9,
            false_links_per_1000: 125.0,
        }],
        percolation_margin: Some(8.0),
        tracers: Some(crate::terms::methods::TracerRecall {
            people: 12,
            pairs: 30,
            recall: 0.9,
            interval: Interval {
                low: 0.8,
                high: 0.95,
            },
        }),
        people: None,
        fallbacks: vec!["the model alone".into()],
    }
}

#[test]
fn runs_round_trip() {
    for rule in [
        ThresholdRule::TargetPrecision(0.995),
        ThresholdRule::TargetFalseLinks(1.0),
        ThresholdRule::Given,
    ] {
        let mut run = run();
        let report = run.report.as_mut().expect("a report");
        report.threshold_rule = rule;
        assert_eq!(Run::try_from(pb::Run::from(&run)), Ok(run));
    }
}

#[test]
fn failed_runs_keep_their_reason() {
    let run = Run {
        state: RunState::Failed,
        failure: Some("no records".into()),
        progress: None,
        report: None,
        ..run()
    };
    assert_eq!(Run::try_from(pb::Run::from(&run)), Ok(run));
}

#[test]
fn malformed_runs_are_refused() {
    let refused = |change: fn(&mut pb::Run)| {
        let mut message = pb::Run::from(&run());
        change(&mut message);
        Run::try_from(message).expect_err("malformed")
    };
    assert_eq!(refused(|r| r.state = 0), RunError::State);
    assert_eq!(refused(|r| r.state = 77), RunError::State);
    let no_basis = refused(|r| {
        let report = r.report.as_mut().expect("a report");
        report.methods.as_mut().expect("a sheet").basis = 0;
    });
    assert_eq!(no_basis, RunError::Basis);
    assert!(matches!(
        refused(|r| r.name.clear()),
        RunError::Name { field: "name", .. }
    ));
    let no_cuts = refused(|r| {
        if let Some(report) = &mut r.report {
            report.thresholds = None;
        }
    });
    assert_eq!(
        no_cuts,
        RunError::Missing {
            field: "thresholds"
        }
    );
}

#[test]
fn thresholds_must_be_finite_and_in_order() {
    let good = pb::Thresholds {
        upper_bits: 2.0,
        lower_bits: 2.0,
    };
    assert!(Thresholds::try_from(good).is_ok());
    for (upper_bits, lower_bits) in [(1.0, 2.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0)] {
        let bad = pb::Thresholds {
            upper_bits,
            lower_bits,
        };
        assert_eq!(Thresholds::try_from(bad), Err(RunError::Thresholds));
    }
}
