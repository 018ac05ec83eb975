//! How long does a run take, from a cold store to published IDs, and how much memory? Made-up people
//! go through the encoder into a store on disk. `benches/README.md` says how to read it.

#[expect(dead_code, reason = "records come from people, not from a generator")]
mod support;
#[path = "support/workload.rs"]
mod workload;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use musubi::job::JobRunner;
use musubi::store::Store;
use musubi::terms::run::{Run, RunState};
use support::Arguments;
use workload::Workload;

fn main() {
    let arguments = Arguments::of_process();
    let (folder, _kept) = support::folder(&arguments);
    match arguments.text("--part") {
        Some("build") => build(&arguments, &folder),
        Some(part) => link(&folder, part == "increment"),
        None => measure(&arguments, &folder),
    }
}

/// Each part is a process of its own, so that its memory is its own.
fn measure(arguments: &Arguments, folder: &Path) {
    let persons = arguments.number("--persons", 75_000);
    if !folder.join("store").is_dir() {
        run_part(folder, "build", &["--persons", &persons.to_string()]);
    }
    let mut row = vec![("load_before", format!("{:.2}", support::load()))];
    workload::drop_page_cache(&folder.join("store"));
    let first = run_part(folder, "link", &[]);
    let mut fields: Vec<(String, String)> = first;
    if arguments.number("--increment", 1) == 1 && folder.join("increment").is_dir() {
        let second = run_part(folder, "increment", &[]);
        fields.extend(
            second
                .into_iter()
                .map(|(name, value)| (format!("increment_{name}"), value)),
        );
    }
    let named = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    row.extend(named);
    support::record(arguments, "linkage", &row);
}

/// Runs a part in a process of its own; gives the `name value` lines that it printed.
fn run_part(folder: &Path, part: &str, more: &[&str]) -> Vec<(String, String)> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .arg("--part")
        .arg(part)
        .arg("--dir")
        .arg(folder)
        .args(more)
        // As `musubi serve` does.
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::inherit())
        .output()
        .expect("the part starts");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(output.status.success(), "part {part} failed");
    let words = text.lines().filter_map(|line| line.split_once(' '));
    let words = words.filter(|(name, _)| !name.is_empty());
    words
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn build(arguments: &Arguments, folder: &Path) {
    let workload = Workload {
        persons: arguments.number("--persons", 75_000) as u32,
        seed: arguments.number("--seed", 1),
    };
    workload.build(folder);
}

/// Opens the store and links it; of an increment, takes its records in first.
fn link(folder: &Path, increment: bool) {
    let start = Instant::now();
    let store = Store::open(&folder.join("store"), &workload::key()).expect("the store opens");
    println!("open_s {:.2}", start.elapsed().as_secs_f64());
    if increment {
        let taken = workload::take_increment(&store, folder);
        println!("records_new {taken}");
    }
    let cpu = support::cpu_s();
    let start = Instant::now();
    let runner = JobRunner::new(store.clone()).expect("a runner");
    let id = runner.start(None).expect("a run starts");
    let run = wait(&runner, id);
    let seconds = start.elapsed().as_secs_f64();
    let report = run.report.as_ref().unwrap_or_else(|| {
        panic!("the run failed: {}", run.failure.as_deref().unwrap_or("?"));
    });
    for step in &run.steps {
        println!("{}_s {:.2}", step.name, step.seconds);
    }
    println!("run_s {seconds:.2}");
    println!("run_cpu_s {:.2}", support::cpu_s() - cpu);
    println!("records {}", report.records);
    println!("candidate_pairs {}", report.candidate_pairs);
    println!("blocks_capped {}", report.blocks_capped);
    println!("links {}", report.links);
    println!("entities {}", report.entities);
    println!("upper_bits {:.2}", report.thresholds.upper_bits);
    let (resident, peak) = support::resident_mib(std::process::id());
    println!("rss_end_mib {resident:.0}");
    println!("rss_peak_mib {peak:.0}");
    for warning in &report.warnings {
        eprintln!("{warning}");
    }
}

fn wait(runner: &JobRunner, id: musubi::terms::RunId) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut newest = runner.watch();
        loop {
            let run = newest.borrow_and_update().clone();
            if let Some(run) = run.filter(|run| run.id == id)
                && matches!(run.state, RunState::Succeeded | RunState::Failed)
            {
                return run;
            }
            newest.changed().await.expect("the runner lives");
        }
    })
}
