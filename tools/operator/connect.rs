//! Where the server is and who the caller is: the arguments that all client commands share.

use std::path::PathBuf;

use clap::Args;

use crate::tools::source::client::Connection;

/// Connection arguments. The files default to those that `musubi init` made for the pipeline.
#[derive(Debug, Args)]
pub struct ConnectArguments {
    /// Folder that `musubi init` made
    #[arg(long, default_value = super::DEFAULT_DIR)]
    dir: PathBuf,
    /// Address of the server
    #[arg(long, default_value = "https://localhost:7443")]
    server: String,
    /// Certificate of the authority [default: DIR/certs/ca.crt]
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The caller's certificate [default: DIR/certs/pipeline.crt]
    #[arg(long)]
    cert: Option<PathBuf>,
    /// The caller's private key [default: DIR/certs/pipeline.key]
    #[arg(long)]
    key: Option<PathBuf>,
}

impl ConnectArguments {
    /// The connection that the arguments name.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.connection_as("pipeline")
    }

    /// The connection that the arguments name; without them as this role.
    #[must_use]
    pub fn connection_as(&self, role: &str) -> Connection {
        let standard = Connection::of_role(&self.server, &self.dir.join("certs"), role);
        Connection {
            server: standard.server,
            ca: self.ca.clone().unwrap_or(standard.ca),
            cert: self.cert.clone().unwrap_or(standard.cert),
            key: self.key.clone().unwrap_or(standard.key),
        }
    }
}
