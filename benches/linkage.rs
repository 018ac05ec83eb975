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
        Some(_) => link(&folder),
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
    let fields = run_part(folder, "link", &[]);
    let named = fields.iter();
    row.extend(named.map(|(name, value)| (name.as_str(), value.clone())));
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

/// Opens the store and links it; then takes in what was held back, unless it is there already, and
/// links that.
fn link(folder: &Path) {
    let start = Instant::now();
    let store = Store::open(&folder.join("store"), &workload::key()).expect("the store opens");
    println!("open_s {:.2}", start.elapsed().as_secs_f64());
    println!("open_cpu_s {:.2}", cpu_s());
    let runner = JobRunner::new(store.clone()).expect("a runner");
    run(&runner, "");
    let start = Instant::now();
    let taken = workload::take_increment(&store, folder);
    println!("increment_taken {taken}");
    println!("increment_taken_in_s {:.2}", start.elapsed().as_secs_f64());
    if taken > 0 {
        run(&runner, "increment_");
    }
}

/// One run, with its figures; each name begins with `prefix`.
fn run(runner: &JobRunner, prefix: &str) {
    let cpu = cpu_s();
    let start = Instant::now();
    let id = runner.start(None).expect("a run starts");
    let run = wait(runner, id);
    let seconds = start.elapsed().as_secs_f64();
    let report = run.report.as_ref().unwrap_or_else(|| {
        panic!("the run failed: {}", run.failure.as_deref().unwrap_or("?"));
    });
    let note = |name: &str, value: String| println!("{prefix}{name} {value}");
    for step in &run.steps {
        note(&format!("{}_s", step.name), format!("{:.2}", step.seconds));
    }
    note("run_s", format!("{seconds:.2}"));
    note("run_cpu_s", format!("{:.2}", cpu_s() - cpu));
    note("records", report.records.to_string());
    note("candidate_pairs", report.candidate_pairs.to_string());
    note("blocks_capped", report.blocks_capped.to_string());
    note("links", report.links.to_string());
    note("entities", report.entities.to_string());
    note("upper_bits", format!("{:.2}", report.thresholds.upper_bits));
    if let Some(new) = report.blocking.new_rows {
        note("new_rows", new.to_string());
    }
    if let Some(audit) = &report.blocking.audit {
        note("audit_rows", audit.rows.to_string());
        note("audit_pairs", audit.pairs.to_string());
        note(
            "pair_completeness",
            format!("{:.5}", audit.pair_completeness),
        );
        note(
            "pair_completeness_low",
            format!("{:.5}", audit.interval.low),
        );
    }
    let (resident, peak) = support::resident_mib(std::process::id());
    note("rss_end_mib", format!("{resident:.0}"));
    note("rss_peak_mib", format!("{peak:.0}"));
    report
        .warnings
        .iter()
        .for_each(|warning| eprintln!("{warning}"));
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

/// Processor time of this process and its threads, seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    // A tick is a hundredth of a second on Linux.
    ticks
        .filter_map(|word| word.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
