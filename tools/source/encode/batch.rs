//! Encodes rows over all cores with constant memory: while one batch is normalised and encoded, the
//! next is read.

use rayon::prelude::*;

use super::EncodeError;
use super::output::Output;
use crate::encode::tracer::TracerMaker;
use crate::encode::{
    EncodeScratch, Encoder, Entry, EntryBatch, Identity, Recorded, Recorder, SourceReader,
};
use crate::terms::RecordEncoding;
use crate::tools::source::fill::FillCounter;

/// Rows of a batch: enough to keep all cores busy, few enough that they stay in the cache.
pub(super) const BATCH_RECORDS: usize = 1024;
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
    let mut made: Vec<MadeRows> = Vec::new();
    reader.read_entries(&mut batch, BATCH_RECORDS)?;
    while !batch.entries().is_empty() {
        let ((), read) = rayon::join(
            || encode_entries(batch.entries(), &recorder, encoder, &mut made),
            || reader.read_entries(&mut next, BATCH_RECORDS),
        );
        for rows in &made {
            reader.expect(rows.iter().map(|(recorded, _)| recorded));
            for (recorded, encoding) in rows {
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

/// Rows that one core took together, in their order.
type MadeRows = Vec<(Recorded, Option<RecordEncoding>)>;

/// Normalises and encodes on all cores; the order stays. `made`: what was made of the batch before,
/// whose memory is used again.
fn encode_entries(
    entries: &[Entry],
    recorder: &Recorder,
    encoder: &Encoder,
    made: &mut Vec<MadeRows>,
) {
    made.resize_with(entries.len().div_ceil(ROWS_TOGETHER), Vec::new);
    let chunks = entries.par_chunks(ROWS_TOGETHER).zip(made);
    chunks.for_each_init(
        || (EncodeScratch::new(), Identity::default()),
        |(scratch, spare), (entries, made)| {
            made.truncate(entries.len());
            for (index, entry) in entries.iter().enumerate() {
                let old = made
                    .get_mut(index)
                    .and_then(|(_, encoding)| encoding.take());
                let old = old.map_or_else(Default::default, |old| [old.filters, old.tags]);
                let (recorded, record) = recorder.record_in(entry, std::mem::take(spare));
                let encoding = record.map(|record| {
                    let encoding = encoder.encode_in(&record, scratch, old);
                    *spare = record.identity;
                    encoding
                });
                match made.get_mut(index) {
                    Some(place) => *place = (recorded, encoding),
                    None => made.push((recorded, encoding)),
                }
            }
        },
    );
}
