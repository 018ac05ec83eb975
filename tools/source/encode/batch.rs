//! Encodes rows over all cores with constant memory: while one batch is encoded, the next is read.

use rayon::prelude::*;

use super::EncodeError;
use super::output::Output;
use crate::encode::{Encoder, ReadError, Row, SourceReader, SourceRecord};
use crate::tools::source::fill::FillCounter;

/// Records of a batch: enough to keep all cores busy, few enough to take little memory.
pub(super) const BATCH_RECORDS: usize = 4096;

/// Encodes all records in their order and returns how many gave no filter and no tag. Those are
/// left out.
///
/// `after_batch` is called with the reader after each batch, for progress.
pub(super) fn encode_all(
    reader: &mut SourceReader,
    encoder: &Encoder,
    writer: &mut Output,
    fill: &mut FillCounter,
    after_batch: impl Fn(&SourceReader),
) -> Result<u64, EncodeError> {
    let mut empty = 0;
    let mut batch = read_batch(reader)?;
    while !batch.is_empty() {
        let (encodings, next) = rayon::join(
            || {
                let encodings = batch.par_iter().map(|record| encoder.encode(record));
                encodings.collect::<Vec<_>>()
            },
            || read_batch(reader),
        );
        for encoding in &encodings {
            if encoding.presence == 0 {
                empty += 1;
            } else {
                writer.append(encoding)?;
                fill.add(encoding);
            }
        }
        batch = next?;
        after_batch(reader);
    }
    Ok(empty)
}

/// The next records, up to a batch; refused rows are counted by the reader. Empty at the end.
fn read_batch(reader: &mut SourceReader) -> Result<Vec<SourceRecord>, ReadError> {
    let mut batch = Vec::with_capacity(BATCH_RECORDS);
    for row in reader {
        if let Row::Record(record) = row? {
            batch.push(record);
        }
        if batch.len() == BATCH_RECORDS {
            break;
        }
    }
    Ok(batch)
}
