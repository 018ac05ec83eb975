//! What goes over the line: the messages of `proto/musubi/v1`, and their conversion to and from
//! terms. Both ends use it, so that a source can be built without the server.

/// Generated from `proto/musubi/v1` at build time.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod pb {
    tonic::include_proto!("musubi.v1");
}
