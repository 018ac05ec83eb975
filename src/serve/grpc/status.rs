//! The one place where errors become gRPC answers: a canonical code, a reason in one word
//! (`error_reason.proto`), and a message that says what to do.
//!
//! | code | what the caller does |
//! |---|---|
//! | `INVALID_ARGUMENT` | mends the request |
//! | `UNAUTHENTICATED`, `PERMISSION_DENIED` | uses another certificate |
//! | `FAILED_PRECONDITION` | does something else first, which the message names |
//! | `NOT_FOUND` | asks for something that exists |
//! | `RESOURCE_EXHAUSTED`, `DEADLINE_EXCEEDED` | tries again later |
//! | `DATA_LOSS` | sends the submission again |
//! | `INTERNAL` | tells the operator, whose log holds the cause |
//!
//! No message holds record content, and no `INTERNAL` one says how the server works inside.

use std::error::Error;
use std::fmt::Display;

use tonic::{Code, Status};

use crate::govern::release::ReleaseError;
use crate::intake::{BeginError, ChunkError, FinishError};
use crate::job::StartRunError;
use crate::serve::authorise::AuthoriseError;
use crate::serve::identity::IdentityError;
use crate::wire::pb::ErrorReason;
use crate::wire::{reason_word, refusal};

fn refuse(code: Code, reason: ErrorReason, message: impl Display) -> Status {
    refusal(code, reason, message.to_string())
}

/// A failure of this machine: the cause goes to the log, the caller learns only that it happened.
fn internal(reason: ErrorReason, error: &dyn Error) -> Status {
    let mut causes = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push_str(": ");
        causes.push_str(&inner.to_string());
        cause = inner.source();
    }
    tracing::error!(reason = reason_word(reason), causes, "call failed");
    let message = "the server could not do this; its operator finds the cause in the server's log";
    refuse(Code::Internal, reason, message)
}

/// A source asks for what another source submits.
pub(super) fn not_your_source() -> Status {
    let message = "field 'source': a source sees its own submissions only; \
                   use the certificate of that source";
    refuse(Code::PermissionDenied, ErrorReason::NotYourSource, message)
}

/// Something that cannot happen did.
pub(super) fn defect() -> Status {
    tracing::error!("a handler ended without an answer");
    refuse(
        Code::Internal,
        ErrorReason::Defect,
        "a defect in the server ended this call",
    )
}

/// The request does not have the form that the protos give.
pub(super) fn malformed(rule: impl Display) -> Status {
    refuse(
        Code::InvalidArgument,
        ErrorReason::Malformed,
        format!("malformed request: {rule}"),
    )
}

/// Parts of a submission in the wrong order.
pub(super) fn order(rule: &'static str) -> Status {
    refuse(Code::InvalidArgument, ErrorReason::PartOrder, rule)
}

/// A page token that this server did not give out, or for another run.
pub(super) fn page_token() -> Status {
    let message = "field 'page_token': not one of this listing; start again without it";
    refuse(Code::InvalidArgument, ErrorReason::PageToken, message)
}

/// Too much at once.
pub(super) fn busy(what: &'static str) -> Status {
    let message = format!("{what}; try again in a minute");
    refuse(Code::ResourceExhausted, ErrorReason::Busy, message)
}

/// A peer that sends nothing.
pub(super) fn idle() -> Status {
    let message = "nothing came for 30 seconds; submit again, which goes on from where it stopped";
    refuse(Code::DeadlineExceeded, ErrorReason::Idle, message)
}

/// The server has no linkage profile.
pub(super) fn no_profile() -> Status {
    let message = "the server has no linkage profile yet; its operator sets linkage.profile";
    refuse(Code::FailedPrecondition, ErrorReason::NoProfile, message)
}

/// No run was published.
pub(super) fn nothing_published() -> Status {
    let message = "nothing has been linked yet; start a run with `musubi link`";
    refuse(
        Code::FailedPrecondition,
        ErrorReason::NothingPublished,
        message,
    )
}

/// No such run.
pub(super) fn no_run() -> Status {
    refuse(
        Code::NotFound,
        ErrorReason::RunNotFound,
        "there is no such run; `musubi runs` lists them",
    )
}

/// No such record in the published run.
pub(super) fn no_record() -> Status {
    let message = "the published run holds no such record of this source; \
                   if it was submitted later, start a new run with `musubi link`";
    refuse(Code::NotFound, ErrorReason::RecordNotFound, message)
}

/// No such entity in the published run.
pub(super) fn no_entity() -> Status {
    let message = "the published run holds no such entity; \
                   resolve one of its records again with `musubi resolve`";
    refuse(Code::NotFound, ErrorReason::EntityNotFound, message)
}

/// The certificate names nobody.
pub(super) fn identity(error: IdentityError) -> Status {
    refuse(Code::Unauthenticated, ErrorReason::Identity, error)
}

/// The role may not call the method.
pub(super) fn authorise(error: &AuthoriseError) -> Status {
    refuse(Code::PermissionDenied, ErrorReason::Role, error)
}

/// No room for new records. The operator finds the bytes in the log, the caller what to do.
fn disk_full(error: &dyn Error) -> Status {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(cause, "a submission was refused: the disk is nearly full");
    let message = "the server's disk is nearly full; nothing of this submission was taken in; \
                   submit again when its operator has made room";
    refuse(Code::ResourceExhausted, ErrorReason::DiskFull, message)
}

/// A submission that may not start.
pub(super) fn begin(error: BeginError) -> Status {
    match &error {
        BeginError::NotYourSource { .. } => {
            let message = format!("{error}; use the certificate of that source");
            refuse(Code::PermissionDenied, ErrorReason::NotYourSource, message)
        }
        BeginError::UnknownProfile { .. } => {
            let message = format!("{error}; encode again with the server's profile");
            refuse(
                Code::FailedPrecondition,
                ErrorReason::ProfileFingerprint,
                message,
            )
        }
        BeginError::Epoch { .. } => {
            let message = format!("{error}; encode again with the linkage secret of that epoch");
            refuse(Code::FailedPrecondition, ErrorReason::Epoch, message)
        }
        BeginError::NoProfile => no_profile(),
        BeginError::RequestId => malformed(&error),
        BeginError::ResumePoint { .. } => {
            let message = format!("{error}; ask GetSubmissionProgress where to go on");
            refuse(Code::FailedPrecondition, ErrorReason::ResumePoint, message)
        }
        BeginError::DiskFull(_) => disk_full(&error),
        BeginError::SourceBusy { .. } => {
            refuse(Code::ResourceExhausted, ErrorReason::SourceBusy, &error)
        }
        _ => internal(ErrorReason::Store, &error),
    }
}

/// A chunk that cannot be taken.
pub(super) fn chunk(error: ChunkError) -> Status {
    match &error {
        ChunkError::OutOfOrder { .. } => {
            refuse(Code::InvalidArgument, ErrorReason::ChunkSequence, &error)
        }
        ChunkError::DiskFull(_) => disk_full(&error),
        ChunkError::TooManyRecords { .. } => {
            refuse(Code::InvalidArgument, ErrorReason::ChunkSize, &error)
        }
        _ => internal(ErrorReason::Store, &error),
    }
}

/// A submission that cannot be finished.
pub(super) fn finish(error: FinishError) -> Status {
    match &error {
        FinishError::Count { .. } => refuse(Code::DataLoss, ErrorReason::RecordCount, &error),
        FinishError::DiskFull(_) => disk_full(&error),
        FinishError::Content => refuse(Code::DataLoss, ErrorReason::ContentHash, &error),
        _ => internal(ErrorReason::Store, &error),
    }
}

/// A run that cannot start.
pub(super) fn start_run(error: StartRunError) -> Status {
    match &error {
        StartRunError::Thresholds | StartRunError::Target => {
            refuse(Code::InvalidArgument, ErrorReason::Thresholds, &error)
        }
        StartRunError::NothingBefore => {
            refuse(Code::FailedPrecondition, ErrorReason::NothingBefore, &error)
        }
        StartRunError::NoBlocking => {
            refuse(Code::FailedPrecondition, ErrorReason::NoBlocking, &error)
        }
        _ => internal(ErrorReason::Run, &error),
    }
}

/// An answer that may not leave: its audit entry could not be written.
pub(super) fn release(error: ReleaseError) -> Status {
    internal(ErrorReason::Audit, &error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::reason_of;

    #[test]
    fn a_refusal_carries_its_reason_and_code() {
        let status = no_record();
        assert_eq!(reason_of(&status).as_deref(), Some("RECORD_NOT_FOUND"));
        assert_eq!(status.code(), Code::NotFound);
    }

    #[test]
    fn an_internal_answer_does_not_quote_its_cause() {
        let status = internal(
            ErrorReason::Store,
            &std::io::Error::other("/srv/store/log: disk on fire"),
        );
        assert!(!status.message().contains("disk"));
        assert_eq!(status.code(), Code::Internal);
    }
}
