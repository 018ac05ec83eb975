//! Commands about entity IDs over time: what became of one, and how all changed between two runs.

use clap::Args;
use serde_json::json;

use super::client::OperatorClient;
use super::connect::ConnectArguments;
use super::{Outcome, show};
use crate::terms::{Churn, RunId};

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// The entity's ID, 32 hexadecimal digits
    entity: String,
    /// As it stood after this run; default: now
    #[arg(long, value_name = "RUN")]
    as_of: Option<String>,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The older run
    from: String,
    /// The newer run
    to: String,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What became of an entity ID?
///
/// # Errors
/// If an ID is malformed or the server refuses.
pub async fn history(arguments: &HistoryArguments) -> Outcome {
    let as_of = arguments
        .as_of
        .as_deref()
        .map(RunId::from_hex)
        .transpose()?;
    let mut client = OperatorClient::connect(&arguments.connect.connection()).await?;
    let (state, holders) = client.entity_history(&arguments.entity, as_of).await?;
    if arguments.json {
        return show::json(&json!({ "state": state, "entities": holders }));
    }
    let lines = holders.iter().map(|holder| format!("  {holder}\n"));
    Ok(format!("{state}\n{}", lines.collect::<String>()))
}

/// How did IDs change?
///
/// # Errors
/// If an ID is malformed or the server refuses.
pub async fn diff(arguments: &DiffArguments) -> Outcome {
    let from = RunId::from_hex(&arguments.from)?;
    let to = RunId::from_hex(&arguments.to)?;
    let mut client = OperatorClient::connect(&arguments.connect.connection()).await?;
    let churn = client.diff(from, to).await?;
    if arguments.json {
        return show::json(&churn);
    }
    Ok(churn_line(&churn) + "\n")
}

/// Changes of IDs in one line.
pub(super) fn churn_line(churn: &Churn) -> String {
    format!(
        "IDs: {} before, {} new, {} merged, {} split, {} without records: {:.2} of 1,000 changed",
        churn.existing,
        churn.created,
        churn.merged,
        churn.split,
        churn.retired,
        churn.per_thousand()
    )
}
