use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Golden {
    kdf_example: KdfExample,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct KdfExample {
    secret: String,
    num_identifiers: usize,
    keys_hex: Vec<[String; 2]>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    secret: String,
    schema: serde_json::Value,
    rows: Vec<Vec<String>>,
    clks: Vec<String>,
    popcounts: Vec<u32>,
    bits: Vec<usize>,
}

fn golden() -> Golden {
    let text = include_str!("../../../tests/vectors/clkhash/clkhash_golden.json");
    serde_json::from_str(text).expect("vectors")
}

fn encoder(case: &Case) -> ClkEncoder {
    let schema = ClkSchema::parse(&case.schema.to_string()).expect(&case.name);
    ClkEncoder::new(schema, case.secret.as_bytes())
}

fn filter(encoder: &ClkEncoder, row: &[String]) -> Vec<u64> {
    let mut out = vec![u64::MAX; encoder.schema().words()];
    encoder.encode(row, &mut out).expect("a good row");
    out
}

/// As clkhash writes it: the first bit is the highest of the first byte, in Base64.
fn to_base64(filter: &[u64], bits: usize) -> String {
    let mut bytes = vec![0_u8; bits.div_ceil(8)];
    for bit in (0..bits).filter(|bit| filter[bit / 64] >> (bit % 64) & 1 == 1) {
        bytes[bit / 8] |= 0x80 >> (bit % 8);
    }
    const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let value = u32::from_be_bytes(padded);
        for index in 0..4 {
            if index > group.len() {
                text.push('=');
            } else {
                text.push(char::from(
                    SYMBOLS[(value >> (18 - 6 * index) & 63) as usize],
                ));
            }
        }
    }
    text
}

#[test]
fn all_35_vectors_of_clkhash_are_met_bit_for_bit() {
    let mut met = 0;
    for case in golden().cases {
        let encoder = encoder(&case);
        for (index, row) in case.rows.iter().enumerate() {
            let filter = filter(&encoder, row);
            let ones: u32 = filter.iter().map(|word| word.count_ones()).sum();
            assert_eq!(ones, case.popcounts[index], "{} row {index}", case.name);
            let text = to_base64(&filter, case.bits[index]);
            assert_eq!(text, case.clks[index], "{} row {index}", case.name);
            met += 1;
        }
    }
    assert_eq!(met, 35);
}

#[test]
fn two_keys_are_derived_for_each_feature() {
    let golden = golden();
    let mut schema = ClkSchema::parse(&golden.cases[0].schema.to_string()).expect("good");
    let example = golden.kdf_example;
    schema.features = vec![Feature::Ignored; example.num_identifiers];
    let encoder = ClkEncoder::new(schema, example.secret.as_bytes());
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    for (keys, expected) in encoder.keys.iter().zip(&example.keys_hex) {
        assert_eq!(&keys.both().map(hex), expected);
    }
}

#[test]
fn the_documented_name_of_folds_folds_nothing() {
    let named = |name: &str| {
        let cases = golden().cases;
        let case = cases.iter().find(|case| case.name == name).expect("there");
        filter(&encoder(case), &case.rows[0])
    };
    let plain = named("no_fold_l512");
    assert_eq!(named("xorFolds_camelCase_ignored_by_clkhash"), plain);
    assert_ne!(named("xor_folds_snake_case_effective"), plain);
}

#[test]
fn broken_schemas_are_refused_by_rule() {
    let text = golden().cases[0].schema.to_string();
    for (from, to, expected) in [
        ("\"version\":3", "\"version\":2", "version 3"),
        ("\"l\":1024", "\"l\":1000", "power of two"),
        ("\"l\":1024", "\"l\":0", "l is 1 to"),
        ("\"keySize\":64", "\"keySize\":65", "keySize"),
        ("\"HKDF\"", "\"legacy\"", "HKDF"),
        ("SCbL2zHN", "SC!L2zHN", "Base64"),
        (
            "\"encoding\":\"utf-8\"",
            "\"encoding\":\"utf-7\"",
            "encoding is",
        ),
        ("\"n\":2", "\"n\":0", "n is 1"),
        (
            "\"bitsPerFeature\":100",
            "\"bitsPerFeature\":0",
            "1 to 65536",
        ),
        ("\"type\":\"string\"", "\"type\":\"blob\"", "format.type"),
        (
            "\"ignored\":true",
            "\"ignored\":false",
            "has format and hashing",
        ),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let error = ClkSchema::parse(&text.replace(from, to)).expect_err(to);
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}

#[test]
fn values_are_brought_to_their_format_or_refused() {
    use super::value::{DatePart, Format, integer};
    for (text, expected) in [
        ("+0042", Some("42")),
        (" -7 ", Some("-7")),
        ("-0", Some("0")),
        ("1_000", Some("1000")),
        ("２０", Some("20")),
        ("", None),
        ("4.0", None),
        ("1__0", None),
    ] {
        assert_eq!(integer(text).as_deref(), expected, "{text}");
    }
    let parts = vec![DatePart::Year, DatePart::Month, DatePart::Day];
    let date = |text: &str| {
        let value = Format::Date(parts.clone()).value(text, None).ok();
        value.map(|value| value.to_string())
    };
    assert_eq!(date("19651224").as_deref(), Some("19651224"));
    assert_eq!(date("196511").as_deref(), Some("19650101"));
    assert_eq!(date("19230229"), None);
    assert_eq!(date("明治元年"), None);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), case in 0_usize..21) {
        let case = &golden().cases[case];
        let encoder = encoder(case);
        let row = vec![text; case.rows[0].len()];
        let mut out = vec![0; encoder.schema().words()];
        let _ = encoder.encode(&row, &mut out);
    }
}
