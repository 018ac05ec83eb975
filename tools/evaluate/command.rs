//! `musubi evaluate`: entities from a file against a truth from a file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{
    BlockingQuality, EvaluateError, Evaluation, Partition, ReadTruthError, Strata, Truth, blocking,
};

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// CSV with columns source, record_id and entity, as `musubi export` and the demo write it
    entities: PathBuf,
    /// CSV with columns source, record_id and person_id; noise_flags and surname_state for strata
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// CSV with twins, namesakes and foreigners, for strata; default: persons.csv beside the truth
    #[arg(long, value_name = "FILE")]
    persons: Option<PathBuf>,
    /// CSV with columns source_a, record_id_a, source_b, record_id_b: candidate pairs of blocking
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// Measure by stratum and by pair of sources as well
    #[arg(long)]
    strata: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why nothing was measured. Names file, line and rule, never a value.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateCommandError {
    /// The truth cannot be used.
    #[error(transparent)]
    Truth(#[from] ReadTruthError),
    /// The entities are no partition.
    #[error(transparent)]
    Entities(#[from] EvaluateError),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// What the reader says; it knows the line.
        #[source]
        source: csv::Error,
    },
    /// A column is missing.
    #[error("{}, line 1: column '{column}' is missing", path.display())]
    MissingColumn {
        /// File.
        path: PathBuf,
        /// Name of the column.
        column: &'static str,
    },
}

/// Everything measured.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    overall: Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking: Option<BlockingQuality>,
    #[serde(flatten)]
    strata: Option<Strata>,
}

/// Runs `evaluate`.
///
/// # Errors
/// [`EvaluateCommandError`].
pub fn run(arguments: &EvaluateArguments) -> Result<String, EvaluateCommandError> {
    let mut truth = Truth::read(&arguments.truth)?;
    if arguments.strata {
        let beside = arguments.truth.with_file_name("persons.csv");
        let beside = beside.is_file().then_some(beside);
        if let Some(persons) = arguments.persons.clone().or(beside) {
            truth.read_persons(&persons)?;
        }
    }
    let columns = ["source", "record_id", "entity"];
    let rows = read(&arguments.entities, columns)?.into_iter();
    let partition = Partition::new(
        rows.map(|[source, record, id]| (source, record, id)),
        &truth,
    )?;
    let pairs = match &arguments.pairs {
        None => None,
        Some(path) => {
            let columns = ["source_a", "record_id_a", "source_b", "record_id_b"];
            let rows = read(path, columns)?.into_iter();
            Some(blocking(rows.map(|[a, b, c, d]| [(a, b), (c, d)]), &truth))
        }
    };
    let report = Report {
        overall: partition.evaluation(&truth),
        blocking: pairs,
        strata: arguments.strata.then(|| partition.strata(&truth)),
    };
    Ok(if arguments.json {
        serde_json::to_string_pretty(&report).expect("a report is plain values") + "\n"
    } else {
        report.to_text()
    })
}

/// Rows of a CSV file, the named columns of each.
fn read<const N: usize>(
    path: &PathBuf,
    columns: [&'static str; N],
) -> Result<Vec<[String; N]>, EvaluateCommandError> {
    let unreadable = |source| EvaluateCommandError::Read {
        path: path.clone(),
        source,
    };
    let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let found = headers.iter().position(|name| name.trim() == column);
        *place = found.ok_or_else(|| EvaluateCommandError::MissingColumn {
            path: path.clone(),
            column,
        })?;
    }
    let mut rows = Vec::new();
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(unreadable)? {
        rows.push(places.map(|place| row.get(place).unwrap_or_default().to_owned()));
    }
    Ok(rows)
}

impl Report {
    fn to_text(&self) -> String {
        let all = &self.overall;
        let mut text = format!(
            "{} records of {} people in {} entities\n",
            all.records, all.persons, all.entities
        );
        for (count, what) in [
            (
                all.records_without_truth,
                "records are not in the truth: left out",
            ),
            (
                all.records_not_given,
                "records of the truth have no entity: each alone",
            ),
        ] {
            if count > 0 {
                text.push_str(&format!("{count} {what}\n"));
            }
        }
        let [precision, recall, f1] = ["precision", "recall", "F1"];
        text.push_str(&format!(
            "\n  {:<10} {precision:>10} {recall:>10} {f1:>10}\n",
            "quality"
        ));
        for (name, q) in [
            ("pairwise", all.pairwise),
            ("B-cubed", all.bcubed),
            ("clusters", all.exact),
        ] {
            let (p, r, f1) = (q.precision, q.recall, q.f1);
            text.push_str(&format!("  {name:<10} {p:>10.4} {r:>10.4} {f1:>10.4}\n"));
        }
        if let Some(blocking) = &self.blocking {
            text.push_str(&format!(
                "\nblocking: {} candidate pairs, pair completeness {:.4}, reduction ratio {:.6}\n",
                blocking.candidate_pairs, blocking.pair_completeness, blocking.reduction_ratio
            ));
        }
        if let Some(strata) = &self.strata {
            text.push_str(&format!("\n{strata}"));
        }
        text
    }
}
