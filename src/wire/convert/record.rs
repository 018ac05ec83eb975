//! Encoded records. A record that does not convert is refused by reason; the rest goes on.

use crate::terms::{EventKind, RecordEncoding, RecordRef, RefusalReason};
use crate::wire::pb;

impl TryFrom<pb::EncodedRecord> for RecordEncoding {
    type Error = RefusalReason;

    fn try_from(record: pb::EncodedRecord) -> Result<Self, RefusalReason> {
        let record_ref =
            RecordRef::new(&record.record_ref).map_err(|_| RefusalReason::RecordRef)?;
        let kind = u8::try_from(record.kind)
            .ok()
            .and_then(EventKind::from_code)
            .ok_or(RefusalReason::EventKind)?;
        let (words, rest) = record.filters.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(RefusalReason::Shape);
        }
        let year = u16::try_from(record.year).map_err(|_| RefusalReason::Shape)?;
        Ok(Self {
            record_ref,
            version: record.version,
            kind,
            year,
            flags: record.flags,
            presence: record.presence,
            filters: words.iter().map(|word| u64::from_le_bytes(*word)).collect(),
            tags: record.tags,
        })
    }
}

impl From<&RecordEncoding> for pb::EncodedRecord {
    fn from(encoding: &RecordEncoding) -> Self {
        Self {
            record_ref: encoding.record_ref.as_str().into(),
            version: encoding.version,
            kind: i32::from(encoding.kind.code()),
            year: encoding.year.into(),
            flags: encoding.flags,
            presence: encoding.presence,
            filters: encoding
                .filters
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect(),
            tags: encoding.tags.clone(),
        }
    }
}

/// All records of a chunk: each an encoding, or the reason why it is refused.
#[must_use]
pub fn refused_or_encoding(
    records: Vec<pb::EncodedRecord>,
) -> Vec<Result<RecordEncoding, RefusalReason>> {
    records.into_iter().map(RecordEncoding::try_from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> pb::EncodedRecord {
        pb::EncodedRecord {
            record_ref: "r1".into(),
            version: 1,
            kind: pb::EventKind::Hospital as i32,
            year: 2021,
            flags: 0,
            presence: 1,
            filters: vec![1, 0, 0, 0, 0, 0, 0, 0x80],
            tags: vec![7],
        }
    }

    #[test]
    fn bit_b_of_a_filter_is_bit_b_of_its_little_endian_word() {
        let encoding = RecordEncoding::try_from(message()).expect("converts");
        assert_eq!(encoding.filters, [1 | 1 << 63]);
        assert_eq!(encoding.kind, EventKind::Hospital);
    }

    #[test]
    fn every_event_kind_has_the_same_code_on_both_sides() {
        for kind in EventKind::ALL {
            assert!(pb::EventKind::try_from(i32::from(kind.code())).is_ok());
        }
        assert!(pb::EventKind::try_from(EventKind::ALL.len() as i32).is_err());
    }

    #[test]
    fn a_record_that_does_not_convert_says_why() {
        let refused = |change: fn(&mut pb::EncodedRecord)| {
            let mut record = message();
            change(&mut record);
            RecordEncoding::try_from(record).err()
        };
        let empty = refused(|r| r.record_ref.clear());
        assert_eq!(empty, Some(RefusalReason::RecordRef));
        let kind = refused(|r| r.kind = 99);
        assert_eq!(kind, Some(RefusalReason::EventKind));
        let negative = refused(|r| r.kind = -1);
        assert_eq!(negative, Some(RefusalReason::EventKind));
        let year = refused(|r| r.year = 70_000);
        assert_eq!(year, Some(RefusalReason::Shape));
        let shape = refused(|r| r.filters.push(0));
        assert_eq!(shape, Some(RefusalReason::Shape));
    }

    proptest! {
        #[test]
        fn encodings_round_trip(
            label in "[a-zA-Z0-9カルテ]{1,16}",
            version in any::<u32>(),
            kind in 0_u8..9,
            year in any::<u16>(),
            flags in any::<u32>(),
            presence in any::<u64>(),
            filters in prop::collection::vec(any::<u64>(), 0..40),
            tags in prop::collection::vec(any::<u64>(), 0..40),
        ) {
            let encoding = RecordEncoding {
                record_ref: RecordRef::new(&label).expect("good label"),
                version,
                kind: EventKind::from_code(kind).expect("good code"),
                year,
                flags,
                presence,
                filters,
                tags,
            };
            let back = RecordEncoding::try_from(pb::EncodedRecord::from(&encoding));
            prop_assert!(back.is_ok_and(|back| back == encoding));
        }
    }
}
