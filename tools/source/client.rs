//! The line to a server: mutual TLS, and errors that say what to do.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use zeroize::Zeroizing;

pub use super::submit::{SubmitError, submit_file, submit_records};
use crate::wire::reason_of;

/// A server that does not answer within this time is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// A silent connection is asked for a sign of life after this long.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where a server is, and who the caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Address, as in `https://localhost:7443`.
    pub server: String,
    /// Certificate of the authority that signed the server's certificate, PEM.
    pub ca: PathBuf,
    /// The caller's certificate, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A certificate or key could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address is none.
    #[error("'{server}' is not an address; it looks like https://localhost:7443")]
    Address {
        /// What was given.
        server: String,
    },
    /// A certificate or key is malformed.
    #[error("the certificate {} and the key {} cannot be used: {cause}", cert.display(), key.display())]
    Credentials {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What the TLS library says.
        cause: String,
    },
    /// Nobody answers.
    #[error("no server answers at {server}: {cause}; is `musubi serve` running?")]
    Unreachable {
        /// The address.
        server: String,
        /// What the system says.
        cause: String,
    },
    /// The server shows a certificate of another authority or for another name.
    #[error("the server at {server} is not the one that {} vouches for: {cause}", ca.display())]
    ServerCertificate {
        /// The address.
        server: String,
        /// The authority's certificate.
        ca: PathBuf,
        /// What the TLS library says.
        cause: String,
    },
}

/// A call that the server refused, or that failed on the way.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The canonical code.
    pub code: Code,
    /// The reason in one word, if the server gave one, as in `PROFILE_FINGERPRINT`.
    pub reason: Option<String>,
    /// What happened and what to do.
    pub message: String,
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let reason = reason_of(&status);
        let causes = chain(&status);
        let message = if reason.is_some() {
            status.message().to_owned()
        } else if causes.contains("alert") && causes.to_lowercase().contains("cert") {
            "the server does not accept this client certificate: \
             use one that its authority (grpc.client_ca) has signed and that has not expired"
                .to_owned()
        } else {
            format!(
                "the call failed on the way: {causes}; is the server running, and has its \
                 authority (grpc.client_ca) signed this client certificate?"
            )
        };
        Self {
            code: status.code(),
            reason,
            message,
        }
    }
}

impl Connection {
    /// The files of a role in a folder that `musubi init` made: `{role}.crt`, `{role}.key`,
    /// `ca.crt`. The role of a source is `source-{name}`.
    #[must_use]
    pub fn of_role(server: &str, certs: &Path, role: &str) -> Self {
        Self {
            server: server.into(),
            ca: certs.join("ca.crt"),
            cert: certs.join(format!("{role}.crt")),
            key: certs.join(format!("{role}.key")),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn open(&self) -> Result<Channel, ConnectError> {
        let ca = read(&self.ca)?;
        let cert = read(&self.cert)?;
        let key = Zeroizing::new(read(&self.key)?);
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(ca))
            .identity(Identity::from_pem(cert, key.as_str()));
        let server = if self.server.contains("://") {
            self.server.clone()
        } else {
            format!("https://{}", self.server)
        };
        let address = || ConnectError::Address {
            server: self.server.clone(),
        };
        if !server.starts_with("https://") {
            return Err(address());
        }
        let endpoint = Endpoint::from_shared(server)
            .map_err(|_| address())?
            .tls_config(tls)
            .map_err(|error| ConnectError::Credentials {
                cert: self.cert.clone(),
                key: self.key.clone(),
                cause: chain(&error),
            })?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE);
        let connected = endpoint.connect().await;
        connected.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &tonic::transport::Error) -> ConnectError {
        let cause = chain(error);
        let server = self.server.clone();
        if cause.contains("certificate") {
            ConnectError::ServerCertificate {
                server,
                ca: self.ca.clone(),
                cause,
            }
        } else {
            ConnectError::Unreachable { server, cause }
        }
    }
}

fn read(path: &Path) -> Result<String, ConnectError> {
    std::fs::read_to_string(path).map_err(|source| ConnectError::Read {
        path: path.into(),
        source,
    })
}

/// The causes of an error, outermost left out where it only says that there is a cause.
fn chain(error: &dyn Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    if causes.is_empty() {
        return error.to_string();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pb::ErrorReason;
    use crate::wire::refusal;

    #[test]
    fn the_files_of_a_role_lie_side_by_side() {
        let certs = Path::new("/x/certs");
        let connection = Connection::of_role("https://localhost:1", certs, "source-hosp_a");
        assert_eq!(connection.cert, certs.join("source-hosp_a.crt"));
        assert_eq!(connection.key, certs.join("source-hosp_a.key"));
        assert_eq!(connection.ca, certs.join("ca.crt"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let connection = Connection::of_role("https://localhost:1", Path::new("/none"), "pipeline");
        let error = runtime.expect("runtime").block_on(connection.open());
        assert!(error.is_err_and(|error| error.to_string().contains("/none/ca.crt")));
    }

    #[test]
    fn a_refusal_keeps_the_servers_words_and_reason() {
        let (code, reason) = (Code::FailedPrecondition, ErrorReason::NoProfile);
        let status = refusal(code, reason, "do this first");
        let error = CallError::from(status);
        assert_eq!(error.reason.as_deref(), Some("NO_PROFILE"));
        assert_eq!(error.to_string(), "do this first");
    }
}
