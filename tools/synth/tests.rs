//! The generator keeps its promises: same bytes for the same seed, the right columns, a truth that
//! covers every record, and marginals within their bounds.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::*;
use crate::tools::synth::person::{Person, Sex};
use crate::tools::synth::shard::Shard;
use crate::tools::synth::sources::Source;

const SEED: u64 = 20_240_401;

fn made(persons: u32, seed: u64) -> (tempfile::TempDir, SynthReport) {
    made_with(&SynthOptions {
        persons,
        seed,
        ..SynthOptions::default()
    })
}

fn made_with(options: &SynthOptions) -> (tempfile::TempDir, SynthReport) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let report = generate(options, dir.path(), &|_, _| ()).expect("generates");
    (dir, report)
}

fn people(persons: u32) -> Vec<Person> {
    let options = SynthOptions {
        persons,
        seed: SEED,
        ..SynthOptions::default()
    };
    let employers = shard::employers(&options);
    let plans = shard::plan(&options).into_iter();
    let shards = plans.map(|plan| Shard::simulate(&options, plan, &employers));
    shards.flat_map(|shard| shard.population.persons).collect()
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
        .chain(["truth", "persons"])
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
    let names = &TABLES.names;
    assert!(names.surname_count() >= 2_000);
    let people = people(20_000);
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
    let foreign = people.iter().filter(|p| p.nationality.is_some()).count();
    assert!((200..=1_000).contains(&foreign), "foreigners {foreign}");
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
        tracers: 7,
        ..SynthOptions::default()
    };
    let last = std::cell::Cell::new((0, 0));
    let folder = dir.path().join("new/folder");
    let report =
        generate(&options, &folder, &|done, total| last.set((done, total))).expect("generates");
    assert_eq!(last.get(), (57, 57));
    assert_eq!((report.persons, report.tracers), (50, 7));
    options.persons = 0;
    let refused = generate(&options, &folder, &|_, _| ())
        .err()
        .expect("refused");
    let text = "people and tracers together are 7; they must be 1 to 45000000";
    assert_eq!(refused.to_string(), text);
}

/// Three shards, few records.
fn sharded() -> SynthOptions {
    SynthOptions {
        persons: SHARD_PERSONS + 900,
        tracers: 60,
        seed: SEED,
        coverage: 0.05,
        duplicates: 0.03,
        ..SynthOptions::default()
    }
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let files = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let (dir, report) = pool.expect("a pool").install(|| made_with(&sharded()));
        let mut files = std::collections::BTreeMap::new();
        for entry in std::fs::read_dir(dir.path()).expect("reads") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_owned();
            files.insert(name, std::fs::read(&path).expect("reads"));
        }
        (files, report)
    };
    let (one, report) = files(1);
    let (three, same) = files(3);
    assert_eq!(report, same);
    assert_eq!(one.len(), 9 + 10 + 3, "sources, maps, and what is known");
    for (name, bytes) in &one {
        assert_eq!(Some(bytes), three.get(name), "{name:?}");
    }
}

#[test]
fn record_ids_run_through_the_shards_and_tracers_are_listed() {
    let (dir, report) = made_with(&sharded());
    let mut recorded = HashSet::new();
    for (name, count) in &report.sources {
        let ids = rows(dir.path(), name)
            .into_iter()
            .map(|row| row["record_id"][2..].parse::<u64>().expect("a number"));
        assert!(ids.eq(1..=*count), "{name}");
        recorded.insert(name.clone());
    }
    let truth = rows(dir.path(), "truth");
    let is_tracer = |row: &&HashMap<String, String>| row["person_id"].starts_with('T');
    let tracers: Vec<_> = truth.iter().filter(is_tracer).cloned().collect();
    assert!(!tracers.is_empty());
    assert_eq!(tracers, rows(dir.path(), "tracers"));
    let persons = rows(dir.path(), "persons");
    assert_eq!(persons.len() as u64, report.persons + report.tracers);
    let counted: u64 = persons
        .iter()
        .map(|row| row["n_records"].parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(counted, report.records);
    assert!(recorded.len() == 9);
}

/// Records of a source by person.
fn per_person(truth: &[HashMap<String, String>]) -> HashMap<(String, String), u64> {
    let mut counts = HashMap::new();
    for row in truth {
        let key = (row["source"].clone(), row["person_id"].clone());
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn duplicates_come_at_their_rate_and_are_all_that_repeats_a_person() {
    let mut options = SynthOptions {
        persons: 3_000,
        seed: SEED,
        one_per_source: true,
        ..SynthOptions::default()
    };
    let (dir, report) = made_with(&options);
    assert_eq!(report.duplicates, 0);
    let counts = per_person(&rows(dir.path(), "truth"));
    assert!(counts.values().all(|&count| count == 1));

    options.duplicates = 0.05;
    let (dir, report) = made_with(&options);
    let rate = report.duplicates as f64 / (report.records - report.duplicates) as f64;
    assert!((0.04..=0.06).contains(&rate), "{rate}");
    let truth = rows(dir.path(), "truth");
    let flagged = |row: &&HashMap<String, String>| {
        let flags: u32 = row["noise_flags"].parse().expect("a number");
        flags & flags::DUPLICATE != 0
    };
    assert_eq!(
        truth.iter().filter(flagged).count() as u64,
        report.duplicates
    );
    let repeated = per_person(&truth).into_values().filter(|&count| count > 1);
    assert_eq!(repeated.count() as u64, report.duplicates);
}

#[cfg(feature = "source")]
#[test]
fn a_sample_is_what_a_source_would_read_from_the_files() {
    use crate::encode::{MapFile, Row, open_source};

    let options = SynthOptions {
        persons: 300,
        seed: SEED,
        duplicates: 0.05,
        ..SynthOptions::default()
    };
    let (dir, report) = made_with(&options);
    let sample = sample::sample(&options).expect("options are in range");
    let mut truth = rows(dir.path(), "truth").into_iter();
    for (source, (name, count)) in sample.sources.iter().zip(&report.sources) {
        assert_eq!(
            (source.name.as_str(), source.records.len() as u64),
            (name.as_str(), *count)
        );
        let map = MapFile::read(&dir.path().join(format!("{name}.toml"))).expect("a map");
        let path = dir.path().join(format!("{name}.csv"));
        let read = open_source(&path, &map, &source.name).expect("opens");
        for ((row, made), known) in read.zip(&source.records).zip(&source.truth) {
            let Row::Record(row) = row.expect("a row") else {
                panic!("{name}: a row is refused");
            };
            assert!(row.record_ref == made.record_ref && row.kind == made.kind);
            let attributes: Vec<_> = row.identity.attributes().collect();
            assert_eq!(attributes, made.identity.attributes().collect::<Vec<_>>());
            for attribute in attributes {
                assert!(row.identity.get(attribute) == made.identity.get(attribute));
            }
            let told = truth.next().expect("a row of truth");
            let mut person = String::new();
            known.write_person_id(&mut person);
            assert_eq!(told["person_id"], person);
            assert_eq!(told["noise_flags"], known.flags.to_string());
            assert_eq!(told["record_id"], made.record_ref.as_str());
        }
    }
    same_strata(&sample, dir.path());
}

/// The truth of a sample gives the strata that the files give.
#[cfg(feature = "source")]
fn same_strata(sample: &sample::Sample, dir: &Path) {
    use crate::tools::evaluate::{Partition, Truth};

    let mut written = Truth::read(&dir.join("truth.csv")).expect("reads");
    written
        .read_persons(&dir.join("persons.csv"))
        .expect("reads");
    // Records with the wrong sex are one entity, all others another.
    let records = sample.sources.iter().flat_map(|source| {
        let each = source.records.iter().zip(&source.truth);
        each.map(|(record, known)| {
            let wrong = known.flags & flags::SEX;
            (
                source.name.as_str().to_owned(),
                record.record_ref.as_str().to_owned(),
                wrong,
            )
        })
    });
    let records: Vec<_> = records.collect();
    let strata = |truth: &Truth| {
        let partition = Partition::new(records.iter().cloned(), truth).expect("each once");
        (partition.evaluation(truth), partition.strata(truth))
    };
    assert_eq!(strata(&written), strata(&Truth::of_sample(sample)));
}
