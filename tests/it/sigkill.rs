//! The real binary, killed with SIGKILL in the middle of submissions: what was acknowledged is
//! there, what was not is taken in once when it is sent again.
//!
//! No waiting: the kill comes when a certain record is about to go out, drawn from a printed seed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use musubi::encode::file::ReadEncodingError;
use musubi::serve::Config;
use musubi::terms::Receipt;
use musubi::tools::operator::client::OperatorClient;
use musubi::tools::operator::init;
use musubi::tools::source::client::{Connection, submit_records};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::world::{header, profile, records, source};

const SEED: u64 = 20_261_122;
const SUBMISSIONS: u32 = 12;
const RECORDS: u64 = 2_500;

/// `musubi serve` as a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_musubi"))
            .arg("serve")
            .arg("--config")
            .arg(dir.join("musubi.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let address = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split("https://127.0.0.1:").nth(1).map(str::to_owned))
            .expect("the server names its port");
        let port = address.split_whitespace().next().expect("a port");
        Self {
            child,
            address: format!("https://localhost:{port}"),
        }
    }

    fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("gone");
    }

    fn connection(&self, dir: &Path, stem: &str) -> Connection {
        Connection::of_role(&self.address, &dir.join("certs"), stem)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Submits records `s{number}-…`; kills the server when record `kill_at` is about to go out.
async fn submit(
    server: &Arc<Mutex<Server>>,
    dir: &Path,
    number: u32,
    kill_at: Option<u64>,
) -> Option<Receipt> {
    let connection = server
        .lock()
        .expect("lock")
        .connection(dir, "source-hosp_a");
    let channel = connection.open().await.ok()?;
    let victim = Arc::clone(server);
    let sent = records(&format!("s{number}-"), RECORDS);
    let sent = (0_u64..).zip(sent).map(move |(index, record)| {
        if kill_at == Some(index) {
            victim.lock().expect("lock").kill();
        }
        Ok::<_, ReadEncodingError>(record)
    });
    submit_records(channel, &header("hosp_a", number), sent, &|_| ())
        .await
        .ok()
}

async fn record_count(server: &Arc<Mutex<Server>>, dir: &Path) -> u64 {
    let connection = server.lock().expect("lock").connection(dir, "pipeline");
    let mut client = OperatorClient::connect(&connection)
        .await
        .expect("connected");
    client
        .sources()
        .await
        .expect("sources")
        .iter()
        .map(|line| line.records)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_during_submissions_loses_nothing_acknowledged_and_doubles_nothing() {
    println!("seed {SEED}");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let folder = tempfile::tempdir().expect("temporary directory");
    let dir = folder.path();
    init::set_up(dir, &profile(), &[source("hosp_a")]).expect("set up");
    let mut config = Config::load(&dir.join("musubi.toml")).expect("configuration");
    config.grpc.listen.set_port(0);
    config.console.listen.set_port(0);
    std::fs::write(dir.join("musubi.toml"), config.to_toml().expect("TOML")).expect("written");

    let server = Arc::new(Mutex::new(Server::start(dir)));
    let mut acknowledged: Vec<(u32, Receipt)> = Vec::new();
    let mut cut = 0;
    for number in 1..=SUBMISSIONS {
        // Two in three submissions lose their server on the way, some only after the last record.
        let kill_after = random
            .random_bool(0.66)
            .then(|| random.random_range(1..=RECORDS));
        if let Some(receipt) = submit(&server, dir, number, kill_after).await {
            assert_eq!(receipt.accepted, RECORDS);
            acknowledged.push((number, receipt));
        } else {
            cut += 1;
            *server.lock().expect("lock") = Server::start(dir);
        }
        let (count, sure) = (
            record_count(&server, dir).await,
            acknowledged.len() as u64 * RECORDS,
        );
        assert!(count >= sure, "{count} records, {sure} acknowledged");
        assert_eq!(
            count % RECORDS,
            0,
            "a submission is there as a whole or not at all"
        );
    }
    assert!(
        cut >= 3 && acknowledged.len() >= 3,
        "both kinds happened: {cut} cut"
    );

    // Everything again, on a server that was killed once more: the same receipts, nothing twice.
    server.lock().expect("lock").kill();
    *server.lock().expect("lock") = Server::start(dir);
    for number in 1..=SUBMISSIONS {
        let receipt = submit(&server, dir, number, None)
            .await
            .expect("acknowledged");
        if let Some((_, before)) = acknowledged.iter().find(|(known, _)| *known == number) {
            assert!(receipt == *before, "submission {number} keeps its receipt");
        }
    }
    assert_eq!(
        record_count(&server, dir).await,
        u64::from(SUBMISSIONS) * RECORDS
    );
    server.lock().expect("lock").kill();
    musubi::store::verify(&dir.join("store")).expect("the chain and every file verify");
}
