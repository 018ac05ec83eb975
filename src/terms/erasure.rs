//! The proof that a source gets after its records were erased.

use serde::{Deserialize, Serialize};

use super::{RecordRef, SourceId};

/// What the server promises once records of a source are gone: nothing of them is in the store but
/// keyed hashes, and they are refused from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureReceipt {
    /// Whose records.
    pub source: SourceId,
    /// Records that were there and are gone.
    pub erased: u64,
    /// Records that were not there; they are refused from then on, too.
    pub unknown: u64,
    /// Records that had been erased before.
    pub erased_before: u64,
    /// [`ErasureReceipt::hash_of`] the record refs, hexadecimal: the source can tell which records
    /// are meant, the receipt does not.
    pub record_refs_hash: String,
    /// Number of the erasure's entry in the log; of the last entry if all was erased before.
    pub sequence: u64,
    /// Head of the log after that entry, hexadecimal.
    pub log_head: String,
    /// Ed25519 signature of the server over [`ErasureReceipt::signed_bytes`], hexadecimal.
    pub signature: String,
}

impl ErasureReceipt {
    /// The bytes that the server signs: everything but the signature.
    ///
    /// `musubi/v1/erasure-receipt` and a zero byte; erased, unknown, erased before, sequence (8 bytes
    /// each, little-endian); source; hash of the record refs; log head. Texts stand as in the
    /// receipt, after their length (8 bytes).
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"musubi/v1/erasure-receipt\0".to_vec();
        for number in [self.erased, self.unknown, self.erased_before, self.sequence] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for text in [self.source.as_str(), &self.record_refs_hash, &self.log_head] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// BLAKE3, context `musubi/v1/erased-record-refs`, over the record refs, each once, in bytewise
    /// order, after its length (8 bytes, little-endian). Hexadecimal.
    #[must_use]
    pub fn hash_of(refs: &[RecordRef]) -> String {
        let mut sorted: Vec<&str> = refs.iter().map(RecordRef::as_str).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/erased-record-refs");
        for label in sorted {
            hasher
                .update(&(label.len() as u64).to_le_bytes())
                .update(label.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs(labels: &[&str]) -> Vec<RecordRef> {
        let label = |label: &&str| RecordRef::new(label).expect("label");
        labels.iter().map(label).collect()
    }

    #[test]
    fn the_hash_stands_for_the_set_of_record_refs() {
        let hash = |labels: &[&str]| ErasureReceipt::hash_of(&refs(labels));
        assert_eq!(hash(&["b", "a"]), hash(&["a", "b", "a"]));
        assert_ne!(hash(&["a", "b"]), hash(&["ab"]));
        assert_ne!(hash(&["a"]), hash(&[]));
    }
}
