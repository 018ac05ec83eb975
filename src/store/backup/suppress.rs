//! What was erased: read from the log alone, so that it can be had from a store whose segments are
//! lost, from one that is in use, and from a backup.

use std::collections::BTreeSet;

use crate::store::catalogue::parse_tombstone;
use crate::store::crypt::Tombstone;
use crate::store::fault::StorageFault;
use crate::store::log::{LogEntry, log_path, scan};
use crate::store::vault::Vault;

/// Keyed hashes of all records that were erased in a store, or in the one that a backup is of.
pub(super) fn erased_in(vault: &Vault) -> Result<BTreeSet<Tombstone>, StorageFault> {
    let path = log_path(vault.root());
    let mut marks = BTreeSet::new();
    scan(vault, |entry, offset, _| {
        let LogEntry::Rewriting(rewriting) = entry else {
            return Ok(());
        };
        for text in &rewriting.tombstones {
            let mark =
                parse_tombstone(text).map_err(|rule| StorageFault::damaged(&path, offset, rule))?;
            marks.insert(mark);
        }
        Ok(())
    })?;
    Ok(marks)
}
