//! From the files back to the state: replays the log, checks every segment that it names, and
//! brings the index up to date. What is damaged is refused; nothing is dropped but a torn tail and
//! files that were never acknowledged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::catalogue::Catalogue;
use super::disk::Disk;
use super::fault::StorageFault;
use super::index::{Applied, Index, IndexError};
use super::log::{self, LogEntry, Scanned, log_path, scan};
use super::segment::{self, SegmentDirectory, read_directory, segment_path};
use super::snapshot;
use crate::terms::SourceId;

/// Replays the log; `each_segment` sees every segment in order. Changes nothing on disk.
pub(super) fn replay(
    disk: &Disk,
    mut each_segment: impl FnMut(&SourceId, &SegmentDirectory),
) -> Result<(Catalogue, Scanned), StorageFault> {
    let mut catalogue = Catalogue::default();
    let store = disk.root();
    let log = log_path(store);
    let scanned = scan(disk, |entry, offset, position| {
        let refuse = |rule| StorageFault::damaged(&log, offset, rule);
        let mut replaced = Vec::new();
        if let LogEntry::Submission(committed) = &entry {
            let binding = (catalogue.binding.as_ref())
                .ok_or_else(|| refuse("a submission comes before the linkage profile"))?;
            if let Some(expected) = binding.expected(committed).map_err(refuse)? {
                let path = segment_path(store, committed.submission);
                let directory = read_directory(disk, &path, &expected)?;
                each_segment(&committed.source, &directory);
                replaced = directory.replaced;
            }
        }
        catalogue.apply(entry, position, &replaced).map_err(refuse)
    })?;
    Ok((catalogue, scanned))
}

/// Creates the directories and the empty log of a new store.
pub(super) fn create_if_absent(disk: &Disk) -> Result<(), StorageFault> {
    let store = disk.root();
    for directory in [
        log_path(store).parent().unwrap_or(store),
        &segment::directory(store),
        &snapshot::directory(store),
    ] {
        disk.create_dir(directory)?;
    }
    let log = log_path(store);
    if disk.exists(&log)? {
        return Ok(());
    }
    for (directory, extension) in SEALED {
        if !disk
            .files_with_extension(&directory(store), extension)?
            .is_empty()
        {
            return Err(StorageFault::damaged(
                &log,
                0,
                "the log is missing, but segments or snapshots are there",
            ));
        }
    }
    log::create(disk)
}

/// Gives a directory within a store.
type DirectoryOf = fn(&Path) -> PathBuf;

/// Where the sealed files are, and how their names end.
const SEALED: [(DirectoryOf, &str); 2] =
    [(segment::directory, "mseg"), (snapshot::directory, "msnp")];

/// Removes what was being written when the process ended: temporary files, and sealed files that no
/// log entry names, which were never acknowledged.
pub(super) fn remove_leftovers(disk: &Disk, catalogue: &Catalogue) -> Result<(), StorageFault> {
    let store = disk.root();
    let mut named: BTreeSet<PathBuf> = BTreeSet::new();
    for submission in &catalogue.submissions {
        if submission.committed.segment.is_some() {
            named.insert(segment_path(store, submission.committed.submission));
        }
    }
    for publication in &catalogue.publications {
        named.insert(snapshot::snapshot_path(store, publication.run));
    }
    for (directory, extension) in SEALED {
        let directory = directory(store);
        disk.remove_partials(&directory)?;
        for path in disk.files_with_extension(&directory, extension)? {
            if !named.contains(&path) {
                disk.remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Why the index could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A segment could not be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Takes into the index all submissions that are not in it; starts over if it does not belong to
/// this log. `each_segment` sees what is taken in.
pub(super) fn catch_up(
    disk: &Disk,
    catalogue: &Catalogue,
    index: &mut Index,
    mut each_segment: impl FnMut(&SourceId, &SegmentDirectory),
) -> Result<(), CatchUpError> {
    let applied = index.applied()?;
    let belongs = applied == Applied::NOTHING
        || (applied.submission.checked_sub(1))
            .and_then(|at| catalogue.submissions.get(at as usize))
            .is_some_and(|submission| submission.position.hash == applied.hash);
    let mut done = applied.submission;
    if !belongs {
        index.clear()?;
        done = 0;
    }
    let missing = &catalogue.submissions[done as usize..];
    for submission in missing {
        let committed = &submission.committed;
        let path = segment_path(disk.root(), committed.submission);
        let Some(binding) = &catalogue.binding else {
            break;
        };
        let expected = binding
            .expected(committed)
            .map_err(|rule| StorageFault::damaged(&log_path(disk.root()), 0, rule))?;
        if let Some(expected) = expected {
            let directory = read_directory(disk, &path, &expected)?;
            each_segment(&committed.source, &directory);
            index.take_in(committed.submission, &committed.source, &directory)?;
        }
    }
    if let Some(last) = missing.last() {
        index.set_applied(Applied {
            submission: last.committed.submission,
            hash: last.position.hash,
        })?;
    }
    Ok(())
}
