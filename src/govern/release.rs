//! The release gate: what says something about entities leaves only as a [`Releasable`], and only
//! this file makes one, after the audit event is on stable storage.

use super::audit::{self, AuditError, AuditEvent};
use crate::store::Store;

/// A value that may leave, because its release is in the audit log.
///
/// ```compile_fail
/// let value = musubi::govern::Releasable { value: 1 };
/// ```
///
/// # Privacy
/// Holds what is about to leave: no `Debug`.
#[must_use = "the release is in the audit log: let the value leave"]
pub struct Releasable<T> {
    value: T,
}

/// Why a value may not leave.
#[derive(Debug, thiserror::Error)]
#[error("the release could not be written to the audit log, so nothing leaves")]
pub struct ReleaseError(#[from] AuditError);

impl<T> Releasable<T> {
    /// The value, to be sent.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> AsRef<T> for Releasable<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

/// Writes an audit event and lets `value` leave.
///
/// # Errors
/// [`ReleaseError`]; `value` is dropped.
pub fn release<T>(
    store: &Store,
    actor: &str,
    action: &str,
    object: &str,
    value: T,
) -> Result<Releasable<T>, ReleaseError> {
    let event = AuditEvent::now(actor, action, object, "released");
    audit::record(store, &event)?;
    Ok(Releasable { value })
}
