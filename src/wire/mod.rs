//! What goes over the line: the messages of `proto/musubi/v1`, and their conversion to and from
//! terms. Both ends use it, so that a source can be built without the server.

/// Generated from `proto/musubi/v1` at build time.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod pb {
    tonic::include_proto!("musubi.v1");
}

/// `FileDescriptorSet` of `proto/musubi/v1`, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

mod convert;
mod method;
mod refusal;

pub use convert::{
    ENTITIES, NameError, RUNS, RunError, SOURCES, SubmissionError, entity_name, parse_entity_name,
    parse_run_name, parse_source_name, refused_or_encoding, run_name, source_name,
};

pub use method::Method;
pub use refusal::{ERROR_DOMAIN, reason_of, reason_word, refusal};

/// Most records in one chunk of a submission.
pub const CHUNK_RECORDS_MAX: usize = 4096;

/// Most bytes of one message, decoded.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
