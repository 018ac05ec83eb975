//! All measures against naive oracles that look at every pair, and the edges.

use std::fs;

use proptest::prelude::*;

use super::about::RecordAbout;
use super::*;
use crate::tools::synth::flags;

/// Looks at every pair and every record. Quadratic on purpose. Pairwise, B-cubed, exact clusters.
fn oracle(rows: &[(u8, u8)]) -> (Quality, Quality, Quality) {
    let (mut found, mut truly, mut both) = (0.0, 0.0, 0.0);
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[i + 1..] {
            found += f64::from(a.0 == b.0);
            truly += f64::from(a.1 == b.1);
            both += f64::from(a == b);
        }
    }
    let share = |part: f64, whole: f64| if whole == 0.0 { 1.0 } else { part / whole };
    let pairwise = Quality::of(share(both, found), share(both, truly));
    let (mut precision, mut recall) = (0.0, 0.0);
    for a in rows {
        let count =
            |same: &dyn Fn(&(u8, u8)) -> bool| rows.iter().filter(|b| same(b)).count() as f64;
        let shared = count(&|b| a == b);
        precision += shared / count(&|b| a.0 == b.0);
        recall += shared / count(&|b| a.1 == b.1);
    }
    let n = rows.len() as f64;
    let bcubed = Quality::of(share(precision, n), share(recall, n));
    let (mut exact, mut entities, mut persons) = (0.0, 0.0, 0.0);
    for id in 0..=u8::MAX {
        let of_entity: Vec<_> = rows.iter().filter(|row| row.0 == id).collect();
        entities += f64::from(!of_entity.is_empty());
        persons += f64::from(rows.iter().any(|row| row.1 == id));
        if let Some((_, person)) = of_entity.first() {
            exact += f64::from(rows.iter().all(|row| (row.0 == id) == (row.1 == *person)));
        }
    }
    let exact = Quality::of(share(exact, entities), share(exact, persons));
    (pairwise, bcubed, exact)
}

fn close(a: Quality, b: Quality) -> bool {
    (a.precision - b.precision).abs() < 1e-9
        && (a.recall - b.recall).abs() < 1e-9
        && (a.f1 - b.f1).abs() < 1e-9
}

fn evaluated(rows: &[(u8, u8)]) -> Evaluation {
    let mut truth = Truth::default();
    for (index, (_, person)) in rows.iter().enumerate() {
        assert!(truth.insert("a", &index.to_string(), &person.to_string()));
    }
    let given = rows
        .iter()
        .enumerate()
        .map(|(index, row)| ("a", index.to_string(), row.0));
    evaluate(given, &truth).expect("no record is repeated")
}

proptest! {
    #[test]
    fn equals_the_oracle(rows in prop::collection::vec((0_u8..6, 0_u8..6), 0..40)) {
        let evaluation = evaluated(&rows);
        let (pairwise, bcubed, exact) = oracle(&rows);
        prop_assert!(close(evaluation.pairwise, pairwise));
        prop_assert!(close(evaluation.bcubed, bcubed));
        prop_assert!(close(evaluation.exact, exact));
        prop_assert_eq!(evaluation.records, rows.len() as u64);
    }
}

#[test]
fn nothing_at_all_is_perfect_and_not_nan() {
    let evaluation = evaluated(&[]);
    assert_eq!(evaluation.pairwise, Quality::of(1.0, 1.0));
    assert_eq!(evaluation.bcubed, Quality::of(1.0, 1.0));
}

#[test]
fn all_apart_has_precision_one_and_recall_zero() {
    let evaluation = evaluated(&[(0, 0), (1, 0)]);
    assert_eq!(
        evaluation.pairwise,
        Quality {
            precision: 1.0,
            recall: 0.0,
            f1: 0.0
        }
    );
    assert_eq!(evaluation.bcubed.recall, 0.5);
}

#[test]
fn unknown_records_are_left_out_and_absent_ones_stand_alone() {
    let mut truth = Truth::default();
    for record in ["1", "2"] {
        assert!(truth.insert("a", record, "p"));
    }
    let given = [("a", "1", 7), ("a", "9", 7), ("b", "2", 7)];
    let evaluation = evaluate(given.into_iter(), &truth).expect("evaluates");
    assert_eq!(
        (
            evaluation.records_without_truth,
            evaluation.records_not_given
        ),
        (2, 1)
    );
    assert_eq!((evaluation.true_pairs, evaluation.found_pairs), (1, 0));
    let twice = [("a", "1", 7), ("a", "1", 8)];
    let refused = evaluate(twice.into_iter(), &truth);
    assert_eq!(refused, Err(EvaluateError::RepeatedRecord { position: 2 }));
}

#[test]
fn truth_files_are_read_by_column_name_and_refused_with_file_and_line() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("truth.csv");
    let read = |text: &str| {
        fs::write(&path, text).expect("writes");
        Truth::read(&path)
    };
    let message = |text: &str| read(text).err().expect("refused").to_string();
    let truth = read("person_id,extra,record_id,source\np,x,1,a\np,y,2,a\n").expect("reads");
    assert_eq!((truth.record_count(), truth.person_count()), (2, 1));
    assert!(truth.row("a", "2").is_some());
    assert!(message("source,record_id\na,1\n").ends_with("line 1: column 'person_id' is missing"));
    let head = "source,record_id,person_id\n";
    assert!(
        message(&format!("{head}a,1,secret\na,,q\n")).ends_with("line 3: 'record_id' is empty")
    );
    let repeated = message(&format!("{head}a,1,p\na,1,secret\n"));
    assert!(repeated.contains("truth.csv, line 3") && !repeated.contains("secret"));
    let missing = Truth::read(&dir.path().join("none.csv"))
        .err()
        .expect("refused");
    assert!(missing.to_string().contains("none.csv"));
}

#[test]
fn truth_of_public_sets_comes_out_of_their_data() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let [data, output] = ["data.csv", "truth.csv"].map(|name| dir.path().join(name));
    fs::write(
        &data,
        "rec_id, surname\nrec-7-org, x\nrec-7-dup-0, y\nrec-8-org, z\n",
    )
    .expect("writes");
    assert_eq!(
        public::febrl_truth(&[("a", &data)], &output).expect("makes"),
        3
    );
    assert_eq!(Truth::read(&output).expect("reads").person_count(), 2);
    fs::write(&data, "rec_id\nrec-7-org\nseven\n").expect("writes");
    let refused = public::febrl_truth(&[("a", &data)], &output)
        .expect_err("refused")
        .to_string();
    assert!(refused.contains("line 3") && !refused.contains("seven"));
    fs::write(&data, "unique_id,cluster,name\nQ1-1,Q1,x\nQ1-2,Q1,y\n").expect("writes");
    assert_eq!(
        public::historical_truth("h", &data, &output).expect("makes"),
        2
    );
    assert_eq!(Truth::read(&output).expect("reads").person_count(), 1);
}

/// A record of the oracle below: entity, person, source, flags, surname state.
type Known = (u8, u8, u8, u32, u8);

fn known(rows: &[Known]) -> (Truth, Partition) {
    const SOURCES: [&str; 3] = ["birth_registry", "hosp_a", "death_registry"];
    let mut truth = Truth::default();
    for (index, (_, person, source, flags, state)) in rows.iter().enumerate() {
        let about = RecordAbout {
            flags: *flags,
            surname_state: *state,
        };
        let source = SOURCES[usize::from(*source)];
        assert!(truth.insert_about(source, &index.to_string(), &person.to_string(), about));
    }
    let given = rows.iter().enumerate();
    let given = given.map(|(i, row)| (SOURCES[usize::from(row.2)], i.to_string(), row.0));
    let partition = Partition::new(given, &truth).expect("no record is repeated");
    (truth, partition)
}

proptest! {
    #[test]
    fn strata_equal_an_oracle_that_looks_at_every_pair(
        rows in prop::collection::vec((0_u8..5, 0_u8..5, 0_u8..3, 0_u32..512, 0_u8..2), 0..30),
        twins in 0_u8..5,
    ) {
        let (mut truth, partition) = known(&rows);
        if let Some(person) = truth.person(&twins.to_string()) {
            truth.add_to_person(person, about::TWIN);
        }
        let strata = partition.strata(&truth);
        type Rule = fn(&Known, &Known, u8) -> bool;
        let rules: [(&str, Rule); 6] = [
            ("swapped_names", |a, b, _| (a.3 | b.3) & flags::SWAPPED != 0),
            ("birth_date_error", |a, b, _| (a.3 | b.3) & flags::BIRTH_DATE != 0),
            ("twins", |a, b, twins| a.1 == twins || b.1 == twins),
            ("no_error", |a, b, _| (a.3 | b.3) & flags::ERRORS == 0),
            ("surname_changed", |a, b, _| a.1 == b.1 && a.4 != b.4),
            ("birth_to_death", |a, b, _| a.2 + b.2 == 2 && a.2 != b.2),
        ];
        for (name, rule) in rules {
            let (mut truly, mut found, mut right) = (0_u64, 0_u64, 0_u64);
            for (i, a) in rows.iter().enumerate() {
                for b in rows[i + 1..].iter().filter(|b| rule(a, b, twins)) {
                    truly += u64::from(a.1 == b.1);
                    found += u64::from(a.0 == b.0);
                    right += u64::from(a.0 == b.0 && a.1 == b.1);
                }
            }
            let Some(stratum) = strata.strata.iter().find(|s| s.stratum == name) else {
                prop_assert_eq!((truly, found), (0, 0), "{}", name);
                continue;
            };
            prop_assert_eq!((stratum.true_pairs, stratum.correct_pairs), (truly, right));
            if name == "surname_changed" {
                prop_assert_eq!((stratum.found_pairs, stratum.precision), (None, None));
            } else {
                prop_assert_eq!(stratum.found_pairs, Some(found));
                let precision = (found > 0).then(|| right as f64 / found as f64);
                prop_assert_eq!(stratum.precision, precision);
            }
            prop_assert_eq!(stratum.recall, (truly > 0).then(|| right as f64 / truly as f64));
        }
        let all = partition.evaluation(&truth);
        let sums = strata.source_pairs.iter().fold((0, 0), |(truly, found), pair| {
            (truly + pair.true_pairs, found + pair.found_pairs.unwrap_or_default())
        });
        prop_assert_eq!(sums, (all.true_pairs, all.found_pairs));
    }
}

#[test]
fn an_entity_too_large_for_strata_is_told_and_left_out_of_precision() {
    let count = strata::ENTITY_RECORDS_MAX + 1;
    let mut rows: Vec<Known> = vec![(0, 0, 1, 0, 0); count];
    rows.extend([(1, 1, 1, flags::SEX, 0), (1, 2, 1, 0, 0)]);
    let (truth, partition) = known(&rows);
    let strata = partition.strata(&truth);
    assert_eq!(strata.entities_left_out, 1);
    let of = |name: &str| {
        strata
            .strata
            .iter()
            .find(|s| s.stratum == name)
            .expect("there")
    };
    assert_eq!(
        (of("sex_error").precision, of("sex_error").recall),
        (Some(0.0), None)
    );
    assert_eq!(
        (of("no_error").precision, of("no_error").recall),
        (None, Some(1.0))
    );
    assert!(strata.to_string().contains("1 entities are too large"));
}

#[test]
fn persons_make_twins_namesakes_and_foreigners() {
    let mut truth = Truth::default();
    for person in ["a", "b", "c", "d"] {
        truth.insert("s", person, person);
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("persons.csv");
    let head =
        "person_id,sex,birth_date,given_kana,birth_surname_kana,twin_group,namesake,nationality";
    let people = "a,M,2000-01-01,タロウ,サトウ,,0,\nb,M,2000-01-01,タロウ,サトウ,,0,VN\n\
                  c,M,2000-01-01,ジロウ,サトウ,7,0,\nd,,,,,,1,\nz,M,2000-01-01,タロウ,サトウ,,1,\n";
    fs::write(&path, format!("{head}\n{people}")).expect("writes");
    truth.read_persons(&path).expect("reads");
    let about = ["a", "b", "c", "d"].map(|id| truth.about_person(truth.person(id).expect("known")));
    let expected = [
        about::NAMESAKE,
        about::NAMESAKE | about::FOREIGN,
        about::TWIN,
        about::NAMESAKE,
    ];
    assert_eq!(about, expected);
    fs::write(&path, "id\n1\n").expect("writes");
    let refused = truth
        .read_persons(&path)
        .err()
        .expect("refused")
        .to_string();
    assert!(
        refused.ends_with("line 1: column 'person_id' is missing"),
        "{refused}"
    );
}

#[test]
fn scripts_are_told_by_source_only_where_no_flag_of_our_own_is() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("truth.csv");
    let head = "source,record_id,person_id,surname_state,noise_flags\n";
    let read = |flag: u32| {
        let rows = format!("{head}death_registry,1,p,1,16\nndb,1,p,0,{flag}\nhosp_a,1,p,,none\n");
        fs::write(&path, rows).expect("writes");
        let truth = Truth::read(&path).expect("reads");
        truth
            .records()
            .map(|(_, about)| (about.flags, about.surname_state))
            .collect::<Vec<_>>()
    };
    let inferred = [(16 | flags::KANJI_ONLY, 1), (flags::KANA_ONLY, 0), (0, 0)];
    assert_eq!(read(0), inferred);
    assert_eq!(read(flags::NO_SEX), [(16, 1), (flags::NO_SEX, 0), (0, 0)]);
}

#[test]
fn blocking_is_measured_over_records_of_the_truth() {
    let mut truth = Truth::default();
    for (record, person) in [("1", "p"), ("2", "p"), ("3", "p"), ("4", "q")] {
        truth.insert("s", record, person);
    }
    let pairs = [("1", "2"), ("1", "4"), ("1", "9")];
    let found = blocking(pairs.into_iter().map(|(a, b)| [("s", a), ("s", b)]), &truth);
    assert_eq!(
        (found.candidate_pairs, found.correct_pairs, found.true_pairs),
        (2, 1, 3)
    );
    assert!((found.pair_completeness - 1.0 / 3.0).abs() < 1e-12);
    assert!((found.reduction_ratio - (1.0 - 2.0 / 6.0)).abs() < 1e-12);
    let nothing = blocking(std::iter::empty::<[(&str, &str); 2]>(), &Truth::default());
    assert_eq!(
        (nothing.pair_completeness, nothing.reduction_ratio),
        (1.0, 1.0)
    );
}
