//! May this submission come in? Checks who sends, what it is encoded under, that it is whole, and
//! counts what is refused. Nothing is stored unless all of it arrived.

mod journaled;
mod submission;
mod unfinished;

pub use submission::{
    BeginError, Begun, CHUNK_RECORDS_MAX, ChunkError, FinishError, REQUEST_ID_BYTES_MAX, Submission,
};
pub use unfinished::{Admitted, Arrived, Attended, Unfinished};

#[cfg(test)]
mod tests;
