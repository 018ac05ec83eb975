use std::fs;

use clap::Parser;

use super::degree::{telling_degree, warning};
use super::*;

#[derive(Parser)]
struct Call {
    #[command(subcommand)]
    command: ProfileCommand,
}

const MAP: &str = "record_ref='id'\nlocale='jp'\n[fields]\nsurname_kana='sei'\ngiven_kana='mei'\nbirth_date='born'\nsex='sex'\n";

#[test]
fn a_degree_is_the_number_of_strangers_with_the_same_value() {
    let dir = tempfile::tempdir().expect("directory");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("map.toml"), MAP).expect("written");
    // Three people with one surname, birth date and sex; one of them twice; one with another.
    let csv = "id,sei,mei,born,sex\n1,サトウ,ハナ,19500101,2\n2,サトウ,ユリ,19500101,2\n3,サトウ,ミカ,19500101,2\n\
               4,サトウ,ミカ,19500101,2\n5,スズキ,ミカ,19600101,2\n";
    fs::write(at("in.csv"), csv).expect("written");
    let map = at("map.toml");
    let input = at("in.csv");
    let arguments = [
        "profile",
        "degree",
        "--json",
        "--profile",
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/vectors/profiles/salted-filter.toml"
        ),
        "--population",
        "31",
        "--map",
        map.to_str().expect("text"),
        input.to_str().expect("text"),
    ];
    let json = run(&Call::parse_from(arguments).command).expect("counted");
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&report["records"], &report["people"]),
        (&5.into(), &4.into())
    );
    let recipe = |name: &str| {
        let recipes = report["recipes"].as_array().expect("a list");
        let found = recipes.iter().find(|recipe| recipe["name"] == name);
        found.expect(name).clone()
    };
    // (3 · 2 + 1 · 0) / 4 people, times 30 / 3.
    let shared = recipe("surname+birth+sex");
    assert_eq!(shared["mean"], 1.5);
    assert_eq!(shared["max"], 2);
    assert_eq!(shared["mean_at_population"], 15.0);
    assert!(
        shared["warning"]
            .as_str()
            .expect("warned")
            .starts_with("STRONG")
    );
    assert_eq!(recipe("given+birth+sex")["mean"], 0.0);
    assert_eq!(recipe("care+birth")["people"], 0);
    let salt = recipe("names");
    assert_eq!((&salt["kind"], &salt["max"]), (&"salt".into(), &2.into()));
    assert!(!json.contains("サトウ"));
}

#[test]
fn who_is_padded_for_counts_and_shares_with_nobody() {
    let dir = tempfile::tempdir().expect("directory");
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    fs::write(at("map.toml"), MAP).expect("written");
    // Two strangers with an uncommon name, two with a common one, one without a given name.
    let csv = "id,sei,mei,born,sex\n1,サトウ,レイチェル,19500101,2\n2,スズキ,レイチェル,19500101,2\n\
               3,サトウ,ヨシコ,19500101,2\n4,スズキ,ヨシコ,19500101,2\n5,スズキ,,19500101,2\n";
    fs::write(at("in.csv"), csv).expect("written");
    let (map, input) = (at("map.toml"), at("in.csv"));
    let arguments = ["profile", "degree", "--json", "--map", &map, &input];
    let json = run(&Call::parse_from(arguments).command).expect("counted");
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let recipes = report["recipes"].as_array().expect("a list");
    let uncommon = recipes
        .iter()
        .find(|recipe| recipe["name"] == "uncommon_given+birth+sex");
    let uncommon = uncommon.expect("in jp-standard");
    assert_eq!(
        (&uncommon["people"], &uncommon["padded"]),
        (&2.into(), &2.into())
    );
    assert_eq!(
        (&uncommon["mean"], &uncommon["max"]),
        (&0.5.into(), &1.into())
    );
    assert_eq!(
        uncommon["by_chance_at_population"], 0.0,
        "one uncommon name"
    );
}

#[test]
fn who_shares_a_bucket_by_chance_is_told_apart_from_who_has_the_same_value() {
    let dir = tempfile::tempdir().expect("directory");
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    fs::write(at("map.toml"), MAP).expect("written");
    // Two of one uncommon name, one of another, born on one day, and one who was born on another.
    let csv = "id,sei,mei,born,sex\n1,サトウ,レイチェル,19500101,2\n2,スズキ,レイチェル,19500101,2\n\
               3,サトウ,ジェニファー,19500101,2\n4,スズキ,レイチェル,19500102,2\n";
    fs::write(at("in.csv"), csv).expect("written");
    let (map, input) = (at("map.toml"), at("in.csv"));
    let arguments = ["profile", "degree", "--json", "--map", &map, &input];
    let json = run(&Call::parse_from(arguments).command).expect("counted");
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let mut recipes = report["recipes"].as_array().expect("a list").iter();
    let uncommon = recipes.find(|recipe| recipe["name"] == "uncommon_given+birth+sex");
    let uncommon = uncommon.expect("in jp-standard");
    assert_eq!(uncommon["mean"], 0.5, "one pair among four people");
    // Two pairs of other names, from both sides, over four people and 32 buckets.
    assert_eq!(uncommon["by_chance_at_population"], 1.0 / 32.0);
}

#[test]
fn what_is_shared_by_chance_blurs_what_is_shared_in_truth() {
    assert_eq!(telling_degree(0.06, 0.0), 0.06);
    assert_eq!(telling_degree(0.06, 0.06), 0.03);
    assert_eq!(telling_degree(0.0, 0.0), 0.0);
}

#[test]
fn degrees_are_judged_by_what_was_measured() {
    for (kind, degree, begins) in [
        ("tag", 0.02, None),
        ("tag", 0.021, Some("shared")),
        ("tag", 0.11, Some("STRONG")),
        ("salt", 11.5, None),
        ("salt", 30.0, Some("31 people")),
        ("salt", 499.0, Some("STRONG")),
    ] {
        let found = warning(kind, degree);
        assert_eq!(found.is_some(), begins.is_some(), "{kind} {degree}");
        if let (Some(found), Some(begins)) = (found, begins) {
            assert!(found.starts_with(begins), "{found}");
        }
    }
}

#[test]
fn weak_choices_are_told_by_name() {
    let text = include_str!("../../../tests/vectors/profiles/salted-filter.toml");
    let told = |text: &str| {
        let profile = LinkageProfile::parse(text).expect("valid");
        weakness::weaknesses(&profile).join("\n")
    };
    let sound = told(text);
    assert!(!sound.contains("filter"), "{sound}");
    for sound_tag in ["insured+name", "patient+sex", "care+birth"] {
        assert!(!sound.contains(sound_tag), "{sound}");
    }
    let fields = LinkageProfile::built_in("jp-fields").expect("built in");
    let weak = told(fields.text());
    for part in [
        "(not salted)",
        "(one field alone, not salted)",
        "(no bits flipped)",
    ] {
        assert!(weak.contains(part), "{part}: {weak}");
    }
    // A tag of a rare name: bound well, with nothing to hide who has one, and with the name alone.
    let rare = |attributes: &str, pad: &str| {
        let head = "name = 'x'\nversion = 1\nsummary = 's'\n[[tag]]\nname = 't'\nblock = true\n";
        let end = "[[comparison]]\nname = 'given'\nrungs = [{ attribute = 'given_kana', m = 0.9, u = 0.004 }]\n";
        told(&format!("{head}attributes = [{attributes}]\n{pad}\n{end}"))
    };
    let bound = "'rare_given_kana', 'birth_date', 'sex'";
    assert_eq!(rare(bound, "pad = true"), "");
    assert!(rare(bound, "").contains("set pad = true"));
    let alone = rare("'rare_given_kana', 'sex'", "pad = true");
    assert!(
        alone.starts_with("STRONG") && alone.contains("about 250 others"),
        "{alone}"
    );
    // Kana and kanji of one name are one fact: .0005 · 1,000,000 / 29,200.
    let both = rare(
        "'rare_given_kana', 'rare_given_kanji', 'birth_date'",
        "pad = true",
    );
    assert_eq!(both, "");
    let looser = rare(
        "'rare_given_kana', 'rare_given_kanji', 'birth_year_month'",
        "pad = true",
    );
    assert!(looser.contains("about 0.52 others"), "{looser}");
    // Streets of one name lie in many places.
    assert_eq!(rare("'street', 'suburb', 'given_kana'", ""), "");
    let west = rare("'street', 'birth_year', 'given_kana'", "");
    assert!(west.contains("about 0.03 others"), "{west}");
    for (from, to, part) in [
        ("flip = 0.2", "flip = 0.0", "(no bits flipped)"),
        ("balance = true", "balance = false", "(not balanced)"),
        ("bits = 1024", "bits = 256", "(under 512 bits)"),
        (
            "\"birth_date\", \"sex\"]\nbalance",
            "\"birth_date\"]\nbalance",
            "one attribute alone",
        ),
    ] {
        let changed = text.replace(from, to);
        let found = told(&changed);
        assert!(found.contains(part), "{part}: {found}");
    }
}
