//! The gRPC endpoint: limits, the check of who calls what, and the three services.

mod entity;
mod gate;
mod link_records_job;
mod status;
mod submission;

use std::sync::Arc;
use std::time::Duration;

use tonic::service::Routes;
use tonic::transport::{Certificate, Identity as TlsIdentity, Server, ServerTlsConfig};
use tonic::{Request, Status};

use super::identity::Identity;
use crate::intake::Unfinished;
use crate::job::JobRunner;
use crate::store::Store;
use crate::wire::MESSAGE_BYTES_MAX;
use crate::wire::pb::entity_service_server::EntityServiceServer;
use crate::wire::pb::link_records_job_service_server::LinkRecordsJobServiceServer;
use crate::wire::pb::submission_service_server::SubmissionServiceServer;

/// A TLS handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Calls under way at once on one connection.
const STREAMS_MAX: u32 = 32;
/// Bytes of all headers of one call.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Streams that a peer may reset before they are accepted; then the connection is closed.
const RESETS_PENDING_MAX: usize = 20;
/// Streams that this end may have to reset; then the connection is closed.
const RESETS_LOCAL_MAX: usize = 256;
/// A silent connection is asked for a sign of life after this long, and closed without one.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// What the handlers work with.
#[derive(Clone)]
pub(super) struct Rooms {
    pub(super) store: Store,
    pub(super) jobs: JobRunner,
    pub(super) unfinished: Unfinished,
    /// Of the linkage secret that the sources use, lower-case hexadecimal; empty if not told.
    pub(super) secret_fingerprint: Arc<str>,
}

/// What the endpoint shows to its callers and whom it trusts, PEM.
pub(super) struct Credentials {
    pub(super) certificate: String,
    pub(super) key: zeroize::Zeroizing<String>,
    pub(super) client_ca: String,
}

/// The three services behind one gate.
pub(super) fn routes(rooms: &Rooms) -> Routes {
    let submission = submission::SubmissionHandler::new(rooms.clone());
    let jobs = link_records_job::LinkRecordsJobHandler::new(rooms.clone());
    let entity = entity::EntityHandler::new(rooms.clone());
    let routes = Routes::new(
        SubmissionServiceServer::new(submission)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        LinkRecordsJobServiceServer::new(jobs)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        EntityServiceServer::new(entity)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    );
    gate::guard(routes)
}

/// A server with every limit set; client certificates are required.
///
/// # Errors
/// If the certificates or the key are malformed.
pub(super) fn server(credentials: &Credentials) -> Result<Server, tonic::transport::Error> {
    let tls = ServerTlsConfig::new()
        .identity(TlsIdentity::from_pem(
            &credentials.certificate,
            credentials.key.as_str(),
        ))
        .client_ca_root(Certificate::from_pem(&credentials.client_ca))
        .client_auth_optional(false)
        .timeout(HANDSHAKE);
    Ok(Server::builder()
        .tls_config(tls)?
        .max_concurrent_streams(STREAMS_MAX)
        .concurrency_limit_per_connection(STREAMS_MAX as usize)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESETS_PENDING_MAX))
        .http2_max_local_error_reset_streams(Some(RESETS_LOCAL_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .tcp_nodelay(true)
        .accept_http1(false))
}

/// Who calls: put there by the gate.
fn caller<T>(request: &Request<T>) -> Result<Identity, Status> {
    let identity = request.extensions().get::<Identity>();
    identity.cloned().ok_or_else(status::defect)
}

/// Runs work that waits for the disk, apart from the threads that answer requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| status::defect())
}

/// Page size that is in force: 0 means `standard`, and 1,000 is the most.
fn page_size(asked: i32, standard: usize) -> Result<usize, Status> {
    const MOST: usize = 1_000;
    match usize::try_from(asked) {
        Ok(0) => Ok(standard),
        Ok(size) => Ok(size.min(MOST)),
        Err(_) => Err(status::malformed("field 'page_size': not below 0")),
    }
}
