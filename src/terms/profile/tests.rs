use super::*;

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
    let other = LinkageProfile::parse(&text.replace("flip = 0.2", "flip = 0.1")).expect("valid");
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
            "group = \"household\"",
            "group = \"nowhere\"",
            "group does not exist",
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
        let text = jp_standard();
        assert!(text.contains(from), "the case '{from}' still applies");
        let error = LinkageProfile::parse(&text.replace(from, to))
            .expect_err(to)
            .to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}
