//! `musubi serve`: the server, until it is told to stop.

use std::io::IsTerminal;
use std::path::PathBuf;

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

/// Serves until SIGTERM or ctrl-c.
///
/// # Errors
/// Why the server did not start, or stopped.
pub fn run(arguments: &ServeArguments) -> Outcome {
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

fn announce(ready: Ready) {
    println!(
        "gRPC     https://{}  (client certificate needed)",
        ready.grpc_addr
    );
    println!("console  http://{}/", ready.console_addr);
    println!("Stop with ctrl-c.");
}
