//! What people decided and what may leave: audit events and the release gate.
//!
//! No audit, no action: whatever leaves or changes is written to the log first.

pub mod audit;
pub mod release;

pub use audit::{AuditError, AuditEvent};
pub use release::{Releasable, ReleaseError};

#[cfg(test)]
mod tests;
