use super::*;
use crate::terms::Attribute;
use crate::terms::{EventKind, Row};

const NAMES: usize = 0;

struct Person {
    surname: u64,
    given: u64,
    birth: (u64, u64),
    sex: u64,
    names_bits: Option<u64>,
}

fn profile() -> LinkageProfile {
    let text = include_str!("../../tests/vectors/profiles/salted-filter.toml");
    LinkageProfile::parse(text).expect("valid")
}

/// A stand-in for the encoder: a tag is a mix of its attributes' numbers.
fn push(table: &mut RecordTable, profile: &LinkageProfile, person: &Person) {
    let value = |attribute: Attribute| match attribute {
        Attribute::SurnameKana => Some(person.surname),
        Attribute::GivenKana => Some(person.given),
        Attribute::NameKana => Some(person.surname * 1000 + person.given),
        Attribute::NameCharacters => Some(person.surname + person.given),
        Attribute::BirthDate => Some(person.birth.0 * 1000 + person.birth.1),
        Attribute::BirthYear => Some(person.birth.0),
        Attribute::BirthMonthDay => Some(person.birth.1),
        Attribute::Sex => Some(person.sex),
        _ => None,
    };
    let layout = profile.layout();
    let mut presence = 0;
    let mut tags = vec![0; layout.tag_slots()];
    for (index, recipe) in profile.tags.iter().enumerate() {
        let parts: Option<Vec<u64>> = recipe.parts[0]
            .attributes
            .iter()
            .map(|a| value(*a))
            .collect();
        if let Some(parts) = parts {
            tags[index] = parts
                .iter()
                .fold(index as u64 + 1, |mix, part| mix * 1_000_003 + part);
            presence |= layout.tag_bit(index);
        }
    }
    let mut filters = vec![0; layout.filter_words()];
    if let Some(bits) = person.names_bits {
        filters[layout.filter_range(NAMES)].fill(bits);
        presence |= layout.filter_bit(NAMES);
    }
    table.push(Row {
        filters: &filters,
        tags: &tags,
        presence,
        kind: EventKind::Other,
        year: 0,
        flags: 0,
        source: 0,
        key: 0,
    });
}

fn compare(one: &Person, two: &Person) -> Vec<(String, Level)> {
    let profile = profile();
    let mut table = RecordTable::with_capacity(profile.layout(), 2);
    push(&mut table, &profile, one);
    push(&mut table, &profile, two);
    let vector = Comparer::new(&profile, &table).compare(CandidatePair::new(0, 1));
    let names = profile.comparisons.iter().enumerate();
    names
        .map(|(index, c)| (c.name.clone(), vector.level(index)))
        .collect()
}

fn level_of(levels: &[(String, Level)], name: &str) -> Level {
    levels
        .iter()
        .find(|(known, _)| known == name)
        .expect("a comparison of the profile")
        .1
}

fn person() -> Person {
    Person {
        surname: 11,
        given: 22,
        birth: (1949, 522),
        sex: 1,
        names_bits: None,
    }
}

#[test]
fn equal_people_agree_on_everything_that_is_present() {
    let levels = compare(&person(), &person());
    for name in ["surname", "given", "birth", "sex"] {
        assert_eq!(level_of(&levels, name), Level(0), "{name}");
    }
    for name in ["insured", "care", "patient", "place"] {
        assert_eq!(level_of(&levels, name), Level::MISSING, "{name}");
    }
}

#[test]
fn a_new_surname_shows_as_a_differing_surname_only() {
    let levels = compare(
        &person(),
        &Person {
            surname: 77,
            ..person()
        },
    );
    assert_eq!(
        level_of(&levels, "surname"),
        Level(3),
        "all three rungs fail: disagree"
    );
    for name in ["given", "birth", "sex"] {
        assert_eq!(level_of(&levels, name), Level(0), "{name}");
    }
}

#[test]
fn a_wrong_year_is_told_from_a_wrong_day() {
    let levels = compare(
        &person(),
        &Person {
            birth: (1948, 522),
            ..person()
        },
    );
    assert_eq!(level_of(&levels, "birth"), Level(1), "month and day agree");
    let levels = compare(
        &person(),
        &Person {
            birth: (1949, 523),
            ..person()
        },
    );
    assert_eq!(level_of(&levels, "birth"), Level(2), "the year agrees");
}

#[test]
fn a_salted_filter_is_asked_only_when_its_salt_agrees() {
    let filled = |bits, birth| Person {
        given: 33,
        names_bits: Some(bits),
        birth,
        ..person()
    };
    let typo = compare(&filled(0b1110, (1949, 522)), &filled(0b1111, (1949, 522)));
    assert_eq!(
        level_of(&typo, "given"),
        Level(0),
        "equal given names need no filter"
    );

    let one = Person {
        names_bits: Some(0b1110),
        ..person()
    };
    let two = Person {
        given: 23,
        names_bits: Some(0b1111),
        ..person()
    };
    assert_eq!(
        level_of(&compare(&one, &two), "given"),
        Level(2),
        "close by the filter"
    );

    let other_birth = Person {
        given: 23,
        birth: (1950, 101),
        names_bits: Some(0b1110),
        ..person()
    };
    assert_eq!(
        level_of(&compare(&one, &other_birth), "given"),
        Level::MISSING
    );
}

#[test]
fn swapped_name_fields_still_agree_through_the_sorted_characters() {
    let swapped = Person {
        surname: 22,
        given: 11,
        ..person()
    };
    let levels = compare(&person(), &swapped);
    assert_eq!(level_of(&levels, "surname"), Level(0));
    assert_eq!(level_of(&levels, "given"), Level(0));
}

/// Levels of `near` under a tag of (birth date, given name) with three slots.
/// Compares two rows, each given as its slots and what of it is present.
fn compare_rows<const SLOTS: usize>(
    profile: &LinkageProfile,
    rows: &[([u64; SLOTS], u64); 2],
) -> ComparisonVector {
    let mut table = RecordTable::with_capacity(profile.layout(), 2);
    for (tags, presence) in rows {
        table.push(Row {
            filters: &[],
            tags,
            presence: *presence,
            kind: EventKind::Other,
            year: 0,
            flags: 0,
            source: 0,
            key: 0,
        });
    }
    Comparer::new(profile, &table).compare(CandidatePair::new(0, 1))
}

fn near_level(a: [u64; 4], b: [u64; 4]) -> Level {
    let text = r#"
name = "near"
version = 1
summary = "One tag with variants, one without."
[[tag]]
name = "given"
attributes = ["birth_date", "given_kana"]
one_deletion = "given_kana"
slots = 3
block = true
[[tag]]
name = "birth"
attributes = ["birth_date"]
[[comparison]]
name = "given"
rungs = [{ attribute = "given_kana", m = 0.8, u = 0.01 }, { near = "given_kana", m = 0.1, u = 0.02 }]
"#;
    let profile = LinkageProfile::parse(text).expect("valid");
    let presence = profile.layout().presence_all();
    let vector = compare_rows(&profile, &[(a, presence), (b, presence)]);
    vector.level(0)
}

#[test]
fn a_shared_variant_is_near_and_only_the_whole_value_agrees() {
    let person = [1, 2, 3, 50];
    assert_eq!(
        near_level(person, [1, 8, 9, 50]),
        Level(0),
        "the whole value"
    );
    assert_eq!(near_level(person, [7, 2, 9, 50]), Level(1), "one replaced");
    assert_eq!(near_level(person, [2, 8, 9, 50]), Level(1), "one left out");
    assert_eq!(
        near_level(person, [7, 8, 9, 50]),
        Level(2),
        "far, birth date agrees"
    );
    assert_eq!(
        near_level(person, [7, 2, 9, 51]),
        Level(1),
        "the variant binds the birth date"
    );
    assert_eq!(
        near_level(person, [7, 8, 9, 51]),
        Level::MISSING,
        "either may differ"
    );
}

const BUCKETS: &str = r#"
name = "test"
version = 1
summary = "A tag with buckets beside tags of the whole values."
[[tag]]
name = "name"
attributes = ["surname_kana", "given_kana", "birth_date"]
block = true
[[tag]]
name = "birth"
attributes = ["birth_date", "patient_number"]
[[tag]]
name = "given"
attributes = ["birth_date", "given_kana"]
bucketed = "given_kana"
buckets = 32
[[comparison]]
name = "given"
rungs = [{ attribute = "given_kana", m = 0.9, u = 0.01 }]
[[comparison]]
name = "bucket"
rungs = [{ bucket = "given", m = 0.9, u = 0.04 }]
[[comparison]]
name = "birth"
rungs = [{ attribute = "birth_date", m = 0.9, u = 0.01 }]
"#;

#[test]
fn a_bucket_tells_of_the_rest_and_counts_only_where_nothing_else_tells_of_its_attribute() {
    let profile = LinkageProfile::parse(BUCKETS).expect("valid");
    let levels = |one: [u64; 3], two: [u64; 3]| {
        // Each tag has one slot.
        let present = |tags: [u64; 3]| {
            (tags.iter().rev()).fold(0, |mask, tag| mask << 1 | u64::from(*tag != 0))
        };
        let rows = [one, two].map(|tags| (tags, present(tags)));
        let vector = compare_rows(&profile, &rows);
        [0, 1, 2].map(|comparison| vector.level(comparison))
    };
    let (yes, no, unknown) = (Level(0), Level(1), Level::MISSING);
    let person = [1, 2, 3];
    assert_eq!(
        levels(person, person),
        [yes, unknown, yes],
        "the name is known to agree"
    );
    assert_eq!(
        levels(person, [9, 9, 3]),
        [unknown, yes, yes],
        "the bucket alone, and a birth date"
    );
    assert_eq!(
        levels(person, [9, 2, 9]),
        [no, unknown, yes],
        "another bucket: another name"
    );
    assert_eq!(
        levels(person, [9, 9, 9]),
        [unknown; 3],
        "any of them may differ"
    );
    assert_eq!(
        levels(person, [9, 2, 0]),
        [unknown, unknown, yes],
        "no bucket"
    );
}

const VALUES: &str = r#"
name = "test"
version = 1
summary = "Values by how common they are, and names swapped."
[[tag]]
name = "name"
attributes = ["surname"]
block = true
[[tag]]
name = "both"
attributes = ["given"]
[[comparison]]
name = "name"
by_frequency = true
rungs = [{ tag = "name", m = 0.8 }, { tag = "both", m = 0.1 }]
[[comparison]]
name = "other"
rungs = [{ tag = "both", m = 0.8, counted_elsewhere = true }, { tag = "name", m = 0.1 }]
"#;

/// Rows with these values of the two tags; 0: absent.
fn tagged(profile: &LinkageProfile, rows: &[[u64; 2]]) -> RecordTable {
    let mut table = RecordTable::with_capacity(profile.layout(), rows.len());
    for tags in rows {
        table.push(Row {
            filters: &[],
            tags,
            presence: u64::from(tags[0] != 0) | u64::from(tags[1] != 0) << 1,
            kind: EventKind::Other,
            year: 0,
            flags: 0,
            source: 0,
            key: 0,
        });
    }
    table
}

#[test]
fn rare_values_have_a_level_of_their_own() {
    let profile = LinkageProfile::parse(VALUES).expect("a valid profile");
    // 20,000 rows: value 7 is held by 2 (rare), 8 by 20 (usual), 9 by the others.
    let value = |row: u64| match row {
        0..2 => 7,
        2..22 => 8,
        _ => 9,
    };
    let rows: Vec<[u64; 2]> = (0..20_000).map(|row| [value(row), row + 1]).collect();
    let table = tagged(&profile, &rows);
    let comparer = Comparer::new(&profile, &table);
    let level = |a, b| comparer.compare(CandidatePair::new(a, b)).level(0);
    assert_eq!(level(0, 1), Level(0), "rare");
    assert_eq!(level(2, 3), Level(1), "usual");
    assert_eq!(level(30, 31), Level(2), "common");
    assert_eq!(
        level(0, 2),
        Level(4),
        "disagree comes after the second rung"
    );
    let comparison = &profile.comparisons[0];
    assert_eq!(comparison.levels(), 5);
    let rungs: Vec<_> = (0..5)
        .map(|level| comparison.rung_of_level(level))
        .collect();
    assert_eq!(rungs, [Some(0), Some(0), Some(0), Some(1), None]);
}

#[test]
fn what_another_comparison_counts_is_missing_here() {
    let profile = LinkageProfile::parse(VALUES).expect("a valid profile");
    let table = tagged(&profile, &[[1, 5], [2, 5], [2, 6], [0, 0]]);
    let comparer = Comparer::new(&profile, &table);
    let levels = |a, b| {
        let vector = comparer.compare(CandidatePair::new(a, b));
        (vector.level(0), vector.level(1))
    };
    assert_eq!(
        levels(0, 1),
        (Level(3), Level::MISSING),
        "swapped: counted once"
    );
    assert_eq!(levels(1, 2).1, Level(1));
    assert_eq!(levels(0, 2), (Level(4), Level(2)));
    assert_eq!(levels(0, 3), (Level::MISSING, Level::MISSING));
}

#[test]
fn a_padded_tag_tells_agreement_and_never_a_difference() {
    let text = r#"
name = "padded"
version = 1
summary = "A padded tag beside a plain one."
[[tag]]
name = "rare"
attributes = ["rare_given_kana", "birth_date"]
pad = true
block = true
[[tag]]
name = "birth"
attributes = ["birth_date"]
[[comparison]]
name = "given"
rungs = [{ attribute = "rare_given_kana", m = 0.8, u = 0.01 }]
"#;
    let profile = LinkageProfile::parse(text).expect("valid");
    let layout = profile.layout();
    let level = |a: [u64; 2], b: [u64; 2]| {
        let mut table = RecordTable::with_capacity(layout.clone(), 2);
        for tags in [a, b] {
            table.push(Row {
                filters: &[],
                tags: &tags,
                presence: layout.presence_all(),
                kind: EventKind::Other,
                year: 0,
                flags: 0,
                source: 0,
                key: 0,
            });
        }
        let comparer = Comparer::new(&profile, &table);
        comparer.compare(CandidatePair::new(0, 1)).level(0)
    };
    assert_eq!(level([1, 50], [1, 50]), Level(0));
    assert_eq!(level([1, 50], [2, 50]), Level::MISSING);
}
