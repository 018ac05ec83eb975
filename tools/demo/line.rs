//! From CSV files to entities: the real server on loopback, the real client, every source in turn.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::sync::oneshot;

use super::folder::{Stage, StagedSource};
use super::{DemoError, During, Progress, SourceReport, timed};
use crate::serve::app;
use crate::serve::config::Config;
use crate::terms::Receipt;
use crate::terms::run::{Run, RunReport, RunState, StepReport};
use crate::tools::operator::client::OperatorClient;
use crate::tools::source::client::{Connection, submit_file};
use crate::tools::source::encode::{EncodeOptions, EncodeReport, OutputFormat, encode_source};

/// What came out.
pub(super) struct Outcome {
    pub(super) sources: Vec<SourceReport>,
    pub(super) report: RunReport,
    /// Source, record ref, entity.
    pub(super) entities: Vec<(String, String, String)>,
}

/// Encodes, serves, submits, links, exports.
pub(super) fn carry_out(
    stage: &Stage,
    progress: &Progress,
    steps: &mut Vec<StepReport>,
) -> Result<Outcome, DemoError> {
    let encoded = timed(steps, "encode", || {
        let reports = stage
            .sources
            .iter()
            .map(|source| encode(stage, source, progress))
            .collect::<Result<Vec<_>, _>>()?;
        let records = reports.iter().map(|report| report.records).sum();
        Ok((reports, records))
    })?;
    let runtime = tokio::runtime::Runtime::new().during("starting the server")?;
    runtime.block_on(through_server(stage, encoded, progress, steps))
}

fn encode(
    stage: &Stage,
    source: &StagedSource,
    progress: &Progress,
) -> Result<EncodeReport, DemoError> {
    let options = EncodeOptions {
        clkhash_secret: None,
        input: source.csv.clone(),
        output: source.encodings.clone(),
        format: OutputFormat::Mse,
        map: source.map.clone(),
        source: source.name.clone(),
        profile: stage.profile.clone(),
        linkage_secret: stage.linkage_secret.clone(),
        source_secret: Some(source.secret.clone()),
        epoch: "1".into(),
        tracers: 0,
    };
    let bar = progress.bar("encode", 0);
    let report = encode_source(&options, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    report.during(&format!("encoding {}", source.name))
}

async fn through_server(
    stage: &Stage,
    encoded: Vec<EncodeReport>,
    progress: &Progress,
    steps: &mut Vec<StepReport>,
) -> Result<Outcome, DemoError> {
    let mut config = Config::load(&stage.dir.join("musubi.toml")).during("reading musubi.toml")?;
    // Any free port: the demo must not collide with a server that is running.
    config.grpc.listen.set_port(0);
    config.console.listen.set_port(0);
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(app::run(config, ready, async {
        // A dropped sender means the same: stop.
        let _ = stopped.await;
    }));
    let outcome = match is_ready.await {
        Ok(ready) => {
            let address = format!("https://localhost:{}", ready.grpc_addr.port());
            with_server(stage, encoded, &address, progress, steps).await
        }
        Err(_) => Err(DemoError("the server did not start".into())),
    };
    let _ = stop.send(());
    server
        .await
        .during("stopping the server")?
        .during("running the server")?;
    outcome
}

async fn with_server(
    stage: &Stage,
    encoded: Vec<EncodeReport>,
    address: &str,
    progress: &Progress,
    steps: &mut Vec<StepReport>,
) -> Result<Outcome, DemoError> {
    let certs = stage.dir.join("certs");
    let started = std::time::Instant::now();
    let mut sources = Vec::new();
    let mut accepted = 0;
    for (source, encoded) in stage.sources.iter().zip(encoded) {
        let receipt = submit(source, &certs, address, progress).await?;
        accepted += receipt.accepted;
        let refused = receipt.refused.iter();
        sources.push(SourceReport {
            source: source.name.to_string(),
            records: encoded.records + refused_at_source(&encoded).values().sum::<u64>(),
            refused_at_source: refused_at_source(&encoded),
            notes: encoded.read.notes,
            accepted: receipt.accepted + receipt.unchanged,
            refused_at_server: refused
                .map(|(r, count)| (r.code().to_owned(), *count))
                .collect(),
        });
    }
    let seconds = started.elapsed().as_secs_f64();
    steps.push(StepReport {
        name: "submit".into(),
        seconds,
        items: accepted,
    });

    let connection = Connection::of_role(address, &certs, "pipeline");
    let mut client = OperatorClient::connect(&connection)
        .await
        .during("reaching the server")?;
    let run = link(&mut client, progress).await?;
    steps.extend(run.steps);
    let report = match (run.state, run.report) {
        (RunState::Succeeded, Some(report)) => report,
        _ => {
            let reason = run.failure.unwrap_or_else(|| "no reason given".into());
            return Err(DemoError(format!("the linkage run failed: {reason}")));
        }
    };

    let exporting = std::time::Instant::now();
    let entities = client
        .export_entities()
        .await
        .during("exporting the entities")?;
    write_entities(&stage.dir.join("entities.csv"), &entities)?;
    let seconds = exporting.elapsed().as_secs_f64();
    steps.push(StepReport {
        name: "export".into(),
        seconds,
        items: entities.len() as u64,
    });
    Ok(Outcome {
        sources,
        report,
        entities,
    })
}

/// Records that never left the source, by reason.
fn refused_at_source(encoded: &EncodeReport) -> BTreeMap<String, u64> {
    let refused = encoded.read.refused.iter();
    let mut counts: BTreeMap<String, u64> = refused
        .map(|(reason, count)| (reason.name().to_owned(), *count))
        .collect();
    if encoded.empty > 0 {
        counts.insert("nothing_to_encode".into(), encoded.empty);
    }
    counts
}

async fn submit(
    source: &StagedSource,
    certs: &Path,
    address: &str,
    progress: &Progress,
) -> Result<Receipt, DemoError> {
    let connection = Connection::of_role(address, certs, &format!("source-{}", source.name));
    let bar = progress.bar("submit", 0);
    let receipt = submit_file(&source.encodings, &connection, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    receipt.during(&format!("submitting {}", source.name))
}

/// Starts a run and follows it to its end.
async fn link(client: &mut OperatorClient, progress: &Progress) -> Result<Run, DemoError> {
    let started = client
        .start_run(None)
        .await
        .during("starting the linkage run")?;
    let bar = progress.bar("link", 0);
    let run = client
        .watch_run(started.id, &mut |run: &Run| {
            if let Some(now) = &run.progress {
                bar.set_prefix(now.step.clone());
                bar.set_length(now.planned);
                bar.set_position(now.done);
            }
        })
        .await;
    bar.finish_and_clear();
    run.during("watching the linkage run")
}

fn write_entities(path: &Path, rows: &[(String, String, String)]) -> Result<(), DemoError> {
    let mut writer = csv::Writer::from_path(path).during("writing entities.csv")?;
    writer
        .write_record(["source", "record_id", "entity"])
        .during("writing entities.csv")?;
    for (source, record, entity) in rows {
        writer
            .write_record([source, record, entity])
            .during("writing entities.csv")?;
    }
    writer.flush().during("writing entities.csv")
}
