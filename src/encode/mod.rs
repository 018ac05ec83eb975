//! Turns a person's fields into a `RecordEncoding`. Runs at the source; no server room imports it.
//!
//! field (a column) → `normalise` → attribute → gram → filter, tag → `RecordEncoding`

mod identity;

pub mod field;
pub mod normalise;

pub use identity::{Identity, SourceRecord};

pub use field::Field;
pub use normalise::Locale;
