use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::encode::identity::{Identity, UNKNOWN};
use crate::terms::profile::Suite;
use crate::terms::{Attribute, EventKind, RecordRef};

pub(super) const PERSON: &[(Attribute, &str)] = &[
    (Attribute::SurnameKana, "サトウ"),
    (Attribute::GivenKana, "ハナコ"),
    (Attribute::SurnameKanji, "佐藤"),
    (Attribute::GivenKanji, "花子"),
    (Attribute::NameKana, "サトウハナコ"),
    (Attribute::NameKanji, "佐藤花子"),
    (Attribute::BirthDate, "19850203"),
    (Attribute::BirthMonthDay, "0203"),
    (Attribute::Sex, "2"),
    (Attribute::Postcode, "9800011"),
];

pub(super) fn record(label: &str, values: &[(Attribute, &str)]) -> SourceRecord {
    let mut identity = Identity::default();
    for (attribute, value) in values {
        identity.set(*attribute, *value);
    }
    SourceRecord {
        record_ref: RecordRef::new(label).expect("valid"),
        version: 3,
        kind: EventKind::Hospital,
        year: 2021,
        flags: 5,
        identity,
    }
}

pub(super) fn but(attribute: Attribute, value: &str) -> SourceRecord {
    let mut values = PERSON.to_vec();
    values.retain(|(known, _)| *known != attribute);
    let value = value.to_owned();
    values.push((attribute, &value));
    record("A1", &values)
}

pub(super) fn linkage() -> LinkageSecret {
    LinkageSecret::from_bytes([7; 32])
}

pub(super) fn source() -> SourceSecret {
    SourceSecret::from_bytes([8; 32])
}

/// A salted filter and tags that nest.
pub(super) const SALTED_FILTER: &str =
    include_str!("../../../tests/vectors/profiles/salted-filter.toml");

fn profile(name: &str) -> LinkageProfile {
    match name {
        "salted-filter" => LinkageProfile::parse(SALTED_FILTER).expect("valid"),
        _ => LinkageProfile::built_in(name).expect("built in"),
    }
}

fn encoder(name: &str) -> Encoder {
    Encoder::new(&profile(name), &linkage(), Some(&source()), "1").expect("made")
}

fn tag(profile: &LinkageProfile, encoding: &RecordEncoding, name: &str) -> u64 {
    let index = profile.tags.iter().position(|tag| tag.name == name);
    encoding.tags[index.expect("exists")]
}

fn common(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a & b).count_ones()).sum()
}

#[test]
fn the_header_fields_pass_through_and_the_shape_holds() {
    for name in ["jp-standard", "jp-fields", "en-fields"] {
        let encoder = encoder(name);
        let encoding = encoder.encode(&record("A1", PERSON));
        assert_eq!((encoding.version, encoding.flags), (3, 5));
        // The year leaves the source only if the profile asks for it.
        let year = if name == "en-fields" { 0 } else { 2021 };
        assert_eq!(encoding.year, year, "{name}");
        assert_eq!(encoding.kind, EventKind::Hospital);
        assert!(encoding.record_ref.as_str() == "A1");
        assert!(encoding.check(encoder.layout()).is_ok(), "{name}");
        assert!(
            encoding == encoder.encode(&record("A1", PERSON)),
            "{name}: the same record gives the same encoding"
        );
    }
}

#[test]
fn an_empty_record_has_presence_zero() {
    let encoding = encoder("jp-standard").encode(&record("A1", &[]));
    assert_eq!(encoding.presence, 0);
    assert!(
        encoding
            .filters
            .iter()
            .chain(&encoding.tags)
            .all(|w| *w == 0)
    );
}

#[test]
fn flips_without_a_source_secret_and_bad_epochs_are_refused() {
    let refused = |profile: &str, epoch: &str| {
        Encoder::new(&self::profile(profile), &linkage(), None, epoch).err()
    };
    let error = refused("salted-filter", "1").expect("refused").to_string();
    assert!(
        error.contains("'names'") && error.contains("source key"),
        "{error}"
    );
    assert_eq!(refused("jp-fields", "1"), None);
    for epoch in ["", "a b", "年", &"x".repeat(64)] {
        assert_eq!(refused("jp-fields", epoch), Some(NewEncoderError::Epoch));
    }
}

/// Follows the text of the filter's documentation with the plainest code there is.
#[test]
fn an_unhardened_filter_equals_the_naive_oracle() {
    let profile = profile("jp-fields");
    let index = profile
        .filters
        .iter()
        .position(|f| f.name == "surname_kana");
    let index = index.expect("exists");
    let recipe = &profile.filters[index];
    let child = |context: &str, parent: [u8; 32], label: &str| {
        let length = (label.len() as u32).to_le_bytes();
        blake3::derive_key(context, &[&parent, &length[..], label.as_bytes()].concat())
    };
    let root = blake3::derive_key("musubi/v1/linkage-root", &[7; 32]);
    let key = child(
        "musubi/v1/profile",
        child("musubi/v1/epoch", root, "1"),
        "jp-fields",
    );
    let key = child("musubi/v1/filter", key, "surname_kana");
    let key = child("musubi/v1/attribute", key, "surname_kana");
    let mut expected = vec![0_u64; recipe.bits as usize / 64];
    for gram in ["\0サ", "サト", "トウ", "ウ\0"] {
        let length = (gram.len() as u32).to_le_bytes();
        let message = [&length[..], gram.as_bytes(), &[0; 4]].concat();
        let mut stream = blake3::Hasher::new_keyed(&key)
            .update(&message)
            .finalize_xof();
        for _ in 0..recipe.features[0].bits_per_gram {
            let mut word = [0; 4];
            stream.fill(&mut word);
            let bit = (u64::from(u32::from_le_bytes(word)) * u64::from(recipe.bits)) >> 32;
            expected[bit as usize / 64] |= 1 << (bit % 64);
        }
    }
    let encoder = encoder("jp-fields");
    let encoding = encoder.encode(&record("A1", PERSON));
    assert_eq!(
        encoding.filters[encoder.layout().filter_range(index)],
        expected
    );
}

#[test]
fn a_tag_equals_the_naive_oracle_and_needs_all_its_attributes_known() {
    let profile = profile("salted-filter");
    let encoder = encoder("salted-filter");
    let key = linkage()
        .root(Suite::Blake3)
        .epoch("1")
        .profile("salted-filter")
        .tags();
    let mut message = key.tag_label("given+birth+sex").to_vec();
    message.push(0);
    for value in ["ハナコ", "19850203", "2"] {
        message.push(value.len() as u8);
        message.extend(value.as_bytes());
    }
    message.resize(64, 0);
    let hash = blake3::keyed_hash(key.bytes(), &message);
    let expected = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"));
    let given = |record: &SourceRecord| tag(&profile, &encoder.encode(record), "given+birth+sex");
    assert_eq!(given(&record("A1", PERSON)), expected);
    assert_eq!(
        given(&record("B2", PERSON)),
        expected,
        "the label does not matter"
    );
    assert_eq!(given(&but(Attribute::SurnameKana, "スズキ")), expected);
    assert_ne!(given(&but(Attribute::GivenKana, "ハナエ")), expected);
    assert_eq!(given(&but(Attribute::Sex, "")), 0);
    assert_eq!(
        given(&but(Attribute::GivenKana, &format!("ハ{UNKNOWN}コ"))),
        0
    );
}

#[test]
fn epoch_profile_and_secret_separate_encodings() {
    let standard = profile("salted-filter");
    let make = |linkage: u8, source: u8, epoch: &str| {
        let secret = LinkageSecret::from_bytes([linkage; 32]);
        let source = SourceSecret::from_bytes([source; 32]);
        let encoder = Encoder::new(&standard, &secret, Some(&source), epoch).expect("made");
        encoder.encode(&record("A1", PERSON))
    };
    let first = make(7, 8, "1");
    for other in [make(7, 8, "2"), make(6, 8, "1")] {
        assert!(
            first
                .tags
                .iter()
                .zip(&other.tags)
                .all(|(a, b)| a != b || *a == 0)
        );
        assert_ne!(first.filters, other.filters);
    }
    let other_source = make(7, 9, "1");
    assert_eq!(first.tags, other_source.tags, "sources must agree on tags");
    assert_ne!(
        first.filters, other_source.filters,
        "noise is the source's own"
    );
    let fields = encoder("jp-fields").encode(&record("A1", PERSON));
    let name = "given+birth+sex";
    assert_ne!(
        tag(&standard, &first, name),
        tag(&profile("jp-fields"), &fields, name)
    );
}

#[test]
fn a_salted_filter_is_comparable_only_under_the_same_salt() {
    let mut standard = profile("salted-filter");
    standard.filters[0].flip = 0.0;
    let encoder = Encoder::new(&standard, &linkage(), None, "1").expect("made");
    let names = |record: &SourceRecord| encoder.encode(record).filters;
    let base = names(&record("A1", PERSON));
    assert_eq!(
        base.iter().map(|w| w.count_ones()).sum::<u32>(),
        512,
        "balanced"
    );
    assert_eq!(common(&base, &names(&record("B2", PERSON))), 512);
    let near = common(&base, &names(&but(Attribute::SurnameKana, "サイトウ")));
    assert!(near > 350, "a typo keeps {near} of 512");
    let apart = common(&base, &names(&but(Attribute::BirthDate, "19850204")));
    assert!(apart < 330, "another birth date keeps {apart} of 512");
    let missing = encoder.encode(&but(Attribute::Sex, ""));
    assert_eq!(missing.presence & encoder.layout().filter_bit(0), 0);
    assert!(missing.check(encoder.layout()).is_ok());
}

#[derive(Deserialize)]
struct Vector {
    profile: String,
    /// Takes the place of the profile's own.
    suite: Option<Suite>,
    epoch: String,
    linkage_secret_byte: u8,
    source_secret_byte: u8,
    record_ref: String,
    identity: BTreeMap<Attribute, String>,
    /// Filter name → its words, each 16 hexadecimal digits; empty if absent.
    filters: BTreeMap<String, String>,
    /// Tag name → 16 hexadecimal digits; empty if absent.
    tags: BTreeMap<String, String>,
}

fn frozen(text: &str) {
    let vector: Vector = serde_json::from_str(text).expect("a vector");
    let mut profile = profile(&vector.profile);
    profile.suite = vector.suite.unwrap_or(profile.suite);
    let secret = LinkageSecret::from_bytes([vector.linkage_secret_byte; 32]);
    let source = SourceSecret::from_bytes([vector.source_secret_byte; 32]);
    let encoder = Encoder::new(&profile, &secret, Some(&source), &vector.epoch).expect("made");
    let values: Vec<(Attribute, &str)> = vector
        .identity
        .iter()
        .map(|(attribute, value)| (*attribute, value.as_str()))
        .collect();
    let encoding = encoder.encode(&record(&vector.record_ref, &values));
    let hex = |present: bool, words: &[u64]| -> String {
        let words = words.iter().filter(|_| present);
        words.map(|word| format!("{word:016x}")).collect()
    };
    let layout = encoder.layout();
    let mut filters = BTreeMap::new();
    for (index, recipe) in profile.filters.iter().enumerate() {
        let present = encoding.presence & layout.filter_bit(index) != 0;
        let words = &encoding.filters[layout.filter_range(index)];
        filters.insert(recipe.name.clone(), hex(present, words));
    }
    let mut tags = BTreeMap::new();
    for (index, recipe) in profile.tags.iter().enumerate() {
        let present = encoding.presence & layout.tag_bit(index) != 0;
        tags.insert(
            recipe.name.clone(),
            hex(present, &encoding.tags[layout.tag_range(index)]),
        );
    }
    let made = serde_json::json!({ "filters": filters, "tags": tags });
    let shown = serde_json::to_string_pretty(&made).expect("serialises");
    assert_eq!(
        vector.filters, filters,
        "{} makes now: {shown}",
        vector.profile
    );
    assert_eq!(vector.tags, tags, "{} makes now: {shown}", vector.profile);
}

#[test]
fn frozen_vectors_of_jp_standard() {
    frozen(include_str!(
        "../../../tests/vectors/encode/v1/jp-standard.json"
    ));
}

#[test]
fn frozen_vectors_of_jp_standard_in_hmac_sha_256() {
    frozen(include_str!(
        "../../../tests/vectors/encode/v1/jp-standard-hmac-sha-256.json"
    ));
}

#[test]
fn frozen_vectors_of_jp_national() {
    frozen(include_str!(
        "../../../tests/vectors/encode/v1/jp-national.json"
    ));
}

#[test]
fn frozen_vectors_of_jp_fields() {
    frozen(include_str!(
        "../../../tests/vectors/encode/v1/jp-fields.json"
    ));
}

/// Speed on one core, printed. Run with
/// `cargo test --release --lib encode::encoder -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
fn records_per_second_on_one_core() {
    for name in ["jp-standard", "jp-fields"] {
        let encoder = encoder(name);
        let record = record("A1", PERSON);
        let count = 100_000;
        let start = std::time::Instant::now();
        for _ in 0..count {
            std::hint::black_box(encoder.encode(std::hint::black_box(&record)));
        }
        let rate = f64::from(count) / start.elapsed().as_secs_f64();
        println!("{name}: {rate:.0} records/s");
    }
}
