//! `musubi-encode submit`: the command around [`submit_file`], with a progress bar.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use super::client::Connection;
use super::submit::submit_file;

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
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
}

/// Submits, with a progress bar on standard error.
///
/// # Errors
/// [`super::submit::SubmitError`]
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
        "content hash {}\nlog head {}\n",
        receipt.content_hash, receipt.log_head
    );
    Ok(text)
}
