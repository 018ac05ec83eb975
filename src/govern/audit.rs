//! Audit events: who did what to which object, when, and what came of it. They stand in the
//! store's chained log, so none can be taken out unnoticed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::store::{AppendError, LogPosition, Store};

/// Most bytes of one field of an event.
pub const FIELD_BYTES_MAX: usize = 256;

/// One event.
///
/// # Privacy
/// The object is a resource name that names no record and no entity: a look-up of one entity has
/// the object `entities`, one of a record `sources/hosp_a/records`. [`record`] refuses others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    // Fields in alphabetical order: this makes the JSON canonical.
    /// What was done, as in `entities.lookup`.
    pub action: String,
    /// Who did it: a resource name, as in `sources/hosp_a`.
    pub actor: String,
    /// To what: a resource name.
    pub object: String,
    /// What came of it: `done`, or counts, or the reason of a refusal.
    pub outcome: String,
    /// When, seconds since 1970, UTC.
    pub time_unix_s: u64,
}

/// Why an event could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A field is empty, too long or holds control characters.
    #[error("the {field} of an audit event is 1 to {max} bytes without control characters")]
    Field {
        /// Which field.
        field: &'static str,
        /// Most bytes.
        max: usize,
    },
    /// A field names a person's record or an entity.
    #[error("the {field} of an audit event names no single record and no single entity")]
    Identifies {
        /// Which field.
        field: &'static str,
    },
    /// The log did not take it.
    #[error("the audit event could not be written")]
    Append(#[from] AppendError),
}

impl AuditEvent {
    /// An event that happens now.
    #[must_use]
    pub fn now(actor: &str, action: &str, object: &str, outcome: &str) -> Self {
        Self {
            action: action.to_owned(),
            actor: actor.to_owned(),
            object: object.to_owned(),
            outcome: outcome.to_owned(),
            time_unix_s: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        }
    }

    /// JSON with keys in alphabetical order and no spaces: equal events, equal bytes.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        serde_json::to_string(self).expect("texts and a number always serialise")
    }

    fn check(&self) -> Result<(), AuditError> {
        let fields = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("object", &self.object),
            ("outcome", &self.outcome),
        ];
        for (field, text) in fields {
            let length_is_good = (1..=FIELD_BYTES_MAX).contains(&text.len());
            if !length_is_good || text.chars().any(char::is_control) {
                return Err(AuditError::Field {
                    field,
                    max: FIELD_BYTES_MAX,
                });
            }
            if names_a_person(text) {
                return Err(AuditError::Identifies { field });
            }
        }
        Ok(())
    }
}

/// Writes an event to the log. Durable on return.
///
/// # Errors
/// [`AuditError`]; then the action must not happen.
pub fn record(store: &Store, event: &AuditEvent) -> Result<LogPosition, AuditError> {
    event.check()?;
    Ok(store.append_audit(&event.to_canonical_json())?)
}

/// Whether a text holds the name of one entity or record: `entities/x`, `…/records/x`, or 32
/// hexadecimal digits outside `runs/`.
fn names_a_person(text: &str) -> bool {
    let mut before = "";
    text.split(['/', ' ', '=', ',']).any(|part| {
        let collection = std::mem::replace(&mut before, part);
        let member = !part.is_empty() && matches!(collection, "entities" | "records");
        let bare_id = part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        member || (bare_id && collection != "runs")
    })
}
