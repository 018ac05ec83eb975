//! Hands an encoding file in. The recipes are compared before anything is
//! sent; the same file twice is carried out once.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use super::client::{CallError, ConnectError, Connection};
use super::receipts::check_receipt;
use super::retry::Line;
use super::uuid::uuid;
use crate::encode::SecretFingerprint;
use crate::encode::file::{EncodingReader, ReadEncodingError};
use crate::terms::{Fingerprint, Receipt, RecordEncoding, SubmissionHasher, SubmissionHeader};
use crate::wire::pb::submission_service_client::SubmissionServiceClient;
use crate::wire::pb::submit_request::Part;
use crate::wire::{MESSAGE_BYTES_MAX, SubmissionError, pb, source_name};

/// Most records of one chunk.
const CHUNK_RECORDS: usize = 1_000;
/// A chunk is sent once it has this many bytes; the server takes 4 MiB.
const CHUNK_BYTES: usize = 3 * 1024 * 1024;
/// Messages that wait for a slow line.
const QUEUE: usize = 2;

/// Why a submission did not come about. Unless it was carried out, nothing of it is at the server.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The file cannot be read, or is not whole.
    #[error(transparent)]
    File(#[from] ReadEncodingError),
    /// The file's content could not be hashed.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The records were encoded under another recipe.
    #[error(
        "the records were encoded under linkage profile {ours}, but the server takes {theirs} \
         ('{name}'); encode again with the server's profile"
    )]
    Profile {
        /// Fingerprint of the file.
        ours: Fingerprint,
        /// Fingerprint of the server.
        theirs: Fingerprint,
        /// Name of the server's profile.
        name: String,
    },
    /// The records were encoded in another epoch.
    #[error(
        "the records were encoded in epoch '{ours}', but the server takes '{theirs}'; \
         encode again with the linkage secret of that epoch"
    )]
    Epoch {
        /// Epoch of the file.
        ours: String,
        /// Epoch of the server.
        theirs: String,
    },
    /// The records were encoded with another linkage secret.
    #[error(
        "the records were encoded with the linkage secret {ours}, but the sources of this server have \
         agreed on {theirs} (fingerprints); nothing was sent: encode again with that secret"
    )]
    Secret {
        /// Fingerprint of the file's.
        ours: SecretFingerprint,
        /// Fingerprint that the server was told.
        theirs: String,
    },
    /// The server refused, or the line broke.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server's answer is malformed.
    #[error("the server's answer is malformed: {0}; is it another version of musubi?")]
    Answer(#[from] SubmissionError),
    /// The receipt is not signed with the key that the server named before.
    #[error(
        "the server's receipt is not signed with its key; ask its operator before sending more"
    )]
    Receipt,
    /// The receipt could not be written to a file.
    #[error("the submission was carried out, but its receipt cannot be written to {}: {source}; submit the file again to get it once more", path.display())]
    WriteReceipt {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The reading thread ended by a defect.
    #[error("a defect in musubi ended the submission")]
    Defect,
}

/// Hands an encoding file in. `progress` gets the bytes done and the bytes of the file.
///
/// If the line is cut, connects again and sends only what the server does not have; gives up after
/// ten attempts in a row that brought nothing forward.
///
/// # Errors
/// [`SubmitError`]
pub async fn submit_file(
    path: &Path,
    connection: &Connection,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Receipt, SubmitError> {
    let reader = EncodingReader::open(path)?;
    let failed = |source| SubmitError::Read {
        path: path.into(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    let file_hash = hash_file(path).map_err(failed)?;
    let secret = reader.header().secret_fingerprint;
    let header = SubmissionHeader {
        source: reader.header().source.clone(),
        profile: reader.header().profile_fingerprint,
        epoch: reader.header().epoch.clone(),
        request_id: request_id(&file_hash),
    };
    // The reader's own progress cannot be asked for while it is being read on another thread:
    // records are of equal length, so the share of messages stands for the share of bytes.
    progress(0, bytes);
    let per_record = record_bytes(&reader);
    drop(reader);
    let mut line = Line::default();
    loop {
        let sent = |records: u64| progress((records * per_record).min(bytes), bytes);
        let attempt = attempt(path, connection, &header, secret, &mut line, &sent);
        match attempt.await {
            Ok(receipt) => {
                progress(bytes, bytes);
                return Ok(receipt);
            }
            Err(error) => match line.pause_after(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
        }
    }
}

/// One connection's worth of a submission.
async fn attempt(
    path: &Path,
    connection: &Connection,
    header: &SubmissionHeader,
    secret: SecretFingerprint,
    line: &mut Line,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Receipt, SubmitError> {
    let mut client = client(connection.open().await?);
    let receipt_key = compare_recipes(&mut client, header, Some(secret)).await?;
    let request = pb::GetSubmissionProgressRequest {
        source: source_name(&header.source),
        request_id: header.request_id.clone(),
    };
    let answer = client.get_submission_progress(request).await;
    let answer = answer.map_err(CallError::from)?.into_inner();
    line.reached(answer.record_count);
    let records = EncodingReader::open(path)?;
    send(
        &mut client,
        header,
        &answer,
        records,
        &receipt_key,
        progress,
    )
    .await
}

/// Hands records in under a header, over one connection. `progress` gets the number of records sent.
///
/// # Errors
/// [`SubmitError`]; if a record cannot be read, the submission is ended before its trailer, so
/// that the server keeps nothing of it.
pub async fn submit_records<I>(
    channel: Channel,
    header: &SubmissionHeader,
    records: I,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Receipt, SubmitError>
where
    I: Iterator<Item = Result<RecordEncoding, ReadEncodingError>> + Send + 'static,
{
    let mut client = client(channel);
    let key = compare_recipes(&mut client, header, None).await?;
    let from_the_start = pb::GetSubmissionProgressResponse::default();
    send(
        &mut client,
        header,
        &from_the_start,
        records,
        &key,
        progress,
    )
    .await
}

fn client(channel: Channel) -> SubmissionServiceClient<Channel> {
    SubmissionServiceClient::new(channel)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// Sends the records that have not `arrived`, and waits for the receipt.
async fn send<I>(
    client: &mut SubmissionServiceClient<Channel>,
    header: &SubmissionHeader,
    arrived: &pb::GetSubmissionProgressResponse,
    records: I,
    receipt_key: &[u8; 32],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Receipt, SubmitError>
where
    I: Iterator<Item = Result<RecordEncoding, ReadEncodingError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (sent, mut sending) = tokio::sync::watch::channel(0_u64);
    let first = pb::SubmissionHeader {
        first_chunk_sequence: arrived.next_chunk_sequence,
        ..header.into()
    };
    let skip = arrived.record_count;
    let feeder = tokio::task::spawn_blocking(move || feed(first, skip, records, &sender, &sent));
    let call = client.submit(ReceiverStream::new(receiver));
    tokio::pin!(call);
    let answer = loop {
        tokio::select! {
            answer = &mut call => break answer,
            Ok(()) = sending.changed() => progress(*sending.borrow_and_update()),
        }
    };
    let fed = feeder.await.map_err(|_| SubmitError::Defect)?;
    // A record that could not be read is why the server refused, not the other way round.
    fed?;
    let response = answer.map_err(CallError::from)?.into_inner();
    let receipt = Receipt::try_from(response)?;
    check_receipt(&receipt, receipt_key).map_err(|_| SubmitError::Receipt)?;
    Ok(receipt)
}

/// Asks for the server's recipe and compares it, so that nothing is sent under another one; the linkage
/// secret too, if it is known of the records and the server. Gives the key of the server's receipts.
async fn compare_recipes(
    client: &mut SubmissionServiceClient<Channel>,
    header: &SubmissionHeader,
    secret: Option<SecretFingerprint>,
) -> Result<[u8; 32], SubmitError> {
    let answer = client
        .get_linkage_profile(pb::GetLinkageProfileRequest {})
        .await
        .map_err(CallError::from)?
        .into_inner();
    let theirs = answer
        .fingerprint
        .try_into()
        .map(Fingerprint)
        .map_err(|_| SubmissionError::Fingerprint)?;
    if theirs != header.profile {
        return Err(SubmitError::Profile {
            ours: header.profile,
            theirs,
            name: answer.name,
        });
    }
    if answer.epoch != header.epoch {
        return Err(SubmitError::Epoch {
            ours: header.epoch.clone(),
            theirs: answer.epoch,
        });
    }
    let agreed = &answer.secret_fingerprint;
    if let Some(ours) = secret
        && !agreed.is_empty()
        && *agreed != ours.to_string()
    {
        return Err(SubmitError::Secret {
            ours,
            theirs: agreed.clone(),
        });
    }
    let length = 32;
    answer.receipt_key.try_into().map_err(|_| {
        SubmitError::Answer(SubmissionError::Length {
            field: "receipt_key",
            length,
        })
    })
}

/// Sends header, chunks and trailer; the first `skip` records are there already and count for the
/// trailer only. Ends early, without an error, once nobody listens: then the
/// server has answered.
fn feed(
    header: pb::SubmissionHeader,
    skip: u64,
    records: impl Iterator<Item = Result<RecordEncoding, ReadEncodingError>>,
    sender: &mpsc::Sender<pb::SubmitRequest>,
    sent: &tokio::sync::watch::Sender<u64>,
) -> Result<(), ReadEncodingError> {
    let send = |part: Part| {
        let message = pb::SubmitRequest { part: Some(part) };
        sender.blocking_send(message).is_ok()
    };
    let mut sequence = header.first_chunk_sequence;
    if !send(Part::Header(header)) {
        return Ok(());
    }
    let mut hasher = SubmissionHasher::new();
    let mut chunk = Vec::with_capacity(CHUNK_RECORDS);
    let (mut bytes, mut count) = (0, 0);
    for record in records {
        let record = record?;
        hasher.add(Some(&record));
        count += 1;
        if count <= skip {
            continue;
        }
        let message = pb::EncodedRecord::from(&record);
        bytes += prost::Message::encoded_len(&message);
        chunk.push(message);
        if chunk.len() == CHUNK_RECORDS || bytes >= CHUNK_BYTES {
            let records = std::mem::take(&mut chunk);
            if !send(Part::Chunk(pb::SubmissionChunk { sequence, records })) {
                return Ok(());
            }
            sequence += 1;
            bytes = 0;
            sent.send_replace(count);
        }
    }
    if !chunk.is_empty() {
        let records = chunk;
        if !send(Part::Chunk(pb::SubmissionChunk { sequence, records })) {
            return Ok(());
        }
    }
    send(Part::Trailer(pb::SubmissionTrailer {
        record_count: count,
        content_hash: hasher.finish().to_vec(),
    }));
    Ok(())
}

fn record_bytes(reader: &EncodingReader) -> u64 {
    let header = reader.header();
    ((header.filter_words() + header.tag_slots) * 8 + 32) as u64
}

fn hash_file(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/submission-request");
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(*hasher.finalize().as_bytes())
}

/// A UUID (version 8) from a file's hash: the same file, the same request.
fn request_id(hash: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid(bytes, 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_id_is_a_uuid_that_depends_on_the_file_only() {
        let id = request_id(&[0xff; 32]);
        assert_eq!(id, "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(request_id(&[0; 32]), "00000000-0000-8000-8000-000000000000");
        assert_ne!(request_id(&[1; 32]), request_id(&[2; 32]));
    }

    #[test]
    fn the_same_file_has_the_same_hash() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("a");
        std::fs::write(&path, b"one").expect("written");
        let first = hash_file(&path).expect("hash");
        assert_eq!(hash_file(&path).expect("hash"), first);
        std::fs::write(&path, b"two").expect("written");
        assert_ne!(hash_file(&path).expect("hash"), first);
    }
}
