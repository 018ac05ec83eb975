//! Quality has floors: the whole line, through the real binary, on invented people and on a public
//! set, with thresholds that the product chose without the truth.
//!
//! Floors stand a little below what is reached, so that they fall when something breaks and not
//! when a hash changes. Parameters are never chosen on the public set.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use musubi::tools::evaluate::public::febrl_truth;
use serde_json::Value;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs `musubi demo --json` and reads its report.
fn demo(dir: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_musubi"))
        .arg("demo")
        .arg("--json")
        .arg("--dir")
        .arg(dir)
        .args(arguments)
        .output()
        .expect("the binary runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    let written = std::fs::read(dir.join("report.json")).expect("report.json");
    let written: Value = serde_json::from_slice(&written).expect("JSON in report.json");
    assert_eq!(printed, written, "both tell the same");
    printed
}

/// Checks precision and recall, pairwise and B-cubed, against `[precision, recall]`.
fn check(report: &Value, floors: [f64; 2]) {
    for measure in ["pairwise", "bcubed"] {
        let of = |name: &str| report[measure][name].as_f64().expect("a number");
        let (precision, recall) = (of("precision"), of("recall"));
        println!(
            "{measure}: precision {precision:.4}, recall {recall:.4}, F1 {:.4}",
            of("f1")
        );
        assert!(
            precision >= floors[0],
            "{measure} precision {precision} < {}",
            floors[0]
        );
        assert!(
            recall >= floors[1],
            "{measure} recall {recall} < {}",
            floors[1]
        );
    }
}

/// Checks strata against floors of `(name, precision, recall)`.
fn check_strata(report: &Value, floors: &[(&str, f64, f64)]) {
    let strata = report["strata"].as_array().expect("strata were asked for");
    for (name, precision, recall) in floors {
        let found = strata.iter().find(|s| s["stratum"] == *name);
        let stratum = found.unwrap_or_else(|| panic!("no stratum {name}"));
        // No precision: all pairs of the stratum are of one person, or none was found.
        let reached = ["precision", "recall"].map(|what| stratum[what].as_f64().unwrap_or(1.0));
        println!("{name}: {stratum}");
        assert!(
            reached[0] >= *precision && reached[1] >= *recall,
            "{name}: precision and recall {reached:?}, floors {precision} and {recall}"
        );
    }
}

#[test]
fn invented_people_are_found_under_both_japanese_profiles() {
    let folder = tempfile::tempdir().expect("temporary directory");
    // jp-standard sends little of what strangers share: a new surname after a move is lost for some.
    for (profile, floors, [no_error, surname_changed, birth_date_error, kanji_only]) in [
        ("jp-standard", [0.993, 0.95], [0.97, 0.7, 0.4, 0.85]),
        ("jp-fields", [0.993, 0.985], [0.99, 0.9, 0.8, 0.9]),
    ] {
        let dir = folder.path().join(profile);
        // A seed of its own: the generator's default seed is what people look at.
        let report = demo(
            &dir,
            &[
                "--persons",
                "3000",
                "--seed",
                "77",
                "--profile",
                profile,
                "--strata",
            ],
        );
        println!("{profile}");
        check(&report, floors);
        let strata = [
            ("no_error", 0.99, no_error),
            ("surname_changed", 0.99, surname_changed),
            ("twins", 0.9, 0.9),
            ("swapped_names", 0.97, 0.8),
            ("birth_date_error", 0.97, birth_date_error),
            ("kanji_only", 0.97, kanji_only),
            ("birth_to_death", 0.9, 0.9),
        ];
        check_strata(&report, &strata);

        assert_eq!(report["sources"].as_array().expect("sources").len(), 9);
        let names: Vec<&str> = report["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| step["name"].as_str().expect("a name"))
            .collect();
        for step in [
            "people", "encode", "submit", "block", "compare", "score", "cluster", "publish",
        ] {
            assert!(names.contains(&step), "the step {step} is reported");
        }
        entities_agree_with_the_report(&dir, &report);
    }
}

#[test]
fn febrl4_is_linked_by_field_level_filters() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let data = repository("tests/vectors/febrl4");
    let truth = folder.path().join("truth.csv");
    let (a, b) = (data.join("dataset4a.csv"), data.join("dataset4b.csv"));
    let records = febrl_truth(&[("febrl4a", &a), ("febrl4b", &b)], &truth).expect("truth");
    assert_eq!(records, 10_000);
    let maps = repository("tools/maps/febrl4");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (data, maps, truth) = (text(&data), text(&maps), text(&truth));
    let arguments = [
        "--data",
        &data,
        "--maps",
        &maps,
        "--truth",
        &truth,
        "--profile",
        "en-fields",
    ];
    check(&demo(&folder.path().join("out"), &arguments), [0.99, 0.99]);
}

/// `entities.csv` has every record once and as many entities as the report says.
fn entities_agree_with_the_report(dir: &Path, report: &Value) {
    let mut rows = csv::Reader::from_path(dir.join("entities.csv")).expect("entities.csv");
    let mut records: BTreeMap<(String, String), String> = BTreeMap::new();
    for row in rows.deserialize() {
        let (source, record, entity): (String, String, String) = row.expect("three columns");
        assert!(
            records.insert((source, record), entity).is_none(),
            "each record once"
        );
    }
    assert_eq!(report["records"].as_u64(), Some(records.len() as u64));
    let entities: std::collections::BTreeSet<&String> = records.values().collect();
    assert_eq!(report["entities"].as_u64(), Some(entities.len() as u64));
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let precious = folder.path().join("thesis.txt");
    let mut file = std::fs::File::create(&precious).expect("created");
    file.write_all(b"do not touch").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_musubi"))
        .args(["demo", "--persons", "10", "--dir"])
        .arg(folder.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--dir"),
        "it says what to do"
    );
    assert_eq!(
        std::fs::read(&precious).expect("still there"),
        b"do not touch"
    );
}
