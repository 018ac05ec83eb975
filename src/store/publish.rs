//! Out to the linkage job and back: the live records as a table, and the entities it found.

use std::collections::BTreeSet;
use std::ops::Range;

use roaring::RoaringBitmap;

use super::catalogue::{Binding, SegmentNow, seal_hex};
use super::fault::StorageFault;
use super::log::{AppendError, LogEntry, PublicationMade, SubmissionCommitted, log_path};
use super::snapshot::{self, Published, snapshot_path};
use super::table::{LoadedSegment, TableBuilder};
use super::vault::Vault;
use super::{LoadedTable, NO_PANIC, Store};
use crate::terms::{Churn, EntityId, RowIndex, RunId, SourceId};

/// Why the live records could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadTableError {
    /// The store has no linkage profile, so no records.
    #[error("the store is not bound to a linkage profile yet")]
    NoProfile,
    /// More sources than a row can name.
    #[error("the store holds more than {max} sources")]
    TooManySources {
        /// Most sources.
        max: usize,
    },
    /// More rows than a table can hold.
    #[error("the store holds more than {max} live records")]
    TooManyRows {
        /// Most rows.
        max: u64,
    },
    /// A segment is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Why entities could not be published. What was published before stays.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is not one entity per row.
    #[error("{rows} rows, but {entities} entities: each row belongs to one")]
    Lengths {
        /// Rows of the table.
        rows: usize,
        /// Entities given.
        entities: usize,
    },
    /// The run published before.
    #[error("run {run} published its entities before")]
    AlreadyPublished {
        /// The run.
        run: RunId,
    },
    /// More entity IDs were ever published than a snapshot can name.
    #[error("more than {} entity IDs were ever published", u32::MAX - 1)]
    TooManyEntities,
    /// The snapshot could not be written.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] AppendError),
}

impl Store {
    /// Loads all live records, by segment and row. Checks every byte it reads.
    ///
    /// # Errors
    /// [`LoadTableError`].
    pub fn load_table(&self) -> Result<LoadedTable, LoadTableError> {
        let _reading = self.inner.removing.read().expect(NO_PANIC);
        self.live_segments()?.load(&self.inner.disk, 0)
    }

    /// Adds to loaded rows those that were taken in since; gives them. `None` if a loaded row was
    /// replaced or erased since, or records of a new source came: then all is to be loaded anew.
    ///
    /// # Errors
    /// [`LoadTableError`]; the loaded rows are as they were.
    pub fn extend_table(
        &self,
        loaded: &mut LoadedTable,
    ) -> Result<Option<Range<RowIndex>>, LoadTableError> {
        let _reading = self.inner.removing.read().expect(NO_PANIC);
        let now = self.live_segments()?;
        let known = loaded.segments.len();
        let is_known = |((committed, segment, live), known): (&LiveSegment, &LoadedSegment)| {
            committed.submission == known.submission
                && segment.generation == known.generation
                && *live == known.live
        };
        if now.sources != loaded.sources
            || now.segments.len() < known
            || !now.segments.iter().zip(&loaded.segments).all(is_known)
        {
            return Ok(None);
        }
        let first = loaded.table.len();
        let more = now.load(&self.inner.disk, known)?;
        if first as u64 + more.table.len() as u64 > u64::from(u32::MAX) {
            return Err(LoadTableError::TooManyRows {
                max: u64::from(u32::MAX),
            });
        }
        loaded.append(more);
        Ok(Some(first as RowIndex..loaded.table.len() as RowIndex))
    }

    /// The segments with live rows. Segments never change, and none is removed while `removing` is
    /// held: a list of them with their live rows is a consistent view.
    fn live_segments(&self) -> Result<LiveSegments, LoadTableError> {
        let catalogue = self.inner.catalogue();
        let binding = (catalogue.binding.clone()).ok_or(LoadTableError::NoProfile)?;
        let segments: Vec<_> = catalogue
            .submissions
            .iter()
            .filter(|submission| !submission.live.is_empty())
            .filter_map(|submission| {
                let now = submission.segment.clone()?;
                Some((submission.committed.clone(), now, submission.live.clone()))
            })
            .collect();
        drop(catalogue);
        let sources: BTreeSet<&SourceId> = segments.iter().map(|(it, _, _)| &it.source).collect();
        let sources: Vec<SourceId> = sources.into_iter().cloned().collect();
        if sources.len() > usize::from(u16::MAX) + 1 {
            return Err(LoadTableError::TooManySources {
                max: usize::from(u16::MAX) + 1,
            });
        }
        Ok(LiveSegments {
            binding,
            sources,
            segments,
        })
    }

    /// Publishes the entities of a run: `entities[i]` belongs to row `i` of `rows`.
    ///
    /// Records that were erased since the rows were loaded are left out, and tracers: they are nobody. Readers see the old
    /// publication or the new one, whole. Durable on return, with the history of the IDs. Tells how
    /// IDs changed.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish(
        &self,
        run: RunId,
        rows: &LoadedTable,
        entities: &[EntityId],
    ) -> Result<Churn, PublishError> {
        if rows.refs.len() != entities.len() {
            return Err(PublishError::Lengths {
                rows: rows.refs.len(),
                entities: entities.len(),
            });
        }
        let inner = &self.inner;
        let _commit = inner.commit_lock();
        inner.refuse_if_poisoned()?;
        if (inner.catalogue().publications.iter()).any(|it| it.run == run) {
            return Err(PublishError::AlreadyPublished { run });
        }
        let kept = |source: &SourceId, label: &str| !inner.is_erased(source, label);
        let before = self.published();
        let created = inner.catalogue().runs.get(&run).map(|it| it.created_unix_s);
        let made = snapshot::Made {
            run,
            created_unix_s: created.unwrap_or(0),
            rows,
            entities,
            before: before.as_ref(),
        };
        let (published, churn) =
            snapshot::made(&made, kept).ok_or(PublishError::TooManyEntities)?;
        let written = snapshot::write(&inner.disk, &published);
        let (file, seal) = inner.poison_if_unconfirmed(written)?;
        inner.reserve.cover(&inner.disk, file.length()?)?;
        let path = snapshot_path(inner.disk.root(), run, 0);
        inner.poison_if_unconfirmed(file.publish(&path))?;
        let entry = LogEntry::Publication(PublicationMade {
            run,
            seal: seal_hex(seal),
        });
        inner.record(entry, &[])?;
        *inner.published.write().expect(NO_PANIC) = Some(published);
        Ok(churn)
    }

    /// The publication in force.
    #[must_use]
    pub fn published(&self) -> Option<Published> {
        self.inner.published.read().expect(NO_PANIC).clone()
    }
}

/// A segment with its live rows.
type LiveSegment = (SubmissionCommitted, SegmentNow, RoaringBitmap);

/// What there is to load.
struct LiveSegments {
    binding: Binding,
    /// Ascending.
    sources: Vec<SourceId>,
    segments: Vec<LiveSegment>,
}

impl LiveSegments {
    /// Loads the segments from `first` on.
    fn load(&self, disk: &Vault, first: usize) -> Result<LoadedTable, LoadTableError> {
        let segments = &self.segments[first..];
        let rows: u64 = segments.iter().map(|(_, _, live)| live.len()).sum();
        if rows > u64::from(u32::MAX) {
            return Err(LoadTableError::TooManyRows {
                max: u64::from(u32::MAX),
            });
        }
        let (layout, sources) = (&self.binding.layout, self.sources.clone());
        let mut builder = TableBuilder::new(layout, sources, rows as usize);
        for (committed, now, live) in segments {
            let expected = (self.binding)
                .expected(committed, now)
                .map_err(|rule| StorageFault::damaged(&log_path(disk.root()), 0, rule))?;
            let source = (self.sources)
                .binary_search(&committed.source)
                .expect("the list was made from these submissions");
            builder.add(disk, &expected, source as u16, live)?;
        }
        Ok(builder.finish())
    }
}
