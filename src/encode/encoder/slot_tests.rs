//! Slots of tags and the two suites, seen from outside the encoder.

use proptest::prelude::*;

use super::tests::{PERSON, SALTED_FILTER, but, linkage, record, source};
use super::*;
use crate::terms::Attribute;
use crate::terms::profile::Suite;

const PROFILE: &str = r#"
name = "slots"
version = 1
summary = "One tag of each form."
[[tag]]
name = "given"
attributes = ["birth_date", "given_kana"]
one_deletion = "given_kana"
slots = 6
block = true
[[tag]]
name = "parts"
parts = [["name_kana", "birth_month_day"], ["name_kana", "sex"], ["sex", "name_kana"]]
[[comparison]]
name = "given"
rungs = [{ attribute = "given_kana", m = 0.8, u = 0.01 }, { near = "given_kana", m = 0.1, u = 0.02 }]
"#;

fn encoder() -> Encoder {
    let profile = LinkageProfile::parse(PROFILE).expect("valid");
    Encoder::new(&profile, &linkage(), Some(&source()), "1").expect("made")
}

fn slots(encoder: &Encoder, record: &SourceRecord, tag: usize) -> Vec<u64> {
    let encoding = encoder.encode(record);
    assert!(encoding.check(encoder.layout()).is_ok());
    encoding.tags[encoder.layout().tag_range(tag)].to_vec()
}

fn shared(a: &[u64], b: &[u64]) -> usize {
    a.iter().filter(|value| b.contains(value)).count()
}

fn given(label: &str, name: &str) -> SourceRecord {
    let values: Vec<(Attribute, &str)> = PERSON
        .iter()
        .map(|(attribute, value)| match attribute {
            Attribute::GivenKana => (*attribute, name),
            _ => (*attribute, *value),
        })
        .collect();
    record(label, &values)
}

#[test]
fn names_one_kana_apart_share_a_slot_and_others_do_not() {
    let encoder = encoder();
    let made = |label: &str, name: &str| slots(&encoder, &given(label, name), 0);
    let hanako = made("A1", "ハナコ");
    assert_eq!(
        shared(&hanako, &made("B1", "ハナコ")),
        4,
        "whole and three variants"
    );
    for near in ["ハルコ", "ナコ", "ハナココ", "アハナコ"] {
        assert!(shared(&hanako, &made("B1", near)) >= 1, "{near}");
    }
    for far in ["ハルミ", "ユキ", "ハ", "ハナコハナコ"] {
        assert_eq!(shared(&hanako, &made("B1", far)), 0, "{far}");
    }
}

#[test]
fn every_slot_is_filled_whatever_the_length_and_padding_is_the_records_own() {
    let encoder = encoder();
    for name in ["ユ", "ユキ", "ココア", "アアアア", "シヤルロツテアンナ"] {
        let one = slots(&encoder, &given("A1", name), 0);
        let mut distinct = one.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 6, "{name}");
        assert!(one == slots(&encoder, &given("A1", name), 0));
    }
    let short = slots(&encoder, &given("A1", "ユキ"), 0);
    assert_eq!(shared(&short, &slots(&encoder, &given("A2", "ユキ"), 0)), 1);
    let missing = slots(&encoder, &given("A1", ""), 0);
    assert_eq!(missing, [0; 6]);
}

#[test]
fn padding_needs_a_source_secret() {
    let profile = LinkageProfile::parse(PROFILE).expect("valid");
    let error = Encoder::new(&profile, &linkage(), None, "1")
        .err()
        .expect("refused");
    assert!(error.to_string().contains("'given'"), "{error}");
}

#[test]
fn each_list_of_a_tag_has_a_slot_of_its_own() {
    let encoder = encoder();
    let made = |record: &SourceRecord| slots(&encoder, record, 1);
    let base = made(&record("A1", PERSON));
    assert_ne!(base[1], base[2], "lists are told apart");
    let other_day = made(&but(Attribute::BirthMonthDay, "0204"));
    assert_ne!(base[0], other_day[0]);
    assert_eq!(base[1..], other_day[1..]);
    assert_eq!(
        made(&but(Attribute::Sex, "")),
        [0; 3],
        "one missing, all missing"
    );
}

/// A profile with a filter, without flips, in a suite.
fn in_suite(suite: Suite) -> Encoder {
    let mut profile = LinkageProfile::parse(SALTED_FILTER).expect("valid");
    profile.filters[0].flip = 0.0;
    profile.filters[0].balance = false;
    profile.suite = suite;
    Encoder::new(&profile, &linkage(), Some(&source()), "1").expect("made")
}

proptest! {
    #[test]
    fn two_suites_give_other_bits_and_the_same_structure(
        surname in "[ア-ン]{2,5}", name in "[ア-ン]{1,5}", postcode in "[0-9]{0,7}",
    ) {
        let mut values = PERSON.to_vec();
        values.retain(|(attribute, _)| !matches!(
            attribute, Attribute::SurnameKana | Attribute::GivenKana | Attribute::Postcode
        ));
        values.extend([
            (Attribute::SurnameKana, surname.as_str()),
            (Attribute::GivenKana, name.as_str()),
            (Attribute::Postcode, postcode.as_str()),
        ]);
        let record = record("A1", &values);
        let one = in_suite(Suite::Blake3).encode(&record);
        let two = in_suite(Suite::HmacSha256).encode(&record);
        prop_assert_eq!(one.presence, two.presence);
        prop_assert!(one.filters != two.filters);
        let tags = one.tags.iter().zip(&two.tags);
        for (a, b) in tags {
            prop_assert_eq!(*a == 0, *b == 0);
            prop_assert!(a != b || *a == 0);
        }
        let ones = |filter: &[u64]| filter.iter().map(|word| word.count_ones()).sum::<u32>();
        // Both throw the same number of balls into 1024 bins: the spread of what is hit is below
        // 12, so that 100 is out of reach.
        prop_assert!(ones(&one.filters).abs_diff(ones(&two.filters)) < 100);
    }
}

#[test]
fn the_suite_of_blake3_is_the_default_and_changes_nothing() {
    let text = SALTED_FILTER.to_owned();
    let stated = text.replace("version = 1\n", "version = 1\nsuite = \"blake3\"\n");
    let make = |text: &str| {
        let profile = LinkageProfile::parse(text).expect("valid");
        let encoder = Encoder::new(&profile, &linkage(), Some(&source()), "1").expect("made");
        let encoding = encoder.encode(&record("A1", PERSON));
        (encoding.filters, encoding.tags)
    };
    assert_eq!(make(&text), make(&stated));
}

#[test]
fn a_clkhash_profile_hashes_columns_and_has_no_tag() {
    let profile = LinkageProfile::built_in("clkhash-v3").expect("built in");
    let encoder = Encoder::new(&profile, &linkage(), None, "1").expect("made");
    let columns = encoder.clkhash_columns().expect("columns").to_vec();
    assert_eq!(columns, ["surname", "given_name", "date_of_birth"]);
    let mut with_columns = record("A1", PERSON);
    let row = |date: &str| vec!["SMITH".to_owned(), "ALICE".to_owned(), date.to_owned()];
    with_columns.identity.set_columns(row("19850203"));
    let encoding = encoder.encode(&with_columns);
    assert!(encoding.check(encoder.layout()).is_ok());
    assert!(encoding.tags.is_empty() && encoding.filters.len() == 16);
    let other = Encoder::new(&profile, &linkage(), None, "1").expect("made");
    let other = other.with_clkhash_secret(b"horse").encode(&with_columns);
    assert_ne!(encoding.filters, other.filters);
    with_columns.identity.set_columns(row("1985-02-03"));
    assert_eq!(
        encoder.encode(&with_columns).presence,
        0,
        "not the schema's form of a date"
    );
    assert_eq!(
        encoder.encode(&record("A1", PERSON)).presence,
        0,
        "no columns"
    );
}

const RARE: &str = r#"
name = "rare"
version = 1
summary = "A tag for rare names."
[[tag]]
name = "rare"
attributes = ["rare_given_kana", "birth_date", "sex"]
pad = true
block = true
[[comparison]]
name = "given"
rungs = [{ attribute = "given_kana", m = 0.8, u = 0.01 }]
"#;

#[test]
fn a_common_name_is_padded_so_that_nobody_can_tell_who_has_a_rare_one() {
    let profile = LinkageProfile::parse(RARE).expect("valid");
    let encoder = Encoder::new(&profile, &linkage(), Some(&source()), "1").expect("made");
    let with = |label: &str, rare: &str| {
        let mut values = PERSON.to_vec();
        values.push((Attribute::RareGivenKana, rare));
        record(label, &values)
    };
    let made = |record: &SourceRecord| slots(&encoder, record, 0)[0];
    let rare = made(&with("A1", "ハナオ"));
    assert_eq!(rare, made(&with("B2", "ハナオ")), "one rare name, one value");
    let common = [made(&with("A1", "")), made(&with("B2", ""))];
    assert!(common[0] != common[1] && !common.contains(&rare) && !common.contains(&0));
    assert_eq!(common[0], made(&with("A1", "")), "padding does not change");
    let presence = |record: &SourceRecord| encoder.encode(record).presence;
    assert_eq!(presence(&with("A1", "")), presence(&with("A1", "ハナオ")));
    assert_eq!(presence(&record("A1", &[])), 0, "nothing is nothing");
    assert!(Encoder::new(&profile, &linkage(), None, "1").is_err());
}
