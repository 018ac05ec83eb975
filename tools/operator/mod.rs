//! What `musubi` does besides the demo: set up, serve, link, look up.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Errors go to standard error in one
//! line, as `error: …`, with what to do.

mod backup;
pub mod client;
mod connect;
mod history;
pub mod init;
mod link;
mod look;
mod project;
mod serve;
mod show;
mod show_methods;
mod store;

use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::tools::{demo, evaluate, similarity, synth};

/// Folder that commands work in unless told otherwise.
const DEFAULT_DIR: &str = "musubi-data";

/// What a command gives: text for standard output, or why it failed.
type Outcome = Result<String, Box<dyn Error + Send + Sync>>;

/// Arguments of `musubi`.
#[derive(Parser)]
#[command(
    name = "musubi",
    version,
    about = "Privacy-preserving record linkage: encodings in, life-course IDs out",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Link made-up people, or your own CSV files, from end to end
    Demo(demo::DemoArgs),
    /// Write made-up people and what nine sources record of them
    Synth(synth::command::SynthArguments),
    /// Measure entities against a truth
    Evaluate(evaluate::command::EvaluateArguments),
    /// Make certificates for trials and a configuration
    Init(init::InitArguments),
    /// Serve sources and pipelines
    Serve(serve::ServeArguments),
    /// Start a linkage run over all records
    Link(link::LinkArguments),
    /// List the runs, newest first
    Runs(look::ListArguments),
    /// Show one run and its report
    Run(look::RunArguments),
    /// How a run's model came about, and what it is expected to get wrong
    Methods(look::RunArguments),
    /// List the sources and their records
    Sources(look::ListArguments),
    /// Which entity does a record belong to?
    Resolve(look::ResolveArguments),
    /// Which records are one entity?
    Entity(look::EntityArguments),
    /// What became of an entity ID that was once given out?
    History(history::HistoryArguments),
    /// How entity IDs changed from one run to a later one
    Diff(history::DiffArguments),
    /// Write all records and their entities to a CSV file
    Export(look::ExportArguments),
    /// Projects and the pseudonyms under which their data leaves
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Copy the store to a backup, or bring one up to date; a server may be running
    Backup(backup::BackupArguments),
    /// Check every byte of a backup
    VerifyBackup(backup::VerifyBackupArguments),
    /// Make a store from a backup
    Restore(backup::RestoreArguments),
    /// Look at a store while no server has it
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Which filters of one file are like which of another? Needs no server
    Similarity(similarity::SimilarityArguments),
}

/// Runs `musubi` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    match carry_out(&Arguments::parse().command) {
        Ok(text) => {
            // A reader that stopped listening (`| head`) is no failure.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: &Command) -> Outcome {
    match command {
        Command::Demo(arguments) => {
            demo::run(arguments)?;
            Ok(String::new())
        }
        Command::Synth(arguments) => Ok(synth::command::run(arguments)?),
        Command::Evaluate(arguments) => Ok(evaluate::command::run(arguments)?),
        Command::Init(arguments) => init::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Link(arguments) => wait(link::run(arguments)),
        Command::Runs(arguments) => wait(look::runs(arguments)),
        Command::Run(arguments) => wait(look::run(arguments)),
        Command::Methods(arguments) => wait(look::methods(arguments)),
        Command::Sources(arguments) => wait(look::sources(arguments)),
        Command::Resolve(arguments) => wait(look::resolve(arguments)),
        Command::Entity(arguments) => wait(look::entity(arguments)),
        Command::History(arguments) => wait(history::history(arguments)),
        Command::Diff(arguments) => wait(history::diff(arguments)),
        Command::Export(arguments) => wait(look::export(arguments)),
        Command::Project(command) => wait(project::run(command)),
        Command::Backup(arguments) => backup::run(arguments),
        Command::VerifyBackup(arguments) => backup::check(arguments),
        Command::Restore(arguments) => backup::restore(arguments),
        Command::Store(command) => store::run(command),
        Command::Similarity(arguments) => Ok(similarity::run(arguments)?),
    }
}

fn wait(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

/// An error and its causes, without what one says twice.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
