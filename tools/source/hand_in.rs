//! `musubi-encode submit`: the command around [`submit_file`], with a progress bar, and the signed
//! receipt beside the file.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use super::client::Connection;
use super::submit::{SubmitError, submit_file};
use crate::terms::Receipt;

/// Arguments of `submit`.
#[derive(Args)]
pub struct SubmitArguments {
    /// The encoding file
    file: PathBuf,
    /// Address of the server
    #[arg(long, default_value = "https://localhost:7443")]
    server: String,
    /// Certificate of the authority that signed the server's certificate
    #[arg(long)]
    ca: PathBuf,
    /// This source's certificate
    #[arg(long)]
    cert: PathBuf,
    /// Its private key
    #[arg(long)]
    key: PathBuf,
    /// File for the signed receipt, JSON [default: the encoding file's name with .receipt.json]
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
}

/// Writes a receipt beside what it is for.
fn write_receipt(path: &Path, receipt: &Receipt) -> Result<(), SubmitError> {
    let failed = |source| SubmitError::WriteReceipt {
        path: path.into(),
        source,
    };
    let text = serde_json::to_string_pretty(receipt).map_err(|error| failed(error.into()))?;
    std::fs::write(path, text + "\n").map_err(failed)
}

/// Submits, with a progress bar on standard error.
///
/// # Errors
/// [`SubmitError`]
pub fn run(arguments: &SubmitArguments) -> Outcome {
    let connection = Connection {
        server: arguments.server.clone(),
        ca: arguments.ca.clone(),
        cert: arguments.cert.clone(),
        key: arguments.key.clone(),
    };
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("submit {bar:40} {bytes}/{total_bytes} {eta}")?;
    bar.set_style(style);
    let progress = |done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let receipt = runtime.block_on(submit_file(&arguments.file, &connection, &progress));
    bar.finish_and_clear();
    let receipt = receipt?;
    let beside = arguments.file.with_extension("receipt.json");
    let receipt_path = arguments.receipt.as_ref().unwrap_or(&beside);
    write_receipt(receipt_path, &receipt)?;
    if arguments.json {
        return Ok(serde_json::to_string_pretty(&receipt)? + "\n");
    }
    let mut text = format!(
        "submission {} of {}: {} accepted, {} unchanged, {} refused\n",
        receipt.submission,
        receipt.source,
        receipt.accepted,
        receipt.unchanged,
        receipt.refused.values().sum::<u64>(),
    );
    for (reason, count) in &receipt.refused {
        text += &format!("  refused {}: {count}\n", reason.code());
    }
    text += &format!(
        "content hash {}\nlog entry {}, head {}\nsigned receipt {}\n",
        receipt.content_hash,
        receipt.sequence,
        receipt.log_head,
        receipt_path.display()
    );
    Ok(text)
}
