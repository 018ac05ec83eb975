//! A disk in memory that crashes and fails on purpose, for tests: what was not synced is lost, cut,
//! torn or kept in part; names last only once their directory was synced; any operation can be made
//! to fail. All choices come from one seed, so that a seed is a history.
//!
//! It is in the library because tests of several kinds run on it; no program refers to it.

mod crash;
mod file;
mod random;
mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use self::file::MemoryFile;
pub use self::random::Random;
pub use self::state::Operation;
use self::state::{Change, Name, NameChange, State};
use super::{Access, BoxedFile, Lock, Metadata, Room, Vfs};

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// EIO. A write leaves a part; a rename or removal may have happened; a sync leaves unknown
    /// what is durable, and what it dropped no later sync brings back.
    Error,
    /// ENOSPC, where space is needed: a write leaves a part.
    NoSpace,
    /// A write takes fewer bytes than it was given, and says so.
    ShortWrite,
    /// This operation and all after it fail, until [`MemoryDisk::crash`].
    Stop,
}

/// One fault at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Number of the operation, from 1.
    pub operation: u64,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// How everything ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process is gone; what the operating system took is still there, durable or not.
    Process,
    /// The power is gone; of what was not synced, anything may be left.
    Power,
}

/// The disk. Clones share it.
#[derive(Clone)]
pub struct MemoryDisk {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when syncs may go on.
    syncs_released: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl MemoryDisk {
    /// An empty disk with a root directory; `seed` decides everything that is left open.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(seed)),
                syncs_released: Condvar::new(),
            }),
        }
    }

    /// Operations so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.shared.state().operations
    }

    /// Of what kind each operation was that this disk has seen, in order.
    #[must_use]
    pub fn kinds(&self) -> Vec<Operation> {
        self.shared.state().kinds.clone()
    }

    /// Syncs of files so far that failed: what they dropped, no later sync brings back.
    #[must_use]
    pub fn failed_syncs(&self) -> u64 {
        self.shared.state().failed_syncs
    }

    /// Whether a planned [`FaultKind::Stop`] came: nothing works until [`MemoryDisk::crash`].
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.state().stopped
    }

    /// Plans a fault, in place of one planned before.
    pub fn plan(&self, fault: Option<Fault>) {
        self.shared.state().fault = fault;
    }

    /// Makes the disk full, or gives it room again.
    pub fn set_full(&self, full: bool) {
        self.shared.state().full = full;
    }

    /// Gives the disk a size, bytes, or takes the bounds away: files with names take room.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.shared.state().capacity = bytes;
    }

    /// Ends all open files and locks and leaves what survives. Ends the planned fault, too.
    pub fn crash(&self, how: Crash) {
        self.shared.state().crash(how);
        self.hold_syncs(false);
    }

    /// Successful syncs of files that had this name when they were synced.
    #[must_use]
    pub fn syncs_of(&self, path: &Path) -> u64 {
        let state = self.shared.state();
        state.syncs.get(path).copied().unwrap_or_default()
    }

    /// Makes syncs of files wait until they are released.
    pub fn hold_syncs(&self, hold: bool) {
        self.shared.state().syncs_held = hold;
        self.shared.syncs_released.notify_all();
    }

    /// The files and what they hold, as a process sees them.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.shared.state();
        let files = state.names.iter().filter_map(|(path, name)| match name {
            Name::Directory => None,
            Name::File(id) => Some((path.clone(), state.files[id].content.clone())),
        });
        files.collect()
    }

    /// What a file holds, as a process sees it; `None` if there is none. No operation.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.shared.state();
        match state.names.get(path)? {
            Name::Directory => None,
            Name::File(id) => Some(state.files[id].content.clone()),
        }
    }

    /// A good disk of its own with what a process sees below a directory.
    #[must_use]
    pub fn copy_of(&self, directory: &Path) -> Self {
        let copy = Self::new(0);
        let state = self.shared.state();
        copy.shared.state().take_from(&state, directory);
        copy
    }

    /// Flips bits of a byte of a file, as a disk that decays does. `false`: there is no such byte.
    pub fn decay(&self, path: &Path, offset: u64, mask: u8) -> bool {
        self.shared.state().decay(path, offset as usize, mask)
    }
}

impl Vfs for MemoryDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<BoxedFile> {
        let mut state = self.shared.state();
        let operation = if access == Access::Create {
            Operation::Create
        } else {
            Operation::Look
        };
        let afterwards = state.begin(operation)?;
        let id = match (state.names.get(path), access) {
            (Some(Name::Directory), _) => return Err(io::ErrorKind::IsADirectory.into()),
            (Some(Name::File(id)), Access::Create) => {
                let id = *id;
                state.change(id, Change::Cut(0));
                id
            }
            (Some(Name::File(id)), _) => *id,
            (None, Access::Create) => {
                let id = state.new_file();
                state.rename_in(path, NameChange::Link(path.to_owned(), Name::File(id)))?;
                id
            }
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        let boot = state.boot;
        drop(state);
        match afterwards {
            Some(error) => Err(error),
            None => Ok(Box::new(MemoryFile::new(
                Arc::clone(&self.shared),
                id,
                path.to_owned(),
                access != Access::Read,
                boot,
            ))),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.shared.state();
        let afterwards = state.begin(Operation::Name)?;
        let Some(Name::File(id)) = state.names.get(from).cloned() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let change = NameChange::Rename(from.to_owned(), to.to_owned(), id);
        state.rename_in(to, change)?;
        afterwards.map_or(Ok(()), Err)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.state();
        let afterwards = state.begin(Operation::Name)?;
        if !matches!(state.names.get(path), Some(Name::File(_))) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.rename_in(path, NameChange::Unlink(path.to_owned()))?;
        afterwards.map_or(Ok(()), Err)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let mut state = self.shared.state();
        if let Some(error) = state.begin(Operation::Look)? {
            return Err(error);
        }
        if state.names.get(directory) != Some(&Name::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = (state.names.keys()).filter(|path| path.parent() == Some(directory));
        Ok(inside.cloned().collect())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.state();
        let afterwards = state.begin(Operation::Create)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.rename_in(path, NameChange::Link(path.to_owned(), Name::Directory))?;
        afterwards.map_or(Ok(()), Err)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.state();
        let afterwards = state.begin(Operation::Sync)?;
        if state.names.get(path) != Some(&Name::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.sync_names(path, afterwards.is_some());
        afterwards.map_or(Ok(()), Err)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let mut state = self.shared.state();
        if let Some(error) = state.begin(Operation::Look)? {
            return Err(error);
        }
        Ok(state.names.get(path).map(|name| match name {
            Name::Directory => Metadata {
                length: 0,
                is_directory: true,
            },
            Name::File(id) => Metadata {
                length: state.files[id].content.len() as u64,
                is_directory: false,
            },
        }))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = self.open(path, Access::Create)?;
        let mut state = self.shared.state();
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        let boot = state.boot;
        drop(state);
        Ok(Some(Box::new(MemoryLock {
            shared: Arc::clone(&self.shared),
            path: path.to_owned(),
            boot,
            _file: file,
        })))
    }

    fn room(&self, _directory: &Path) -> io::Result<Option<Room>> {
        Ok(self.shared.state().room())
    }

    fn is_real(&self) -> bool {
        false
    }
}

struct MemoryLock {
    shared: Arc<Shared>,
    path: PathBuf,
    boot: u64,
    _file: BoxedFile,
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.boot == self.boot {
            state.locks.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
