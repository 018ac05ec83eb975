//! TLS at the gRPC door: both ends show a certificate, version 1.3. Who calls is read from the certificate once a connection.
//!
//! New certificates come into force without a restart: before each handshake the files are looked at, and read again
//! if they have changed. If they cannot be used, the ones before stay in force and the log says so.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::identity::{Caller, TrustDomain};

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes under way at once; the next callers wait in the system's queue.
const HANDSHAKES_MAX: usize = 256;
/// Pause after the system could not accept a connection, as it has no file left for it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the certificates lie, PEM.
#[derive(Debug, Clone)]
pub(super) struct TlsFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_ca: PathBuf,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key could not be read.
    #[error("{key}: cannot read {}", path.display())]
    Read {
        /// Key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// They do not fit together.
    #[error("{key}: {} cannot be used", path.display())]
    Use {
        /// Key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What tells that a file was replaced: time of its last change, and length.
type Stamp = [Option<(SystemTime, u64)>; 3];

/// The certificates in force.
pub(super) struct Certificates {
    files: TlsFiles,
    now: Mutex<(Stamp, Arc<ServerConfig>)>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`]
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let now = Mutex::new((files.stamp(), Arc::new(files.read()?)));
        Ok(Self { files, now })
    }

    /// What the next handshake uses.
    fn acceptor(&self) -> TlsAcceptor {
        let stamp = self.files.stamp();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 != stamp {
            // Not tried again until a file changes again.
            now.0 = stamp;
            match self.files.read() {
                Ok(config) => {
                    now.1 = Arc::new(config);
                    tracing::info!("new certificates are in force");
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "the certificates before stay in force");
                }
            }
        }
        TlsAcceptor::from(Arc::clone(&now.1))
    }
}

impl TlsFiles {
    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key, &self.client_ca].map(|path| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }

    fn read(&self) -> Result<ServerConfig, TlsError> {
        let chain = certificates("grpc.certificate", &self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|source| TlsError::Read {
            key: "grpc.key",
            path: self.key.clone(),
            source,
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates("grpc.client_ca", &self.client_ca)? {
            let added = roots.add(certificate);
            added.map_err(|error| unusable("grpc.client_ca", &self.client_ca, error))?;
        }
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unusable("grpc.client_ca", &self.client_ca, error))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| unusable("grpc.certificate", &self.certificate, error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| unusable("grpc.key", &self.key, error))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = |source| TlsError::Read {
        key,
        path: path.into(),
        source,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(read)?.collect();
    let found = found.map_err(read)?;
    if found.is_empty() {
        return Err(unusable(key, path, "it holds no certificate"));
    }
    Ok(found)
}

fn unusable(
    key: &'static str,
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> TlsError {
    TlsError::Use {
        key,
        path: path.into(),
        source: source.into(),
    }
}

/// A connection whose caller has shown a certificate of the authority.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    caller: Arc<Caller>,
}

impl Connected for Connection {
    type ConnectInfo = Arc<Caller>;

    fn connect_info(&self) -> Arc<Caller> {
        Arc::clone(&self.caller)
    }
}

/// Connections as their handshakes end. A caller that fails to show a certificate is dropped.
pub(super) fn connections(
    listener: TcpListener,
    certificates: Certificates,
    domain: TrustDomain,
) -> ReceiverStream<std::io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(1);
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let domain = Arc::new(domain);
    tokio::spawn(async move {
        loop {
            let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = sender.closed() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (acceptor, sender) = (certificates.acceptor(), sender.clone());
            let domain = Arc::clone(&domain);
            tokio::spawn(async move {
                if let Some(connection) = shake_hands(stream, acceptor, &domain).await {
                    // If the server has stopped, nobody takes it.
                    let _ = sender.send(Ok(connection)).await;
                }
                drop(permit);
            });
        }
    });
    ReceiverStream::new(receiver)
}

async fn shake_hands(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    domain: &TrustDomain,
) -> Option<Connection> {
    // Answers are small and wait for nothing; a socket that refuses the option works all the same.
    let _ = stream.set_nodelay(true);
    let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => {
            let leaf = stream.get_ref().1.peer_certificates()?.first()?;
            let caller = Arc::new(Caller::from_certificate(leaf, domain));
            Some(Connection { stream, caller })
        }
        Ok(Err(error)) => {
            tracing::info!(%error, "a handshake failed");
            None
        }
        Err(_) => {
            tracing::info!("a handshake took too long");
            None
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
