//! Turns a person's fields into a `RecordEncoding`. Runs at the source; no server room imports it.
//!
//! field (a column) → `normalise` → attribute → gram → filter, tag → `RecordEncoding`

mod identity;

mod encoder;
pub mod file;
mod filter;
mod gram;
mod harden;
pub mod key;
mod tag;

pub use identity::{Identity, SourceRecord};

pub use encoder::{Encoder, NewEncoderError};
pub use key::{LinkageSecret, SecretFingerprint, SourceSecret};
