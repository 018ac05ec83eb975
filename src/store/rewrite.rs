//! Writes segments anew without rows that must go, and the newest snapshot without erased records.
//!
//! New files get their lasting names first; one log entry puts them in force; then the old ones are
//! removed. A crash before the entry leaves everything as it was, one after it leaves files that the
//! next open removes.
//!
//! On a full disk the room held in reserve is given up, and each segment is a rewriting of its own,
//! whose old file makes room for the next.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use roaring::RoaringBitmap;

use super::NO_PANIC;
use super::catalogue::{Binding, SegmentNow, seal_hex};
use super::crypt::{RecordKey, Tombstone};
use super::erase::EraseError;
use super::fault::StorageFault;
use super::inner::Inner;
use super::log::{
    LogEntry, LogPosition, Rewriting, SegmentRewritten, SnapshotRewritten, SubmissionCommitted,
    log_path,
};
use super::segment::{self, Expected, RowLocation, SegmentDirectory, read_directory, segment_path};
use super::snapshot::{self, Published, snapshot_path};
use crate::terms::SourceId;

/// Which segments are written anew.
pub(super) enum Wanted<'a> {
    /// Those that hold erased records, of one source or of any.
    Erased {
        /// The source.
        source: Option<&'a SourceId>,
    },
    /// Those that hold dead rows.
    Dead,
}

/// A segment to be written anew.
struct Touched {
    committed: SubmissionCommitted,
    now: SegmentNow,
    directory: SegmentDirectory,
    /// Rows that stay.
    keep: RoaringBitmap,
    /// Index keys of the erased records that were live in it.
    found: Vec<RecordKey>,
}

/// What a rewriting did.
#[derive(Default)]
pub(super) struct Rewritten {
    /// Erased records that were live.
    pub(super) erased: u64,
    /// Rows that are gone.
    pub(super) rows_removed: u64,
    /// Segments written anew.
    pub(super) segments: u64,
    /// Snapshots before the newest, which are gone.
    pub(super) old_snapshots: u64,
    /// The last log entry of it; `None` if there was nothing to do.
    pub(super) position: Option<LogPosition>,
}

/// Drops the records that `erased` stand for, none of which are erased yet, and dead rows, from the
/// segments that are wanted and the newest snapshot. Durable on return.
///
/// Whoever calls holds the commit lock, and no submission is under way that it concerns.
pub(super) fn rewrite(
    inner: &Inner,
    erased: HashSet<Tombstone>,
    wanted: &Wanted<'_>,
) -> Result<Rewritten, EraseError> {
    let mut whole = Rewriter::new(inner, erased);
    whole.find(wanted)?;
    match whole.write() {
        Err(fault) if fault.is_disk_full() => {}
        Err(fault) => return Err(fault.into()),
        Ok(()) => return whole.switch(),
    }
    inner.reserve.release(&inner.disk)?;
    let done = whole.in_steps();
    // If there is no room for it yet, the next submission waits for it.
    let _ = inner.reserve.refill(&inner.disk);
    done
}

/// One rewriting, for one log entry.
struct Rewriter<'a> {
    inner: &'a Inner,
    binding: Option<Binding>,
    erased: HashSet<Tombstone>,
    touched: Vec<Touched>,
    segments: Vec<SegmentRewritten>,
    snapshot: Option<(SnapshotRewritten, Published)>,
    /// Files that are of no use without the log entry.
    fresh: Vec<PathBuf>,
    /// Files that are of no use after the log entry.
    old: Vec<PathBuf>,
    old_snapshots: u64,
    rows_removed: u64,
}

impl<'a> Rewriter<'a> {
    fn new(inner: &'a Inner, erased: HashSet<Tombstone>) -> Self {
        Self {
            binding: inner.catalogue().binding.clone(),
            inner,
            erased,
            touched: Vec::new(),
            segments: Vec::new(),
            snapshot: None,
            fresh: Vec::new(),
            old: Vec::new(),
            old_snapshots: 0,
            rows_removed: 0,
        }
    }

    /// One segment after the other, oldest first, so that no row comes back that a newer one had
    /// replaced; then the snapshot, with the entry that says what was erased.
    fn in_steps(self) -> Result<Rewritten, EraseError> {
        let mut sum = Rewritten::default();
        for segment in self.touched {
            let mut step = Rewriter::new(self.inner, HashSet::new());
            step.touched.push(segment);
            step.write()?;
            sum.add(step.switch().map_err(|error| match error {
                EraseError::NotRemoved(fault) => EraseError::Storage(fault),
                other => other,
            })?);
        }
        let mut last = Rewriter::new(self.inner, self.erased);
        last.write()?;
        sum.add(last.switch()?);
        Ok(sum)
    }

    /// Writes the new files. They have their lasting names on return, but nothing counts yet.
    fn write(&mut self) -> Result<(), StorageFault> {
        let written = self.write_all();
        let written = self.inner.poison_if_unconfirmed(written);
        if written.is_err() {
            discard(self.inner, &self.fresh);
        }
        written
    }

    fn write_all(&mut self) -> Result<(), StorageFault> {
        let gone: HashSet<u64> = (self.touched.iter())
            .map(|segment| segment.committed.submission)
            .collect();
        for segment in &self.touched {
            let expected = expected(self.inner, self.binding.as_ref(), segment)?;
            let replaced: Vec<RowLocation> = {
                let catalogue = self.inner.catalogue();
                let replaced = segment.directory.replaced.iter().copied();
                replaced
                    .filter(|it| catalogue.is_current(*it) && !gone.contains(&it.segment))
                    .collect()
            };
            let disk = &self.inner.disk;
            let directory = &segment.directory;
            let finished = segment::rewrite(disk, &expected, directory, &segment.keep, replaced)?;
            let submission = segment.committed.submission;
            let generation = segment.now.generation + 1;
            let path = segment_path(disk.root(), submission, generation);
            finished.file.publish(&path)?;
            self.fresh.push(path);
            self.rows_removed += u64::from(segment.now.rows - finished.rows);
            self.segments.push(SegmentRewritten {
                submission,
                generation,
                rows: finished.rows,
                seal: seal_hex(finished.seal),
            });
            let old = segment_path(disk.root(), submission, segment.now.generation);
            self.old.push(old);
        }
        self.write_snapshot()
    }

    /// Finds the segments to be written anew.
    fn find(&mut self, wanted: &Wanted<'_>) -> Result<(), StorageFault> {
        let candidates: Vec<_> = {
            let catalogue = self.inner.catalogue();
            let with_segment = catalogue.submissions.iter().filter_map(|submission| {
                let now = submission.segment.clone()?;
                Some((submission, now))
            });
            with_segment
                .filter(|(submission, now)| match wanted {
                    Wanted::Dead => submission.live.len() < u64::from(now.rows),
                    Wanted::Erased { source } => {
                        source.is_none_or(|source| *source == submission.committed.source)
                    }
                })
                .map(|(submission, now)| {
                    (submission.committed.clone(), now, submission.live.clone())
                })
                .collect()
        };
        let keys = self.inner.disk.keys();
        for (committed, now, live) in candidates {
            let mut segment = Touched {
                committed,
                now,
                directory: SegmentDirectory::default(),
                // Dead rows always go, so that a later generation starts with live ones only.
                keep: live,
                found: Vec::new(),
            };
            let expected = expected(self.inner, self.binding.as_ref(), &segment)?;
            let directory = read_directory(&self.inner.disk, &expected)?;
            let mut hit = matches!(wanted, Wanted::Dead);
            let source = &segment.committed.source;
            for (row, _, label) in directory.iter() {
                if self.is_erased(source, label) {
                    if segment.keep.remove(row) {
                        segment.found.push(keys.record_key(source, label));
                    }
                    hit = true;
                }
            }
            if hit {
                segment.directory = directory;
                self.touched.push(segment);
            }
        }
        Ok(())
    }

    fn is_erased(&self, source: &SourceId, label: &str) -> bool {
        let keys = self.inner.disk.keys();
        !self.erased.is_empty() && self.erased.contains(&keys.tombstone(source, label))
    }

    /// Writes the newest snapshot anew if it holds erased records; older ones go in any case.
    fn write_snapshot(&mut self) -> Result<(), StorageFault> {
        let disk = &self.inner.disk;
        let (newest, older) = {
            let catalogue = self.inner.catalogue();
            let older = catalogue.publications.iter().rev().skip(1);
            let older = older.filter_map(|it| Some((it.run, it.snapshot.clone()?)));
            (catalogue.newest_publication(), older.collect::<Vec<_>>())
        };
        self.old_snapshots = older.len() as u64;
        for (run, now) in older {
            let path = snapshot_path(disk.root(), run, now.generation);
            self.old.push(path);
        }
        let published = self.inner.published.read().expect(NO_PANIC).clone();
        let (Some(published), Some((run, now))) = (published, newest) else {
            return Ok(());
        };
        if !published.any(|source, label| self.is_erased(source, label)) {
            return Ok(());
        }
        let keep = |source: &SourceId, label: &str| !self.is_erased(source, label);
        let fresh = snapshot::without(&published, keep);
        let (file, seal) = snapshot::write(disk, &fresh)?;
        let generation = now.generation + 1;
        let path = snapshot_path(disk.root(), run, generation);
        file.publish(&path)?;
        self.fresh.push(path);
        let seal = seal_hex(seal);
        self.snapshot = Some((SnapshotRewritten { generation, seal }, fresh));
        let old = snapshot_path(disk.root(), run, now.generation);
        self.old.push(old);
        Ok(())
    }

    /// Puts the new files in force, brings the index up to date, and removes the old files.
    fn switch(self) -> Result<Rewritten, EraseError> {
        let inner = self.inner;
        let mut done = Rewritten {
            erased: self.touched.iter().map(|it| it.found.len() as u64).sum(),
            rows_removed: self.rows_removed,
            segments: self.segments.len() as u64,
            old_snapshots: self.old_snapshots,
            position: None,
        };
        if self.erased.is_empty() && done.segments + done.old_snapshots == 0 {
            return Ok(done);
        }
        let (snapshot, fresh) = self.snapshot.unzip();
        let mut tombstones: Vec<String> = (self.erased.iter())
            .map(|tombstone| format!("{:032x}", u128::from_be_bytes(*tombstone)))
            .collect();
        tombstones.sort_unstable();
        let generations = self.segments.clone();
        let entry = LogEntry::Rewriting(Rewriting {
            tombstones,
            segments: self.segments,
            snapshot,
        });
        let recorded = inner.record(entry, &[]);
        if recorded.is_err() {
            discard(inner, &self.fresh);
        }
        let position = recorded?;
        if let Some(fresh) = fresh {
            *inner.published.write().expect(NO_PANIC) = Some(fresh);
        }
        inner.index_rewriting(|index| {
            let mut found = Vec::new();
            for (mut segment, fresh) in self.touched.into_iter().zip(generations) {
                segment.now = SegmentNow {
                    generation: fresh.generation,
                    rows: fresh.rows,
                    seal: fresh.seal,
                };
                let expected = expected(inner, self.binding.as_ref(), &segment)?;
                let directory = read_directory(&inner.disk, &expected)?;
                let generation = (fresh.submission, fresh.generation);
                let source = &segment.committed.source;
                index.take_in_segment(inner.disk.keys(), generation, source, &directory)?;
                found.append(&mut segment.found);
            }
            Ok(index.remove(&found)?)
        });
        remove(inner, &self.old).map_err(EraseError::NotRemoved)?;
        done.position = Some(position);
        Ok(done)
    }
}

impl Rewritten {
    fn add(&mut self, step: Self) {
        self.erased += step.erased;
        self.rows_removed += step.rows_removed;
        self.segments += step.segments;
        self.old_snapshots += step.old_snapshots;
        self.position = step.position.or(self.position);
    }
}

fn expected<'a>(
    inner: &Inner,
    binding: Option<&'a Binding>,
    segment: &'a Touched,
) -> Result<Expected<'a>, StorageFault> {
    let refuse = |rule| StorageFault::damaged(&log_path(inner.disk.root()), 0, rule);
    let binding = binding.ok_or_else(|| refuse("a submission comes before the linkage profile"))?;
    binding
        .expected(&segment.committed, &segment.now)
        .map_err(refuse)
}

/// Removes files that came to nothing: a full disk needs the room. Whatever stays, the next open
/// removes.
fn discard(inner: &Inner, fresh: &[PathBuf]) {
    // If the disk did not confirm the log entry, the files may be in force.
    if !inner.log().is_poisoned() {
        for path in fresh {
            let _ = inner.disk.remove(path);
        }
    }
}

/// Removes files once nobody reads them, durably.
fn remove(inner: &Inner, files: &[PathBuf]) -> Result<(), StorageFault> {
    let _alone = inner.removing.write().expect(NO_PANIC);
    for path in files {
        inner.disk.remove(path)?;
    }
    let directories: BTreeSet<_> = files.iter().filter_map(|path| path.parent()).collect();
    for directory in directories {
        inner.poison_if_unconfirmed(inner.disk.sync_dir(directory))?;
    }
    Ok(())
}
