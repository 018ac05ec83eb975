//! Tags with buckets: coarser than the tag of the whole values, and drawn by the key.

use proptest::prelude::*;

use super::tests::{PERSON, record, source};
use super::*;
use crate::terms::profile::Suite;

const BUCKETS: u64 = 16;
const PROFILE: &str = r#"
name = "buckets"
version = 1
summary = "A tag with buckets and the one of the whole values."
[[tag]]
name = "given+birth+sex"
attributes = ["birth_date", "given_kana", "sex"]
bucketed = "given_kana"
buckets = 16
block = true
[[tag]]
name = "whole"
attributes = ["birth_date", "given_kana", "sex"]
[[tag]]
name = "uncommon"
attributes = ["birth_date", "uncommon_given_kana"]
bucketed = "uncommon_given_kana"
buckets = 16
pad = true
[[comparison]]
name = "given"
rungs = [{ attribute = "given_kana", m = 0.8, u = 0.01 }]
"#;

fn encoder(secret: u8, suite: Suite) -> Encoder {
    let mut profile = LinkageProfile::parse(PROFILE).expect("valid");
    profile.suite = suite;
    let secret = LinkageSecret::from_bytes([secret; 32]);
    Encoder::new(&profile, &secret, Some(&source()), "1").expect("made")
}

/// The three tags of somebody.
fn tags(encoder: &Encoder, label: &str, birth: &str, given: &str, sex: &str) -> Vec<u64> {
    let mut values = PERSON.to_vec();
    let changed = [Attribute::BirthDate, Attribute::GivenKana, Attribute::Sex];
    values.retain(|(attribute, _)| !changed.contains(attribute));
    values.extend([
        (Attribute::BirthDate, birth),
        (Attribute::GivenKana, given),
        (Attribute::Sex, sex),
        (Attribute::UncommonGivenKana, given),
    ]);
    let encoding = encoder.encode(&record(label, &values));
    assert!(encoding.check(encoder.layout()).is_ok());
    encoding.tags
}

/// On which of some 4,000 dates two names fall into one bucket.
fn collisions(encoder: &Encoder) -> Vec<usize> {
    let dates = (0..4_000).map(|day| format!("{}{:04}", 1900 + day / 366, day % 366));
    let collide = |date: &String| {
        let made = |given| tags(encoder, "A1", date, given, "2")[0];
        made("ハナコ") == made("ユキ")
    };
    let all: Vec<bool> = dates.map(|date| collide(&date)).collect();
    (0..all.len()).filter(|day| all[*day]).collect()
}

/// Five times the spread of a count of rare events.
fn is_near(count: usize, expected: f64) -> bool {
    (count as f64 - expected).abs() < 5.0 * expected.sqrt()
}

#[test]
fn two_names_fall_into_one_bucket_at_one_in_so_many_dates_and_the_key_says_at_which() {
    for suite in [Suite::Blake3, Suite::HmacSha256] {
        let one = collisions(&encoder(7, suite));
        let other = collisions(&encoder(9, suite));
        let expected = 4_000.0 / BUCKETS as f64;
        for found in [&one, &other] {
            assert!(is_near(found.len(), expected), "{}", found.len());
        }
        let both = one.iter().filter(|day| other.contains(day)).count();
        assert!(is_near(both, expected / BUCKETS as f64), "{both}");
    }
}

#[test]
fn as_many_values_as_buckets_and_no_more() {
    let encoder = encoder(7, Suite::Blake3);
    let names = (0..1_000).map(|number| format!("ハナコ{number}"));
    let made = names.map(|name| tags(&encoder, "A1", "19850203", &name, "2"));
    let (mut values, mut wholes): (Vec<u64>, Vec<u64>) =
        made.map(|tags| (tags[0], tags[1])).unzip();
    for list in [&mut values, &mut wholes] {
        list.sort_unstable();
        list.dedup();
    }
    assert_eq!((values.len() as u64, wholes.len()), (BUCKETS, 1_000));
    let other_day = tags(&encoder, "A1", "19850204", "ハナコ", "2")[0];
    assert!(!values.contains(&other_day), "the rest is bound exactly");
}

#[test]
fn a_padded_tag_with_buckets_is_the_records_own() {
    let encoder = encoder(7, Suite::Blake3);
    let without = |label: &str| encoder.encode(&record(label, PERSON)).tags[2];
    assert_eq!(without("A1"), without("A1"));
    assert!(without("A1") != without("B2") && without("A1") != 0);
    let with = |label: &str| tags(&encoder, label, "19850203", "ハナオ", "2")[2];
    assert_eq!(with("A1"), with("B2"));
}

proptest! {
    #[test]
    fn what_agrees_whole_agrees_in_its_bucket_and_other_dates_never_do(
        given in "[ア-ン]{1,8}", other in "[ア-ン]{1,8}", day in 10..28, next in 1..3,
        secret in 1_u8..,
    ) {
        let encoder = encoder(secret, Suite::Blake3);
        let birth = |day: i32| format!("198502{day}");
        let one = tags(&encoder, "A1", &birth(day), &given, "1");
        let same = tags(&encoder, "B2", &birth(day), &given, "1");
        prop_assert!(one[..2] == same[..2]);
        prop_assert!(one[0] != one[1] && one[0] != one[2], "tags are told apart");
        for far in [tags(&encoder, "A1", &birth(day + next), &other, "1"), tags(&encoder, "A1", &birth(day), &given, "2")] {
            prop_assert!(one[0] != far[0] && one[1] != far[1]);
        }
    }
}
