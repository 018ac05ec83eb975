//! `musubi store`: looks at a store while no server has it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, show};
use crate::store::{Store, verify};

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Re-read everything and say whether it is whole; changes nothing
    Verify(StoreArguments),
    /// Say what the store holds, in numbers
    Stats(StoreArguments),
}

/// Arguments of the store commands.
#[derive(Debug, Args)]
pub struct StoreArguments {
    /// Folder that `musubi init` made
    #[arg(long, default_value = super::DEFAULT_DIR)]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Carries a store command out.
///
/// # Errors
/// If there is no store, another process has it, or it is damaged.
pub fn run(command: &StoreCommand) -> Outcome {
    match command {
        StoreCommand::Verify(arguments) => check(arguments),
        StoreCommand::Stats(arguments) => stats(arguments),
    }
}

fn check(arguments: &StoreArguments) -> Outcome {
    let report = verify(&arguments.dir.join("store"))?;
    if arguments.json {
        return show::json(&json!({
            "log_entries": report.head.sequence,
            "torn_bytes": report.torn_bytes,
            "submissions": report.submissions,
            "segments": report.segments,
            "rows": report.rows,
            "live": report.live,
            "snapshots": report.snapshots,
        }));
    }
    Ok(format!(
        "whole: {} log entries, {} submissions, {} segments with {} rows ({} live), {} snapshots; \
         {} bytes of a torn entry, which the next start cuts off\n",
        report.head.sequence,
        report.submissions,
        report.segments,
        report.rows,
        report.live,
        report.snapshots,
        report.torn_bytes,
    ))
}

fn stats(arguments: &StoreArguments) -> Outcome {
    let directory = arguments.dir.join("store");
    if !directory.is_dir() {
        return Err(format!("there is no store in {}", directory.display()).into());
    }
    let stats = Store::open(&directory)?.stats()?;
    let rows = [
        ("log_entries", stats.log_entries),
        ("log_bytes", stats.log_bytes),
        ("submissions", stats.submissions),
        ("segments", stats.segments),
        ("segment_bytes", stats.segment_bytes),
        ("rows", stats.rows),
        ("live", stats.live),
        ("runs", stats.runs),
        ("publications", stats.publications),
    ];
    if arguments.json {
        let object: serde_json::Map<_, _> = rows
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        return show::json(&object);
    }
    Ok(rows
        .iter()
        .map(|(name, value)| format!("{name:<14} {value:>14}\n"))
        .collect())
}
