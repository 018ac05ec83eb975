//! `musubi similarity`: which filters of one file are like which of another?
//!
//! Needs no server and no store: for researchers, for tests of encodings, for a first look at two
//! files. Exact by default; `--approximate R` promises to find a share R of the pairs.

mod approximate;
mod choice;
mod exact;
mod read;
mod rows;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::kernel::{self, PlanError};
pub use approximate::ApproximateReport;
pub use read::{ReadFiltersError, read};
pub use rows::{Filters, Pair};

/// Arguments of `similarity`.
#[derive(Debug, Args)]
pub struct SimilarityArguments {
    /// Filters of one side: anonlink JSON, an encoding file, or raw rows
    #[arg(long)]
    a: PathBuf,
    /// Filters of the other side
    #[arg(long)]
    b: PathBuf,
    /// Least Dice similarity of a pair, above 0 and at most 1
    #[arg(long)]
    threshold: f64,
    /// The CSV file to write: row_a,row_b,similarity, rows from 0
    #[arg(long)]
    out: PathBuf,
    /// Threads to use; all cores unless given
    #[arg(long)]
    threads: Option<usize>,
    /// Find at least this share of the pairs, faster: a promise, checked on a sample
    #[arg(long, value_name = "RECALL")]
    approximate: Option<f64>,
    /// What the files are; told from their content unless given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Bits of a filter, for raw rows
    #[arg(long)]
    bits: Option<usize>,
    /// Which filter of encoding files, by its name in the profile; the first unless given
    #[arg(long)]
    filter: Option<String>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// What a file of filters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `{"clks": ["base64", …]}`, as anonlink and clkhash write it
    Json,
    /// An encoding file of musubi-encode
    Mse,
    /// Filters one after the other, `--bits` bits each
    Raw,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum SimilarityError {
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadFiltersError),
    /// The sides do not fit together.
    #[error("the filters of the two files have {a} and {b} bits: they are not comparable")]
    Bits {
        /// Bits of the one side.
        a: usize,
        /// Bits of the other.
        b: usize,
    },
    /// Encodings that were not made alike.
    #[error(
        "the encoding files were made with different profiles or linkage secrets: not comparable"
    )]
    Origin,
    /// A threshold that is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A share that is none.
    #[error("--approximate takes a share above 0 and below 1; leave it out for all pairs")]
    Recall,
    /// `MUSUBI_KERNEL` cannot be followed.
    #[error(transparent)]
    Path(#[from] kernel::PathError),
    /// No threads.
    #[error("the threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The result could not be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Filters of each side.
    pub rows: [usize; 2],
    /// Bits of a filter.
    pub bits: usize,
    /// Least similarity.
    pub threshold: f64,
    /// Pairs written.
    pub pairs: usize,
    /// Seconds for comparing, reading and writing left out.
    pub seconds: f64,
    /// Instructions used.
    pub kernel: &'static str,
    /// How the search was cut short, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate: Option<ApproximateReport>,
}

/// Carries out the command and gives what it prints.
///
/// # Errors
/// [`SimilarityError`]; nothing is written then.
pub fn run(arguments: &SimilarityArguments) -> Result<String, SimilarityError> {
    if let Some(recall) = arguments.approximate
        && !(recall > 0.0 && recall < 1.0)
    {
        return Err(SimilarityError::Recall);
    }
    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = arguments.threads {
        builder = builder.num_threads(threads);
    }
    let pool = builder.build()?;
    let (a, b) = (
        read_side(&arguments.a, arguments)?,
        read_side(&arguments.b, arguments)?,
    );
    let bar = bar();
    let (pairs, summary) =
        pool.install(|| compare(&a, &b, arguments.threshold, arguments.approximate, &bar))?;
    bar.finish_and_clear();
    write(&arguments.out, &pairs).map_err(|error| SimilarityError::Write {
        path: arguments.out.clone(),
        error,
    })?;
    if arguments.json {
        // A summary holds numbers and names only.
        return Ok(serde_json::to_string_pretty(&summary).unwrap_or_default() + "\n");
    }
    Ok(summary.text(&arguments.out))
}

fn read_side(path: &Path, arguments: &SimilarityArguments) -> Result<Filters, ReadFiltersError> {
    read(
        path,
        arguments.format,
        arguments.bits,
        arguments.filter.as_deref(),
    )
}

/// The pairs of at least `threshold`, ordered by row of `a` and row of `b`.
///
/// # Errors
/// [`SimilarityError`].
pub fn compare(
    a: &Filters,
    b: &Filters,
    threshold: f64,
    recall: Option<f64>,
    bar: &ProgressBar,
) -> Result<(Vec<Pair>, Summary), SimilarityError> {
    if a.bits() != b.bits() && !a.is_empty() && !b.is_empty() {
        return Err(SimilarityError::Bits {
            a: a.bits(),
            b: b.bits(),
        });
    }
    if let (Some(x), Some(y)) = (a.origin(), b.origin())
        && x != y
    {
        return Err(SimilarityError::Origin);
    }
    let start = Instant::now();
    let path = kernel::Path::of_process()?;
    let words = a.words().max(b.words()).max(1);
    let plan = kernel::Plan::new(path, words, threshold, a.all(), b.all())?;
    let (pairs, approximate) = match recall {
        None => (exact::pairs(&plan, a, b, bar), None),
        Some(recall) => {
            let (pairs, report) = approximate::pairs(&plan, a, b, recall, bar);
            (pairs, Some(report))
        }
    };
    let summary = Summary {
        rows: [a.len(), b.len()],
        bits: a.bits().max(b.bits()),
        threshold,
        pairs: pairs.len(),
        seconds: start.elapsed().as_secs_f64(),
        kernel: path.name(),
        approximate,
    };
    Ok((pairs, summary))
}

impl Summary {
    fn text(&self, out: &Path) -> String {
        let [a, b] = self.rows;
        let mut text = format!(
            "{} pairs of similarity {} or more among {a} x {b} filters of {} bits, in {:.1} s ({})\n",
            self.pairs, self.threshold, self.bits, self.seconds, self.kernel
        );
        if let Some(report) = &self.approximate {
            text.push_str(&report.text());
        }
        text + &format!("written to {}\n", out.display())
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    // The template is a constant that indicatif accepts; a plain bar otherwise.
    if let Ok(style) =
        ProgressStyle::with_template("{msg:10} [{bar:32}] {percent:>3}% {elapsed} ETA {eta}")
    {
        bar.set_style(style);
    }
    bar
}

/// Writes beside the file and renames, so that a file of this name is always whole.
fn write(path: &Path, pairs: &[Pair]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let mut file = BufWriter::with_capacity(1 << 18, File::create(&partial)?);
    writeln!(file, "row_a,row_b,similarity")?;
    for pair in pairs {
        writeln!(file, "{},{},{}", pair.a, pair.b, pair.similarity())?;
    }
    file.into_inner()?.sync_all()?;
    std::fs::rename(&partial, path)
}
