//! A submission is carried out once, as a whole, or not at all.

use musubi::encode::LinkageSecret;
use musubi::encode::file::{EncodingHeader, EncodingWriter};
use musubi::terms::Fingerprint;
use musubi::tools::source::client::{SubmitError, submit_file};
use musubi::wire::pb::submission_service_client::SubmissionServiceClient;
use musubi::wire::pb::submit_request::Part;
use musubi::wire::{pb, reason_of};
use tonic::{Code, Status};

use crate::world::{World, header, profile, record, records, source};

fn reason(status: &Status) -> String {
    reason_of(status).expect("a reason")
}

/// Sends parts as they are.
async fn send(world: &World, stem: &str, parts: Vec<Part>) -> Result<pb::SubmitResponse, Status> {
    let channel = world.connection(stem).open().await.expect("connected");
    let messages = parts
        .into_iter()
        .map(|part| pb::SubmitRequest { part: Some(part) });
    let messages: Vec<_> = messages.collect();
    let mut client = SubmissionServiceClient::new(channel);
    let answer = client.submit(tokio_stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

fn chunk(sequence: u64, count: u64) -> Part {
    let records = records("r", count);
    let records = records.iter().map(pb::EncodedRecord::from).collect();
    Part::Chunk(pb::SubmissionChunk { sequence, records })
}

fn trailer(record_count: u64, content_hash: Vec<u8>) -> Part {
    Part::Trailer(pb::SubmissionTrailer {
        record_count,
        content_hash,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_gives_the_same_receipt() {
    let world = World::start().await;
    let header = header("hosp_a", 1);
    // Several chunks, so that the repeated call is answered while the client still sends.
    let first = world
        .submit("source-hosp_a", &header, records("a", 2_500))
        .await
        .expect("taken in");
    assert_eq!((first.accepted, first.unchanged), (2_500, 0));
    let again = world
        .submit("source-hosp_a", &header, records("a", 2_500))
        .await
        .expect("repeated");
    assert_eq!(again, first);
    let world = world.restart().await;
    let later = world
        .submit("source-hosp_a", &header, records("a", 2_500))
        .await
        .expect("repeated");
    assert_eq!(later, first);
    assert_eq!(world.records().await, [("hosp_a".to_owned(), 2_500)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_submitted_once_whatever_it_is_called() {
    let world = World::start().await;
    let path = world.dir.path().join("a.mse");
    let secret = LinkageSecret::generate().expect("secret");
    let epoch = header("hosp_a", 1).epoch;
    let about = EncodingHeader::new(
        &profile(),
        &epoch,
        &source("hosp_a"),
        secret.fingerprint(),
        0,
    );
    let mut writer = EncodingWriter::create(&path, &about).expect("created");
    for encoding in records("a", 1_200) {
        writer.append(&encoding).expect("written");
    }
    writer.finish().expect("finished");
    let copy = world.dir.path().join("b.mse");
    std::fs::copy(&path, &copy).expect("copied");

    let connection = world.connection("source-hosp_a");
    let first = submit_file(&path, &connection, &|_, _| {})
        .await
        .expect("taken in");
    assert_eq!(first.accepted, 1_200);
    let again = submit_file(&copy, &connection, &|_, _| {})
        .await
        .expect("repeated");
    assert_eq!(again, first);

    let bytes = std::fs::read(&path).expect("read");
    let cut = world.dir.path().join("cut.mse");
    std::fs::write(&cut, &bytes[..bytes.len() - 1_000]).expect("written");
    let error = submit_file(&cut, &connection, &|_, _| {})
        .await
        .expect_err("cut");
    assert!(matches!(error, SubmitError::File(_)), "{error}");
    assert_eq!(world.records().await, [("hosp_a".to_owned(), 1_200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_recipe_is_refused_before_anything_is_sent() {
    let world = World::start().await;
    let mut other = header("hosp_a", 1);
    other.profile = Fingerprint([7; 32]);
    let error = world
        .submit("source-hosp_a", &other, records("a", 3))
        .await
        .expect_err("recipe");
    assert!(matches!(error, SubmitError::Profile { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&other.profile.to_string()));
    assert!(text.contains(&profile().fingerprint().to_string()));
    let mut other_epoch = header("hosp_a", 1);
    other_epoch.epoch = "2".into();
    let error = world
        .submit("source-hosp_a", &other_epoch, records("a", 3))
        .await;
    assert!(matches!(error, Err(SubmitError::Epoch { .. })));
    assert!(world.records().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_linkage_secret_is_refused_before_anything_is_sent() {
    let agreed = LinkageSecret::generate().expect("secret");
    let told = agreed.fingerprint().to_string().to_ascii_uppercase();
    let world = World::start().await;
    let world = world
        .restart_with(|config| config.linkage.secret_fingerprint = Some(told))
        .await;
    let connection = world.connection("source-hosp_a");
    let other = LinkageSecret::generate().expect("secret");
    for (name, secret, is_agreed) in [("other", &other, false), ("agreed", &agreed, true)] {
        let path = world.dir.path().join(name);
        let epoch = header("hosp_a", 1).epoch;
        let fingerprint = secret.fingerprint();
        let about = EncodingHeader::new(&profile(), &epoch, &source("hosp_a"), fingerprint, 0);
        let mut writer = EncodingWriter::create(&path, &about).expect("created");
        for encoding in records("a", 3) {
            writer.append(&encoding).expect("written");
        }
        writer.finish().expect("finished");
        let outcome = submit_file(&path, &connection, &|_, _| {}).await;
        if is_agreed {
            assert_eq!(outcome.expect("taken in").accepted, 3);
        } else {
            let error = outcome.expect_err("another secret").to_string();
            for part in [fingerprint.to_string(), agreed.fingerprint().to_string()] {
                assert!(error.contains(&part), "{error}");
            }
            assert!(world.records().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_ask_is_refused_by_the_server() {
    let world = World::start().await;
    let mut other = header("hosp_a", 1);
    other.profile = Fingerprint([7; 32]);
    let parts = vec![Part::Header((&other).into()), chunk(0, 3)];
    let status = send(&world, "source-hosp_a", parts)
        .await
        .err()
        .expect("recipe");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason(&status), "PROFILE_FINGERPRINT");
    assert!(world.records().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_altered_or_out_of_order_stores_nothing() {
    let world = World::start().await;
    let first = || Part::Header((&header("hosp_a", 1)).into());
    let cases = [
        (
            vec![first(), chunk(0, 3), trailer(3, vec![0; 32])],
            "CONTENT_HASH",
        ),
        (
            vec![first(), chunk(0, 3), trailer(4, vec![0; 32])],
            "RECORD_COUNT",
        ),
        (vec![first(), chunk(1, 3)], "CHUNK_SEQUENCE"),
        (vec![first(), chunk(0, 3)], "PART_ORDER"),
        (vec![first(), first()], "PART_ORDER"),
        (vec![chunk(0, 3)], "PART_ORDER"),
        (vec![], "PART_ORDER"),
    ];
    for (parts, expected) in cases {
        let status = send(&world, "source-hosp_a", parts)
            .await
            .err()
            .expect("refused");
        assert_eq!(reason(&status), expected, "{}", status.message());
    }
    assert!(world.records().await.is_empty());
    // The request was never carried out, so that it can still be.
    let done = world
        .submit("source-hosp_a", &header("hosp_a", 1), records("a", 3))
        .await;
    assert_eq!(done.expect("taken in").accepted, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_counted_and_the_rest_goes_on() {
    let world = World::start().await;
    let mut sent = records("a", 3);
    sent[1].tags.pop();
    sent.push(record("a0", 77));
    let receipt = world
        .submit("source-hosp_a", &header("hosp_a", 1), sent)
        .await
        .expect("taken in");
    assert_eq!(receipt.accepted, 2);
    let refused: Vec<_> = receipt
        .refused
        .iter()
        .map(|(r, n)| (r.code(), *n))
        .collect();
    assert_eq!(refused, [("DUPLICATE_RECORD_REF", 1), ("SHAPE", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nearly_full_disk_refuses_records_says_what_to_do_and_answers_on() {
    let world = World::start().await;
    let first = header("hosp_a", 1);
    let sent = world.submit("source-hosp_a", &first, records("a", 3));
    sent.await.expect("taken in");
    let world = world
        .restart_with(|config| config.store.keep_free_bytes = Some(u64::MAX / 2))
        .await;
    let refused = world
        .submit("source-hosp_a", &header("hosp_a", 2), records("b", 3))
        .await;
    match refused.expect_err("no room") {
        SubmitError::Call(call) => {
            assert_eq!(call.code, Code::ResourceExhausted);
            assert_eq!(call.reason.as_deref(), Some("DISK_FULL"));
            assert!(call.message.contains("submit again"));
        }
        other => panic!("{other}"),
    }
    assert_eq!(world.records().await, [("hosp_a".to_owned(), 3)]);
    let again = world.submit("source-hosp_a", &first, records("a", 3));
    assert_eq!(again.await.expect("the receipt of before").accepted, 3);
}
