//! Signs that records were erased, with the key that submissions are signed with.

use data_encoding::HEXLOWER;

use super::{ErasureReport, Store};
use crate::terms::{ErasureReceipt, RecordRef, SourceId};

impl Store {
    /// The receipt of the erasure of `refs` of a source, which had the outcome `report`.
    #[must_use]
    pub fn erasure_receipt(
        &self,
        source: &SourceId,
        refs: &[RecordRef],
        report: &ErasureReport,
    ) -> ErasureReceipt {
        let mut receipt = ErasureReceipt {
            source: source.clone(),
            erased: report.erased,
            unknown: report.unknown,
            erased_before: report.erased_before,
            record_refs_hash: ErasureReceipt::hash_of(refs),
            sequence: report.position.sequence,
            log_head: report.position.hash_hex(),
            signature: String::new(),
        };
        let signature = self.inner.disk.keys().sign(&receipt.signed_bytes());
        receipt.signature = HEXLOWER.encode(&signature);
        receipt
    }
}
