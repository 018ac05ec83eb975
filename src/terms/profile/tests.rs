use super::*;

/// A profile with everything that can be broken: a salted filter, tags, alternatives.
const SALTED_FILTER: &str = include_str!("../../../tests/vectors/profiles/salted-filter.toml");

fn jp_standard() -> String {
    LinkageProfile::built_in("jp-standard")
        .expect("built in")
        .text()
        .to_owned()
}

#[test]
fn built_in_profiles_are_valid_and_carry_their_name() {
    for (name, _) in BUILT_IN {
        let profile =
            LinkageProfile::built_in(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.name, *name);
        let layout = profile.layout();
        assert_eq!(layout.filter_count(), profile.filters.len());
        assert_eq!(
            layout.presence_all().count_ones() as usize,
            profile.filters.len() + profile.tags.len()
        );
    }
}

#[test]
fn the_fingerprint_sees_every_letter_but_not_line_ends() {
    let text = jp_standard();
    let profile = LinkageProfile::parse(&text).expect("valid");
    let dos = LinkageProfile::parse(&text.replace('\n', "\r\n")).expect("valid");
    assert_eq!(profile.fingerprint(), dos.fingerprint());
    let other = LinkageProfile::parse(&text.replace("version = ", "version = 1")).expect("valid");
    assert_ne!(profile.fingerprint(), other.fingerprint());
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let error = LinkageProfile::built_in("nope")
        .expect_err("unknown")
        .to_string();
    assert!(
        error.contains("'nope'") && error.contains("jp-standard"),
        "{error}"
    );
}

const SLOTS: &str = r#"
name = "slots"
version = 1
summary = "Tags with slots."
suite = "hmac-sha-256"
[[tag]]
name = "plain"
attributes = ["name_kana", "birth_date"]
block = true
[[tag]]
name = "given"
attributes = ["birth_date", "given_kana"]
one_deletion = "given_kana"
slots = 6
[[tag]]
name = "parts"
parts = [["name_kana", "birth_year"], ["name_kana", "sex"]]
[[tag]]
name = "bucket"
attributes = ["given_kana", "birth_date"]
bucketed = "given_kana"
buckets = 8
[[comparison]]
name = "given"
rungs = [{ near = "given_kana", m = 0.8, u = 0.01 }]
[[comparison]]
name = "given_bucket"
rungs = [{ bucket = "bucket", m = 0.9, u = 0.1 }]
"#;

#[test]
fn tags_lie_in_slots_one_after_the_other() {
    let profile = LinkageProfile::parse(SLOTS).expect("valid");
    assert_eq!(profile.suite, Suite::HmacSha256);
    let layout = profile.layout();
    let ranges: Vec<_> = (0..4).map(|tag| layout.tag_range(tag)).collect();
    assert_eq!(ranges, [0..1, 1..7, 7..9, 9..10]);
    assert_eq!((layout.tag_slots(), layout.tag_count()), (10, 4));
    assert_eq!(layout.presence_all(), 0b1111);
    let bucketed = profile.tags[3].agrees();
    assert!(bucketed.contains(Attribute::BirthYear) && !bucketed.contains(Attribute::GivenKana));
}

#[test]
fn broken_rules_of_slots_are_named() {
    for (from, to, expected) in [
        ("slots = 6", "slots = 33", "slots is 2 to 32"),
        ("slots = 6", "slots = 1", "slots is 2 to 32"),
        ("slots = 6\n", "", "go together"),
        ("one_deletion = \"given_kana\"\n", "", "go together"),
        (
            "one_deletion = \"given_kana\"",
            "one_deletion = \"sex\"",
            "one of the `attributes`",
        ),
        (
            "parts = [[\"name_kana\", \"birth_year\"]",
            "parts = [[]",
            "at least one attribute",
        ),
        ("parts = ", "attributes = [\"sex\"]\nparts = ", "or `parts`"),
        ("near = \"given_kana\"", "near = \"sex\"", "`near` is"),
        ("hmac-sha-256", "md5", "unknown variant"),
        ("bucketed = \"given_kana\"\n", "", "go together"),
        ("buckets = 8\n", "", "go together"),
        ("buckets = 8", "buckets = 1", "buckets is 2 to"),
        ("buckets = 8", "buckets = 16777217", "buckets is 2 to"),
        (
            "bucketed = \"given_kana\"",
            "bucketed = \"sex\"",
            "one of the `attributes`",
        ),
        (
            "attributes = [\"given_kana\", \"birth_date\"]",
            "attributes = [\"given_kana\"]",
            "two or more",
        ),
        (
            "buckets = 8",
            "buckets = 8\none_deletion = \"given_kana\"\nslots = 6",
            "not both",
        ),
        (
            "bucket = \"bucket\"",
            "bucket = \"plain\"",
            "a tag that has `bucketed`",
        ),
        ("bucket = \"bucket\"", "bucket = \"none\"", "does not exist"),
        (
            "bucket = \"bucket\", m = 0.9, u = 0.1",
            "bucket = \"bucket\", m = 0.9",
            "cannot be measured",
        ),
    ] {
        assert!(SLOTS.contains(from), "the case '{from}' still applies");
        let error = LinkageProfile::parse(&SLOTS.replace(from, to))
            .expect_err(to)
            .to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn a_clkhash_profile_is_one_filter_that_nothing_blocks() {
    let profile = LinkageProfile::built_in("clkhash-v3").expect("built in");
    assert!(!profile.can_block() && profile.clkhash.is_some());
    assert_eq!((profile.filters.len(), profile.tags.len()), (1, 0));
    for (from, to, expected) in [
        ("\"l\": 1024", "\"l\": 9000", "clkConfig.l is"),
        ("\"features\": [", "\"features\": ", "clkhash.schema"),
        (
            "[clkhash]",
            "[[tag]]\nname = \"t\"\nattributes = [\"sex\"]\n[clkhash]",
            "no tag",
        ),
    ] {
        let error = LinkageProfile::parse(&profile.text().replace(from, to)).expect_err(to);
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}

#[test]
fn broken_rules_are_named_with_their_place() {
    let cases = [
        ("bits = 1024", "bits = 100", "filter 'names'"),
        ("flip = 0.2", "flip = 0.5", "flip is between"),
        ("flip = 0.2", "flop = 0.2", "flop"),
        (
            "name = \"name+birth\"",
            "name = \"kanji+birth\"",
            "used twice",
        ),
        (
            "shared = { surname = 0.8",
            "shared = { nobody = 0.8",
            "names comparisons of the profile",
        ),
        ("share = 0.02", "share = 0.0", "share is above 0"),
        ("birth = 1.0", "birth = 1.5", "a probability"),
        (
            "name = \"surname\"\nrungs",
            "name = \"surname\"\nby_frequency = true\nrungs",
            "`by_frequency` needs",
        ),
        (
            "name = \"surname\"\nrungs",
            "name = \"surname\"\nu_among = [\"surname\"]\nrungs",
            "`u_among` names other",
        ),
        (
            "{ filter = \"names\", at_least",
            "{ filter = \"other\", at_least",
            "filter that does not exist",
        ),
        (
            "attribute = \"care_insured\"",
            "attribute = \"phone\"",
            "no tag of the profile",
        ),
        ("m = 0.97, u = 0.000034", "m = 0.97", "cannot be measured"),
        ("m = 0.97", "m = 1.97", "m is between"),
        ("block = true", "block = false", "at least one tag"),
    ];
    for (from, to, expected) in cases {
        let text = SALTED_FILTER;
        assert!(text.contains(from), "the case '{from}' still applies");
        let error = LinkageProfile::parse(&text.replace(from, to))
            .expect_err(to)
            .to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}
