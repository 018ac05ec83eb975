use super::*;
use crate::store::Store;
use crate::store::testing::{encoding, header, open};
use crate::terms::{Fingerprint, Receipt, RecordEncoding, RefusalReason, SourceId};
use crate::terms::{SubmissionHasher, SubmissionHeader};

type Sent = Result<RecordEncoding, RefusalReason>;

fn actor() -> SourceId {
    SourceId::new("a").expect("source")
}

fn begin(store: &Store, header: SubmissionHeader) -> Result<Begun, BeginError> {
    Submission::begin(store, &actor(), header)
}

fn new(store: &Store, request: &str) -> Submission {
    match begin(store, header("a", request)) {
        Ok(Begun::New(submission)) => *submission,
        _ => panic!("a new submission begins"),
    }
}

fn hash(records: &[Sent]) -> [u8; 32] {
    let mut hasher = SubmissionHasher::new();
    for record in records {
        hasher.add(record.as_ref().ok());
    }
    hasher.finish()
}

/// Good, unreadable, misshapen, empty, repeated.
fn mixed() -> Vec<Sent> {
    let mut misshapen = encoding("m", 1, 1);
    misshapen.tags.pop();
    let mut empty = encoding("e", 1, 1);
    empty.presence = 0;
    vec![
        Ok(encoding("x", 1, 1)),
        Err(RefusalReason::EventKind),
        Ok(misshapen),
        Ok(empty),
        Ok(encoding("x", 1, 1)),
        Ok(encoding("x", 1, 2)),
    ]
}

fn take_in(store: &Store, request: &str) -> Receipt {
    let records = mixed();
    let mut submission = new(store, request);
    submission.chunk(0, records[..2].to_vec()).expect("chunk");
    submission.chunk(1, records[2..].to_vec()).expect("chunk");
    submission.finish(6, hash(&records)).expect("finished")
}

#[test]
fn bad_records_are_counted_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let receipt = take_in(&store, "1");
    assert_eq!((receipt.accepted, receipt.unchanged), (1, 1));
    let reasons: Vec<(RefusalReason, u64)> = receipt.refused.into_iter().collect();
    assert_eq!(
        reasons,
        [
            (RefusalReason::DuplicateRecordRef, 1),
            (RefusalReason::EventKind, 1),
            (RefusalReason::Shape, 1),
            (RefusalReason::Empty, 1),
        ]
    );
}

#[test]
fn a_submission_and_its_repeat_are_audited() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let receipt = take_in(&store, "1");
    assert!(crate::store::testing::log_text(directory.path()).contains(
        r#"{"action":"submissions.accept","actor":"sources/a","object":"sources/a/submissions/1","outcome":"accepted=1 unchanged=1 refused=4","#
    ));
    match begin(&store, header("a", "1")) {
        Ok(Begun::Repeated(same)) => assert_eq!(same, receipt),
        _ => panic!("the request was carried out before"),
    }
    assert!(crate::store::testing::log_text(directory.path()).contains("submissions.repeat"));
    assert_eq!(store.submissions().len(), 1);
}

#[test]
fn each_rule_of_the_header() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
    let refusal = |store: &Store, header| match begin(store, header) {
        Err(error) => error,
        Ok(_) => panic!("must be refused"),
    };
    let none = refusal(&store, header("a", "1"));
    assert!(matches!(none, BeginError::NoProfile));
    drop(store);
    let store = open(directory.path());
    let other = refusal(&store, header("b", "1"));
    assert!(matches!(other, BeginError::NotYourSource { .. }));
    for bad in ["", "a b", &"x".repeat(65)] {
        let error = refusal(&store, header("a", bad));
        assert!(matches!(error, BeginError::RequestId), "{bad}");
    }
    let mut wrong = header("a", "1");
    wrong.profile = Fingerprint([1; 32]);
    let error = refusal(&store, wrong);
    assert!(matches!(error, BeginError::UnknownProfile { got, .. } if got.0 == [1; 32]));
    let mut wrong = header("a", "1");
    wrong.epoch = "1999".into();
    let error = refusal(&store, wrong);
    assert!(matches!(error, BeginError::Epoch { .. }));
    let _under_way = new(&store, "1");
    let error = refusal(&store, header("a", "2"));
    assert!(matches!(error, BeginError::SourceBusy { .. }));
}

#[test]
fn chunks_come_in_order_and_within_bounds() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let mut submission = new(&store, "1");
    submission.chunk(0, Vec::new()).expect("an empty chunk");
    assert!(matches!(
        submission.chunk(2, Vec::new()),
        Err(ChunkError::OutOfOrder {
            expected: 1,
            got: 2
        })
    ));
    assert!(matches!(
        submission.chunk(1, Vec::new()),
        Err(ChunkError::Broken)
    ));
    let finished = submission.finish(0, hash(&[]));
    assert!(matches!(finished, Err(FinishError::Broken)));
    let mut submission = new(&store, "1");
    let many = vec![Err(RefusalReason::RecordRef); CHUNK_RECORDS_MAX + 1];
    assert!(matches!(
        submission.chunk(0, many),
        Err(ChunkError::TooManyRecords { .. })
    ));
    assert!(store.submissions().is_empty());
}

#[test]
fn what_did_not_arrive_as_sent_is_not_stored() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let records = mixed();
    let head = store.head();
    let mut submission = new(&store, "1");
    submission.chunk(0, records[..5].to_vec()).expect("chunk");
    assert!(matches!(
        submission.finish(6, hash(&records)),
        Err(FinishError::Count {
            announced: 6,
            arrived: 5
        })
    ));
    let mut submission = new(&store, "1");
    submission.chunk(0, records.clone()).expect("chunk");
    let altered = submission.finish(6, hash(&records[1..]));
    assert!(matches!(altered, Err(FinishError::Content)));
    assert_eq!(store.head(), head);
    assert_eq!(take_in(&store, "1").submission, 1);
}
