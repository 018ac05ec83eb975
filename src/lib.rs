//! musubi: privacy-preserving record linkage. Encodings in, life-course IDs out.
//!
//! Each room (module) answers one question; `ARCHITECTURE.md` asks them all and `tests/tidy.rs`
//! keeps the walls: which room may use which.

pub mod guide;
pub mod terms;
pub mod wire;

#[cfg(feature = "source")]
pub mod encode;

#[cfg(feature = "server")]
pub mod block;
#[cfg(feature = "server")]
pub mod cluster;
#[cfg(feature = "server")]
pub mod compare;
#[cfg(feature = "server")]
pub mod govern;
#[cfg(feature = "server")]
pub mod intake;
#[cfg(feature = "server")]
pub mod job;
#[cfg(feature = "server")]
pub mod kernel;
#[cfg(feature = "server")]
pub mod score;
#[cfg(feature = "server")]
pub mod serve;
#[cfg(feature = "server")]
pub mod store;

#[path = "../tools/mod.rs"]
pub mod tools;
