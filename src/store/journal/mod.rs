//! Journals: what arrived of a submission under way, chunk by chunk, so that a source whose line was
//! cut can go on even after a restart. A journal is no part of the truth: it can be deleted at any
//! time, and then the source starts over. A torn tail is cut back to the last whole chunk.

mod frame;
mod reader;
mod records;
mod writer;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::reader::JournalReader;
pub use self::records::Arrival;
pub use self::writer::Journal;
use super::Store;
use super::crypt::FileId;
use super::disk::Disk;
use super::fault::StorageFault;
use super::inner::Inner;
use crate::terms::{Fingerprint, SourceId, SubmissionHeader};

const EXTENSION: &str = "mjnl";

fn directory(store: &Path) -> PathBuf {
    store.join("journals")
}

fn journal_path(store: &Path, file: &FileId) -> PathBuf {
    let name = u128::from_be_bytes(*file);
    directory(store).join(format!("{name:032x}.{EXTENSION}"))
}

/// All journals of a store.
fn journals(disk: &Disk) -> Result<Vec<PathBuf>, StorageFault> {
    let directory = directory(disk.root());
    if !disk.exists(&directory)? {
        return Ok(Vec::new());
    }
    disk.files_with_extension(&directory, EXTENSION)
}

/// Removes a journal. Whoever ended the submission may have been faster.
fn remove(disk: &Disk, path: &Path) -> Result<(), StorageFault> {
    match disk.remove(path) {
        Err(StorageFault::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The first frame: what the submission's header says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    source: SourceId,
    request_id: String,
    profile: [u8; 32],
    epoch: String,
}

impl About {
    fn of(header: &SubmissionHeader) -> Self {
        Self {
            source: header.source.clone(),
            request_id: header.request_id.clone(),
            profile: header.profile.0,
            epoch: header.epoch.clone(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    fn decode(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    fn into_header(self) -> SubmissionHeader {
        SubmissionHeader {
            source: self.source,
            profile: Fingerprint(self.profile),
            epoch: self.epoch,
            request_id: self.request_id,
        }
    }
}

impl Store {
    /// Begins the journal of a submission, in place of any other of its source. To be called while
    /// the submission is under way.
    ///
    /// # Errors
    /// [`StorageFault`].
    pub fn begin_journal(
        &self,
        header: &SubmissionHeader,
        now_unix_s: u64,
    ) -> Result<Journal, StorageFault> {
        let inner = &*self.inner;
        // Whoever looks through the journals meanwhile would see one without a header.
        let _submitting = inner.submitting();
        inner.remove_journals(Some(&header.source))?;
        inner.disk.create_dir(&directory(inner.disk.root()))?;
        Journal::create(&inner.disk, header, now_unix_s)
    }

    /// The journal of a request that was not carried out; the newest, should a crash have left two.
    ///
    /// # Errors
    /// [`StorageFault`].
    pub fn open_journal(
        &self,
        source: &SourceId,
        request_id: &str,
    ) -> Result<Option<JournalReader>, StorageFault> {
        let inner = &*self.inner;
        if inner.catalogue().request(source, request_id).is_some() {
            return Ok(None);
        }
        let mut newest: Option<JournalReader> = None;
        for path in journals(&inner.disk)? {
            let Some(found) = JournalReader::open(&inner.disk, &path)? else {
                continue;
            };
            let header = found.header();
            let asked = header.source == *source && header.request_id == request_id;
            let newer = newest
                .as_ref()
                .is_none_or(|newest| newest.began_unix_s() < found.began_unix_s());
            if asked && newer {
                newest = Some(found);
            }
        }
        Ok(newest)
    }

    /// Removes the journals that nobody may go on with: those of requests that were carried out,
    /// those torn before their first chunk, and those whose last chunk is `keep_for_s` seconds or
    /// more away from now. Those of submissions under way stay.
    ///
    /// # Errors
    /// [`StorageFault`]; the rest is removed the next time.
    pub fn remove_old_journals(
        &self,
        now_unix_s: u64,
        keep_for_s: u64,
    ) -> Result<(), StorageFault> {
        let inner = &*self.inner;
        let submitting = inner.submitting();
        for path in journals(&inner.disk)? {
            if let Some(found) = JournalReader::open(&inner.disk, &path)? {
                let header = found.header();
                if submitting.contains(&header.source) {
                    continue;
                }
                let done = (inner.catalogue())
                    .request(&header.source, &header.request_id)
                    .is_some();
                if !done && now_unix_s.abs_diff(found.last_arrival_unix_s()?) < keep_for_s {
                    continue;
                }
            }
            remove(&inner.disk, &path)?;
        }
        Ok(())
    }
}

impl Inner {
    /// Removes the journals of a source, or all, for good: what is erased must not come back with
    /// the power. No submission of the source is under way, or it is the caller's.
    pub(super) fn remove_journals(&self, source: Option<&SourceId>) -> Result<(), StorageFault> {
        let mut removed = false;
        for path in journals(&self.disk)? {
            let found = JournalReader::open(&self.disk, &path)?;
            let other = |reader: JournalReader| Some(&reader.header().source) != source;
            if source.is_some() && found.is_some_and(other) {
                continue;
            }
            remove(&self.disk, &path)?;
            removed = true;
        }
        if removed {
            self.disk.sync_dir(&directory(self.disk.root()))?;
        }
        Ok(())
    }
}
