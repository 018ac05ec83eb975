//! What is on the memory disk: names and contents as a process sees them, and beside each what is
//! durable and what has been changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::random::Random;
use super::{Fault, FaultKind};
use crate::store::vfs::Room;

/// What a name stands for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A directory.
    Directory,
    /// A file, by number.
    File(u64),
}

/// A change of names that is not durable yet.
#[derive(Clone)]
pub(super) enum NameChange {
    /// A file or directory got its first name.
    Link(PathBuf, Name),
    /// A file lost its name.
    Unlink(PathBuf),
    /// A file changed its name, in one step.
    Rename(PathBuf, PathBuf, u64),
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Name>) {
        match self {
            Self::Link(path, name) => {
                names.insert(path.clone(), name.clone());
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to, id) => {
                // If the name before is lost already, the file still has its new one.
                if names.get(from) == Some(&Name::File(*id)) {
                    names.remove(from);
                }
                names.insert(to.clone(), Name::File(*id));
            }
        }
    }
}

/// A change of content that is not durable yet.
#[derive(Clone)]
pub(super) enum Change {
    /// Bytes written at an offset.
    Write(usize, Vec<u8>),
    /// The file cut, or extended with zeros, to a length.
    Cut(usize),
}

impl Change {
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Cut(length) => content.resize(*length, 0),
        }
    }
}

/// A file.
#[derive(Default)]
pub(super) struct Stored {
    /// As a process sees it.
    pub(super) content: Vec<u8>,
    /// As it is on the disk for certain.
    pub(super) durable: Vec<u8>,
    /// Changes since; a sync makes them durable.
    pub(super) changes: Vec<Change>,
}

/// Kinds of operation, by what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Opening, reading, listing: changes nothing.
    Look,
    /// Making a file or directory.
    Create,
    /// Renaming, removing, cutting.
    Name,
    /// Writing.
    Write,
    /// Making durable.
    Sync,
}

pub(super) struct State {
    pub(super) names: BTreeMap<PathBuf, Name>,
    pub(super) durable_names: BTreeMap<PathBuf, Name>,
    /// With the directory that each belongs to.
    pub(super) name_changes: Vec<(PathBuf, NameChange)>,
    pub(super) files: BTreeMap<u64, Stored>,
    pub(super) locks: BTreeSet<PathBuf>,
    /// Which life of the machine it is; files opened in an earlier one are closed.
    pub(super) boot: u64,
    pub(super) operations: u64,
    pub(super) kinds: Vec<Operation>,
    pub(super) failed_syncs: u64,
    pub(super) fault: Option<Fault>,
    pub(super) full: bool,
    /// Bytes that the files with names may have together.
    pub(super) capacity: Option<u64>,
    pub(super) stopped: bool,
    pub(super) syncs: BTreeMap<PathBuf, u64>,
    pub(super) syncs_held: bool,
    pub(super) random: Random,
    next_file: u64,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Name::Directory)]);
        Self {
            names: root.clone(),
            durable_names: root,
            name_changes: Vec::new(),
            files: BTreeMap::new(),
            locks: BTreeSet::new(),
            boot: 0,
            operations: 0,
            kinds: Vec::new(),
            failed_syncs: 0,
            fault: None,
            full: false,
            capacity: None,
            stopped: false,
            syncs: BTreeMap::new(),
            syncs_held: false,
            random: Random::new(seed),
            next_file: 0,
        }
    }

    /// Counts an operation and lets it fail if that is planned.
    ///
    /// `Err`: it fails without effect. `Some`: it takes effect (a write or sync in part), then fails.
    pub(super) fn begin(&mut self, operation: Operation) -> io::Result<Option<io::Error>> {
        self.operations += 1;
        self.kinds.push(operation);
        if self.stopped {
            return Err(eio());
        }
        let needs_space = matches!(operation, Operation::Create | Operation::Write);
        let due = self.fault.filter(|it| it.operation == self.operations);
        let error = match due.map(|fault| fault.kind) {
            Some(FaultKind::Error) => eio(),
            Some(FaultKind::Stop) => {
                self.stopped = true;
                eio()
            }
            Some(FaultKind::NoSpace) if needs_space || operation == Operation::Sync => enospc(),
            _ if self.full && needs_space => enospc(),
            _ => return Ok(None),
        };
        // A write decides itself how much of it is left.
        let takes_effect = matches!(operation, Operation::Write | Operation::Sync)
            || (operation != Operation::Look && self.random.one_in(2));
        if takes_effect && error.kind() != io::ErrorKind::StorageFull
            || matches!(operation, Operation::Write | Operation::Sync)
        {
            Ok(Some(error))
        } else {
            Err(error)
        }
    }

    /// Whether the present operation is planned to take fewer bytes than it is given.
    pub(super) fn is_short(&self) -> bool {
        self.fault.is_some_and(|fault| {
            fault.operation == self.operations && fault.kind == FaultKind::ShortWrite
        })
    }

    /// Size of the disk and what is left of it, bytes; `None` if it has no bounds.
    pub(super) fn room(&self) -> Option<Room> {
        let total = self.capacity?;
        let used: usize = (self.names.values())
            .map(|name| match name {
                Name::Directory => 0,
                Name::File(id) => self.files[id].content.len(),
            })
            .sum();
        let free = total.saturating_sub(used as u64);
        Some(Room { free, total })
    }

    /// How many bytes of a write at this place there is room for.
    pub(super) fn fits(&self, id: u64, at: u64, count: usize) -> io::Result<usize> {
        let Some(room) = self.room() else {
            return Ok(count);
        };
        let within = (self.files[&id].content.len() as u64).saturating_sub(at);
        let fits = count.min((within + room.free) as usize);
        if fits == 0 && count > 0 {
            return Err(enospc());
        }
        Ok(fits)
    }

    pub(super) fn new_file(&mut self) -> u64 {
        self.next_file += 1;
        self.files.insert(self.next_file, Stored::default());
        self.next_file
    }

    /// Changes names in the directory of `path`.
    pub(super) fn rename_in(&mut self, path: &Path, change: NameChange) -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        if self.names.get(directory) != Some(&Name::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        change.apply(&mut self.names);
        self.name_changes.push((directory.to_owned(), change));
        Ok(())
    }

    /// Changes the content of a file.
    pub(super) fn change(&mut self, id: u64, change: Change) {
        if let Some(file) = self.files.get_mut(&id) {
            change.apply(&mut file.content);
            file.changes.push(change);
        }
    }

    /// Makes the names in a directory durable; after a fault only some, and the rest wait for a later
    /// sync: names go through the journal of the file system, which forgets none of them.
    pub(super) fn sync_names(&mut self, directory: &Path, faulty: bool) {
        let changes = std::mem::take(&mut self.name_changes);
        for (changed, change) in changes {
            if changed != directory || (faulty && self.random.one_in(2)) {
                self.name_changes.push((changed, change));
            } else {
                change.apply(&mut self.durable_names);
            }
        }
    }

    /// Makes a file's content durable; after a fault only some, and the rest never.
    pub(super) fn sync_file(&mut self, id: u64, path: &Path, faulty: bool) {
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        if faulty {
            self.failed_syncs += 1;
            file.settle(&mut self.random);
        } else {
            for change in file.changes.drain(..) {
                change.apply(&mut file.durable);
            }
            *self.syncs.entry(path.to_owned()).or_default() += 1;
        }
    }

    /// Takes over, as durable, what `other` has below a directory, and the names that lead there.
    pub(super) fn take_from(&mut self, other: &Self, directory: &Path) {
        for (path, name) in &other.names {
            if !path.starts_with(directory) && !directory.starts_with(path) {
                continue;
            }
            let name = match name {
                Name::Directory => Name::Directory,
                Name::File(id) => {
                    let content = &other.files[id].content;
                    let copy = self.new_file();
                    let stored = Stored {
                        content: content.clone(),
                        durable: content.clone(),
                        changes: Vec::new(),
                    };
                    self.files.insert(copy, stored);
                    Name::File(copy)
                }
            };
            self.names.insert(path.clone(), name.clone());
            self.durable_names.insert(path.clone(), name);
        }
    }

    pub(super) fn decay(&mut self, path: &Path, offset: usize, mask: u8) -> bool {
        let Some(Name::File(id)) = self.names.get(path) else {
            return false;
        };
        let Some(file) = self.files.get_mut(id) else {
            return false;
        };
        let mut found = false;
        for bytes in [&mut file.content, &mut file.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= mask;
                found = true;
            }
        }
        found
    }
}

pub(super) fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn enospc() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}
