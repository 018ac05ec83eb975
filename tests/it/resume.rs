//! A line that is cut: the client goes on by itself and sends only the rest.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use musubi::encode::LinkageSecret;
use musubi::encode::file::{EncodingHeader, EncodingWriter};
use musubi::terms::RecordEncoding;
use musubi::tools::source::client::{Connection, submit_file};
use musubi::tools::source::uuid::uuid;
use musubi::wire::pb::submission_service_client::SubmissionServiceClient;
use musubi::wire::pb::submit_request::Part;
use musubi::wire::{pb, reason_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tonic::Status;

use crate::world::{World, header, profile, records, source};

const RECORDS: u64 = 20_000;
/// Lines that a proxy serves.
const LINES: usize = 16;

/// Stands between client and server. Cuts its first lines after so many bytes from the client.
struct Proxy {
    address: String,
    /// Bytes from the client on the line of this number.
    lines: Arc<Vec<AtomicU64>>,
    /// Where the server is.
    target: Arc<Mutex<SocketAddr>>,
    /// Lines that may still come through; the others wait.
    admitted: Arc<Semaphore>,
    /// Lines that ended.
    ended: Arc<Semaphore>,
}

impl Proxy {
    async fn start(world: &World, cut_after: &'static [u64]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let port = listener.local_addr().expect("address").port();
        let target = Arc::new(Mutex::new(world.ready.grpc_addr));
        let admitted = Arc::new(Semaphore::new(LINES));
        let ended = Arc::new(Semaphore::new(0));
        let to = (
            Arc::clone(&target),
            Arc::clone(&admitted),
            Arc::clone(&ended),
        );
        let lines: Arc<Vec<AtomicU64>> = Arc::new((0..LINES).map(|_| AtomicU64::new(0)).collect());
        let counts = Arc::clone(&lines);
        tokio::spawn(async move {
            for line in 0..counts.len() {
                let (client, _) = listener.accept().await.expect("accepted");
                to.1.acquire().await.expect("open").forget();
                let address = *to.0.lock().await;
                let server = TcpStream::connect(address).await.expect("connected");
                let limit = cut_after.get(line).copied().unwrap_or(u64::MAX);
                let (counts, ended) = (Arc::clone(&counts), Arc::clone(&to.2));
                tokio::spawn(async move {
                    forward(client, server, limit, counts, line).await;
                    ended.add_permits(1);
                });
            }
        });
        Self {
            address: format!("https://localhost:{port}"),
            lines,
            target,
            admitted,
            ended,
        }
    }

    fn bytes(&self, line: usize) -> u64 {
        self.lines[line].load(Ordering::SeqCst)
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    limit: u64,
    counts: Arc<Vec<AtomicU64>>,
    line: usize,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        if to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
        let before = counts[line].fetch_add(count as u64, Ordering::SeqCst);
        if before + count as u64 >= limit {
            break;
        }
    }
    let _ = to_server.shutdown().await;
    back.abort();
}

fn encoding_file(world: &World, name: &str, records: Vec<RecordEncoding>) -> PathBuf {
    let path = world.dir.path().join(name);
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
    for encoding in records {
        writer.append(&encoding).expect("written");
    }
    writer.finish().expect("finished");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_only_the_rest_is_sent_and_the_receipt_is_the_same() {
    let uncut = World::start().await;
    let path = encoding_file(&uncut, "a.mse", records("a", RECORDS));
    let expected = submit_file(&path, &uncut.connection("source-hosp_a"), &|_, _| {})
        .await
        .expect("taken in");

    let world = World::start().await;
    let proxy = Proxy::start(&world, &[4_000_000, 1_000_000]).await;
    let connection = Connection::of_role(&proxy.address, &world.certs(), "source-hosp_a");
    let reported = AtomicU64::new(0);
    let receipt = submit_file(&path, &connection, &|done, _| {
        reported.store(done, Ordering::SeqCst);
    })
    .await
    .expect("taken in");

    assert_eq!(receipt.accepted, RECORDS);
    assert_eq!(receipt.accepted, expected.accepted);
    assert_eq!(receipt.unchanged, expected.unchanged);
    assert_eq!(receipt.refused, expected.refused);
    assert_eq!(receipt.content_hash, expected.content_hash);
    assert_eq!(receipt.submission, expected.submission);
    let length = std::fs::metadata(&path).expect("file").len();
    assert_eq!(reported.load(Ordering::SeqCst), length);
    assert!(proxy.bytes(0) >= 4_000_000 && proxy.bytes(1) >= 1_000_000);
    let all: u64 = (0..LINES).map(|line| proxy.bytes(line)).sum();
    assert!(
        all < length + 2_500_000,
        "{all} bytes were sent for a file of {length}"
    );
    assert_eq!(
        world.records().await,
        [("hosp_a".to_owned(), RECORDS)],
        "nothing twice, nothing missing"
    );
}

/// Waits until the server has noticed that the line of a submission was cut.
async fn until_kept(world: &World, path: &Path) {
    let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/submission-request");
    hasher.update(&std::fs::read(path).expect("read"));
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    let channel = world.connection("source-hosp_a").open().await;
    let mut client = SubmissionServiceClient::new(channel.expect("connected"));
    loop {
        let request = pb::GetSubmissionProgressRequest {
            source: "sources/hosp_a".into(),
            request_id: uuid(id, 8),
        };
        let answer = client.get_submission_progress(request).await;
        if answer.expect("answered").into_inner().record_count > 0 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_only_the_rest_is_sent_and_the_receipt_is_the_same() {
    let uncut = World::start().await;
    let path = encoding_file(&uncut, "a.mse", records("a", RECORDS));
    let expected = submit_file(&path, &uncut.connection("source-hosp_a"), &|_, _| {})
        .await
        .expect("taken in");

    let world = World::start().await;
    let proxy = Proxy::start(&world, &[4_000_000]).await;
    let connection = Connection::of_role(&proxy.address, &world.certs(), "source-hosp_a");
    let others = proxy.admitted.forget_permits(LINES - 1);
    let file = path.clone();
    let sending = tokio::spawn(async move { submit_file(&file, &connection, &|_, _| {}).await });
    proxy.ended.acquire().await.expect("open").forget();
    until_kept(&world, &path).await;
    let world = world.restart().await;
    *proxy.target.lock().await = world.ready.grpc_addr;
    proxy.admitted.add_permits(others);
    let receipt = sending.await.expect("no panic").expect("taken in");

    assert_eq!(receipt.accepted, RECORDS);
    assert_eq!(receipt.unchanged, expected.unchanged);
    assert_eq!(receipt.refused, expected.refused);
    assert_eq!(receipt.content_hash, expected.content_hash);
    assert_eq!(receipt.submission, expected.submission);
    let length = std::fs::metadata(&path).expect("file").len();
    assert!(proxy.bytes(0) >= 4_000_000);
    let again: u64 = (1..LINES).map(|line| proxy.bytes(line)).sum();
    assert!(
        again < length - 2_500_000,
        "{again} bytes of {length} were sent after the restart"
    );
    assert_eq!(world.records().await, [("hosp_a".to_owned(), RECORDS)]);
    let store = world.dir.path().join("store");
    let journals = std::fs::read_dir(store.join("journals")).expect("listed");
    assert_eq!(journals.count(), 0, "the journal is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_reported_at_once() {
    let world = World::start().await;
    let path = encoding_file(&world, "a.mse", records("a", 3));
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = nobody.local_addr().expect("address").port();
    drop(nobody);
    let connection = Connection::of_role(
        &format!("https://localhost:{port}"),
        &world.certs(),
        "source-hosp_a",
    );
    let error = submit_file(&path, &connection, &|_, _| {}).await;
    let error = error.expect_err("nobody is there").to_string();
    assert!(error.contains("no server answers"), "{error}");
}

fn reason(status: &Status) -> String {
    reason_of(status).expect("a reason")
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_the_sources_own_and_a_wrong_resume_point_is_refused() {
    let world = World::start().await;
    let channel = world.connection("source-hosp_a").open().await;
    let mut client = SubmissionServiceClient::new(channel.expect("connected"));
    let mut ask = async |name: &str| {
        let request = pb::GetSubmissionProgressRequest {
            source: format!("sources/{name}"),
            request_id: header("hosp_a", 1).request_id,
        };
        client.get_submission_progress(request).await
    };
    let nothing = ask("hosp_a").await.expect("answered").into_inner();
    assert_eq!((nothing.next_chunk_sequence, nothing.record_count), (0, 0));
    let other = ask("hosp_b").await.err().expect("not its own");
    assert_eq!(reason(&other), "NOT_YOUR_SOURCE");

    let first = pb::SubmissionHeader {
        first_chunk_sequence: 3,
        ..(&header("hosp_a", 1)).into()
    };
    let part = Some(Part::Header(first));
    let parts = tokio_stream::iter([pb::SubmitRequest { part }]);
    let refused = client.submit(parts).await.err().expect("nothing was kept");
    assert_eq!(reason(&refused), "RESUME_POINT");
}
