//! What `musubi-encode` does: encode, inspect, submit, keys and profiles.
//!
//! Each subcommand is a file with its arguments and a function that gives the text for standard
//! output. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

pub mod client;
pub mod encode;
pub mod fill;
pub mod hand_in;
pub mod inspect;
pub mod key;
pub mod profile;
pub mod receipts;
mod retry;
pub mod submit;
#[cfg(test)]
mod tests;
pub mod uuid;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a subcommand gives: text for standard output, or why it failed.
pub type Outcome = Result<String, Box<dyn std::error::Error + Send + Sync>>;

/// Arguments of `musubi-encode`.
#[derive(Parser)]
#[command(
    name = "musubi-encode",
    version,
    about = "Encodes records at the source, so that only encodings leave it",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Encode a source's file into an encoding file
    Encode(encode::EncodeArguments),
    /// Show what an encoding file holds, without any plaintext
    Inspect(inspect::InspectArguments),
    /// Make secrets and compare their fingerprints
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Show and check linkage profiles
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Hand an encoding file in to a server
    Submit(hand_in::SubmitArguments),
    /// Check the receipts of submissions
    #[command(subcommand)]
    Receipts(receipts::ReceiptsCommand),
}

fn run(arguments: Arguments) -> Outcome {
    match arguments.command {
        Command::Encode(arguments) => encode::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Key(command) => key::run(&command),
        Command::Profile(command) => profile::run(&command),
        Command::Submit(arguments) => hand_in::run(&arguments),
        Command::Receipts(command) => receipts::run(&command),
    }
}

/// Runs `musubi-encode` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let (output, code) = match outcome_of(std::env::args_os()) {
        Ok(outcome) => outcome,
        Err(usage) => usage.exit(),
    };
    if code == 0 {
        // A reader that stopped listening (`| head`) is no failure.
        let _ = io::stdout().write_all(output.as_bytes());
        ExitCode::SUCCESS
    } else {
        let _ = io::stderr().write_all(output.as_bytes());
        ExitCode::FAILURE
    }
}

/// Text and exit code of a call: standard output with 0, or one line for standard error with 1.
fn outcome_of<I>(arguments: I) -> Result<(String, u8), clap::Error>
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let arguments = Arguments::try_parse_from(arguments)?;
    Ok(match run(arguments) {
        Ok(text) => (text, 0),
        Err(error) => (format!("error: {}\n", one_line(&error.to_string())), 1),
    })
}

/// The lines of a message as one line.
fn one_line(message: &str) -> String {
    let lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
