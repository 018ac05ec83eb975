//! `musubi synth`: people and their records as files.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{NAMESAKES, SynthError, SynthOptions, SynthReport, generate};

/// Arguments of `synth`.
#[derive(Debug, Args)]
pub struct SynthArguments {
    /// How many people to make; about six times as many records
    #[arg(long, value_name = "N")]
    persons: u32,
    /// Folder for the files: nine sources with their maps, truth.csv, persons.csv
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The same seed and options make the same files
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Share of events that their source records twice
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    duplicates: f64,
    /// Keep one event of a person in each source: only duplicates repeat a person
    #[arg(long)]
    one_per_source: bool,
    /// Share of events that reach their source at all
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    coverage: f64,
    /// Factor on all error rates
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    noise: f64,
    /// Share of people planted as the namesake of another, with the same date of birth
    #[arg(long, default_value_t = NAMESAKES, value_name = "SHARE")]
    namesakes: f64,
    /// Further people whose records are listed in tracers.csv
    #[arg(long, default_value_t = 0, value_name = "N")]
    tracers: u32,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    made: &'a SynthReport,
    seed: u64,
    dir: &'a PathBuf,
    seconds: f64,
    records_per_second: f64,
}

/// Runs `synth`.
///
/// # Errors
/// [`SynthError`].
pub fn run(arguments: &SynthArguments) -> Result<String, SynthError> {
    let options = SynthOptions {
        persons: arguments.persons,
        seed: arguments.seed,
        namesakes: arguments.namesakes,
        duplicates: arguments.duplicates,
        one_per_source: arguments.one_per_source,
        coverage: arguments.coverage,
        noise: arguments.noise,
        tracers: arguments.tracers,
    };
    let bar = progress_bar();
    let started = Instant::now();
    let outcome = generate(&options, &arguments.out, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let made = outcome?;
    let report = Report {
        made: &made,
        seed: arguments.seed,
        dir: &arguments.out,
        seconds,
        records_per_second: (made.records as f64 / seconds.max(1e-6)).round(),
    };
    Ok(if arguments.json {
        serde_json::to_string_pretty(&report).expect("a report is plain values") + "\n"
    } else {
        report.to_text()
    })
}

/// Draws on standard error, and only if that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = "people {bar:32} {human_pos} of {human_len}  {elapsed}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template above is well-formed");
    ProgressBar::new(0).with_style(style)
}

impl Report<'_> {
    fn to_text(&self) -> String {
        let made = self.made;
        let mut text = format!(
            "{} people and {} tracers, {} records ({} of them duplicates)\n",
            made.persons, made.tracers, made.records, made.duplicates
        );
        for (source, records) in &made.sources {
            text.push_str(&format!("  {source:<20} {records:>12}\n"));
        }
        text.push_str(&format!(
            "{:.1} s, {} records/s, in {}\n",
            self.seconds,
            self.records_per_second,
            self.dir.display()
        ));
        text
    }
}
