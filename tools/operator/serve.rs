//! `musubi serve`: the server, until it is told to stop.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use super::Outcome;
use crate::serve::{Config, Ready, app};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// The configuration
    #[arg(long, default_value = "musubi-data/musubi.toml")]
    config: PathBuf,
    /// Log as JSON lines
    #[arg(long)]
    log_json: bool,
}

/// Bounds the heaps of glibc, which reads it before a program begins.
const HEAPS_MAX: &str = "MALLOC_ARENA_MAX";

/// Serves until SIGTERM or ctrl-c.
///
/// # Errors
/// Why the server did not start, or stopped.
pub fn run(arguments: &ServeArguments) -> Outcome {
    begin_with_one_heap();
    let config = Config::load(&arguments.config)?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if arguments.log_json {
        logging.json().init();
    } else {
        logging.init();
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let shutdown = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                // Without ctrl-c there is still SIGTERM.
                Ok(()) = tokio::signal::ctrl_c() => {}
            }
        };
        let (ready, is_ready) = oneshot::channel();
        tokio::spawn(async move {
            if let Ok(ready) = is_ready.await {
                announce(ready);
            }
        });
        app::run(config, ready, shutdown).await?;
        Ok("stopped\n".into())
    })
}

/// Begins again, in this process, with one heap for all threads unless the environment says how many.
/// glibc gives threads heaps of their own and keeps what is freed there, so memory would grow with the
/// records taken in.
fn begin_with_one_heap() {
    if std::env::var_os(HEAPS_MAX).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let arguments = std::env::args_os().skip(1);
        // Comes back only if it fails: the server takes more memory then, and serves all the same.
        let _ = (Command::new(program).args(arguments).env(HEAPS_MAX, "1")).exec();
    }
}

fn announce(ready: Ready) {
    println!(
        "gRPC     https://{}  (client certificate needed)",
        ready.grpc_addr
    );
    println!("console  http://{}/", ready.console_addr);
    println!("Stop with ctrl-c.");
}
