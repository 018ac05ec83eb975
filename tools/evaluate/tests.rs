//! Both measures against a naive oracle that looks at every pair, and the edges.

use std::fs;

use proptest::prelude::*;

use super::*;

/// Looks at every pair and every record. Quadratic on purpose.
fn oracle(rows: &[(u8, u8)]) -> (Quality, Quality) {
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
    (pairwise, Quality::of(share(precision, n), share(recall, n)))
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
        let (pairwise, bcubed) = oracle(&rows);
        prop_assert!(close(evaluation.pairwise, pairwise));
        prop_assert!(close(evaluation.bcubed, bcubed));
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
