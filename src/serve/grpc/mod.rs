//! The gRPC endpoint: limits, the check of who calls what, and the services.

mod entity;
mod gate;
mod link_records_job;
mod status;
mod submission;

use std::sync::Arc;
use std::time::Duration;

use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Status};
use tonic_health::ServingStatus;
pub(super) use tonic_reflection::server::Error as ReflectionError;

use super::identity::Identity;
use crate::intake::Unfinished;
use crate::job::JobRunner;
use crate::store::Store;
use crate::wire::pb::entity_service_server::EntityServiceServer;
use crate::wire::pb::link_records_job_service_server::LinkRecordsJobServiceServer;
use crate::wire::pb::submission_service_server::SubmissionServiceServer;
use crate::wire::{DESCRIPTORS, MESSAGE_BYTES_MAX};

/// A connection that is older ends when its calls have ended, so that a certificate that was replaced or an authority
/// that is no longer trusted does not stay in use.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3_600);
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

/// The services behind one gate, with health (`grpc.health.v1`) and reflection (`grpc.reflection.v1`).
///
/// # Errors
/// If the descriptors that musubi was built with are damaged.
pub(super) async fn routes(rooms: &Rooms) -> Result<Routes, ReflectionError> {
    let submission = submission::SubmissionHandler::new(rooms.clone());
    let jobs = link_records_job::LinkRecordsJobHandler::new(rooms.clone());
    let entity = entity::EntityHandler::new(rooms.clone());
    let submission = SubmissionServiceServer::new(submission)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let jobs = LinkRecordsJobServiceServer::new(jobs)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let entity = EntityServiceServer::new(entity)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    for service in [name_of(&submission), name_of(&jobs), name_of(&entity)] {
        reporter
            .set_service_status(service, ServingStatus::Serving)
            .await;
    }
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let routes = Routes::new(submission)
        .add_service(jobs)
        .add_service(entity)
        .add_service(health)
        .add_service(reflection);
    Ok(gate::guard(routes))
}

/// The full name of a service.
fn name_of<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

/// A server with every limit set. TLS is done by the door, [`crate::serve::tls`].
pub(super) fn server() -> Server {
    Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .concurrency_limit_per_connection(STREAMS_MAX as usize)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESETS_PENDING_MAX))
        .http2_max_local_error_reset_streams(Some(RESETS_LOCAL_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .max_connection_age(CONNECTION_AGE_MAX)
        .accept_http1(false)
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
