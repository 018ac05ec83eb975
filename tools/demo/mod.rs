//! `musubi demo`: the main job in one command, through the real client and server.
//!
//! People are made (or your CSV files taken), keys and certificates created, a server started on
//! loopback, every source encoded and submitted over gRPC, a linkage run carried out, its entities
//! exported, and the result measured against the truth if there is one.

mod blocking;
mod folder;
mod line;
mod report;

pub use report::{DemoReport, QualityReport, SourceReport, grouped};

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terms::run::StepReport;
use crate::tools::evaluate::{Partition, Truth};

/// What `musubi demo` takes.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// How many people to make.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    pub persons: u32,
    /// Seed of the people: the same seed makes the same people.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Linkage profile: a name (jp-standard, jp-national, jp-fields, en-standard, en-fields) or a
    /// file. Default: the one that sources.toml names, else jp-standard.
    #[arg(long, value_name = "P")]
    pub profile: Option<String>,
    /// Where everything goes: keys, certificates, store, entities.csv, report.json.
    #[arg(long, default_value = "musubi-demo", value_name = "DIR")]
    pub dir: PathBuf,
    /// Link the CSV files of this folder instead of making people.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where sources.toml and the maps are, if not in the data folder.
    #[arg(long, value_name = "DIR", requires = "data")]
    pub maps: Option<PathBuf>,
    /// Who is who: a CSV with columns source, record_id, person_id. Default: truth.csv in the data
    /// folder, if there.
    #[arg(long, value_name = "FILE", requires = "data")]
    pub truth: Option<PathBuf>,
    /// Measure blocking, and quality by stratum: twins, surname changes, errors, pairs of sources.
    #[arg(long)]
    pub strata: bool,
    /// Print the report as JSON on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Why the demo stopped: one sentence for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DemoError(pub String);

/// Turns any error into a [`DemoError`] that says what was being done.
pub(super) trait During<T> {
    /// Says what was being done when it failed.
    fn during(self, what: &str) -> Result<T, DemoError>;
}

impl<T, E: std::error::Error> During<T> for Result<T, E> {
    fn during(self, what: &str) -> Result<T, DemoError> {
        self.map_err(|error| {
            let mut text = format!("{what}: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                text.push_str(": ");
                text.push_str(&inner.to_string());
                cause = inner.source();
            }
            DemoError(text)
        })
    }
}

/// Runs the demo and prints its report.
///
/// # Errors
/// [`DemoError`], with what to do about it.
pub fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let quiet = args.json;
    let mut steps = Vec::new();
    let stage = folder::prepare(args, &Progress { quiet }, &mut steps)?;
    let outcome = line::carry_out(&stage, &Progress { quiet }, &mut steps)?;

    let quality = match &stage.truth {
        None => None,
        Some(path) => Some(measure(path, &outcome.entities, &stage, args.strata)?),
    };
    let report = DemoReport {
        profile: stage.profile.name.clone(),
        seed: args.data.is_none().then_some(args.seed),
        records: outcome.report.records,
        entities: outcome.report.entities,
        people: outcome
            .report
            .methods
            .as_ref()
            .and_then(|sheet| sheet.people.as_ref())
            .map(|people| people.all),
        quality,
        thresholds: outcome.report.thresholds,
        threshold_rule: outcome.report.threshold_rule.to_string(),
        expected_precision: outcome.report.expected_precision,
        sources: outcome.sources,
        steps,
        warnings: outcome.report.warnings,
        dir: args.dir.clone(),
    };
    let json = serde_json::to_string_pretty(&report).during("writing report.json")?;
    std::fs::write(args.dir.join("report.json"), &json).during("writing report.json")?;
    if args.json {
        println!("{json}");
    } else {
        let program = std::env::args().next().unwrap_or_else(|| "musubi".into());
        print!("{}", report.to_text(&program));
    }
    Ok(())
}

fn measure(
    path: &std::path::Path,
    entities: &[(String, String, String)],
    stage: &folder::Stage,
    with_strata: bool,
) -> Result<QualityReport, DemoError> {
    let mut truth = Truth::read(path).during("reading the truth")?;
    let rows = entities
        .iter()
        .map(|(source, record, entity)| (source, record, entity));
    let partition = Partition::new(rows, &truth).during("measuring quality")?;
    let found = partition.evaluation(&truth);
    let persons = path.with_file_name("persons.csv");
    if with_strata && persons.is_file() {
        truth.read_persons(&persons).during("reading persons.csv")?;
    }
    Ok(QualityReport {
        persons: found.persons,
        pairwise: found.pairwise,
        bcubed: found.bcubed,
        exact: found.exact,
        blocking: match with_strata {
            true => Some(blocking::measure(stage, &truth)?),
            false => None,
        },
        strata: with_strata.then(|| partition.strata(&truth)),
    })
}

/// Progress bars on the terminal, or nothing.
pub(super) struct Progress {
    quiet: bool,
}

impl Progress {
    /// A bar with an ETA for `total` items; 0 if the total is not known.
    pub(super) fn bar(&self, name: &str, total: u64) -> ProgressBar {
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{prefix:<12} {bar:32} {human_pos}/{human_len} {elapsed} (ETA {eta})";
        // The template is a constant that indicatif accepts; a plain bar otherwise.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar
    }
}

/// Times a piece of work and notes it as a step.
pub(super) fn timed<T>(
    steps: &mut Vec<StepReport>,
    name: &str,
    work: impl FnOnce() -> Result<(T, u64), DemoError>,
) -> Result<T, DemoError> {
    let started = Instant::now();
    let (value, items) = work()?;
    let seconds = started.elapsed().as_secs_f64();
    steps.push(StepReport {
        name: name.to_owned(),
        seconds,
        items,
    });
    Ok(value)
}
