//! Submissions from sources: header, chunks, trailer. At most one chunk of each submission is in
//! memory, and at most so many submissions are under way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::{Rooms, blocking, caller, status};
use crate::intake::{Admitted, Attended};
use crate::terms::{Receipt, SubmissionHeader};
use crate::wire::pb::submission_service_server::SubmissionService;
use crate::wire::pb::submit_request::Part;
use crate::wire::{CHUNK_RECORDS_MAX, parse_source_name, pb, refused_or_encoding};

/// Submissions under way at once. Each holds one chunk of at most 4 MiB on the wire.
const SUBMISSIONS_MAX: usize = 32;
/// A source that sends nothing for this long is cut off.
const IDLE: Duration = Duration::from_secs(30);

/// Takes submissions in.
pub(super) struct SubmissionHandler {
    rooms: Rooms,
    places: Arc<Semaphore>,
}

impl SubmissionHandler {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self {
            rooms,
            places: Arc::new(Semaphore::new(SUBMISSIONS_MAX)),
        }
    }
}

#[tonic::async_trait]
impl SubmissionService for SubmissionHandler {
    async fn get_linkage_profile(
        &self,
        _request: Request<pb::GetLinkageProfileRequest>,
    ) -> Result<Response<pb::GetLinkageProfileResponse>, Status> {
        let (profile, epoch) = self.rooms.store.profile().ok_or_else(status::no_profile)?;
        Ok(Response::new(pb::GetLinkageProfileResponse {
            name: profile.name.clone(),
            text: profile.text().into(),
            fingerprint: profile.fingerprint().0.to_vec(),
            epoch,
            receipt_key: self.rooms.store.receipt_key().to_vec(),
            secret_fingerprint: self.rooms.secret_fingerprint.to_string(),
        }))
    }

    async fn get_submission_progress(
        &self,
        request: Request<pb::GetSubmissionProgressRequest>,
    ) -> Result<Response<pb::GetSubmissionProgressResponse>, Status> {
        let identity = caller(&request)?;
        let asked = request.into_inner();
        let source = parse_source_name(&asked.source)
            .map_err(|rule| status::malformed(format!("field 'source': {rule}")))?;
        if source != *identity.name() {
            return Err(status::not_your_source());
        }
        let unfinished = self.rooms.unfinished.clone();
        let request_id = asked.request_id.to_ascii_lowercase();
        let arrived = blocking(move || unfinished.arrived(&source, &request_id)).await?;
        Ok(Response::new(pb::GetSubmissionProgressResponse {
            next_chunk_sequence: arrived.chunks,
            record_count: arrived.records,
        }))
    }

    async fn submit(
        &self,
        request: Request<Streaming<pb::SubmitRequest>>,
    ) -> Result<Response<pb::SubmitResponse>, Status> {
        let identity = caller(&request)?;
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| status::busy("too many submissions are under way"))?;
        let mut parts = request.into_inner();
        let Some(Part::Header(header)) = next_part(&mut parts).await? else {
            return Err(status::order("a submission starts with a header"));
        };
        let first_chunk = header.first_chunk_sequence;
        let header = SubmissionHeader::try_from(header).map_err(status::malformed)?;
        let unfinished = self.rooms.unfinished.clone();
        let actor = identity.name().clone();
        let admitted = blocking(move || unfinished.admit(&actor, header, first_chunk)).await?;
        let receipt = match admitted.map_err(status::begin)? {
            Admitted::Repeated(receipt) => receipt,
            Admitted::New(submission) => take_in(submission, &mut parts).await?,
        };
        tracing::info!(
            source = receipt.source.as_str(),
            submission = receipt.submission,
            accepted = receipt.accepted,
            unchanged = receipt.unchanged,
            refused = receipt.refused.values().sum::<u64>(),
            "submission"
        );
        Ok(Response::new(pb::SubmitResponse::from(&receipt)))
    }
}

/// Takes chunks until the trailer. If the line is cut, wherever this waits, dropping the submission
/// keeps what has arrived.
async fn take_in(
    mut submission: Attended,
    parts: &mut Streaming<pb::SubmitRequest>,
) -> Result<Receipt, Status> {
    loop {
        match next_part(parts).await? {
            Some(Part::Chunk(chunk)) => {
                if chunk.records.len() > CHUNK_RECORDS_MAX {
                    return Err(status::order("a chunk holds at most 4,096 records"));
                }
                let (kept, outcome) = blocking(move || {
                    let records = refused_or_encoding(chunk.records);
                    let outcome = submission.chunk(chunk.sequence, records);
                    (submission, outcome)
                })
                .await?;
                outcome.map_err(status::chunk)?;
                submission = kept;
            }
            Some(Part::Trailer(trailer)) => {
                let hash = <[u8; 32]>::try_from(trailer.content_hash)
                    .map_err(|_| status::malformed("field 'content_hash': 32 bytes"))?;
                if next_part(parts).await?.is_some() {
                    return Err(status::order("nothing follows the trailer"));
                }
                let count = trailer.record_count;
                let receipt = blocking(move || submission.finish(count, hash)).await?;
                return receipt.map_err(status::finish);
            }
            Some(Part::Header(_)) => {
                submission.give_up();
                return Err(status::order("a submission has one header"));
            }
            None => {
                submission.give_up();
                return Err(status::order(
                    "the submission ended before its trailer; nothing was taken in, submit again",
                ));
            }
        }
    }
}

/// The next part; `None` at the end of the stream.
async fn next_part(parts: &mut Streaming<pb::SubmitRequest>) -> Result<Option<Part>, Status> {
    let message = tokio::time::timeout(IDLE, parts.message())
        .await
        .map_err(|_| status::idle())??;
    match message {
        None => Ok(None),
        Some(message) => message
            .part
            .map(Some)
            .ok_or_else(|| status::order("a part is a header, a chunk or a trailer")),
    }
}
