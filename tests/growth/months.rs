//! Two years of records, month by month, end where one run over all of them ends.

use musubi::job::JobRunner;
use musubi::terms::run::ThresholdPolicy;

use crate::register::*;

/// Records in 24 batches by calendar month: the last 24 months of events, the first batch with all that
/// came before.
fn months(records: &[Made]) -> Vec<&[Made]> {
    let month = |one: &Made| {
        let (year, month, _) = one.day.date();
        year * 12 + month
    };
    let last = records.last().map_or(0, month);
    let batches: Vec<&[Made]> = records
        .chunk_by(|one, next| {
            let month_of = |one: &Made| month(one).max(last - 23);
            month_of(one) == month_of(next)
        })
        .collect();
    assert_eq!(batches.len(), 24, "months");
    batches
}

/// Two years in monthly batches, cuts and model chosen by the product; `every` so many months it links. Then
/// the server is started anew, and links all.
fn grows_month_by_month(name: &str, every: usize) {
    let profile = profile(name);
    let records = population(&profile, 1_000, 41);
    let folder = tempfile::tempdir().expect("folder");
    let grown = open(&folder.path().join("grown"), &profile);
    let runner = JobRunner::new(grown.clone()).expect("a runner");
    let mut increments = 0;
    for (month, batch) in months(&records).into_iter().enumerate() {
        submit(&grown, &format!("month {month}"), batch);
        if month % every == 0 {
            let report = link_on(&runner, None);
            increments += u32::from(report.blocking.new_rows.is_some());
        }
    }
    drop(runner);
    let grown_report = link(&grown, None);
    let at_once = open(&folder.path().join("at_once"), &profile);
    submit(&at_once, "all", records.iter().rev());
    let report = link(&at_once, None);
    println!("{name}: {increments} runs of 24 looked at new records only");
    // Profiles that count how common a value is look at all records always.
    assert_eq!(
        increments > 0,
        profile.comparisons.iter().all(|one| !one.by_frequency)
    );
    assert_eq!(policy_of(&grown_report), policy_of(&report));
    assert_eq!(
        grown_report.clustering.set_aside,
        report.clustering.set_aside
    );
    assert!(
        partition(&published(&grown)) == partition(&published(&at_once)),
        "batches change who is one person"
    );
}

#[test]
fn two_years_in_monthly_batches_end_where_one_run_ends() {
    grows_month_by_month("jp-standard", 1);
}

#[test]
fn two_years_in_monthly_batches_end_where_one_run_ends_with_filters() {
    grows_month_by_month("jp-fields", 8);
}

/// Two years in monthly batches under the model and the cuts of the first month.
fn keeps_its_policy(name: &str, every: usize) {
    let profile = profile(name);
    let records = population(&profile, 1_000, 45);
    let folder = tempfile::tempdir().expect("folder");
    let start = |path: &str, first: &[Made]| {
        let store = open(&folder.path().join(path), &profile);
        submit(&store, "first", first);
        let runner = JobRunner::new(store.clone()).expect("a runner");
        let refused = runner.start(ThresholdPolicy::AsBefore);
        assert!(refused.is_err(), "there is nothing to keep");
        let report = link_on(&runner, None);
        (store, runner, policy_of(&report))
    };
    let batches = months(&records);
    let (grown, runner, policy) = start("grown", batches[0]);
    for (month, batch) in batches.iter().enumerate().skip(1) {
        submit(&grown, &format!("month {month}"), batch.iter());
        if month % every == 0 || month == 23 {
            let report = link_on(&runner, ThresholdPolicy::AsBefore);
            assert_eq!(policy_of(&report), policy, "month {month}");
        }
    }
    let by_months = partition(&published(&grown));
    drop((runner, grown));

    // From disk, over all records: nothing changes.
    let grown = open(&folder.path().join("grown"), &profile);
    let report = link(&grown, ThresholdPolicy::AsBefore);
    assert_eq!(policy_of(&report), policy);
    let fallbacks = report.methods.expect("a sheet").fallbacks;
    assert!(fallbacks.iter().any(|it| it.contains("an earlier run")));
    assert_eq!(report.blocking.new_rows, None);
    assert_eq!(report.clustering.churn.created, 0);
    assert_eq!(report.clustering.churn.per_thousand(), 0.0);
    assert!(partition(&published(&grown)) == by_months);

    let (at_once, _, same) = start("at_once", batches[0]);
    assert_eq!(same, policy);
    submit(&at_once, "rest", &records[batches[0].len()..]);
    link(&at_once, ThresholdPolicy::AsBefore);
    assert!(
        partition(&published(&at_once)) == by_months,
        "batches change who is one person"
    );
}

#[test]
fn under_a_kept_policy_months_end_where_one_run_ends() {
    keeps_its_policy("jp-standard", 1);
}

#[test]
fn under_a_kept_policy_months_end_where_one_run_ends_with_filters() {
    keeps_its_policy("jp-fields", 8);
}
