//! A line that is cut: when to try again, and when to give up.

use std::time::Duration;

use super::client::{CallError, ConnectError};
use super::submit::SubmitError;

/// Attempts in a row that may bring nothing forward.
const ATTEMPTS_MAX: u32 = 10;
/// Pause before the second attempt; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(250);
/// Longest pause. All of them together outlast the 30 seconds after which a server notices that a
/// silent line is dead.
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// What is known about the line to the server.
#[derive(Default)]
pub(super) struct Line {
    /// The server once answered as it should, so that a failure is the line's.
    good_once: bool,
    /// Most records that the server said it has.
    records: u64,
    /// Attempts since there were more of them.
    in_vain: u32,
}

impl Line {
    /// The server answered, and has this many records.
    pub(super) fn reached(&mut self, records: u64) {
        self.good_once = true;
        if records > self.records {
            self.records = records;
            self.in_vain = 0;
        }
    }

    /// How long to wait before the next attempt; `None`: the error is not one that passes.
    pub(super) fn pause_after(&mut self, error: &SubmitError) -> Option<Duration> {
        self.in_vain += 1;
        if !self.good_once || !passes(error) || self.in_vain >= ATTEMPTS_MAX {
            return None;
        }
        let doubled = PAUSE * (1 << (self.in_vain - 1).min(10));
        Some(doubled.min(PAUSE_MAX))
    }
}

/// Whether the error is the line's, or goes by while the server notices that the line was cut.
fn passes(error: &SubmitError) -> bool {
    match error {
        SubmitError::Connect(ConnectError::Unreachable { .. }) => true,
        SubmitError::Call(CallError { reason, .. }) => match reason.as_deref() {
            None => true,
            Some(reason) => ["SOURCE_BUSY", "BUSY", "IDLE", "RESUME_POINT"].contains(&reason),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn call(reason: Option<&str>) -> SubmitError {
        SubmitError::Call(CallError {
            code: Code::Unavailable,
            reason: reason.map(str::to_owned),
            message: String::new(),
        })
    }

    #[test]
    fn a_server_that_was_never_reached_is_not_tried_again() {
        assert!(Line::default().pause_after(&call(None)).is_none());
    }

    #[test]
    fn only_what_passes_is_waited_for() {
        let mut line = Line::default();
        line.reached(0);
        assert!(line.pause_after(&call(Some("DISK_FULL"))).is_none());
        assert!(line.pause_after(&call(Some("SOURCE_BUSY"))).is_some());
        assert!(line.pause_after(&SubmitError::Defect).is_none());
    }

    #[test]
    fn pauses_grow_end_and_start_over_when_records_arrived() {
        let mut line = Line::default();
        line.reached(0);
        let pauses: Vec<_> = std::iter::from_fn(|| line.pause_after(&call(None))).collect();
        assert_eq!(pauses.len() as u32, ATTEMPTS_MAX - 1);
        assert!(pauses.is_sorted());
        assert!(pauses.iter().sum::<Duration>() > Duration::from_secs(30));
        line.reached(1);
        assert_eq!(line.pause_after(&call(None)), Some(PAUSE));
    }
}
