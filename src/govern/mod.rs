//! What people decided and what may leave: audit events, the release gate, pseudonyms.
//!
//! No audit, no action: whatever leaves or changes is written to the log first.

pub mod audit;
pub mod pseudonym;
pub mod release;

pub use audit::{AuditError, AuditEvent};
pub use pseudonym::PseudonymMaker;
pub use release::{Releasable, ReleaseError};

#[cfg(test)]
mod tests;
