use std::path::Path;

use super::*;
use crate::encode::file::{EncodingHeader, EncodingWriter};
use crate::encode::key::SecretFingerprint;
use crate::terms::{EventKind, LinkageProfile, RecordEncoding, RecordRef, SourceId};

/// Output and exit code of `musubi-encode` with these arguments.
fn call(arguments: &[&str]) -> (String, u8) {
    let all = std::iter::once("musubi-encode").chain(arguments.iter().copied());
    outcome_of(all).expect("right usage")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn wrong_usage_has_exit_code_2() {
    for arguments in [
        &["musubi-encode", "nope"][..],
        &["musubi-encode", "key", "new"],
    ] {
        let usage = outcome_of(arguments.iter().copied()).expect_err("wrong usage");
        assert_eq!(usage.exit_code(), 2);
    }
    use clap::CommandFactory;
    Arguments::command().debug_assert();
}

#[test]
fn a_key_is_made_once_and_has_a_fingerprint() {
    let dir = tempfile::tempdir().expect("directory");
    let file = dir.path().join("linkage.key");
    let (made, code) = call(&["key", "new", "--out", path(&file)]);
    assert_eq!(code, 0, "{made}");
    let (shown, code) = call(&["key", "fingerprint", path(&file)]);
    assert_eq!(code, 0, "{shown}");
    let fingerprint = shown.split(' ').next().expect("first word");
    assert_eq!(fingerprint.len(), 16);
    assert!(made.contains(fingerprint) && shown.contains("linkage secret"));
    let (error, code) = call(&["key", "new", "--out", path(&file), "--kind", "source"]);
    assert_eq!(code, 1);
    assert!(
        error.starts_with("error: ") && error.contains("never overwritten"),
        "{error}"
    );
    let (json, _) = call(&["key", "fingerprint", "--json", path(&file)]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["fingerprint"], &json["kind"]),
        (&fingerprint.into(), &"linkage secret".into())
    );
    let other = dir.path().join("source.key");
    call(&["key", "new", "--out", path(&other), "--kind", "source"]);
    assert!(
        call(&["key", "fingerprint", path(&other)])
            .0
            .contains("source secret")
    );
    // It stays at its source.
    let (at, public) = (dir.path().join("x"), dir.path().join("x.pub"));
    call(&["key", "new", "--out", path(&at), "--kind", "exchange"]);
    let sealed = dir.path().join("sealed");
    let (error, code) = call(&[
        "key",
        "seal",
        path(&other),
        "--to",
        path(&public),
        "--out",
        path(&sealed),
    ]);
    assert!(
        code == 1 && error.contains("stays at its source"),
        "{error}"
    );
    assert!(!sealed.exists());
    let (error, code) = call(&[
        "key",
        "seal",
        path(&file),
        "--to",
        path(&public),
        "--out",
        path(&sealed),
    ]);
    assert!(code == 0 && sealed.exists(), "{error}");
}

#[test]
fn profiles_are_found_by_name_or_file_and_broken_ones_refused_in_one_line() {
    let dir = tempfile::tempdir().expect("directory");
    let (text, code) = call(&["profile", "show", "jp-standard"]);
    assert_eq!(code, 0);
    let file = dir.path().join("mine.toml");
    std::fs::write(&file, &text).expect("written");
    let by_file = call(&["profile", "fingerprint", path(&file)]);
    assert_eq!(by_file, call(&["profile", "fingerprint", "jp-standard"]));
    let (json, code) = call(&["profile", "check", "--json", "jp-fields"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["filters"].as_array().map(Vec::len), Some(8));
    assert!(
        json["weaknesses"].to_string().contains("not salted"),
        "{json}"
    );
    let (told, _) = call(&["profile", "fingerprint", "--json", "jp-fields"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["fingerprint"], json["fingerprint"]);
    let (checked, code) = call(&["profile", "check", "jp-fields"]);
    assert_eq!(code, 0);
    assert!(
        checked.contains("is valid") && checked.contains("warning"),
        "{checked}"
    );

    std::fs::write(&file, text.replace("slots = 7", "slots = seven")).expect("written");
    let (error, code) = call(&["profile", "check", path(&file)]);
    assert_eq!((code, error.lines().count()), (1, 1), "{error}");
    assert!(
        error.contains("mine.toml") && error.contains("line"),
        "{error}"
    );
    let salted = include_str!("../../tests/vectors/profiles/salted-filter.toml");
    std::fs::write(&file, salted.replace("bits = 1024", "bits = 1000")).expect("written");
    let (error, _) = call(&["profile", "check", path(&file)]);
    assert!(
        error.contains("filter 'names'") && error.contains("multiple of 64"),
        "{error}"
    );
    let (error, code) = call(&["profile", "check", "jp-nothing"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("jp-nothing") && error.contains("jp-standard"),
        "{error}"
    );
    let (error, _) = call(&["profile", "check", "no/such.toml"]);
    assert!(
        error.contains("cannot read") && error.contains("no/such.toml"),
        "{error}"
    );
}

#[test]
fn inspect_counts_a_whole_file_and_refuses_one_cut_short() {
    let dir = tempfile::tempdir().expect("directory");
    let file = dir.path().join("a.mse");
    let text = include_str!("../../tests/vectors/profiles/salted-filter.toml");
    let profile = LinkageProfile::parse(text).expect("valid");
    let layout = profile.layout();
    let source = SourceId::new("hospital_a").expect("valid");
    let header = EncodingHeader::new(&profile, "1", &source, SecretFingerprint([1; 8]), 7);
    let mut writer = EncodingWriter::create(&file, &header).expect("created");
    for number in 0..4_u32 {
        let with_filter = number < 2;
        let words = if with_filter {
            0x5555_5555_5555_5555
        } else {
            0
        };
        let encoding = RecordEncoding {
            record_ref: RecordRef::new(&format!("secret-label-{number}")).expect("valid"),
            version: 1,
            kind: EventKind::Hospital,
            year: 0,
            flags: 0,
            presence: layout.tag_bit(0) | if with_filter { layout.filter_bit(0) } else { 0 },
            filters: vec![words; layout.filter_words()],
            tags: vec![9; layout.tag_slots()],
        };
        writer.append(&encoding).expect("appended");
    }
    writer.finish().expect("finished");

    let (text, code) = call(&["inspect", path(&file)]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("4 records") && text.contains("no plaintext"),
        "{text}"
    );
    assert!(
        !text.contains("secret-label"),
        "record refs are personal data"
    );
    let (json, _) = call(&["inspect", "--json", path(&file)]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["records"], 4);
    assert_eq!(json["filters"][0]["records"], 2);
    assert_eq!(json["filters"][0]["mean_fill"], 0.5);
    assert_eq!(json["tags"][0]["records"], 4);
    assert_eq!(json["source"], "hospital_a");

    let bytes = std::fs::read(&file).expect("bytes");
    std::fs::write(&file, &bytes[..bytes.len() - 1]).expect("written");
    let (error, code) = call(&["inspect", path(&file)]);
    assert_eq!(code, 1);
    assert!(
        error.contains("a.mse is cut short after record 4"),
        "{error}"
    );
}

#[test]
fn encode_reports_for_people_and_programs_and_tells_no_value() {
    let dir = tempfile::tempdir().expect("directory");
    let at = |name: &str| path(&dir.path().join(name)).to_owned();
    let csv = "id,sei,mei,born,sex\nA1,サトウ,ハナコ,19850203,2\nA2,スズキ,タロウ,19850230,1\n";
    std::fs::write(at("in.csv"), csv).expect("written");
    let map = "record_ref = \"id\"\nlocale = \"jp\"\n[fields]\nsurname_kana = \"sei\"\n\
               given_kana = \"mei\"\nbirth_date = \"born\"\nsex = \"sex\"\n";
    std::fs::write(at("map.toml"), map).expect("written");
    call(&["key", "new", "--out", &at("linkage.key")]);
    call(&["key", "new", "--out", &at("source.key"), "--kind", "source"]);
    let (input, out, map, key) = (
        at("in.csv"),
        at("out.mse"),
        at("map.toml"),
        at("linkage.key"),
    );
    let source_key = at("source.key");
    let common = [
        "encode",
        &input,
        "-o",
        &out,
        "--map",
        &map,
        "--source",
        "hospital_a",
    ];
    let keys = ["--key", &key, "--source-key", &source_key];

    let (text, code) = call(&[&common[..], &keys].concat());
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("1 records") && text.contains("impossible_date"),
        "{text}"
    );
    assert!(text.contains("first at line 3"), "{text}");
    let (json, code) = call(&[&common[..], &keys, &["--json"]].concat());
    assert_eq!(code, 0, "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&value["records"], &value["empty"]), (&1.into(), &1.into()));
    for told in [&text, &json] {
        for value in ["サトウ", "19850230", "A1", "A2"] {
            assert!(!told.contains(value), "the report tells a value");
        }
    }

    let (error, code) = call(&[&common[..], &keys[..2]].concat());
    assert_eq!((code, error.lines().count()), (1, 1), "{error}");
    assert!(
        error.starts_with("error: ") && error.contains("source key"),
        "{error}"
    );
    let wrong_name = ["--source", "Hospital A", "--key", &key];
    let all = ["musubi-encode", "encode", &input, "-o", &out, "--map", &map];
    let usage = outcome_of([&all[..], &wrong_name].concat()).expect_err("wrong usage");
    assert_eq!(usage.exit_code(), 2);
}
