//! Commands that read: runs, sources, records, entities, and the export.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::client::OperatorClient;
use super::connect::ConnectArguments;
use super::{Outcome, show, show_methods};
use crate::terms::RunId;

/// Arguments of `runs` and `sources`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `run` and `methods`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The run's ID, 32 hexadecimal digits
    run: String,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `resolve`.
#[derive(Debug, Args)]
pub struct ResolveArguments {
    /// The source's name
    source: String,
    /// The source's label of the record
    record_ref: String,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `entity`.
#[derive(Debug, Args)]
pub struct EntityArguments {
    /// The entity's ID, 32 hexadecimal digits
    entity: String,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The CSV file to write: source, record_id, entity
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

async fn client(
    connect: &ConnectArguments,
) -> Result<OperatorClient, super::client::OperatorError> {
    OperatorClient::connect(&connect.connection()).await
}

/// All runs, newest first.
///
/// # Errors
/// If the server refuses.
pub async fn runs(arguments: &ListArguments) -> Outcome {
    let runs = client(&arguments.connect).await?.runs().await?;
    show::runs(&runs, arguments.json)
}

/// One run.
///
/// # Errors
/// If the ID is malformed or the server refuses.
pub async fn run(arguments: &RunArguments) -> Outcome {
    let id = RunId::from_hex(&arguments.run)?;
    let run = client(&arguments.connect).await?.run(id).await?;
    show::run(&run, arguments.json)
}

/// The methods sheet of one run.
///
/// # Errors
/// If the ID is malformed, the server refuses, or the run has no methods sheet.
pub async fn methods(arguments: &RunArguments) -> Outcome {
    let id = RunId::from_hex(&arguments.run)?;
    let run = client(&arguments.connect).await?.run(id).await?;
    show_methods::methods(&run, arguments.json)
}

/// All sources.
///
/// # Errors
/// If the server refuses.
pub async fn sources(arguments: &ListArguments) -> Outcome {
    let sources = client(&arguments.connect).await?.sources().await?;
    if arguments.json {
        return show::json(&sources);
    }
    if sources.is_empty() {
        return Ok("no source has submitted yet\n".into());
    }
    let mut text = format!("{:<24} {:>12} {:>12}\n", "source", "records", "submissions");
    for line in &sources {
        text += &format!(
            "{:<24} {:>12} {:>12}\n",
            line.source, line.records, line.submissions
        );
    }
    Ok(text)
}

/// Which entity does a record belong to?
///
/// # Errors
/// If the server refuses.
pub async fn resolve(arguments: &ResolveArguments) -> Outcome {
    let mut client = client(&arguments.connect).await?;
    let (entity, run) = client
        .resolve(&arguments.source, &arguments.record_ref)
        .await?;
    if arguments.json {
        return show::json(&json!({ "entity": entity, "run": run }));
    }
    Ok(format!("{entity}\n"))
}

/// Which records are one entity?
///
/// # Errors
/// If the server refuses.
pub async fn entity(arguments: &EntityArguments) -> Outcome {
    let mut client = client(&arguments.connect).await?;
    let records = client.entity_records(&arguments.entity).await?;
    if arguments.json {
        let rows: Vec<_> = records
            .iter()
            .map(|(source, record_ref)| json!({ "source": source, "record_ref": record_ref }))
            .collect();
        return show::json(&rows);
    }
    let rows = records.iter();
    Ok(rows
        .map(|(source, record_ref)| format!("{source:<24} {record_ref}\n"))
        .collect())
}

/// Writes all records and their entities to a CSV file. The file appears only when it is whole.
///
/// # Errors
/// If the server refuses or the file cannot be written.
pub async fn export(arguments: &ExportArguments) -> Outcome {
    let mut client = client(&arguments.connect).await?;
    let out = &arguments.out;
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    let failed = |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", out.display());

    let mut writer = csv::Writer::from_path(&partial).map_err(|error| failed(&error))?;
    let head = writer.write_record(["source", "record_id", "entity"]);
    let mut written = head;
    let count = client
        .for_each_row(&mut |(source, record_ref, entity)| {
            if written.is_ok() {
                written = writer.write_record([&source, &record_ref, &entity]);
            }
        })
        .await;
    let finished = count.map_err(Into::into).and_then(|count| {
        written.map_err(|error| failed(&error))?;
        let file = writer.into_inner().map_err(|error| failed(error.error()))?;
        file.sync_all().map_err(|error| failed(&error))?;
        std::fs::rename(&partial, out).map_err(|error| failed(&error))?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(count)
    });
    let count = finished.inspect_err(|_| {
        // What is incomplete is of no use; that it cannot be removed is not the news.
        let _ = std::fs::remove_file(&partial);
    })?;
    if arguments.json {
        return show::json(&json!({ "file": out, "records": count }));
    }
    Ok(format!("{}: {count} records\n", out.display()))
}
