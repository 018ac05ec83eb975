//! How a refused call says why: `google.rpc.ErrorInfo` in the details of its status, with a reason of
//! `error_reason.proto`.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::pb::ErrorReason;

/// The `domain` of every `ErrorInfo` of this server.
pub const ERROR_DOMAIN: &str = "musubi";

const PREFIX: &str = "ERROR_REASON_";

/// The reason in one word, as in `PROFILE_FINGERPRINT`.
#[must_use]
pub fn reason_word(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// A refused call.
#[must_use]
pub fn refusal(code: Code, reason: ErrorReason, message: impl Into<String>) -> Status {
    let none = std::collections::HashMap::new();
    let details = ErrorDetails::with_error_info(reason_word(reason), ERROR_DOMAIN, none);
    Status::with_error_details(code, message, details)
}

/// The reason of a refused call in one word; `None` if it was not this kind of server that refused.
/// A client may be older than the server, so the word need not be one that it knows.
#[must_use]
pub fn reason_of(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == ERROR_DOMAIN).then_some(info.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_its_reason() {
        let status = refusal(Code::NotFound, ErrorReason::RunNotFound, "no such run");
        assert_eq!(reason_of(&status).as_deref(), Some("RUN_NOT_FOUND"));
        assert_eq!(status.message(), "no such run");
        assert_eq!(reason_of(&Status::unavailable("elsewhere")), None);
    }

    #[test]
    fn a_reason_of_another_domain_is_none_of_ours() {
        let none = std::collections::HashMap::new();
        let details = ErrorDetails::with_error_info("ROLE", "example.com", none);
        let status = Status::with_error_details(Code::PermissionDenied, "no", details);
        assert_eq!(reason_of(&status), None);
    }
}
