//! Rates of lives and of errors lie near the parameters that the generator states.

use std::collections::HashMap;
use std::path::Path;

use super::calendar::Day;
use super::person::{Population, at};
use super::shard::{self, Shard};
use super::sources::Source;
use super::{SynthOptions, TABLES, flags, generate, life};

const SEED: u64 = 20_260_801;

fn options(persons: u32) -> SynthOptions {
    SynthOptions {
        persons,
        seed: SEED,
        ..SynthOptions::default()
    }
}

fn populations(options: &SynthOptions) -> Vec<Population> {
    let employers = shard::employers(options);
    let plans = shard::plan(options).into_iter();
    let shards = plans.map(|plan| Shard::simulate(options, plan, &employers));
    shards.map(|shard| shard.population).collect()
}

/// Rows of `truth.csv` as (source, person, flags).
fn truth(options: &SynthOptions) -> (tempfile::TempDir, Vec<(String, String, u32)>) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    generate(options, dir.path(), &|_, _| ()).expect("generates");
    let rows = records(&dir.path().join("truth.csv"));
    let row = |row: csv::StringRecord| {
        let flags = row[5].parse().expect("a number");
        (row[0].to_owned(), row[2].to_owned(), flags)
    };
    (dir, rows.into_iter().map(row).collect())
}

fn records(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).expect("opens");
    reader.records().map(|row| row.expect("a row")).collect()
}

/// Whether `count` of `of` is compatible with a rate between two bounds: five standard deviations.
fn near(count: usize, of: usize, low: f64, high: f64) -> bool {
    let n = of as f64;
    let slack = |rate: f64| 5.0 * (n * rate * (1.0 - rate)).sqrt() + 2.0;
    let count = count as f64;
    count >= n * low - slack(low) && count <= n * high + slack(high)
}

#[test]
fn lives_have_the_published_rates() {
    let (mut wed, mut changed, mut divorced) = (0, 0, 0);
    let (mut insured, mut moved, mut planted) = (0, 0, 0);
    let (one, other) = (Day::of(2015, 1, 1), Day::of(2016, 1, 1));
    for population in populations(&options(40_000)) {
        assert!(population.households.len() <= 2 * population.persons.len());
        for (index, person) in (0..).zip(&population.persons) {
            if person.sex == super::person::Sex::Woman && person.married.is_some() {
                wed += 1;
                changed += usize::from(person.changed_surname);
                divorced += usize::from(person.divorced.is_some());
            }
            if person.present(one) && person.present(other) {
                let cover = |day| {
                    let cover = population.cover(index, day, &TABLES.places);
                    (cover.insurer, cover.symbol, cover.number)
                };
                insured += 1;
                moved += usize::from(cover(one) != cover(other));
            }
            if let Some(namesake) = person.namesake {
                let namesake = &population.persons[namesake as usize];
                planted += 1;
                assert!(person.given == namesake.given && person.birth == namesake.birth);
                assert!(person.surnames[0].1 == namesake.surnames[0].1);
                assert!(person.sex == namesake.sex);
            }
        }
    }
    let rate = life::WIFE_CHANGES;
    assert!(near(changed, wed, rate, rate), "{changed} of {wed}");
    // Some marriages end by death, or not before the last day.
    let rate = life::DIVORCES;
    assert!(near(divorced, wed, 0.7 * rate, rate), "{divorced} of {wed}");
    assert!(near(moved, insured, 0.095, 0.125), "{moved} of {insured}");
    let rate = super::NAMESAKES;
    assert!(near(planted, 40_000, 0.6 * rate, 1.4 * rate), "{planted}");
}

#[test]
fn a_pair_of_twins_shares_day_and_surname_but_not_the_name() {
    let mut pairs = 0;
    for population in populations(&options(20_000)) {
        for (index, person) in (0..).zip(&population.persons) {
            let Some(first) = person.twin.filter(|first| *first != index) else {
                continue;
            };
            let twin = &population.persons[first as usize];
            assert_eq!((twin.twin, twin.birth), (Some(first), person.birth));
            let kana = |id| &TABLES.names.get(id).kana;
            assert_ne!(kana(twin.given), kana(person.given));
            assert!(at(&twin.surnames, twin.birth) == at(&person.surnames, person.birth));
            pairs += 1;
        }
    }
    assert!((50..=200).contains(&pairs), "{pairs} pairs of twins");
}

#[test]
fn errors_come_at_the_rates_of_their_source() {
    let (_dir, rows) = truth(&options(20_000));
    for source in Source::ALL {
        let (name, rates) = (source.name().0, source.noise());
        let of: Vec<u32> = rows
            .iter()
            .filter(|row| row.0 == name)
            .map(|row| row.2)
            .collect();
        let check = |what: &str, flag: u32, low: f64, high: f64| {
            let count = of.iter().filter(|flags| *flags & flag != 0).count();
            assert!(
                near(count, of.len(), low, high),
                "{name}, {what}: {count} of {} for a rate of {low} to {high}",
                of.len()
            );
        };
        let birth = rates.birth + rates.era;
        // A wrong date may be the right one, or impossible.
        check("birth date", flags::BIRTH_DATE, 0.8 * birth, birth);
        check(
            "no birth date",
            flags::NO_BIRTH_DATE,
            rates.no_birth,
            rates.no_birth,
        );
        check("sex", flags::SEX, 0.98 * rates.sex, rates.sex);
        check("no sex", flags::NO_SEX, rates.no_sex, rates.no_sex);
        // Foreigners' names are exchanged more often; they are about 2 % of the people.
        check(
            "swapped",
            flags::SWAPPED,
            rates.swapped,
            rates.swapped + 0.004,
        );
        let kana = 1.0 - (1.0 - rates.kana).powi(2);
        check(
            "kana",
            flags::SURNAME_KANA | flags::GIVEN_KANA,
            0.85 * kana,
            kana + 0.002,
        );
        check(
            "former surname",
            flags::OLD_NAME,
            0.0,
            rates.old_surname * 0.6,
        );
        check(
            "former address",
            flags::OLD_ADDRESS,
            0.3 * rates.old_address,
            rates.old_address,
        );
        check(
            "large kana",
            flags::LARGE_KANA,
            rates.large_kana,
            rates.large_kana,
        );
    }
}

#[test]
fn without_noise_only_foreigners_have_errors_and_twice_the_noise_is_twice_the_errors() {
    let wrong = |noise: f64| {
        let options = SynthOptions {
            noise,
            ..options(4_000)
        };
        let (dir, rows) = truth(&options);
        let people = records(&dir.path().join("persons.csv"));
        let foreign: HashMap<String, bool> = people
            .iter()
            .map(|row| (row[0].to_owned(), !row[13].is_empty()))
            .collect();
        let ours = rows.iter().filter(|row| !foreign[&row.1]);
        ours.filter(|row| row.2 & flags::ERRORS != 0).count() as f64
    };
    assert_eq!(wrong(0.0), 0.0);
    let ratio = wrong(2.0) / wrong(1.0);
    assert!((1.6..=2.1).contains(&ratio), "{ratio}");
}

#[test]
fn half_the_coverage_is_half_the_records() {
    let all = truth(&options(4_000)).1.len();
    let options = SynthOptions {
        coverage: 0.5,
        ..options(4_000)
    };
    let half = truth(&options).1.len();
    assert!(near(half, all, 0.5, 0.5), "{half} of {all}");
}

#[test]
fn nothing_of_the_truth_is_in_a_source() {
    let (dir, rows) = truth(&options(3_000));
    let secret = super::truth::RECORD_COLUMNS;
    let secret = secret.iter().chain(&super::truth::PERSON_COLUMNS);
    let shared = [
        "record_id",
        "sex",
        "birth_date",
        "death_date",
        "given",
        "given_kana",
    ];
    let known: std::collections::HashSet<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    for source in Source::ALL {
        let (name, letters) = source.name();
        let columns: Vec<&str> = source.header().split(',').collect();
        let mut told = secret.clone().filter(|column| !shared.contains(*column));
        // `father` and `mother` of a birth are names as registered, not numbers of people.
        let told = told.find(|column| columns.contains(column) && source != Source::BirthRegistry);
        assert_eq!(told, None, "{name}");
        for row in records(&dir.path().join(format!("{name}.csv"))) {
            assert!(row[0].starts_with(letters));
            assert!(row.iter().all(|field| !known.contains(field)), "{name}");
        }
        // Neighbours in the file are no neighbours among the people.
        let of: Vec<&String> = rows
            .iter()
            .filter(|row| row.0 == name)
            .map(|row| &row.1)
            .collect();
        let rising = of.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!(
            near(rising, of.len() - 1, 0.48, 0.52),
            "{name}: {rising} of {}",
            of.len()
        );
    }
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    for (options, text) in [
        (
            SynthOptions {
                noise: f64::NAN,
                ..options(1)
            },
            "noise is NaN; it must be 0 to 100",
        ),
        (
            SynthOptions {
                coverage: 1.5,
                ..options(1)
            },
            "coverage is 1.5; it must be 0 to 1",
        ),
        (
            SynthOptions {
                duplicates: -0.1,
                ..options(1)
            },
            "duplicates is -0.1; it must be 0 to 1",
        ),
        (
            SynthOptions {
                namesakes: 0.2,
                ..options(1)
            },
            "namesakes is 0.2; it must be 0 to 0.1",
        ),
    ] {
        let refused = options.check().expect_err("refused").to_string();
        assert_eq!(refused, text);
    }
    let most = SynthOptions {
        tracers: 1,
        ..options(super::PERSONS_MAX)
    };
    assert!(most.check().is_err() && options(super::PERSONS_MAX).check().is_ok());
}
