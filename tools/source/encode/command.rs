//! Arguments and report of `musubi-encode encode`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{EncodeOptions, EncodeReport, OutputFormat, encode_source};
use crate::encode::tracer::TRACERS_MAX;
use crate::terms::SourceId;
use crate::tools::source::Outcome;
use crate::tools::source::profile::load_profile;

/// Arguments of `encode`.
#[derive(Args)]
pub struct EncodeArguments {
    /// The file to encode: CSV, FHIR, HL7 v2 or receipts, as the map says
    input: PathBuf,
    /// The encoding file to write (.mse)
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// What to write: an encoding file, or a CSV with every filter and tag in hexadecimal
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// The map file: which column holds what
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Name of this source, as the server knows it
    #[arg(long, value_name = "NAME", value_parser = source_id)]
    source: SourceId,
    /// Linkage profile: a name that comes with musubi, or a file
    #[arg(long, value_name = "NAME_OR_FILE", default_value = "jp-standard")]
    profile: String,
    /// Key file of the linkage secret
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Key file of this source's own secret
    #[arg(long, value_name = "FILE")]
    source_key: Option<PathBuf>,
    /// File with the secret text that a project has used with clkhash (clkhash profiles only)
    #[arg(long, value_name = "FILE")]
    clkhash_secret: Option<PathBuf>,
    /// Epoch: all sources must use the same
    #[arg(long, default_value = "1")]
    epoch: String,
    /// Plant this many records of invented people, the same at every source with this linkage secret
    /// and number; a server keeps them apart and counts which it links (2,000 tell recall to a point)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(TRACERS_MAX)))]
    tracers: u32,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn source_id(name: &str) -> Result<SourceId, crate::terms::IdError> {
    SourceId::new(name)
}

/// Runs `encode`.
///
/// # Errors
/// Something in the input, map, profile or keys is refused, or a file cannot be written.
pub fn run(arguments: &EncodeArguments) -> Outcome {
    let options = EncodeOptions {
        input: arguments.input.clone(),
        output: arguments.out.clone(),
        format: arguments.format,
        map: arguments.map.clone(),
        source: arguments.source.clone(),
        profile: load_profile(&arguments.profile)?,
        linkage_secret: arguments.key.clone(),
        source_secret: arguments.source_key.clone(),
        clkhash_secret: arguments.clkhash_secret.clone(),
        epoch: arguments.epoch.clone(),
        tracers: arguments.tracers,
    };
    let bar = progress_bar();
    let outcome = encode_source(&options, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = outcome?;
    if arguments.json {
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    } else {
        Ok(to_text(&report))
    }
}

/// Draws on standard error, and only if that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = "encoding {bar:32} {percent:>3} %  {bytes} of {total_bytes}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template above is well-formed");
    ProgressBar::new(0).with_style(style)
}

fn to_text(report: &EncodeReport) -> String {
    let mut text = format!(
        "{}: {} records, {} bytes, {:.1} s ({:.0} records/s)\n\
         source {}, profile {} ({}), epoch {}, linkage secret {}\n",
        report.output.display(),
        report.records,
        report.bytes,
        report.seconds,
        report.records as f64 / report.seconds.max(0.001),
        report.source,
        report.profile,
        report.profile_fingerprint,
        report.epoch,
        report.secret_fingerprint,
    );
    // Writing to a `String` cannot fail.
    if report.tracers > 0 {
        let _ = writeln!(
            text,
            "{} of the records are tracers: invented people, marked as such",
            report.tracers
        );
    }
    if report.read.aliases > 0 {
        let _ = writeln!(
            text,
            "{} of the records hold a further name of a person, under the record ref with #2, #3, …",
            report.read.aliases
        );
    }
    let lines = |name: &str| -> String {
        let lines = report.read.first_lines.get(name);
        let lines = lines.into_iter().flatten().map(u64::to_string);
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            String::new()
        } else {
            format!(" (first at line {})", lines.join(", "))
        }
    };
    for (reason, count) in &report.read.refused {
        let name = reason.name();
        let _ = writeln!(text, "refused {name:<40} {count:>9}{}", lines(name));
    }
    if report.empty > 0 {
        let _ = writeln!(
            text,
            "refused {:<40} {:>9} (nothing that the profile can use)",
            "empty", report.empty
        );
    }
    for (name, count) in &report.read.notes {
        let _ = writeln!(text, "note    {name:<40} {count:>9}{}", lines(name));
    }
    for (attribute, count) in &report.read.filled {
        let share = 100.0 * *count as f64 / report.read.records.max(1) as f64;
        let _ = writeln!(text, "filled  {attribute:<40} {count:>9} ({share:.1} %)");
    }
    text += &report.fill.to_text();
    for risk in &report.risks {
        let _ = writeln!(text, "look at {risk}");
    }
    text
}
