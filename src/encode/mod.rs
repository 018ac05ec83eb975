//! Turns a person's fields into a `RecordEncoding`. Runs at the source; no server room imports it.
//!
//! field (a column) → `normalise` → attribute → gram → filter, tag → `RecordEncoding`

mod identity;

pub mod field;
pub mod map;
pub mod normalise;
pub mod reader;
pub mod sources;

pub mod clkhash;
mod encoder;
pub mod file;
mod filter;
mod gram;
mod harden;
pub mod key;
mod tag;
pub mod tracer;

pub use identity::{Identity, SourceRecord};

pub use field::Field;
pub use map::MapFile;
pub use normalise::Locale;
pub use reader::{
    Entry, EntryBatch, ReadError, ReadReport, Recorded, Recorder, Row, RowRefusal, SourceReader,
    open_source,
};
pub use sources::SourceList;

pub use tag::{CHARACTERS_MIN, known_but_for_rarity};

pub use encoder::{EncodeScratch, Encoder, NewEncoderError};
pub use key::{LinkageSecret, SecretFingerprint, SourceSecret};
