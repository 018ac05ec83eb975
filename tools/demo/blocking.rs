//! How good blocking was: the candidate pairs of the run, made again from the encodings.

use super::folder::Stage;
use super::{DemoError, During};
use crate::block;
use crate::encode::file::EncodingReader;
use crate::job::block_plan;
use crate::terms::{RecordRef, RecordTable};
use crate::tools::evaluate::{self, BlockingQuality, Truth};

/// Measures the candidate pairs of a profile's blocking over all encodings of the demo.
pub(super) fn measure(stage: &Stage, truth: &Truth) -> Result<BlockingQuality, DemoError> {
    let mut table = RecordTable::with_capacity(stage.profile.layout(), 0);
    let mut records: Vec<(usize, RecordRef)> = Vec::new();
    for (number, source) in stage.sources.iter().enumerate() {
        let reader = EncodingReader::open(&source.encodings).during("reading the encodings")?;
        for encoding in reader {
            let encoding = encoding.during("reading the encodings")?;
            table.push_encoding(&encoding, number as u16, records.len() as u64);
            records.push((number, encoding.record_ref));
        }
    }
    let found = block::candidates(&table, &block_plan(&stage.profile, &table), &|_| ());
    let name = |row: u32| {
        let (source, record_ref) = &records[row as usize];
        (stage.sources[*source].name.as_str(), record_ref.as_str())
    };
    let pairs = found.pairs.iter().map(|pair| [name(pair.a), name(pair.b)]);
    Ok(evaluate::blocking(pairs, truth))
}
