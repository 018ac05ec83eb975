//! The text of a frame: a chunk's records as they arrived, whatever their shape, and the refusals.

use crate::terms::{EventKind, RecordEncoding, RecordRef, RefusalReason};

/// One record of a chunk, or why it could not be read.
pub type Arrival = Result<RecordEncoding, RefusalReason>;

/// Writes a chunk.
pub(super) fn encode(records: &[Arrival]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for arrival in records {
        match arrival {
            Ok(record) => encode_record(record, &mut bytes),
            Err(reason) => {
                let place = RefusalReason::ALL.iter().position(|it| it == reason);
                bytes.push(1 + place.expect("all reasons are listed") as u8);
            }
        }
    }
    bytes
}

fn encode_record(record: &RecordEncoding, bytes: &mut Vec<u8>) {
    let label = record.record_ref.as_str().as_bytes();
    bytes.push(0);
    bytes.push(label.len() as u8);
    bytes.push(record.kind.code());
    bytes.extend_from_slice(&record.year.to_le_bytes());
    bytes.extend_from_slice(&record.version.to_le_bytes());
    bytes.extend_from_slice(&record.flags.to_le_bytes());
    bytes.extend_from_slice(&record.presence.to_le_bytes());
    bytes.extend_from_slice(&(record.filters.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(record.tags.len() as u32).to_le_bytes());
    bytes.extend_from_slice(label);
    for word in record.filters.iter().chain(&record.tags) {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

/// Reads a chunk; `None` if the bytes are not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Arrival>> {
    let mut rest = bytes;
    let mut records = Vec::new();
    while let Some((code, after)) = rest.split_first() {
        rest = after;
        records.push(match code.checked_sub(1) {
            None => Ok(decode_record(&mut rest)?),
            Some(place) => Err(*RefusalReason::ALL.get(usize::from(place))?),
        });
    }
    Some(records)
}

fn decode_record(rest: &mut &[u8]) -> Option<RecordEncoding> {
    let [label_bytes, kind] = take(rest)?;
    let year = u16::from_le_bytes(take(rest)?);
    let version = u32::from_le_bytes(take(rest)?);
    let flags = u32::from_le_bytes(take(rest)?);
    let presence = u64::from_le_bytes(take(rest)?);
    let filters = u32::from_le_bytes(take(rest)?);
    let tags = u32::from_le_bytes(take(rest)?);
    let label = rest.split_off(..usize::from(label_bytes))?;
    let label = std::str::from_utf8(label).ok()?;
    Some(RecordEncoding {
        record_ref: RecordRef::new(label).ok()?,
        version,
        kind: EventKind::from_code(kind)?,
        year,
        flags,
        presence,
        filters: words(rest, filters)?,
        tags: words(rest, tags)?,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn words(rest: &mut &[u8], count: u32) -> Option<Vec<u64>> {
    let bytes = rest.split_off(..(count as usize).checked_mul(8)?)?;
    let (words, _) = bytes.as_chunks::<8>();
    Some(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an arrival is made of; records cannot be shown.
    type Parts = (
        Option<usize>,
        String,
        u8,
        (u32, u16, u32, u64),
        Vec<u64>,
        Vec<u64>,
    );

    fn arrival((refused, label, kind, numbers, filters, tags): Parts) -> Arrival {
        if let Some(place) = refused {
            return Err(RefusalReason::ALL[place]);
        }
        let (version, year, flags, presence) = numbers;
        Ok(RecordEncoding {
            record_ref: RecordRef::new(&label).expect("good label"),
            version,
            kind: EventKind::from_code(kind).expect("good code"),
            year,
            flags,
            presence,
            filters,
            tags,
        })
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let words = || prop::collection::vec(any::<u64>(), 0..5);
        let refused = prop::option::of(0..RefusalReason::ALL.len());
        let numbers = (any::<u32>(), any::<u16>(), any::<u32>(), any::<u64>());
        (
            refused,
            "[a-zカルテ]{1,16}",
            0_u8..9,
            numbers,
            words(),
            words(),
        )
    }

    proptest! {
        #[test]
        fn chunks_round_trip_and_no_part_of_one_is_the_same(
            chunk in prop::collection::vec(parts(), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let records: Vec<Arrival> = chunk.into_iter().map(arrival).collect();
            let bytes = encode(&records);
            prop_assert!(decode(&bytes).is_some_and(|back| back == records));
            if !bytes.is_empty() {
                let part = decode(&bytes[..cut.index(bytes.len())]);
                prop_assert!(part.is_none_or(|part| part.len() < records.len()));
            }
        }
    }
}
