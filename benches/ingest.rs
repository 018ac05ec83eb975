//! How many records a second does the server put on stable storage? Over gRPC and mutual TLS on
//! loopback, server and clients on one machine. `benches/README.md` says how to read it.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use musubi::encode::file::ReadEncodingError;
use musubi::serve::{Config, app};
use musubi::terms::{SourceId, SubmissionHeader};
use musubi::tools::operator::init;
use musubi::tools::source::client::{Connection, submit_records};
use support::{Arguments, RecordMaker};

fn main() {
    let arguments = Arguments::of_process();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match arguments.text("--serve") {
        Some(directory) => runtime.block_on(serve(Path::new(directory))),
        None => runtime.block_on(measure(&arguments)),
    }
}

/// The server's process: says its address, and serves until its standard input ends.
async fn serve(directory: &Path) {
    let mut config = Config::load(&directory.join("musubi.toml")).expect("a configuration");
    config.grpc.listen.set_port(0);
    config.console.listen.set_port(0);
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
    let server = tokio::spawn(app::run(config, ready, async move {
        let _ = ended.await;
    }));
    let ready = is_ready.await.expect("the server starts");
    println!("https://localhost:{}", ready.grpc_addr.port());
    std::io::stdout().flush().expect("said");
    server.await.expect("no panic").expect("a clean end");
}

async fn measure(arguments: &Arguments) {
    let records = arguments.number("--records", 1_000_000);
    let of_submission = arguments.number("--submission", 100_000);
    let clients = arguments.number("--clients", 2);
    let (folder, _kept) = support::folder(arguments);
    let sources: Vec<SourceId> = (0..clients)
        .map(|client| SourceId::new(format!("hospital_{client}")).expect("a good name"))
        .collect();
    init::set_up(&folder, &support::profile(), &sources).expect("set up");

    let (sync_p50, sync_p99) = support::fdatasync_ms(&folder);
    let (mut server, address) = start_server(&folder);
    let (resident_start, _) = support::resident_mib(server.id());
    let load = support::load();
    let start = Instant::now();
    let tasks: Vec<_> = sources
        .into_iter()
        .map(|source| {
            let stem = format!("source-{source}");
            let connection = Connection::of_role(&address, &folder.join("certs"), &stem);
            tokio::spawn(submit_all(
                connection,
                source,
                records / clients,
                of_submission,
            ))
        })
        .collect();
    let mut slowest: f64 = 0.0;
    let mut accepted = 0;
    for task in tasks {
        let (taken, longest) = task.await.expect("no panic");
        accepted += taken;
        slowest = slowest.max(longest);
    }
    let seconds = start.elapsed().as_secs_f64();
    let (resident_end, resident_peak) = support::resident_mib(server.id());
    let (sync_p50_after, sync_p99_after) = support::fdatasync_ms(&folder);
    drop(server.stdin.take());
    server.wait().expect("the server ends");
    support::record(
        arguments,
        "ingest",
        &[
            ("records", accepted.to_string()),
            ("records_of_submission", of_submission.to_string()),
            ("clients", clients.to_string()),
            ("seconds", format!("{seconds:.2}")),
            ("records_per_s", format!("{:.0}", accepted as f64 / seconds)),
            ("slowest_submission_s", format!("{slowest:.2}")),
            (
                "fdatasync_p50_ms",
                format!("{:.3}", sync_p50.max(sync_p50_after)),
            ),
            (
                "fdatasync_p99_ms",
                format!("{:.3}", sync_p99.max(sync_p99_after)),
            ),
            ("server_rss_start_mib", format!("{resident_start:.0}")),
            ("server_rss_end_mib", format!("{resident_end:.0}")),
            ("server_rss_peak_mib", format!("{resident_peak:.0}")),
            ("load_before", format!("{load:.2}")),
        ],
    );
}

fn start_server(folder: &Path) -> (Child, String) {
    let program = std::env::current_exe().expect("this program");
    let mut server = Command::new(program)
        .arg("--serve")
        .arg(folder)
        // As `musubi serve` does.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut address = String::new();
    let output = server.stdout.take().expect("its output");
    BufReader::new(output)
        .read_line(&mut address)
        .expect("the server says its address");
    (server, address.trim().to_owned())
}

/// Hands all records of a source in; gives the records accepted and the longest wait, seconds.
async fn submit_all(
    connection: Connection,
    source: SourceId,
    records: u64,
    of_submission: u64,
) -> (u64, f64) {
    let channel = connection.open().await.expect("connected");
    let (mut first, mut accepted, mut longest) = (0, 0, 0.0_f64);
    while first < records {
        let header = SubmissionHeader {
            source: source.clone(),
            profile: support::profile().fingerprint(),
            epoch: init::FIRST_EPOCH.into(),
            request_id: format!("00000000-0000-4000-8000-{first:012}"),
        };
        let numbers = first..(first + of_submission).min(records);
        let mut maker = RecordMaker::new(&source, first);
        first = numbers.end;
        let made = numbers.map(move |number| Ok::<_, ReadEncodingError>(maker.make(number)));
        let start = Instant::now();
        let receipt = submit_records(channel.clone(), &header, made, &|_| {}).await;
        accepted += receipt.expect("taken in").accepted;
        longest = longest.max(start.elapsed().as_secs_f64());
    }
    (accepted, longest)
}
