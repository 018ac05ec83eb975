//! `musubi link` as an operator types it.

use std::process::{Command, Output};

use musubi::terms::methods::MethodsSheet;
use musubi::terms::run::{Run, ThresholdRule};

use crate::world::{World, header, records};

/// Runs the program against a server.
async fn musubi(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musubi"));
    command
        .args(arguments)
        .arg("--server")
        .arg(world.address())
        .arg("--dir")
        .arg(world.certs().parent().expect("a folder"));
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.expect("no panic").expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

async fn with_records() -> World {
    let world = World::start().await;
    for (name, prefix, count) in [("hosp_a", "a", 300), ("hosp_b", "b", 200)] {
        let stem = format!("source-{name}");
        let submitted = world
            .submit(&stem, &header(name, 1), records(prefix, count))
            .await;
        submitted.expect("taken in");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_false_links_chooses_the_threshold_and_is_told() {
    let world = with_records().await;
    let link = ["link", "--watch", "--target-false-links-per-1000", "0.5"];
    let told = musubi(&world, &link).await;
    assert!(told.status.success(), "{}", text(&told.stderr));
    let told = text(&told.stdout);
    let rule = "the lowest cut, not below even odds, at which at most 0.5 false links are expected for \
                1,000 people";
    assert!(told.contains(rule), "{told}");

    let json = musubi(&world, &[&link[..], &["--json"]].concat()).await;
    let run: Run = serde_json::from_slice(&json.stdout).expect("a run");
    let report = run.report.expect("a report");
    assert_eq!(report.threshold_rule, ThresholdRule::TargetFalseLinks(0.5));
    let sheet = musubi(&world, &["methods", &run.id.to_string(), "--json"]).await;
    let sheet: MethodsSheet = serde_json::from_slice(&sheet.stdout).expect("a sheet");
    let cut = sheet.at(report.thresholds.upper_bits).expect("in force");
    assert!(cut.links > 0 && cut.links <= report.links);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_policy_needs_a_run_before_and_keeps_it() {
    let world = with_records().await;
    let link = ["link", "--watch", "--as-before", "--json"];
    let refused = musubi(&world, &link).await;
    assert_eq!(refused.status.code(), Some(1));
    let words = text(&refused.stderr);
    assert!(words.contains("no run has succeeded"), "{words}");
    let first = musubi(&world, &["link", "--watch", "--json"]).await;
    assert!(first.status.success(), "{}", text(&first.stderr));
    let kept = musubi(&world, &link).await;
    assert!(kept.status.success(), "{}", text(&kept.stderr));
    let run = |output: &Output| -> Run { serde_json::from_slice(&output.stdout).expect("a run") };
    let [first, kept] = [&first, &kept].map(|it| run(it).report.expect("a report"));
    assert_eq!(first.thresholds, kept.thresholds);
    assert_eq!(first.comparisons, kept.comparisons);
    let sheets = [first, kept].map(|report| report.methods.expect("a sheet"));
    assert_eq!(sheets[0].model_fingerprint, sheets[1].model_fingerprint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_none_is_refused_by_name() {
    let world = World::start().await;
    for target in ["0", "-1", "NaN", "1e9", "inf", "some"] {
        let refused = musubi(&world, &["link", "--target-false-links-per-1000", target]).await;
        assert_eq!(refused.status.code(), Some(2), "{target}");
        let words = text(&refused.stderr);
        assert!(
            words.contains("--target-false-links-per-1000 <N>"),
            "{words}"
        );
        assert!(words.contains("a number above 0, at most 1000"), "{words}");
    }
    let clash = ["link", "--target-false-links-per-1000", "1", "--as-before"];
    assert_eq!(musubi(&world, &clash).await.status.code(), Some(2));
}
