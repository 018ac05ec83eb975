//! The real server, killed while a source submits over gRPC with mutual TLS.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use musubi::encode::file::ReadEncodingError;
use musubi::serve::Config;
use musubi::store::vfs::memory::Random;
use musubi::store::{KeyProvider, verify};
use musubi::terms::Receipt;
use musubi::tools::operator::client::OperatorClient;
use musubi::tools::operator::init;
use musubi::tools::source::client::{Connection, submit_records};

use crate::GATE;
use crate::world::{header, profile, records, source};

const ROUNDS: u32 = 22;
const RECORDS: u64 = 300;

/// `musubi serve` as a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let gate = GATE.write().expect("gate");
        let mut child = Command::new(env!("CARGO_BIN_EXE_musubi"))
            .args(["serve", "--config"])
            .arg(dir.join("musubi.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        drop(gate);
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines
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
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Submits; the server is killed when record `kill_at` is about to go out.
async fn submit(
    server: &Arc<Mutex<Server>>,
    dir: &Path,
    number: u32,
    kill_at: u64,
) -> Option<Receipt> {
    let address = server.lock().expect("lock").address.clone();
    let connection = Connection::of_role(&address, &dir.join("certs"), "source-hosp_a");
    let channel = connection.open().await.ok()?;
    let victim = Arc::clone(server);
    let sent = records(&format!("s{number}-"), RECORDS);
    let sent = (0_u64..).zip(sent).map(move |(index, record)| {
        if kill_at == index {
            victim.lock().expect("lock").kill();
        }
        Ok::<_, ReadEncodingError>(record)
    });
    submit_records(channel, &header("hosp_a", number), sent, &|_| ())
        .await
        .ok()
}

async fn record_count(server: &Arc<Mutex<Server>>, dir: &Path) -> u64 {
    let address = server.lock().expect("lock").address.clone();
    let connection = Connection::of_role(&address, &dir.join("certs"), "pipeline");
    let client = OperatorClient::connect(&connection).await;
    let sources = client.expect("connected").sources().await.expect("sources");
    sources.iter().map(|line| line.records).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_acknowledged_and_doubles_nothing() {
    println!("seed {}", crate::SEED);
    let mut random = Random::new(crate::SEED);
    let folder = tempfile::tempdir().expect("temporary directory");
    let dir = folder.path();
    init::set_up(dir, &profile(), &[source("hosp_a")]).expect("set up");
    let mut config = Config::load(&dir.join("musubi.toml")).expect("configuration");
    config.grpc.listen.set_port(0);
    config.console.listen.set_port(0);
    std::fs::write(dir.join("musubi.toml"), config.to_toml().expect("TOML")).expect("written");

    let server = Arc::new(Mutex::new(Server::start(dir)));
    let mut acknowledged: Vec<(u32, Receipt)> = Vec::new();
    for number in 1..=ROUNDS {
        // Half are killed on the way, the other half as soon as they are acknowledged.
        let kill_at = random.below(2 * RECORDS);
        if let Some(receipt) = submit(&server, dir, number, kill_at).await {
            assert_eq!(receipt.accepted, RECORDS);
            acknowledged.push((number, receipt));
            server.lock().expect("lock").kill();
        }
        *server.lock().expect("lock") = Server::start(dir);
        let count = record_count(&server, dir).await;
        let sure = acknowledged.len() as u64 * RECORDS;
        assert!(count >= sure, "{count} records, {sure} acknowledged");
        assert_eq!(count % RECORDS, 0, "a submission is there whole, or not");
    }
    println!("{ROUNDS} kills, {} acknowledged", acknowledged.len());
    for number in 1..=ROUNDS {
        let receipt = submit(&server, dir, number, u64::MAX)
            .await
            .expect("taken in");
        if let Some((_, before)) = acknowledged.iter().find(|(known, _)| *known == number) {
            assert!(receipt == *before, "submission {number} keeps its receipt");
        }
    }
    let all = u64::from(ROUNDS) * RECORDS;
    assert_eq!(record_count(&server, dir).await, all);
    server.lock().expect("lock").kill();
    let key = KeyProvider::key_file(&dir.join(init::STORE_KEY)).expect("key");
    let _no_process_starts = GATE.read().expect("gate");
    verify(&dir.join("store"), &key).expect("the chain and every file verify");
}
