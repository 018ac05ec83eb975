//! What the log amounts to, in memory: profile, submissions with their live rows, runs,
//! publications, erased records. Built by replaying the log; kept up to date by the same function
//! on every append.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use roaring::RoaringBitmap;

use super::crypt::{DataKeys, Tombstone};
use super::log::{
    LogEntry, LogPosition, PublicationMade, Rewriting, SnapshotRewritten, SubmissionCommitted,
};
use super::sealed::Seal;
use super::segment::{Expected, RowLocation};
use crate::terms::profile::Layout;
use crate::terms::{LinkageProfile, Project, ProjectId, Receipt, RunId, SourceId, run::Run};

/// A submission that was taken in.
pub(super) struct Submission {
    /// What the log says.
    pub(super) committed: SubmissionCommitted,
    /// Where it says so.
    pub(super) position: LogPosition,
    /// Its segment as it is now.
    pub(super) segment: Option<SegmentNow>,
    /// Rows of its segment that no newer version replaced.
    pub(super) live: RoaringBitmap,
}

/// The generation of a segment that is in force.
#[derive(Clone)]
pub(super) struct SegmentNow {
    /// How often it was written anew.
    pub(super) generation: u32,
    /// Rows.
    pub(super) rows: u32,
    /// Seal of the file, hexadecimal.
    pub(super) seal: String,
}

/// A publication, and whether its snapshot is still there.
pub(super) struct Publication {
    /// The run.
    pub(super) run: RunId,
    /// Its snapshot; `None` once a rewriting dropped it.
    pub(super) snapshot: Option<SnapshotNow>,
}

/// The generation of a snapshot that is in force.
#[derive(Clone)]
pub(super) struct SnapshotNow {
    /// How often it was written anew.
    pub(super) generation: u32,
    /// Seal of the file, hexadecimal.
    pub(super) seal: String,
}

impl Submission {
    /// The receipt.
    pub(super) fn receipt(&self, keys: &DataKeys) -> Receipt {
        receipt(&self.committed, self.position, keys)
    }
}

/// The receipt of a submission whose entry stands at `position`. The same each time.
pub(super) fn receipt(
    committed: &SubmissionCommitted,
    position: LogPosition,
    keys: &DataKeys,
) -> Receipt {
    let mut receipt = Receipt {
        submission: committed.submission,
        source: committed.source.clone(),
        accepted: committed.accepted,
        unchanged: committed.unchanged,
        refused: committed.refused.clone(),
        content_hash: committed.content_hash.clone(),
        sequence: position.sequence,
        log_head: position.hash_hex(),
        signature: String::new(),
    };
    let signature = keys.sign(&receipt.signed_bytes());
    receipt.signature = HEXLOWER.encode(&signature);
    receipt
}

/// The profile that the store is bound to.
#[derive(Clone)]
pub(super) struct Binding {
    /// Profile.
    pub(super) profile: Arc<LinkageProfile>,
    /// Shape of its encodings.
    pub(super) layout: Arc<Layout>,
    /// Epoch of the linkage secret.
    pub(super) epoch: String,
}

impl Binding {
    /// What this generation of a submission's segment must be.
    ///
    /// The error is the rule that the log entry breaks.
    pub(super) fn expected<'a>(
        &'a self,
        committed: &'a SubmissionCommitted,
        segment: &SegmentNow,
    ) -> Result<Expected<'a>, &'static str> {
        Ok(Expected {
            submission: committed.submission,
            generation: segment.generation,
            seal: parse_seal(&segment.seal)?,
            rows: segment.rows,
            source: &committed.source,
            profile: self.profile.fingerprint(),
            layout: &self.layout,
        })
    }
}

/// The state that the log describes.
#[derive(Default)]
pub(super) struct Catalogue {
    /// Profile and epoch, once set.
    pub(super) binding: Option<Binding>,
    /// Submissions; number *n* at index *n* − 1.
    pub(super) submissions: Vec<Submission>,
    /// Runs.
    pub(super) runs: BTreeMap<RunId, Run>,
    /// Publications, oldest first.
    pub(super) publications: Vec<Publication>,
    /// Records that were erased and do not come back.
    pub(super) tombstones: HashSet<Tombstone>,
    /// Projects by name.
    pub(super) projects: BTreeMap<ProjectId, Project>,
    /// Rewritings of segments so far.
    pub(super) rewritings: u64,
    requests: BTreeMap<(SourceId, String), usize>,
}

impl Catalogue {
    /// Takes in an entry. `replaced` are the rows that the entry's segment replaces.
    ///
    /// The error is the rule that the entry breaks.
    pub(super) fn apply(
        &mut self,
        entry: LogEntry,
        position: LogPosition,
        replaced: &[RowLocation],
    ) -> Result<(), &'static str> {
        match entry {
            LogEntry::Profile(set) => {
                if self.binding.is_some() {
                    return Err("the linkage profile is set a second time");
                }
                let profile = LinkageProfile::parse(&set.text)
                    .map_err(|_| "the linkage profile of the log is not valid")?;
                self.binding = Some(Binding {
                    layout: Arc::new(profile.layout()),
                    profile: Arc::new(profile),
                    epoch: set.epoch,
                });
            }
            LogEntry::Submission(committed) => {
                self.apply_submission(committed, position, replaced)?;
            }
            LogEntry::Run(run) => {
                self.runs.insert(run.id, *run);
            }
            LogEntry::Publication(PublicationMade { run, seal }) => {
                let generation = 0;
                let snapshot = Some(SnapshotNow { generation, seal });
                self.publications.push(Publication { run, snapshot });
            }
            LogEntry::Audit(_) => {}
            LogEntry::Project(project) => {
                self.projects.insert(project.id.clone(), project);
            }
            LogEntry::Rewriting(rewriting) => self.apply_rewriting(rewriting)?,
        }
        Ok(())
    }

    fn apply_submission(
        &mut self,
        committed: SubmissionCommitted,
        position: LogPosition,
        replaced: &[RowLocation],
    ) -> Result<(), &'static str> {
        if committed.submission != self.submissions.len() as u64 + 1 {
            return Err("the submission does not have the next number");
        }
        let rows = committed.segment.as_ref().map_or(0, |segment| segment.rows);
        if u64::from(rows) != committed.accepted {
            return Err("the submission's segment does not have its accepted records");
        }
        let request = (committed.source.clone(), committed.request_id.clone());
        if self.requests.contains_key(&request) {
            return Err("the request was carried out before");
        }
        self.replace(replaced)?;
        self.requests.insert(request, self.submissions.len());
        let mut live = RoaringBitmap::new();
        live.insert_range(0..rows);
        let segment = committed.segment.as_ref().map(|named| SegmentNow {
            generation: 0,
            rows: named.rows,
            seal: named.seal.clone(),
        });
        self.submissions.push(Submission {
            committed,
            position,
            segment,
            live,
        });
        Ok(())
    }

    fn apply_rewriting(&mut self, rewriting: Rewriting) -> Result<(), &'static str> {
        for tombstone in &rewriting.tombstones {
            self.tombstones.insert(parse_tombstone(tombstone)?);
        }
        for segment in rewriting.segments {
            let index = (segment.submission as usize).wrapping_sub(1);
            let submission = (self.submissions.get_mut(index))
                .ok_or("a segment that does not exist was written anew")?;
            let now = (submission.segment.as_mut())
                .filter(|now| now.generation + 1 == segment.generation)
                .ok_or("the segment written anew does not have the next generation")?;
            *now = SegmentNow {
                generation: segment.generation,
                rows: segment.rows,
                seal: segment.seal,
            };
            submission.live.clear();
            submission.live.insert_range(0..segment.rows);
        }
        let mut publications = self.publications.iter_mut().rev();
        if let (Some(newest), Some(snapshot)) = (publications.next(), rewriting.snapshot) {
            let SnapshotRewritten { generation, seal } = snapshot;
            newest.snapshot = Some(SnapshotNow { generation, seal });
        }
        publications.for_each(|older| older.snapshot = None);
        self.rewritings += 1;
        Ok(())
    }

    /// Takes in which rows newer versions replaced. Rows of generations that are gone are gone.
    ///
    /// The error is the rule that is broken.
    pub(super) fn replace(&mut self, replaced: &[RowLocation]) -> Result<(), &'static str> {
        for location in replaced {
            let index = (location.segment as usize).wrapping_sub(1);
            let submission = self.submissions.get_mut(index);
            let (submission, generation) = submission
                .and_then(|it| {
                    it.segment
                        .as_ref()
                        .map(|now| now.generation)
                        .map(|now| (it, now))
                })
                .ok_or("a row of a segment that does not exist is replaced")?;
            if generation == location.generation && !submission.live.remove(location.row) {
                return Err("a row is replaced that was not live");
            }
        }
        Ok(())
    }

    /// Whether this generation of a submission's segment is the one in force.
    pub(super) fn is_current(&self, location: RowLocation) -> bool {
        let index = (location.segment as usize).wrapping_sub(1);
        let submission = self.submissions.get(index);
        submission
            .and_then(|it| it.segment.as_ref())
            .is_some_and(|now| now.generation == location.generation)
    }

    /// Whether the row is the newest version of its record.
    pub(super) fn is_live(&self, location: RowLocation) -> bool {
        let index = (location.segment as usize).wrapping_sub(1);
        let submission = self.submissions.get(index);
        self.is_current(location) && submission.is_some_and(|it| it.live.contains(location.row))
    }

    /// The publication in force and its snapshot.
    pub(super) fn newest_publication(&self) -> Option<(RunId, SnapshotNow)> {
        let newest = self.publications.last()?;
        Some((newest.run, newest.snapshot.clone()?))
    }

    /// The submission that carried out this request.
    pub(super) fn request(&self, source: &SourceId, request_id: &str) -> Option<&Submission> {
        let index = self
            .requests
            .get(&(source.clone(), request_id.to_owned()))?;
        self.submissions.get(*index)
    }
}

/// Reads a tombstone as the log writes it.
pub(super) fn parse_tombstone(text: &str) -> Result<Tombstone, &'static str> {
    u128::from_str_radix(text, 16)
        .map(u128::to_be_bytes)
        .map_err(|_| "a tombstone is 32 hexadecimal digits")
}

/// Reads a seal as the log writes it.
pub(super) fn parse_seal(text: &str) -> Result<Seal, &'static str> {
    blake3::Hash::from_hex(text)
        .map(Seal::from)
        .map_err(|_| "a seal is 64 hexadecimal digits")
}

/// Writes a seal as the log does.
pub(super) fn seal_hex(seal: Seal) -> String {
    blake3::Hash::from_bytes(seal).to_hex().to_string()
}
