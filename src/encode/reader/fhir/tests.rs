use proptest::prelude::*;

use super::*;
use crate::encode::reader::tests::read;
use crate::encode::reader::{ReadReport, Row};

fn map() -> MapFile {
    MapFile::parse("locale = 'jp'\n[file]\nform = 'fhir'\n").expect("a map")
}

/// The reasons and lines of what is refused.
fn refused(report: &ReadReport) -> Vec<(&str, &[u64])> {
    let lines = report.first_lines.iter();
    lines
        .map(|(name, lines)| (name.as_str(), lines.as_slice()))
        .collect()
}

#[test]
fn what_cannot_be_read_is_refused_by_line_and_rule() {
    let lines = [
        r#"{"resourceType":"Patient","id":"a","birthDate":"1950"}"#,
        "",
        r#"{"resourceType":"Patient","id":"秘密"#,
        "[1]",
        r#"{"resourceType":"Observation","id":"o"}"#,
        r#"{"resourceType":"Patient","id":"a","birthDate":"1950"}"#,
        r#"{"resourceType":"Patient","birthDate":"1950"}"#,
        r#"{"resourceType":"Patient","id":"b"}"#,
        r#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/none"}}"#,
    ];
    let (rows, report) = read(lines.join("\n").as_bytes(), &map()).expect("read");
    assert_eq!((rows.len(), report.records), (7, 1));
    assert_eq!(
        refused(&report),
        [
            ("birth_date: partial_date", &[1][..]),
            ("coverage_without_patient", &[9]),
            ("duplicate_record_ref", &[6]),
            ("json", &[3, 4]),
            ("no_identity", &[8]),
            ("record_ref", &[7]),
        ]
    );
    let json = serde_json::to_string(&report).expect("serialises");
    assert!(!json.contains("秘密"), "{json}");
}

#[test]
fn a_bundle_is_read_piece_by_piece_with_its_lines() {
    let bundle = r#"{ "resourceType": "Bundle",
  "note": "entry: [ { \" } ]",
  "entry": [
    { "resource": { "resourceType": "Patient", "id": "a", "birthDate": "1950-01-02" } },
    { "fullUrl": "x", "request": {"resource": {}}, "resource":
      { "resourceType": "Patient", "id": "b", "birthDate": "1950-13-02" } },
    { "resource": { "resourceType": "Patient", "id": "c", "birthDate": truex } }
  ] }"#;
    let (rows, report) = read(bundle.as_bytes(), &map()).expect("read");
    assert_eq!((rows.len(), report.records), (3, 1));
    assert_eq!(
        refused(&report),
        [
            ("birth_date: impossible_date", &[6][..]),
            ("json", &[7]),
            ("no_identity", &[6]),
        ]
    );
}

#[test]
fn what_is_no_fhir_ends_the_reading() {
    for (bytes, rule) in [
        ("", "a FHIR file is a JSON object"),
        ("id,name\n1,a\n", "a FHIR file is a JSON object"),
        (
            "{\"resourceType\":\"Bundle\",\n\"entry\":[",
            "ends in the middle",
        ),
        ("{]\n", "brackets do not match"),
        ("{\"resourceType\":\"Bundle\"}", "at least one Patient"),
    ] {
        let Err(error) = read(bytes.as_bytes(), &map()) else {
            panic!("{bytes:?} is read")
        };
        let message = error.to_string();
        assert!(
            message.contains(rule) && message.contains("line"),
            "{message}"
        );
    }
}

#[test]
fn a_record_may_be_known_by_an_identifier() {
    let text =
        "locale='jp'\nrecord_ref='urn:x'\n[file]\nform='fhir'\n[fields]\npatient_number='urn:y'\n";
    let map = MapFile::parse(text).expect("a map");
    let patient = r#"{"resourceType":"Patient","id":"a","identifier":[
        {"system":"urn:y","value":"7"},{"system":"urn:x","value":"R1"}]}"#;
    let (rows, _) = read(patient.as_bytes(), &map).expect("read");
    let Row::Record(record) = &rows[0] else {
        panic!("refused")
    };
    assert_eq!(record.record_ref.as_str(), "R1");
    let number = record.identity.get(crate::terms::Attribute::PatientNumber);
    assert_eq!(number, Some("hosp_a|7"));
}

#[test]
fn numbers_of_insured_persons_have_two_written_forms() {
    for (written, expected) in [
        (
            "00012345:あいう:１８７:05",
            Some(["00012345", "あいう", "１８７", "05"]),
        ),
        ("00012345：：１８７：", Some(["00012345", "", "１８７", ""])),
        ("00012345:1:2", None),
    ] {
        let insured = Insured::from_member_id(written);
        let parts = insured.map(|i| [i.insurer, i.symbol, i.number, i.branch]);
        assert_eq!(parts, expected.map(|parts| parts.map(str::to_owned)));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &map());
    }

    #[test]
    fn arbitrary_json_does_not_panic(text in r#"(\{|\}|\[|\]|:|,|"|\\|\n|"resourceType":|"Patient"|"Coverage"|"Bundle"|"entry":|"resource":|"name":|"id":"a"|1|あ){0,60}"#) {
        let _ = read(text.as_bytes(), &map());
    }

    #[test]
    fn odd_values_do_not_panic(value in r#"(null|1|\[\]|\[1\]|\{\}|"x"|\[\{\}\]|\[\{"use":1,"given":\["a",2\],"family":3,"reference":"Patient/","url":"/"\}\])"#) {
        for key in ["id", "name", "identifier", "birthDate", "gender", "address", "telecom"] {
            let patient = format!("{{\"resourceType\":\"Patient\",\"{key}\":{value}}}");
            let _ = read(patient.as_bytes(), &map());
        }
        for key in ["payor", "beneficiary", "extension", "identifier", "contained", "period"] {
            let coverage = format!("{{\"resourceType\":\"Coverage\",\"{key}\":{value}}}\n");
            let _ = read(coverage.as_bytes(), &map());
        }
    }
}
