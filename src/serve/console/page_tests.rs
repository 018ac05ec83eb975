//! The page says what the report says, in both languages, without a script.

use super::*;
use crate::terms::run::{
    ComparisonReport, LevelReport, Progress, RunState, SourceCount, StepReport, ThresholdRule,
    WeightHistogram,
};
use crate::terms::{RunId, Thresholds};

/// A report as a real run makes it: many non-links, a valley, a hill of links.
fn report(profile: &LinkageProfile) -> RunReport {
    let hill = |bits: f64, middle: f64, width: f64, pairs: f64| {
        pairs * (-((bits - middle) / width).powi(2) / 2.0).exp()
    };
    let counts = (0..130)
        .map(|bin| {
            let bits = -60.0 + f64::from(bin);
            let pairs = hill(bits, -21.0, 8.0, 31_000.0) + hill(bits, 27.0, 9.0, 4_200.0);
            pairs as u64
        })
        .collect();
    let level = |m_probability: f64, u_probability: f64| LevelReport {
        m_probability,
        u_probability,
        weight_bits: (m_probability / u_probability).log2(),
    };
    RunReport {
        records: 117_482,
        entities: 19_873,
        sources: vec![SourceCount {
            source: SourceId::new("hospital_a").expect("good name"),
            records: 21_034,
        }],
        candidate_pairs: 713_204,
        blocks_capped: 2,
        blocking: crate::terms::BlockingReport::default(),
        links: 94_310,
        reviews: 1_207,
        links_set_aside: 318,
        thresholds: Thresholds {
            upper_bits: 6.5,
            lower_bits: -3.5,
        },
        threshold_rule: ThresholdRule::TargetPrecision(0.995),
        prior_probability: 0.000_042,
        expected_precision: 0.9962,
        histogram: WeightHistogram {
            from_bits: -60.0,
            bin_bits: 1.0,
            counts,
        },
        entity_sizes: vec![2_410, 3_012, 3_544, 3_280, 2_761, 2_010, 1_240, 1_616],
        comparisons: profile
            .comparisons
            .iter()
            .map(|comparison| ComparisonReport {
                name: comparison.name.clone(),
                levels: (0..comparison.levels())
                    .map(|index| match comparison.rung_of_level(index) {
                        Some(rung) => level(comparison.rungs[rung].m, 0.001),
                        None => level(0.06, 0.97),
                    })
                    .collect(),
            })
            .collect(),
        clustering: crate::terms::ClusteringReport::default(),
        methods: None,
        warnings: vec!["2 blocks were left out: <tag> 'town+birth+sex'.".into()],
    }
}

fn run(state: RunState) -> Run {
    Run {
        id: RunId::from_u128(0x0f1e_2d3c_4b5a_6978_8796_a5b4_c3d2_e1f0),
        state,
        created_unix_s: 1_795_352_700,
        steps: vec![StepReport {
            name: "load".into(),
            seconds: 0.21,
            items: 117_482,
        }],
        progress: None,
        failure: None,
        report: None,
    }
}

fn finished() -> Overview {
    let profile = LinkageProfile::parse(include_str!(
        "../../../tests/vectors/profiles/salted-filter.toml"
    ))
    .expect("valid");
    let mut finished = run(RunState::Succeeded);
    finished.report = Some(report(&profile));
    let source = |name: &str, records, submissions| {
        (
            SourceId::new(name).expect("good name"),
            records,
            submissions,
        )
    };
    Overview {
        profile: Some((Arc::new(profile), "2026".into())),
        sources: vec![
            source("births", 3_204, 1),
            source("checkup_child", 9_411, 1),
            source("hospital_a", 21_034, 2),
            source("ndb_claims", 83_833, 1),
        ],
        active: None,
        failed: None,
        finished: Some(finished),
    }
}

fn english(overview: &Overview) -> String {
    render(overview, Language::English).expect("page")
}

#[test]
fn the_numbers_of_the_report_are_on_the_page() {
    let page = english(&finished());
    for shown in [
        "19,873",
        "117,482",
        "713,204",
        "94,310",
        "1,207",
        "318",
        "99.6 %",
        "+6.5",
        "−3.5",
        "4.2 × 10⁻⁵",
        "2026-11-22 13:05 UTC",
        "hospital_a",
        "21,034",
        "8 or more",
        "1,616",
        "birth_date",
        "names ≥ 0.60",
        "617,687",
    ] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
}

#[test]
fn both_thresholds_are_drawn_and_named() {
    let page = english(&finished());
    assert_eq!(
        page.matches("class=\"cut").count(),
        4,
        "two lines and two labels"
    );
    assert!(page.contains("Upper threshold +6.5") && page.contains("Lower threshold −3.5"));
    for region in ["in-non-link", "in-review", "in-link"] {
        assert_eq!(
            page.matches(region).count(),
            2,
            "{region} is defined and used"
        );
    }
}

#[test]
fn nothing_runs_and_nothing_is_loaded_from_elsewhere() {
    for language in [Language::English, Language::Japanese] {
        let page = render(&finished(), language).expect("page");
        for banned in [
            "<script", "style=", "onload", "onclick", "http://", "https://", "<style",
        ] {
            assert!(!page.contains(banned), "{banned}");
        }
        assert!(
            !page.contains("http-equiv"),
            "a finished run does not refresh"
        );
    }
}

#[test]
fn text_from_a_report_is_escaped() {
    let page = english(&finished());
    assert!(!page.contains("<tag>") && page.contains("&#60;tag&#62;"));
}

#[test]
fn japanese_pages_are_japanese() {
    let page = render(&finished(), Language::Japanese).expect("page");
    assert!(page.contains("<html lang=\"ja\">"));
    for shown in [
        "見つかった人数",
        "上側しきい値 +6.5",
        "8 以上",
        "別人",
        "要確認",
        "同一人物",
    ] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
}

#[test]
fn tables_name_their_rows_and_columns() {
    let page = english(&finished());
    assert!(page.matches("scope=\"col\"").count() > 10);
    assert!(page.matches("scope=\"row\"").count() > 10);
    assert_eq!(
        page.matches("<table").count(),
        page.matches("</table>").count()
    );
}

#[test]
fn before_the_first_run_the_page_says_what_to_do() {
    let nothing = Overview {
        sources: Vec::new(),
        finished: None,
        ..finished()
    };
    let page = english(&nothing);
    assert!(page.contains("Nothing has been linked yet"));
    assert!(page.contains("musubi-encode submit") && page.contains("musubi link --watch"));
    let records_only = Overview {
        finished: None,
        ..finished()
    };
    let page = english(&records_only);
    assert!(page.contains("musubi link --watch") && !page.contains("musubi-encode"));
    assert!(page.contains("21,034"));
}

#[test]
fn a_run_under_way_refreshes_and_a_failed_one_is_explained() {
    let mut active = run(RunState::Running);
    active.progress = Some(Progress {
        step: "compare".into(),
        done: 300_000,
        planned: 600_000,
    });
    let mut failed = run(RunState::Failed);
    failed.failure = Some("the store has no live record".into());
    let first = english(&Overview {
        active: Some(active.clone()),
        finished: None,
        ..finished()
    });
    assert!(
        !first.contains("musubi link --watch"),
        "what was started need not be started"
    );
    let page = english(&Overview {
        active: Some(active),
        ..finished()
    });
    assert!(page.contains("http-equiv=\"refresh\"") && page.contains("300,000 / 600,000"));
    assert!(page.contains("value=\"0.500\""));
    let page = english(&Overview {
        failed: Some(failed),
        ..finished()
    });
    assert!(page.contains("the store has no live record") && !page.contains("http-equiv"));
}
