//! Wires the rooms together: opens the store, sets the profile, and serves until told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::config::{Config, ConfigError, StoreKeyError};
use super::console;
use super::grpc::{self, Rooms};
use super::tls::{self, Certificates, TlsError, TlsFiles};
use crate::intake::Unfinished;
use crate::job::JobRunner;
use crate::store::{OpenStoreError, PutRunError, SetProfileError, Store};

/// Calls under way get this long to end once the server was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// How often submissions that were cut are looked through.
const EXPIRY_CHECK: Duration = Duration::from_secs(30);

/// Where the server listens, once it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The gRPC endpoint.
    pub grpc_addr: SocketAddr,
    /// The console.
    pub console_addr: SocketAddr,
}

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is at fault.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no key for the store.
    #[error("store.key_file: the store is encrypted and needs its key")]
    StoreKey(#[from] StoreKeyError),
    /// The store could not be opened.
    #[error("the store in {} could not be opened", directory.display())]
    Open {
        /// Its directory.
        directory: PathBuf,
        /// Why.
        source: OpenStoreError,
    },
    /// The store does not accept the profile and epoch of the configuration.
    #[error("the store does not accept linkage.profile and linkage.epoch of the configuration")]
    Profile(#[from] SetProfileError),
    /// The runs of the store could not be taken over.
    #[error("the runs of the store could not be taken over")]
    Runs(#[from] PutRunError),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The gRPC endpoint failed.
    #[error("the gRPC endpoint failed")]
    Grpc(#[source] tonic::transport::Error),
    /// The address cannot be listened on.
    #[error("{key}: cannot listen on {address}; is another server running?")]
    Listen {
        /// Key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The console failed.
    #[error("the console failed")]
    Console(#[source] std::io::Error),
    /// A part of the server ended by a defect.
    #[error("a defect in musubi ended the server")]
    Defect,
}

/// Serves until `shutdown` is done. Port 0 takes a free port; `ready` says which.
///
/// # Errors
/// [`ServeError`]
pub async fn run(
    config: Config,
    ready: oneshot::Sender<Ready>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    config.check()?;
    let certificates = certificates(&config)?;
    let rooms = open(&config).await?;
    let grpc_listener = listen("grpc.listen", config.grpc.listen).await?;
    let console_listener = listen("console.listen", config.console.listen).await?;
    let addresses = Ready {
        grpc_addr: grpc_listener.1,
        console_addr: console_listener.1,
    };

    let (stop, stopped) = watch::channel(false);
    let expiry = tokio::spawn(drop_expired(rooms.unfinished.clone(), stopped.clone()));
    let domain = config.grpc.trust_domain.clone();
    let incoming = tls::connections(grpc_listener.0, certificates, domain);
    let grpc_server = grpc::server()
        .add_routes(grpc::routes(&rooms).await.map_err(|_| ServeError::Defect)?)
        .serve_with_incoming_shutdown(incoming, told(stopped.clone()));
    let console_server = axum::serve(console_listener.0, console::router(rooms))
        .with_graceful_shutdown(told(stopped));

    tracing::info!(grpc = %addresses.grpc_addr, console = %addresses.console_addr, "serving");
    // If nobody waits for the addresses, nobody needs them.
    let _ = ready.send(addresses);

    let mut grpc_task = tokio::spawn(grpc_server);
    let mut console_task = tokio::spawn(console_server.into_future());
    tokio::select! {
        () = shutdown => {}
        ended = &mut grpc_task => return ended_early(ended.map(|end| end.map_err(ServeError::Grpc))),
        ended = &mut console_task => {
            return ended_early(ended.map(|end| end.map_err(ServeError::Console)));
        }
    }
    tracing::info!("stopping");
    stop.send_replace(true);
    // It holds submissions, which hold the store.
    expiry.await.map_err(|_| ServeError::Defect)?;
    let both = async {
        let grpc_end = (&mut grpc_task).await;
        let console_end = (&mut console_task).await;
        (grpc_end, console_end)
    };
    match tokio::time::timeout(GRACE, both).await {
        Ok((grpc_end, console_end)) => {
            grpc_end
                .map_err(|_| ServeError::Defect)?
                .map_err(ServeError::Grpc)?;
            console_end
                .map_err(|_| ServeError::Defect)?
                .map_err(ServeError::Console)
        }
        Err(_) => {
            tracing::warn!("calls were still under way after the grace period; they are cut off");
            grpc_task.abort();
            console_task.abort();
            Ok(())
        }
    }
}

/// A listener that ends by itself has failed.
fn ended_early(
    ended: Result<Result<(), ServeError>, tokio::task::JoinError>,
) -> Result<(), ServeError> {
    ended.map_err(|_| ServeError::Defect)??;
    Err(ServeError::Defect)
}

/// Frees the room of submissions that their sources did not go on with.
async fn drop_expired(unfinished: Unfinished, stopped: watch::Receiver<bool>) {
    let ended = told(stopped);
    tokio::pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => return,
            () = tokio::time::sleep(EXPIRY_CHECK) => {}
        }
        let unfinished = unfinished.clone();
        // A panic has been reported by the panic handler; the next round tries again.
        let _ = tokio::task::spawn_blocking(move || unfinished.drop_expired()).await;
    }
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is also a reason to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn open(config: &Config) -> Result<Rooms, ServeError> {
    let profile = config.profile().map_err(|fault| ConfigError::Faults {
        faults: vec![format!("linkage.profile: {fault}")],
    })?;
    let directory = config.store.directory.clone();
    let keep_free = config.store.keep_free_bytes;
    let resume_within = Duration::from_secs(config.submission.resume_within_s);
    let provider = config.store.key_provider()?;
    let epoch = config.linkage.epoch.clone();
    let told = config.linkage.secret_fingerprint.clone();
    let secret_fingerprint = told.unwrap_or_default().to_ascii_lowercase().into();
    let opened = tokio::task::spawn_blocking(move || {
        let store = Store::open(&directory, &provider).map_err(|source| ServeError::Open {
            directory: directory.clone(),
            source,
        })?;
        store.keep_free(keep_free);
        store.set_profile(&profile, &epoch)?;
        let jobs = JobRunner::new(store.clone())?;
        let unfinished = Unfinished::new(store.clone(), resume_within);
        Ok(Rooms {
            store,
            jobs,
            unfinished,
            secret_fingerprint,
        })
    });
    opened.await.map_err(|_| ServeError::Defect)?
}

fn certificates(config: &Config) -> Result<Certificates, ServeError> {
    let grpc = &config.grpc;
    Ok(Certificates::load(TlsFiles {
        certificate: grpc.certificate.clone(),
        key: grpc.key.clone(),
        client_ca: grpc.client_ca.clone(),
    })?)
}

async fn listen(
    key: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen {
        key,
        address,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
