//! Forgets: erased records at once, dead rows when told to. What stays of an erased record is a keyed
//! hash that refuses its return.

use std::collections::{BTreeSet, HashSet};

use super::Store;
use super::crypt::Tombstone;
use super::fault::StorageFault;
use super::log::{AppendError, LogPosition};
use super::rewrite::{Wanted, rewrite};
use crate::terms::{RecordRef, SourceId};

/// Most records of one call: their hashes must fit into one log entry.
const ERASED_MAX: usize = 200_000;

/// Why records could not be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A submission is under way, which may be about to replace rows.
    #[error("a submission of source '{source_id}' is under way; erase when it has ended")]
    SourceBusy {
        /// The source.
        source_id: SourceId,
    },
    /// More records than one call takes.
    #[error("at most {max} records are erased at once")]
    TooMany {
        /// Most records.
        max: usize,
    },
    /// Segments or the snapshot could not be written anew. Nothing counts as erased; on a full disk
    /// some rows may be gone already, and erasing again does the rest.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The log could not be written. As before, unless the disk did not confirm.
    #[error(transparent)]
    Log(#[from] AppendError),
    /// Done and durable, but the old files are still there.
    #[error("it is done, but an old file could not be removed; a restart removes it")]
    NotRemoved(#[source] StorageFault),
}

/// Why a store could not be compacted: as for erasing.
pub type CompactError = EraseError;

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReport {
    /// Records that were live and are gone.
    pub erased: u64,
    /// Records that were not here; they are refused from now on, too.
    pub unknown: u64,
    /// Records that had been erased before.
    pub erased_before: u64,
    /// Rows that are gone, dead ones of the same segments included.
    pub rows_removed: u64,
    /// Segments written anew.
    pub segments_rewritten: u64,
    /// The log entry; the head of the log if there was nothing to do.
    pub position: LogPosition,
}

/// What a compaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactReport {
    /// Rows that are gone.
    pub rows_removed: u64,
    /// Segments written anew.
    pub segments_rewritten: u64,
    /// Snapshots before the newest, which are gone.
    pub snapshots_removed: u64,
}

impl Store {
    /// Erases records of a source. On return nothing of them is in the store but a keyed hash, and
    /// they are refused from now on. Durable on return.
    ///
    /// # Errors
    /// [`EraseError`].
    pub fn erase(
        &self,
        source: &SourceId,
        refs: &[RecordRef],
    ) -> Result<ErasureReport, EraseError> {
        let keys = self.inner.disk.keys();
        let tombstones: BTreeSet<Tombstone> = refs
            .iter()
            .map(|record_ref| keys.tombstone(source, record_ref.as_str()))
            .collect();
        self.erase_marked(&tombstones, Some(source))
    }

    /// Keyed hashes of all records that were erased.
    #[must_use]
    pub fn tombstones(&self) -> BTreeSet<[u8; 16]> {
        self.inner.catalogue().tombstones.iter().copied().collect()
    }

    /// Erases again what had been erased when [`Store::tombstones`] was asked: for a copy of the
    /// same store that is older.
    ///
    /// # Errors
    /// [`EraseError`].
    pub fn erase_again(
        &self,
        tombstones: &BTreeSet<[u8; 16]>,
    ) -> Result<ErasureReport, EraseError> {
        self.erase_marked(tombstones, None)
    }

    /// Writes segments anew without rows that newer versions replaced, and drops all snapshots but
    /// the newest. What is live stays as it is.
    ///
    /// # Errors
    /// [`CompactError`]; refused while a submission is under way.
    pub fn compact(&self) -> Result<CompactReport, CompactError> {
        let inner = &*self.inner;
        let submitting = inner.submitting();
        if let Some(busy) = submitting.first() {
            let source_id = busy.clone();
            return Err(EraseError::SourceBusy { source_id });
        }
        let _commit = inner.commit_lock();
        inner.refuse_if_poisoned()?;
        let done = rewrite(inner, HashSet::new(), &Wanted::Dead)?;
        Ok(CompactReport {
            rows_removed: done.rows_removed,
            segments_rewritten: done.segments,
            snapshots_removed: done.old_snapshots,
        })
    }

    /// Erases the records that `tombstones` stand for, of one source or of any.
    fn erase_marked(
        &self,
        tombstones: &BTreeSet<Tombstone>,
        source: Option<&SourceId>,
    ) -> Result<ErasureReport, EraseError> {
        if tombstones.len() > ERASED_MAX {
            return Err(EraseError::TooMany { max: ERASED_MAX });
        }
        let inner = &*self.inner;
        // Held to the end, so that no submission begins meanwhile.
        let submitting = inner.submitting();
        let busy = match source {
            Some(source) => submitting.get(source),
            None => submitting.first(),
        };
        if let Some(busy) = busy {
            let source_id = busy.clone();
            return Err(EraseError::SourceBusy { source_id });
        }
        let _commit = inner.commit_lock();
        inner.refuse_if_poisoned()?;
        inner.remove_journals(source)?;
        let new: HashSet<Tombstone> = {
            let before = &inner.catalogue().tombstones;
            (tombstones.iter().copied())
                .filter(|tombstone| !before.contains(tombstone))
                .collect()
        };
        let mut receipt = ErasureReport {
            erased: 0,
            unknown: 0,
            erased_before: (tombstones.len() - new.len()) as u64,
            rows_removed: 0,
            segments_rewritten: 0,
            position: inner.log().head(),
        };
        if new.is_empty() {
            return Ok(receipt);
        }
        let count = new.len() as u64;
        let done = rewrite(inner, new, &Wanted::Erased { source })?;
        receipt.erased = done.erased;
        receipt.unknown = count - done.erased;
        receipt.rows_removed = done.rows_removed;
        receipt.segments_rewritten = done.segments;
        receipt.position = done.position.unwrap_or(receipt.position);
        Ok(receipt)
    }
}
