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

mod restart {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn journals(directory: &Path) -> usize {
        std::fs::read_dir(directory.join("journals")).map_or(0, Iterator::count)
    }

    fn attend(unfinished: &Unfinished, first_chunk: u64) -> Attended {
        match unfinished.admit(&actor(), header("a", "1"), first_chunk) {
            Ok(Admitted::New(attended)) => attended,
            Ok(Admitted::Repeated(_)) => panic!("not carried out yet"),
            Err(error) => panic!("{error}"),
        }
    }

    fn chunks() -> Vec<Vec<Sent>> {
        let records = mixed();
        let more = (0..40).map(|n| Ok(encoding(&format!("y{n}"), 1, n + 7)));
        vec![
            records[..2].to_vec(),
            records[2..].to_vec(),
            Vec::new(),
            more.collect(),
        ]
    }

    /// Sends all chunks; the server is started anew before each chunk in `restarts`.
    fn submit(restarts: &[u64]) -> Receipt {
        let directory = tempfile::tempdir().expect("directory");
        let mut unfinished = Unfinished::new(open(directory.path()), HOUR);
        let mut attended = attend(&unfinished, 0);
        for (number, chunk) in (0..).zip(chunks()) {
            if restarts.contains(&number) {
                // The line is cut, or the process is: then nobody hears of the drop.
                drop((attended, unfinished));
                unfinished = Unfinished::new(open(directory.path()), HOUR);
                let arrived = unfinished.arrived(&actor(), "1");
                assert_eq!(arrived.chunks, number);
                let records: usize = chunks()[..number as usize].iter().map(Vec::len).sum();
                assert_eq!(arrived.records, records as u64);
                let other = unfinished.arrived(&actor(), "2");
                assert_eq!(other, Arrived::default());
                attended = attend(&unfinished, number);
            }
            attended.chunk(number, chunk).expect("taken");
        }
        let all = chunks().concat();
        let receipt = attended.finish(all.len() as u64, hash(&all));
        let receipt = receipt.expect("finished");
        assert_eq!(journals(directory.path()), 0, "the journal is gone");
        assert_eq!(unfinished.arrived(&actor(), "1"), Arrived::default());
        receipt
    }

    #[test]
    fn a_submission_goes_on_after_restarts_and_the_receipt_is_the_same() {
        let undisturbed = submit(&[]);
        assert_eq!((undisturbed.accepted, undisturbed.unchanged), (41, 1));
        for restarts in [&[0_u64][..], &[1], &[2], &[3], &[1, 2, 3]] {
            let receipt = submit(restarts);
            // The store ID is random, and the head and the signature depend on it.
            let same = Receipt {
                log_head: undisturbed.log_head.clone(),
                signature: undisturbed.signature.clone(),
                ..receipt
            };
            assert_eq!(same, undisturbed, "restarts before {restarts:?}");
        }
    }

    #[test]
    fn what_is_given_up_expired_or_replaced_leaves_no_journal() {
        let directory = tempfile::tempdir().expect("directory");
        let store = open(directory.path());
        let unfinished = Unfinished::new(store.clone(), HOUR);
        attend(&unfinished, 0).give_up();
        assert_eq!(journals(directory.path()), 0, "given up");
        let mut broken = attend(&unfinished, 0);
        assert!(broken.chunk(7, Vec::new()).is_err());
        drop(broken);
        assert_eq!(journals(directory.path()), 0, "a chunk failed");
        drop(attend(&unfinished, 0));
        drop(attend(&unfinished, 0));
        assert_eq!(journals(directory.path()), 1, "replaced");
        drop((unfinished, store));
        let store = open(directory.path());
        let unfinished = Unfinished::new(store.clone(), Duration::ZERO);
        assert_eq!(journals(directory.path()), 0, "kept for no time");
        let mut attended = attend(&unfinished, 0);
        attended.chunk(0, mixed()).expect("taken");
        assert_eq!(journals(directory.path()), 0, "no journal is written");
        drop(attended);
        assert_eq!(unfinished.arrived(&actor(), "1"), Arrived::default());
    }

    #[test]
    fn a_journal_does_not_hold_its_source() {
        let directory = tempfile::tempdir().expect("directory");
        let unfinished = Unfinished::new(open(directory.path()), HOUR);
        let mut attended = attend(&unfinished, 0);
        attended.chunk(0, mixed()).expect("taken");
        drop((attended, unfinished));
        let store = open(directory.path());
        let unfinished = Unfinished::new(store.clone(), HOUR);
        take_in(&store, "2");
        assert_eq!(unfinished.arrived(&actor(), "1").chunks, 1);
        assert_eq!(unfinished.arrived(&actor(), "2"), Arrived::default());
    }
}
