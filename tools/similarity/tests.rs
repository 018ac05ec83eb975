//! The command as a researcher uses it: files in, CSV out.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: SimilarityArguments,
}

fn similarity(words: &[&str]) -> Result<String, SimilarityError> {
    let cli = Cli::try_parse_from(std::iter::once(&"similarity").chain(words)).expect("arguments");
    run(&cli.arguments)
}

/// Filters of 128 bits: row `i` of the second side is row `i` of the first with few bits changed.
fn sides(rows: usize) -> [Vec<[u8; 16]>; 2] {
    let mut state = 11_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let a: Vec<[u8; 16]> = (0..rows)
        .map(|_| std::array::from_fn(|_| byte() & byte()))
        .collect();
    let mut b = a.clone();
    for (row, filter) in b.iter_mut().enumerate() {
        filter[row % 16] ^= 1 << (row % 8);
    }
    [a, b]
}

fn json(path: &Path, filters: &[[u8; 16]]) {
    let clks: Vec<String> = filters
        .iter()
        .map(|filter| STANDARD.encode(filter))
        .collect();
    std::fs::write(path, serde_json::json!({ "clks": clks }).to_string()).expect("written");
}

fn naive(a: &[[u8; 16]], b: &[[u8; 16]], threshold: f64) -> Vec<(usize, usize, f64)> {
    let ones = |filter: &[u8; 16]| filter.iter().map(|byte| byte.count_ones()).sum::<u32>();
    let mut pairs = Vec::new();
    for (row_a, x) in a.iter().enumerate() {
        for (row_b, y) in b.iter().enumerate() {
            let both: u32 = x.iter().zip(y).map(|(x, y)| (x & y).count_ones()).sum();
            let dice = f64::from(2 * both) / f64::from((ones(x) + ones(y)).max(1));
            if dice >= threshold {
                pairs.push((row_a, row_b, dice));
            }
        }
    }
    pairs
}

fn csv(path: &Path) -> Vec<(usize, usize, f64)> {
    let text = std::fs::read_to_string(path).expect("a result");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("row_a,row_b,similarity"));
    let row = |line: &str| {
        let mut cells = line.split(',');
        let mut cell = || cells.next().expect("three columns");
        let (a, b, similarity) = (cell(), cell(), cell());
        (
            a.parse().expect("a row"),
            b.parse().expect("a row"),
            similarity.parse().expect("a similarity"),
        )
    };
    lines.map(row).collect()
}

#[test]
fn json_and_raw_rows_give_the_pairs_of_a_naive_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = sides(300);
    let file = |name: &str| folder.path().join(name);
    json(&file("a.json"), &a);
    std::fs::write(file("b.bin"), b.concat()).expect("written");
    let path = |name: &str| file(name).to_str().expect("UTF-8").to_owned();
    let text = similarity(&[
        "--a",
        &path("a.json"),
        "--b",
        &path("b.bin"),
        "--bits",
        "128",
        "--threshold",
        "0.7",
        "--out",
        &path("pairs.csv"),
        "--threads",
        "2",
    ]);
    assert!(
        text.expect("done")
            .contains("300 x 300 filters of 128 bits")
    );
    let expected = naive(&a, &b, 0.7);
    assert!(expected.len() >= 300);
    assert_eq!(csv(&file("pairs.csv")), expected);
}

#[test]
fn an_approximate_search_keeps_its_promise_and_says_what_it_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = sides(3000);
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    json(Path::new(&file("a.json")), &a);
    json(Path::new(&file("b.json")), &b);
    let text = similarity(&[
        "--a",
        &file("a.json"),
        "--b",
        &file("b.json"),
        "--threshold",
        "0.9",
        "--out",
        &file("pairs.csv"),
        "--approximate",
        "0.9",
        "--json",
    ]);
    let summary: serde_json::Value = serde_json::from_str(&text.expect("done")).expect("JSON");
    let expected = naive(&a, &b, 0.9);
    let found = csv(Path::new(&file("pairs.csv")));
    assert!(found.iter().all(|pair| expected.contains(pair)));
    assert!(
        found.len() * 10 >= expected.len() * 9,
        "{} of {}",
        found.len(),
        expected.len()
    );
    let report = &summary["approximate"];
    assert!(report["key_bits"].as_u64() > Some(0));
    assert!(report["compared"].as_u64() < Some(3000 * 3000 / 4));
    assert!(report["sample_recall"].as_f64() >= Some(0.9));
}

#[test]
fn files_that_are_no_filters_are_refused_by_file_row_and_rule() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let [a, _] = sides(3);
    json(Path::new(&file("good.json")), &a);
    std::fs::write(file("uneven.bin"), [0; 17]).expect("written");
    std::fs::write(file("length.json"), r#"{"clks": ["AAAA", "AAAAAAAA"]}"#).expect("written");
    std::fs::write(file("text.json"), r#"{"clks": ["AAAA", "?"]}"#).expect("written");
    std::fs::write(file("other.json"), r#"{"filters": []}"#).expect("written");
    let refused = |b: &str, more: &[&str]| {
        let (good, other, out) = (file("good.json"), file(b), file("out.csv"));
        let mut words = vec![
            "--a",
            &good,
            "--b",
            &other,
            "--threshold",
            "0.8",
            "--out",
            &out,
        ];
        words.extend(more);
        similarity(&words).expect_err("refused").to_string()
    };
    assert!(refused("uneven.bin", &["--bits", "128"]).contains("17 bytes"));
    assert!(refused("uneven.bin", &[]).contains("--bits"));
    assert!(refused("length.json", &[]).contains("filter 1 (from 0) does not have the length"));
    assert!(refused("text.json", &[]).contains("filter 1 (from 0) is not base64"));
    assert!(refused("other.json", &[]).contains("clks"));
    assert!(refused("missing.json", &[]).contains("missing.json"));
    assert!(refused("good.json", &["--approximate", "1"]).contains("above 0 and below 1"));
    assert!(!Path::new(&file("out.csv")).exists());
}

#[test]
fn sides_of_different_length_and_impossible_thresholds_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let [a, _] = sides(3);
    json(Path::new(&file("a.json")), &a);
    std::fs::write(file("short.json"), r#"{"clks": ["AAAA"]}"#).expect("written");
    let refused = |b: &str, threshold: &str| {
        let words = [
            "--a",
            &file("a.json"),
            "--b",
            &file(b),
            "--threshold",
            threshold,
            "--out",
            &file("o"),
        ];
        similarity(&words).expect_err("refused").to_string()
    };
    assert!(refused("short.json", "0.8").contains("128 and 24 bits"));
    assert!(refused("a.json", "1.5").contains("at most 1"));
}
