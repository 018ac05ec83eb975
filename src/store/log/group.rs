//! Many appends, one sync. Entries wait while a group is on its way to the disk; whoever finds the
//! disk free takes all that wait there, up to 4 MiB, and syncs once for all of them.
//!
//! Nobody waits on a timer: a group is what came in during one sync, so no entry waits for more than
//! the sync under way and its own.

use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{AppendError, Log, LogEntry, LogPosition, frame};
use crate::store::crypt::DataKeys;
use crate::store::fault::{Explain, StorageFault};
use crate::store::segment::RowLocation;
use crate::store::vfs::BoxedFile;

/// A group takes no further entry once it has this many bytes.
const GROUP_BYTES: usize = 4 << 20;

/// Stands for an entry that waits; later entries have later tickets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Ticket(u64);

/// An entry, and the rows that it replaces.
pub(in crate::store) struct Staged {
    /// The entry.
    pub(in crate::store) entry: LogEntry,
    /// Rows that the entry's segment replaces.
    pub(in crate::store) replaced: Vec<RowLocation>,
    ticket: Ticket,
    payload: Vec<u8>,
}

/// Entries that wait, and how those ended that did not ask yet.
#[derive(Default)]
pub(super) struct Queue {
    staged: Vec<Staged>,
    ended: BTreeMap<Ticket, Result<LogPosition, AppendError>>,
    last: u64,
}

/// Entries on their way to the disk, with the file, which nobody else touches meanwhile.
pub(in crate::store) struct Group {
    path: PathBuf,
    file: BoxedFile,
    keys: Arc<DataKeys>,
    end: u64,
    head: LogPosition,
    staged: Vec<Staged>,
}

/// How the way to the disk ended.
enum Written {
    /// All is durable: the offset after it, and where each entry stands.
    Durable(u64, Vec<LogPosition>),
    /// The disk refused; the log is as it was.
    Refused(StorageFault),
    /// What is on the disk is unknown.
    Unknown(StorageFault),
}

/// A group that is back from the disk.
pub(in crate::store) struct Landed {
    file: BoxedFile,
    staged: Vec<Staged>,
    written: Written,
}

impl Group {
    /// Writes and syncs. Takes its time: nobody should hold the log meanwhile.
    pub(in crate::store) fn write(mut self) -> Landed {
        let mut bytes = Vec::new();
        let mut positions = Vec::with_capacity(self.staged.len());
        let mut head = self.head;
        for (place, staged) in (0..).zip(&self.staged) {
            let prefix = frame::Prefix {
                length: staged.payload.len(),
                kind: staged.entry.kind(),
                place,
                sequence: head.sequence + 1,
            };
            let (entry, hash) = frame::encode(&self.keys, &head.hash, prefix, &staged.payload);
            bytes.extend_from_slice(&entry);
            head = LogPosition {
                sequence: prefix.sequence,
                hash,
            };
            positions.push(head);
        }
        let end = self.end + bytes.len() as u64;
        let written = match self.put(&bytes) {
            Ok(()) => Written::Durable(end, positions),
            Err(written) => written,
        };
        Landed {
            file: self.file,
            staged: self.staged,
            written,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Written> {
        let written = (self.file.seek(SeekFrom::Start(self.end)))
            .and_then(|_| self.file.write_all(bytes))
            .explain("write", &self.path);
        if let Err(fault) = written {
            // A full disk leaves a part of the group. It is taken back for good, because a crash
            // must not bring back entries whose segments make room for others.
            let restored = (self.file.set_len(self.end)).and_then(|()| self.file.sync_data());
            return Err(match restored {
                Ok(()) => Written::Refused(fault),
                Err(_) => Written::Unknown(fault),
            });
        }
        (self.file.sync_data().confirm(&self.path)).map_err(Written::Unknown)
    }
}

impl Log {
    /// Puts an entry in the queue.
    pub(in crate::store) fn stage(
        &mut self,
        entry: LogEntry,
        replaced: Vec<RowLocation>,
    ) -> Result<Ticket, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        let payload = entry.encode();
        if payload.len() > frame::PLAIN_BYTES_MAX {
            return Err(AppendError::TooLarge {
                max: frame::PLAIN_BYTES_MAX,
            });
        }
        self.queue.last += 1;
        let ticket = Ticket(self.queue.last);
        self.queue.staged.push(Staged {
            entry,
            replaced,
            ticket,
            payload,
        });
        Ok(ticket)
    }

    /// How an entry ended; `None` while it waits. Gives the answer once.
    pub(in crate::store) fn outcome(
        &mut self,
        ticket: Ticket,
    ) -> Option<Result<LogPosition, AppendError>> {
        self.queue.ended.remove(&ticket)
    }

    /// Takes what waits; `None` while a group is on its way.
    pub(in crate::store) fn take_group(&mut self) -> Option<Group> {
        let file = self.file.take()?;
        let mut bytes = 0;
        let full = |staged: &Staged| {
            let before = bytes;
            bytes += staged.payload.len();
            before >= GROUP_BYTES
        };
        let staged = &mut self.queue.staged;
        let count = staged.iter().position(full).unwrap_or(staged.len());
        Some(Group {
            path: self.path.clone(),
            file,
            keys: Arc::clone(&self.keys),
            end: self.end,
            head: self.head,
            staged: staged.drain(..count).collect(),
        })
    }

    /// Takes a group back from the disk; gives its entries if they are durable.
    pub(in crate::store) fn land(&mut self, landed: Landed) -> Vec<(Staged, LogPosition)> {
        self.file = Some(landed.file);
        let fault = match landed.written {
            Written::Durable(end, positions) => {
                self.end = end;
                self.head = positions.last().copied().unwrap_or(self.head);
                for (staged, position) in landed.staged.iter().zip(&positions) {
                    self.queue.ended.insert(staged.ticket, Ok(*position));
                }
                return landed.staged.into_iter().zip(positions).collect();
            }
            Written::Refused(fault) => fault,
            Written::Unknown(fault) => {
                self.poison();
                fault
            }
        };
        for staged in landed.staged {
            let same = AppendError::Storage(same_fault(&fault, &self.path));
            self.queue.ended.insert(staged.ticket, Err(same));
        }
        Vec::new()
    }

    /// Refuses all further writes: something on the disk is unknown. What waits is refused, too.
    pub(in crate::store) fn poison(&mut self) {
        self.poisoned = true;
        for staged in self.queue.staged.drain(..) {
            (self.queue.ended).insert(staged.ticket, Err(AppendError::Poisoned));
        }
    }

    /// Whether a group is on its way to the disk, and how many entries wait behind it.
    #[cfg(test)]
    pub(in crate::store) fn traffic(&self) -> (bool, usize) {
        (self.file.is_none(), self.queue.staged.len())
    }
}

/// The fault of a group, for each of its entries.
fn same_fault(fault: &StorageFault, path: &Path) -> StorageFault {
    let same = |source: &io::Error| match source.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(source.kind(), source.to_string()),
    };
    match fault {
        StorageFault::Unconfirmed { path, source } => StorageFault::Unconfirmed {
            path: path.clone(),
            source: same(source),
        },
        StorageFault::Io {
            action,
            path,
            source,
        } => StorageFault::Io {
            action,
            path: path.clone(),
            source: same(source),
        },
        StorageFault::NoRoom { path, free, keep } => StorageFault::NoRoom {
            path: path.clone(),
            free: *free,
            keep: *keep,
        },
        StorageFault::Damaged { offset, rule, .. } => StorageFault::damaged(path, *offset, rule),
    }
}
