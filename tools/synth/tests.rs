//! The generator keeps its promises: same bytes for the same seed, the right columns, a truth that
//! covers every record, and marginals within their bounds.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::*;
use crate::tools::synth::person::Sex;

const SEED: u64 = 20_240_401;

fn made(persons: u32, seed: u64) -> (tempfile::TempDir, SynthReport) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let options = SynthOptions {
        persons,
        seed,
        dir: dir.path().to_owned(),
    };
    let report = generate(&options, &|_, _| ()).expect("generates");
    (dir, report)
}

fn rows(dir: &Path, name: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(dir.join(format!("{name}.csv"))).expect("opens");
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

/// Σp²: the chance that two random members share a value.
fn collision(values: impl Iterator<Item = String>) -> f64 {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut total = 0_u64;
    for value in values {
        *counts.entry(value).or_default() += 1;
        total += 1;
    }
    let square = |n: u64| (n as f64 / total as f64).powi(2);
    counts.into_values().map(square).sum()
}

#[test]
fn same_options_give_the_same_bytes_and_another_seed_does_not() {
    let (first, _) = made(500, SEED);
    let (again, _) = made(500, SEED);
    let (other, _) = made(500, SEED + 1);
    for name in Source::ALL
        .map(|source| source.name().0)
        .into_iter()
        .chain(["truth"])
    {
        let read = |dir: &tempfile::TempDir| {
            std::fs::read(dir.path().join(format!("{name}.csv"))).expect("reads")
        };
        assert_eq!(read(&first), read(&again), "{name}");
        assert_ne!(read(&first), read(&other), "{name}");
    }
}

#[test]
fn files_have_their_columns_and_truth_covers_exactly_the_records() {
    let (dir, report) = made(2_000, SEED);
    let mut recorded = HashSet::new();
    for source in Source::ALL {
        let (name, _) = source.name();
        let mut reader =
            csv::Reader::from_path(dir.path().join(format!("{name}.csv"))).expect("opens");
        let header: Vec<String> = reader
            .headers()
            .expect("a header")
            .iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(header.join(","), source.header());
        let mut count = 0;
        for row in reader.records() {
            let row = row.expect("as many fields as columns");
            assert!(
                recorded.insert((name.to_owned(), row[0].to_owned())),
                "{name}"
            );
            count += 1;
        }
        assert!(report.sources.contains(&(name.to_owned(), count)), "{name}");
    }
    let truth = rows(dir.path(), "truth");
    assert_eq!(truth.len(), recorded.len());
    assert_eq!(truth.len() as u64, report.records);
    for row in truth {
        assert!(recorded.remove(&(row["source"].clone(), row["record_id"].clone())));
    }
}

#[test]
fn marginals_of_the_people_are_plausible() {
    let names = Names::new();
    assert!(names.surname_count() >= 2_000);
    let people = population(20_000, SEED, &names).persons;
    assert_eq!(people.len(), 20_000);
    let surnames = people
        .iter()
        .map(|p| names.get(p.surnames[0].1).kana.clone());
    let shared = collision(surnames);
    assert!((0.001..=0.004).contains(&shared), "surnames {shared}");
    for sex in [Sex::Man, Sex::Woman] {
        for years in [1900..1945, 1945..1975, 1975..1995, 1995..2025] {
            let members = people
                .iter()
                .filter(|p| p.sex == sex && years.contains(&p.birth.year()));
            let shared = collision(members.map(|p| names.get(p.given).kana.clone()));
            assert!(
                (0.002..=0.012).contains(&shared),
                "{sex:?} {years:?} {shared}"
            );
        }
    }
    let wives = people
        .iter()
        .filter(|p| p.sex == Sex::Woman && p.married.is_some());
    let wives: Vec<_> = wives.collect();
    let changed = wives.iter().filter(|p| p.changed_surname).count() as f64 / wives.len() as f64;
    assert!(
        (0.93..=0.96).contains(&changed),
        "surname changes {changed}"
    );
    let mut births: HashMap<_, u32> = HashMap::new();
    for person in people.iter().filter(|p| p.mother.is_some()) {
        *births.entry((person.mother, person.birth)).or_default() += 1;
    }
    let twins: u32 = births.into_values().filter(|&n| n > 1).sum();
    let share = f64::from(twins) / people.len() as f64;
    assert!((0.005..=0.02).contains(&share), "twins {share}");
    let foreign = people
        .iter()
        .filter(|p| p.seen.0 > p.birth && p.mother.is_none());
    assert!(foreign.count() > 200);
    let dead = people.iter().filter(|p| p.death.is_some()).count();
    assert!((2_000..=7_000).contains(&dead), "deaths {dead}");
}

#[test]
fn records_per_person_and_sources_have_the_shape_of_a_life_course_set() {
    let (dir, report) = made(20_000, SEED);
    let mean = report.records as f64 / report.persons as f64;
    assert!(
        (4.0..=8.0).contains(&mean),
        "{mean} records per person: {report:?}"
    );
    for (name, count) in &report.sources {
        assert!(*count > 1_500, "{name} {count}");
    }
    let mut seen = HashSet::new();
    for row in rows(dir.path(), "truth") {
        seen.insert(row["person_id"].clone());
    }
    assert!(seen.len() > 18_500, "{} people have a record", seen.len());
}

#[test]
fn insurers_have_valid_check_digits_and_households_share_them() {
    let (dir, _) = made(2_000, SEED);
    let mut checked = 0;
    for name in ["specific_checkup", "hosp_a", "hosp_c", "ndb"] {
        for row in rows(dir.path(), name) {
            let Ok(number) = row["insurer_no"].parse::<u32>() else {
                continue;
            };
            assert_eq!(insurance::with_check_digit(number / 10), number, "{name}");
            checked += 1;
        }
    }
    assert!(checked > 5_000);
}

#[test]
fn progress_ends_at_the_total_and_nobody_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut options = SynthOptions {
        persons: 50,
        seed: 1,
        dir: dir.path().join("new/folder"),
    };
    let last = std::cell::Cell::new((0, 0));
    let report = generate(&options, &|done, total| last.set((done, total))).expect("generates");
    assert_eq!(last.get(), (report.records, report.records));
    options.persons = 0;
    assert!(matches!(
        generate(&options, &|_, _| ()),
        Err(SynthError::NoPersons)
    ));
}
