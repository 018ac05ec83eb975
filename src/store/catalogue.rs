//! What the log amounts to, in memory: profile, submissions with their live rows, runs,
//! publications. Built by replaying the log; kept up to date by the same function on every append.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::log::{LogEntry, LogPosition, PublicationMade, SubmissionCommitted};
use super::sealed::Seal;
use super::segment::{Expected, RowLocation};
use crate::terms::profile::Layout;
use crate::terms::{LinkageProfile, Receipt, RunId, SourceId, run::Run};

/// A submission that was taken in.
pub(super) struct Submission {
    /// What the log says.
    pub(super) committed: SubmissionCommitted,
    /// Where it says so.
    pub(super) position: LogPosition,
    /// Rows of its segment that no newer version replaced.
    pub(super) live: RoaringBitmap,
}

impl Submission {
    /// The receipt.
    pub(super) fn receipt(&self) -> Receipt {
        receipt(&self.committed, self.position)
    }
}

/// The receipt of a submission whose entry stands at `position`.
pub(super) fn receipt(committed: &SubmissionCommitted, position: LogPosition) -> Receipt {
    Receipt {
        submission: committed.submission,
        source: committed.source.clone(),
        accepted: committed.accepted,
        unchanged: committed.unchanged,
        refused: committed.refused.clone(),
        content_hash: committed.content_hash.clone(),
        log_head: position.hash_hex(),
    }
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
    /// What the segment of this submission must be; `None` if it has none.
    ///
    /// The error is the rule that the log entry breaks.
    pub(super) fn expected<'a>(
        &'a self,
        committed: &'a SubmissionCommitted,
    ) -> Result<Option<Expected<'a>>, &'static str> {
        let Some(segment) = &committed.segment else {
            return Ok(None);
        };
        Ok(Some(Expected {
            seal: parse_seal(&segment.seal)?,
            rows: segment.rows,
            source: &committed.source,
            profile: self.profile.fingerprint(),
            layout: &self.layout,
        }))
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
    pub(super) publications: Vec<PublicationMade>,
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
            LogEntry::Publication(publication) => self.publications.push(publication),
            LogEntry::Audit(_) => {}
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
        for location in replaced {
            if !self.unset_live(*location) {
                return Err("the submission replaces a row that was not live");
            }
        }
        self.requests.insert(request, self.submissions.len());
        let mut live = RoaringBitmap::new();
        live.insert_range(0..rows);
        self.submissions.push(Submission {
            committed,
            position,
            live,
        });
        Ok(())
    }

    fn unset_live(&mut self, location: RowLocation) -> bool {
        let index = (location.segment as usize).wrapping_sub(1);
        self.submissions
            .get_mut(index)
            .is_some_and(|submission| submission.live.remove(location.row))
    }

    /// Whether the row is the newest version of its record.
    pub(super) fn is_live(&self, location: RowLocation) -> bool {
        let index = (location.segment as usize).wrapping_sub(1);
        self.submissions
            .get(index)
            .is_some_and(|submission| submission.live.contains(location.row))
    }

    /// The submission that carried out this request.
    pub(super) fn request(&self, source: &SourceId, request_id: &str) -> Option<&Submission> {
        let index = self
            .requests
            .get(&(source.clone(), request_id.to_owned()))?;
        self.submissions.get(*index)
    }
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
