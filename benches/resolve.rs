//! How long does a pipeline wait for the entity of a record while a run takes the whole machine? A
//! server with a store on disk, asked over gRPC and mutual TLS on loopback. `benches/README.md` says
//! how to read it.

#[expect(dead_code, reason = "records come from a demo, not from a generator")]
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use musubi::serve::Config;
use musubi::terms::run::RunState;
use musubi::tools::operator::client::OperatorClient;
use musubi::tools::source::client::Connection;
use support::Arguments;

/// Queries in a second, of all callers together.
const RATE: u32 = 100;
/// Callers, each with a connection of its own.
const CALLERS: u32 = 8;
/// Records that are asked for.
const RECORDS: usize = 50_000;
/// How long the server is asked while it does nothing else.
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    let arguments = Arguments::of_process();
    let (folder, _kept) = support::folder(&arguments);
    if !folder.join("musubi.toml").is_file() {
        make(&folder, arguments.number("--persons", 175_000));
    }
    let records = records(&folder);
    let mut row = vec![("load_before", format!("{:.2}", support::load()))];
    let (mut server, address) = start_server(&folder);
    let connection = Connection::of_role(&address, &folder.join("certs"), "pipeline");
    let idle = ask_meanwhile(&connection, &records, || thread::sleep(IDLE));
    let mut seconds = Vec::new();
    let runs = arguments.number("--runs", 3);
    let mut linked = 0;
    let busy = ask_meanwhile(&connection, &records, || {
        for _ in 0..runs {
            let start = Instant::now();
            linked = run(&connection);
            seconds.push(start.elapsed().as_secs_f64());
        }
    });
    // Ends it as an operator would.
    let ended = Command::new("kill").arg(server.id().to_string()).status();
    assert!(ended.is_ok_and(|status| status.success()), "told to stop");
    server.wait().expect("the server ends");
    row.push(("records", linked.to_string()));
    row.push(("runs", runs.to_string()));
    let mean = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    row.push(("run_s", format!("{mean:.2}")));
    row.push(("queries_per_s", RATE.to_string()));
    row.push(("idle_p50_ms", at_share(&idle, 0.5)));
    row.push(("idle_p99_ms", at_share(&idle, 0.99)));
    row.push(("queries", busy.len().to_string()));
    row.push(("p50_ms", at_share(&busy, 0.5)));
    row.push(("p90_ms", at_share(&busy, 0.9)));
    row.push(("p99_ms", at_share(&busy, 0.99)));
    row.push(("max_ms", at_share(&busy, 1.0)));
    support::record(&arguments, "resolve", &row);
}

/// Makes people, a store of their encodings, and a first publication.
fn make(folder: &Path, persons: u64) {
    let made = Command::new(env!("CARGO_BIN_EXE_musubi"))
        .args(["demo", "--persons", &persons.to_string(), "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "a demo is made");
}

/// Some of the published records, evenly spread: source and record ref.
fn records(folder: &Path) -> Arc<Vec<(String, String)>> {
    let file = fs::File::open(folder.join("entities.csv")).expect("what the demo published");
    let lines: Vec<String> = BufReader::new(file)
        .lines()
        .skip(1)
        .map(|line| line.expect("a line"))
        .collect();
    let step = lines.len().div_ceil(RECORDS).max(1);
    let some = lines.iter().step_by(step).map(|line| {
        let mut fields = line.split(',');
        let mut next = || fields.next().expect("a field").to_owned();
        (next(), next())
    });
    Arc::new(some.collect())
}

/// Serves the folder on free ports, every run over all records; gives the address.
fn start_server(folder: &Path) -> (Child, String) {
    let mut config = Config::load(&folder.join("musubi.toml")).expect("a configuration");
    config.grpc.listen.set_port(0);
    config.console.listen.set_port(0);
    config.linkage.forget_rows = true;
    let path = folder.join("resolve.toml");
    fs::write(&path, config.to_toml().expect("TOML")).expect("written");
    let mut server = Command::new(env!("CARGO_BIN_EXE_musubi"))
        .args(["serve", "--config"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("the server says its address");
    let port = line
        .split(':')
        .nth(2)
        .and_then(|rest| rest.split(' ').next());
    let address = format!("https://localhost:{}", port.expect("a port").trim());
    (server, address)
}

/// One run over all records; gives their number.
fn run(connection: &Connection) -> u64 {
    runtime().block_on(async {
        let mut client = OperatorClient::connect(connection)
            .await
            .expect("connected");
        let run = client.start_run(None).await.expect("a run starts");
        let run = client
            .watch_run(run.id, &mut |_| {})
            .await
            .expect("its end");
        assert!(run.state == RunState::Succeeded, "the run succeeds");
        run.report.map_or(0, |report| report.records)
    })
}

/// Asks for entities at a constant rate until `work` is done; gives what each answer took from the
/// moment at which its question was due, milliseconds, ascending.
fn ask_meanwhile(
    connection: &Connection,
    records: &Arc<Vec<(String, String)>>,
    work: impl FnOnce(),
) -> Vec<f64> {
    let done = Arc::new(AtomicBool::new(false));
    let start = Instant::now() + Duration::from_millis(500);
    let callers: Vec<JoinHandle<Vec<f64>>> = (0..CALLERS)
        .map(|caller| {
            let (connection, records) = (connection.clone(), Arc::clone(records));
            let done = Arc::clone(&done);
            let due = move |question: u32| {
                start + (question * CALLERS + caller) * Duration::from_secs(1) / RATE
            };
            thread::spawn(move || ask(&connection, &records, &done, due))
        })
        .collect();
    thread::sleep(start.saturating_duration_since(Instant::now()));
    work();
    done.store(true, Ordering::Relaxed);
    let answered = callers
        .into_iter()
        .map(|caller| caller.join().expect("no panic"));
    let mut took: Vec<f64> = answered.flatten().collect();
    took.sort_by(f64::total_cmp);
    took
}

fn ask(
    connection: &Connection,
    records: &[(String, String)],
    done: &AtomicBool,
    due: impl Fn(u32) -> Instant,
) -> Vec<f64> {
    let runtime = runtime();
    let mut client = runtime
        .block_on(OperatorClient::connect(connection))
        .expect("connected");
    let mut took = Vec::new();
    for question in 0.. {
        let due = due(question);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if done.load(Ordering::Relaxed) {
            break;
        }
        let number = (question as usize).wrapping_mul(0x9e37_79b9) % records.len();
        let (source, record) = &records[number];
        let answer = runtime.block_on(client.resolve(source, record));
        assert!(answer.is_ok(), "a published record has an entity");
        took.push(due.elapsed().as_secs_f64() * 1e3);
    }
    took
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The value below which this share of ascending values lies.
fn at_share(values: &[f64], share: f64) -> String {
    let last = values.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    format!("{:.2}", values.get(at).copied().unwrap_or(f64::NAN))
}
