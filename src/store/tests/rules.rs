//! What is taken in, what is refused, and what readers see.

use super::*;
use crate::store::Appended::{Accepted, Refused, Unchanged};
use crate::terms::run::{Run, RunState};
use crate::terms::{EntityId, RefusalReason};

fn refusal<T>(result: Result<T, BeginSubmissionError>) -> BeginSubmissionError {
    match result {
        Ok(_) => panic!("must be refused"),
        Err(error) => error,
    }
}

#[test]
fn each_rule_about_versions_and_repeats() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(&store, "a", "1", &[encoding("x", 2, 1)]);
    let mut writer = store.begin_submission(&header("a", "2")).expect("begun");
    let cases = [
        (encoding("x", 2, 1), Unchanged),
        (encoding("y", 1, 5), Accepted),
        (encoding("y", 1, 5), Unchanged),
        (
            encoding("y", 1, 6),
            Refused(RefusalReason::DuplicateRecordRef),
        ),
        (
            encoding("x", 3, 9),
            Refused(RefusalReason::DuplicateRecordRef),
        ),
    ];
    for (record, expected) in cases {
        assert_eq!(writer.append(&record).expect("appended"), expected);
    }
    let mut empty = encoding("z", 1, 1);
    empty.presence = 0;
    let refused = writer.append(&empty).expect("appended");
    assert_eq!(refused, Refused(RefusalReason::Empty));
    let before = BTreeMap::from([(RefusalReason::RecordRef, 4), (RefusalReason::Empty, 1)]);
    let receipt = writer.commit(before).expect("committed");
    assert_eq!(
        (receipt.submission, receipt.accepted, receipt.unchanged),
        (2, 1, 2)
    );
    assert_eq!(receipt.refused[&RefusalReason::Empty], 2);
    assert_eq!(receipt.refused[&RefusalReason::RecordRef], 4);
    assert_eq!(receipt.refused[&RefusalReason::DuplicateRecordRef], 2);

    let mut writer = store.begin_submission(&header("a", "3")).expect("begun");
    for (version, content, expected) in [
        (2, 7, Refused(RefusalReason::ConflictingContent)),
        (1, 1, Refused(RefusalReason::OlderVersion)),
        (3, 7, Accepted),
    ] {
        let appended = writer.append(&encoding("x", version, content));
        assert_eq!(appended.expect("appended"), expected);
    }
    writer.commit(BTreeMap::new()).expect("committed");
    let live = live(&store);
    assert_eq!(live.len(), 2);
    let newest = &live[&("a".to_owned(), "x".to_owned())];
    assert_eq!(*newest, encoding("x", 3, 7).tags);
    assert_eq!(store.sources()[0].records, 2);
    assert_eq!(store.submissions()[0].live, 0);
    assert_eq!(store.stats().expect("stats").rows, 3);
}

#[test]
fn a_request_is_carried_out_once_and_a_source_waits_its_turn() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let receipt = submit(&store, "a", "1", &[encoding("x", 1, 1)]);
    assert_eq!(receipt.log_head, store.head().hash_hex());
    match refusal(store.begin_submission(&header("a", "1"))) {
        BeginSubmissionError::AlreadyDone(same) => assert_eq!(*same, receipt),
        other => panic!("{other}"),
    }
    let writer = store.begin_submission(&header("a", "2")).expect("begun");
    let busy = refusal(store.begin_submission(&header("a", "3")));
    assert!(matches!(busy, BeginSubmissionError::SourceBusy { .. }));
    // Request IDs belong to a source.
    submit(&store, "b", "1", &[encoding("x", 1, 1)]);
    drop(writer);
    let nothing = submit(&store, "a", "3", &[encoding("x", 1, 1)]);
    assert_eq!((nothing.accepted, nothing.unchanged), (0, 1));
    drop(store);
    let store = open(directory.path());
    match refusal(store.begin_submission(&header("a", "1"))) {
        BeginSubmissionError::AlreadyDone(same) => assert_eq!(*same, receipt),
        other => panic!("{other}"),
    }
    assert_eq!(store.submissions().len(), 3);
    assert_eq!(store.stats().expect("stats").segments, 2);
}

#[test]
fn another_profile_or_epoch_is_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path(), &key()).expect("open");
    let none = refusal(store.begin_submission(&header("a", "1")));
    assert!(matches!(none, BeginSubmissionError::NoProfile));
    assert!(matches!(store.load_table(), Err(LoadTableError::NoProfile)));
    store.set_profile(&profile(), "2026").expect("bound");
    let head = store.head();
    store.set_profile(&profile(), "2026").expect("the same");
    assert_eq!(store.head(), head);
    let other = LinkageProfile::built_in("jp-fields").expect("built in");
    assert!(matches!(
        store.set_profile(&other, "2026"),
        Err(SetProfileError::OtherProfile { .. })
    ));
    assert!(matches!(
        store.set_profile(&profile(), "2027"),
        Err(SetProfileError::OtherEpoch { .. })
    ));
    let mut wrong = header("a", "1");
    wrong.epoch = "2027".into();
    let error = refusal(store.begin_submission(&wrong));
    assert!(matches!(error, BeginSubmissionError::OtherEpoch { .. }));
    wrong.profile = other.fingerprint();
    let error = refusal(store.begin_submission(&wrong));
    assert!(matches!(error, BeginSubmissionError::OtherProfile { .. }));
}

#[test]
fn dropping_a_submission_leaves_no_file() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let mut writer = store.begin_submission(&header("a", "1")).expect("begun");
    writer.append(&encoding("x", 1, 1)).expect("appended");
    let segments = directory.path().join("segments");
    let files = || std::fs::read_dir(&segments).expect("list").count();
    assert_eq!(files(), 4);
    drop(writer);
    assert_eq!(files(), 0);
    assert!(live(&store).is_empty());
}

#[test]
fn entities_are_published_and_found_again() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(
        &store,
        "b",
        "1",
        &[encoding("2", 1, 1), encoding("1", 1, 2)],
    );
    submit(&store, "a", "1", &[encoding("カルテ7", 1, 3)]);
    let rows = store.load_table().expect("table");
    let ids: Vec<EntityId> = [7, 9, 7].into_iter().map(EntityId::from_u128).collect();
    let run = RunId::from_u128(1);
    assert!(store.published().is_none());
    let short = store.publish(run, &rows, &ids[..2]);
    assert!(matches!(short, Err(PublishError::Lengths { .. })));
    store.publish(run, &rows, &ids).expect("published");
    let again = store.publish(run, &rows, &ids);
    assert!(matches!(again, Err(PublishError::AlreadyPublished { .. })));
    let old = store.published().expect("published");
    let swapped = [ids[1], ids[1], ids[1]];
    let second = RunId::from_u128(2);
    store.publish(second, &rows, &swapped).expect("published");
    assert_eq!(old.run(), run);
    assert_eq!((old.len(), old.entity_count()), (3, 2));
    drop(store);
    let store = open(directory.path());
    let new = store.published().expect("published");
    assert_eq!((new.run(), new.entity_count()), (second, 1));
    let record = |label| RecordRef::new(label).expect("label");
    assert!(old.entity_of(&source("b"), &record("2")) == Some(ids[0]));
    assert!(old.entity_of(&source("b"), &record("1")) == Some(ids[1]));
    assert!(old.entity_of(&source("a"), &record("カルテ7")) == Some(ids[0]));
    assert!(old.entity_of(&source("a"), &record("1")).is_none());
    assert!(old.entity_of(&source("c"), &record("1")).is_none());
    let found = old.records_of(ids[0]);
    assert!(found == [(source("a"), record("カルテ7")), (source("b"), record("2"))]);
    assert!(old.records_of(EntityId::from_u128(8)).is_empty());
    let order: Vec<String> = new
        .iter()
        .map(|(source, label, _)| format!("{source}/{}", label.as_str()))
        .collect();
    assert_eq!(order, ["a/カルテ7", "b/1", "b/2"]);
}

#[test]
fn runs_come_back_newest_first() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let mut run = Run {
        id: RunId::from_u128(5),
        state: RunState::Queued,
        created_unix_s: 10,
        steps: Vec::new(),
        progress: None,
        failure: None,
        report: None,
    };
    store.put_run(&run).expect("put");
    run.state = RunState::Running;
    store.put_run(&run).expect("put");
    run.id = RunId::from_u128(4);
    run.created_unix_s = 11;
    store.put_run(&run).expect("put");
    drop(store);
    let store = open(directory.path());
    let ids: Vec<RunId> = store.runs().iter().map(|run| run.id).collect();
    assert_eq!(ids, [RunId::from_u128(4), RunId::from_u128(5)]);
    let state = store.run(RunId::from_u128(5)).map(|run| run.state);
    assert_eq!(state, Some(RunState::Running));
}

#[test]
fn a_store_whose_disk_failed_to_confirm_takes_no_more_writes_but_reads() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(&store, "a", "1", &[encoding("x", 1, 1)]);
    let under_way = store.begin_submission(&header("b", "1")).expect("begun");
    let failed: Result<(), StorageFault> = Err(StorageFault::Unconfirmed {
        path: directory.path().into(),
        source: std::io::Error::other("made up"),
    });
    assert!(store.inner.poison_if_unconfirmed(failed).is_err());
    assert!(matches!(
        under_way.commit(BTreeMap::new()),
        Err(CommitError::Log(AppendError::Poisoned))
    ));
    let error = refusal(store.begin_submission(&header("a", "2")));
    assert!(matches!(
        error,
        BeginSubmissionError::Log(AppendError::Poisoned)
    ));
    assert!(store.append_audit("{}").is_err());
    assert!(error.to_string().contains("restart"));
    assert_eq!(live(&store).len(), 1);
    drop(store);
    submit(&open(directory.path()), "a", "2", &[encoding("y", 1, 1)]);
}

#[test]
fn sources_submit_side_by_side() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let store = &store;
            scope.spawn(move || {
                for request in 0..4u64 {
                    let records: Vec<_> = (0..20)
                        .map(|label| encoding(&format!("r{label}"), request as u32 + 1, request))
                        .collect();
                    let receipt = submit(store, name, &request.to_string(), &records);
                    assert_eq!(receipt.accepted, 20);
                }
            });
        }
    });
    assert_eq!(live(&store).len(), 60);
    drop(store);
    assert_eq!(verify(directory.path(), &key()).expect("whole").rows, 240);
    assert_eq!(live(&open(directory.path())).len(), 60);
}
