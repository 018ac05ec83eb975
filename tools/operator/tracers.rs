//! `musubi tracers`: what share of the pairs of planted, invented people the linkage found.
//!
//! The list of who is a tracer stays with the operator: the server does not know it.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::client::OperatorClient;
use super::connect::ConnectArguments;
use super::{Outcome, show};
use crate::score::{TracerPairs, tracer_recall};

/// Arguments of `tracers`.
#[derive(Debug, Args)]
pub struct TracersArguments {
    /// A CSV file with columns source, record_id and person_id: the tracers' records
    file: PathBuf,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A line of the list.
#[derive(serde::Deserialize)]
struct Line {
    source: String,
    record_id: String,
    person_id: String,
}

/// Recall on the tracers, with its interval.
///
/// # Errors
/// If the file cannot be read, the server refuses, or no two records of one tracer are published.
pub async fn tracers(arguments: &TracersArguments) -> Outcome {
    let person_of = read(arguments)?;
    let mut client = OperatorClient::connect(&arguments.connect.connection()).await?;
    // Entities of each person's records.
    let mut entities: HashMap<&str, Vec<String>> = HashMap::new();
    client
        .for_each_row(&mut |(source, record_ref, entity)| {
            if let Some(person) = person_of.get(&(source, record_ref)) {
                entities.entry(person).or_default().push(entity);
            }
        })
        .await?;
    let people: Vec<TracerPairs> = entities.into_values().map(pairs).collect();
    let planted: u64 = people.iter().map(|person| person.planted).sum();
    let (recall, interval) =
        tracer_recall(&people).ok_or("no two records of one tracer are published")?;
    if arguments.json {
        return show::json(&json!({
            "people": people.len(),
            "pairs": planted,
            "recall": recall,
            "interval": interval,
        }));
    }
    Ok(format!(
        "recall {recall:.4}, between {:.4} and {:.4}: {planted} pairs of {} tracers\n",
        interval.low,
        interval.high,
        people.len()
    ))
}

fn read(
    arguments: &TracersArguments,
) -> Result<HashMap<(String, String), String>, Box<dyn std::error::Error + Send + Sync>> {
    let failed = |error: csv::Error| format!("cannot read {}: {error}", arguments.file.display());
    let mut reader = csv::Reader::from_path(&arguments.file).map_err(failed)?;
    let mut person_of = HashMap::new();
    for line in reader.deserialize() {
        let line: Line = line.map_err(failed)?;
        person_of.insert((line.source, line.record_id), line.person_id);
    }
    Ok(person_of)
}

/// Pairs of one person's records, and those in one entity.
fn pairs(mut entities: Vec<String>) -> TracerPairs {
    entities.sort_unstable();
    let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as u64;
    let together = entities.chunk_by(|one, next| one == next);
    TracerPairs {
        planted: pairs(entities.len()),
        found: together.map(|group| pairs(group.len())).sum(),
    }
}
