//! Encodes rows over all cores with constant memory: while one batch is normalised and encoded, the
//! next is read.

use rayon::prelude::*;

use super::EncodeError;
use super::output::Output;
use crate::encode::tracer::TracerMaker;
use crate::encode::{EncodeScratch, Encoder, Entry, EntryBatch, Recorded, Recorder, SourceReader};
use crate::terms::RecordEncoding;
use crate::tools::source::fill::FillCounter;

/// Rows of a batch: enough to keep all cores busy, few enough to take little memory.
pub(super) const BATCH_RECORDS: usize = 4096;
/// Rows that one core takes at a time.
const ROWS_TOGETHER: usize = 64;

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
    let recorder = reader.recorder();
    let mut empty = 0;
    let (mut batch, mut next) = (EntryBatch::default(), EntryBatch::default());
    reader.read_entries(&mut batch, BATCH_RECORDS)?;
    while !batch.entries().is_empty() {
        let (made, read) = rayon::join(
            || encode_entries(batch.entries(), &recorder, encoder),
            || reader.read_entries(&mut next, BATCH_RECORDS),
        );
        for (recorded, encoding) in &made {
            let (Ok(()), Some(encoding)) = (reader.admit(recorded)?, encoding) else {
                continue;
            };
            if encoding.presence == 0 {
                empty += 1;
            } else {
                writer.append(encoding)?;
                fill.add(encoding);
            }
        }
        read?;
        std::mem::swap(&mut batch, &mut next);
        after_batch(reader);
    }
    Ok(empty)
}

/// Writes the first tracers before the records of the file. They are in no count of the report.
pub(super) fn plant(
    maker: &TracerMaker,
    tracers: u32,
    reader: &mut SourceReader,
    encoder: &Encoder,
    writer: &mut Output,
) -> Result<(), EncodeError> {
    let recorder = reader.recorder();
    for index in 0..tracers {
        let (recorded, record) = recorder.record(&maker.entry(index));
        reader.reserve(&recorded)?;
        let encoding = record.map(|record| encoder.encode(&record));
        if let Some(encoding) = encoding.filter(|encoding| encoding.presence != 0) {
            writer.append(&encoding)?;
        }
    }
    Ok(())
}

/// Normalises and encodes on all cores; the order stays.
fn encode_entries(
    entries: &[Entry],
    recorder: &Recorder,
    encoder: &Encoder,
) -> Vec<(Recorded, Option<RecordEncoding>)> {
    let chunks = entries.par_chunks(ROWS_TOGETHER).map_init(
        EncodeScratch::new,
        |scratch, entries| -> Vec<_> {
            let entries = entries.iter();
            let made = entries.map(|entry| {
                let (recorded, record) = recorder.record(entry);
                let encoding = record.map(|record| encoder.encode_with(&record, scratch));
                (recorded, encoding)
            });
            made.collect()
        },
    );
    chunks.flatten_iter().collect()
}
