//! Programs around the rooms: what the two binaries do, a synthetic population, evaluation.
//! Tools may use every room; no room may use a tool.

#[cfg(feature = "source")]
pub mod source;

#[cfg(all(feature = "source", feature = "server"))]
pub mod demo;
#[cfg(feature = "server")]
pub mod evaluate;
#[cfg(all(feature = "source", feature = "server"))]
pub mod operator;
#[cfg(all(feature = "source", feature = "server"))]
pub mod similarity;
#[cfg(feature = "server")]
pub mod synth;
