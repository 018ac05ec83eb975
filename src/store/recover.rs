//! From the files back to the state: replays the log, checks every segment that it names, and
//! brings the index up to date. What is damaged is refused; nothing is dropped but a torn tail and
//! files that were never acknowledged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::catalogue::Catalogue;
use super::disk::Disk;
use super::fault::StorageFault;
use super::index::{Applied, Index, IndexError};
use super::log::{self, Scanned, log_path, scan};
use super::project::remove_leftover_keys;
use super::segment::{self, SegmentDirectory, read_directory, segment_path};
use super::snapshot;
use super::vault::Vault;
use crate::terms::SourceId;

/// Replays the log; `each_segment` sees every segment in order. Changes nothing on disk.
pub(super) fn replay(
    disk: &Vault,
    mut each_segment: impl FnMut(&SourceId, &SegmentDirectory),
) -> Result<(Catalogue, Scanned), StorageFault> {
    let mut catalogue = Catalogue::default();
    let log = log_path(disk.root());
    let scanned = scan(disk, |entry, offset, position| {
        let refuse = |rule| StorageFault::damaged(&log, offset, rule);
        catalogue.apply(entry, position, &[]).map_err(refuse)
    })?;
    // Only now is it known which generation of each segment is in force.
    let refuse = |rule| StorageFault::damaged(&log, 0, rule);
    let mut replaced = Vec::new();
    for submission in &catalogue.submissions {
        let binding = (catalogue.binding.as_ref())
            .ok_or_else(|| refuse("a submission comes before the linkage profile"))?;
        if let Some(now) = &submission.segment {
            let expected = (binding.expected(&submission.committed, now)).map_err(refuse)?;
            let directory = read_directory(disk, &expected)?;
            each_segment(&submission.committed.source, &directory);
            replaced.extend(directory.replaced);
        }
    }
    catalogue.replace(&replaced).map_err(refuse)?;
    Ok((catalogue, scanned))
}

/// Creates the directories and the empty log of a new store.
pub(super) fn create_if_absent(disk: &Vault) -> Result<(), StorageFault> {
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
    if !sealed_files(disk)?.is_empty() {
        let rule = "the log is missing, but segments or snapshots are there";
        return Err(StorageFault::damaged(&log, 0, rule));
    }
    // A process before may have ended between making a directory and making its name durable.
    disk.sync_dir(store)?;
    disk.sync_names_to(store)?;
    log::create(disk)
}

/// Gives a directory within a store.
type DirectoryOf = fn(&Path) -> PathBuf;

/// Where the sealed files are, and how their names end.
const SEALED: [(DirectoryOf, &str); 2] =
    [(segment::directory, "mseg"), (snapshot::directory, "msnp")];

/// All sealed files of a store.
pub(super) fn sealed_files(disk: &Disk) -> Result<Vec<PathBuf>, StorageFault> {
    let mut files = Vec::new();
    for (directory, extension) in SEALED {
        files.extend(disk.files_with_extension(&directory(disk.root()), extension)?);
    }
    Ok(files)
}

/// Length of the largest sealed file, bytes; 0 if there is none.
pub(super) fn largest_sealed_file(disk: &Disk) -> Result<u64, StorageFault> {
    let mut largest = 0;
    for path in sealed_files(disk)? {
        let found = disk.metadata(&path)?;
        largest = largest.max(found.map_or(0, |found| found.length));
    }
    Ok(largest)
}

/// Removes what was being written when the process ended: temporary files, and sealed files that no
/// log entry names, which were never acknowledged.
pub(super) fn remove_leftovers(disk: &Vault, catalogue: &Catalogue) -> Result<(), StorageFault> {
    let store = disk.root();
    let mut named: BTreeSet<PathBuf> = BTreeSet::new();
    for submission in &catalogue.submissions {
        if let Some(now) = &submission.segment {
            let number = submission.committed.submission;
            named.insert(segment_path(store, number, now.generation));
        }
    }
    for publication in &catalogue.publications {
        if let Some(now) = &publication.snapshot {
            named.insert(snapshot::snapshot_path(
                store,
                publication.run,
                now.generation,
            ));
        }
    }
    disk.remove_partials(store)?;
    for (directory, extension) in SEALED {
        let directory = directory(store);
        disk.remove_partials(&directory)?;
        let mut removed = false;
        for path in disk.files_with_extension(&directory, extension)? {
            if !named.contains(&path) {
                disk.remove(&path)?;
                removed = true;
            }
        }
        // What was erased must not come back with the power.
        if removed {
            disk.sync_dir(&directory)?;
        }
    }
    remove_leftover_keys(disk, catalogue)
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

impl CatchUpError {
    /// Whether the cause is that the disk is full.
    pub(super) fn is_disk_full(&self) -> bool {
        match self {
            Self::Index(error) => error.is_disk_full(),
            Self::Storage(fault) => fault.is_disk_full(),
        }
    }
}

/// Takes into the index all submissions that are not in it; starts over if it does not belong to
/// this log.
pub(super) fn catch_up(
    disk: &Vault,
    catalogue: &Catalogue,
    index: &Index,
) -> Result<(), CatchUpError> {
    let applied = index.applied();
    let belongs = applied.rewritings == catalogue.rewritings
        && (applied.submission == 0
            || (applied.submission.checked_sub(1))
                .and_then(|at| catalogue.submissions.get(at as usize))
                .is_some_and(|submission| submission.position.hash == applied.hash));
    let mut done = applied.submission;
    if !belongs {
        index.clear()?;
        done = 0;
    }
    let missing = &catalogue.submissions[done as usize..];
    for submission in missing {
        let committed = &submission.committed;
        let Some(binding) = &catalogue.binding else {
            break;
        };
        if let Some(now) = &submission.segment {
            let expected = binding
                .expected(committed, now)
                .map_err(|rule| StorageFault::damaged(&log_path(disk.root()), 0, rule))?;
            let directory = read_directory(disk, &expected)?;
            let generation = (committed.submission, now.generation);
            index.take_in_segment(disk.keys(), generation, &committed.source, &directory)?;
        }
    }
    if let Some(last) = missing.last() {
        index.set_applied(Applied {
            submission: last.committed.submission,
            hash: last.position.hash,
            rewritings: catalogue.rewritings,
        })?;
    }
    Ok(())
}
