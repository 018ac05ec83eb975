//! What the store holds, in numbers.

use std::collections::BTreeMap;

use super::Store;
use super::fault::StorageFault;
use super::segment::segment_path;
use crate::terms::{Receipt, SourceId};

/// One submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionSummary {
    /// Its receipt.
    pub receipt: Receipt,
    /// Its records that no newer version replaced.
    pub live: u64,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSummary {
    /// The source.
    pub source: SourceId,
    /// Its live records.
    pub records: u64,
    /// Its submissions.
    pub submissions: u64,
}

/// The store as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// Entries of the log.
    pub log_entries: u64,
    /// Length of the log, bytes.
    pub log_bytes: u64,
    /// Submissions.
    pub submissions: u64,
    /// Segments.
    pub segments: u64,
    /// Size of all segments, bytes.
    pub segment_bytes: u64,
    /// Rows of all segments.
    pub rows: u64,
    /// Rows that no newer version replaced.
    pub live: u64,
    /// Records that were erased and do not come back.
    pub erased: u64,
    /// Runs.
    pub runs: u64,
    /// Publications.
    pub publications: u64,
}

impl Store {
    /// All submissions, oldest first.
    #[must_use]
    pub fn submissions(&self) -> Vec<SubmissionSummary> {
        let catalogue = self.inner.catalogue();
        catalogue
            .submissions
            .iter()
            .map(|submission| SubmissionSummary {
                receipt: submission.receipt(self.inner.disk.keys()),
                live: submission.live.len(),
            })
            .collect()
    }

    /// All sources that ever submitted, by name.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceSummary> {
        let mut sources: BTreeMap<SourceId, (u64, u64)> = BTreeMap::new();
        for submission in &self.inner.catalogue().submissions {
            let (records, submissions) = sources
                .entry(submission.committed.source.clone())
                .or_default();
            *records += submission.live.len();
            *submissions += 1;
        }
        sources
            .into_iter()
            .map(|(source, (records, submissions))| SourceSummary {
                source,
                records,
                submissions,
            })
            .collect()
    }

    /// The store as a whole.
    ///
    /// # Errors
    /// [`StorageFault`] if a segment's size cannot be read.
    pub fn stats(&self) -> Result<StoreStats, StorageFault> {
        let (log_entries, log_bytes) = {
            let log = self.inner.log();
            (log.head().sequence, log.bytes())
        };
        let catalogue = self.inner.catalogue();
        let mut stats = StoreStats {
            log_entries,
            log_bytes,
            submissions: catalogue.submissions.len() as u64,
            segments: 0,
            segment_bytes: 0,
            rows: 0,
            live: 0,
            erased: catalogue.tombstones.len() as u64,
            runs: catalogue.runs.len() as u64,
            publications: catalogue.publications.len() as u64,
        };
        for submission in &catalogue.submissions {
            if let Some(segment) = &submission.segment {
                let disk = &self.inner.disk;
                let path = segment_path(
                    disk.root(),
                    submission.committed.submission,
                    segment.generation,
                );
                stats.segment_bytes += disk.metadata(&path)?.map_or(0, |found| found.length);
                stats.segments += 1;
                stats.rows += u64::from(segment.rows);
                stats.live += submission.live.len();
            }
        }
        Ok(stats)
    }
}
