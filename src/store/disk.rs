//! The disk as the store uses it: a [`Vfs`] and the store's directory on it, with durable names and
//! with faults that say what was tried and where.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{Explain, StorageFault};
use super::vfs::{Access, BoxedFile, Lock, Metadata, Room, Vfs};

/// Ending of files that are being written; they mean nothing and are removed at the next open.
pub(super) const PARTIAL: &str = "partial";

/// The disk that a store lies on. Cheap to clone.
#[derive(Clone)]
pub(super) struct Disk {
    vfs: Arc<dyn Vfs>,
    root: Arc<Path>,
}

impl Disk {
    /// The store's directory `root` on `vfs`.
    pub(super) fn new(vfs: Arc<dyn Vfs>, root: &Path) -> Self {
        Self {
            vfs,
            root: root.into(),
        }
    }

    /// Another directory on the same disk.
    pub(super) fn other_root(&self, root: &Path) -> Self {
        Self::new(Arc::clone(&self.vfs), root)
    }

    /// The store's directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether paths name files of the operating system.
    pub(super) fn is_real(&self) -> bool {
        self.vfs.is_real()
    }

    /// Creates a directory and what leads to it. What was created is durable on return.
    pub(super) fn create_dir(&self, path: &Path) -> Result<(), StorageFault> {
        if self.metadata(path)?.is_some_and(|found| found.is_directory) {
            return Ok(());
        }
        let parent = parent(path);
        if parent != path {
            self.create_dir(parent)?;
        }
        self.vfs
            .create_dir(path)
            .explain("create directory", path)?;
        self.sync_dir(parent)
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_dir(&self, path: &Path) -> Result<(), StorageFault> {
        self.vfs.sync_dir(path).confirm(path)
    }

    /// Makes the name of a file or directory durable.
    pub(super) fn sync_name(&self, path: &Path) -> Result<(), StorageFault> {
        self.sync_dir(parent(path))
    }

    /// Makes the names durable that lead to a directory, as far as their directories can be read:
    /// what cannot be read was not made by this store.
    pub(super) fn sync_names_to(&self, path: &Path) -> Result<(), StorageFault> {
        let mut below = path;
        while parent(below) != below {
            below = parent(below);
            match self.vfs.sync_dir(below) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                result => result.confirm(below)?,
            }
        }
        Ok(())
    }

    /// Opens an existing file to read it.
    pub(super) fn open(&self, path: &Path) -> Result<BoxedFile, StorageFault> {
        self.vfs.open(path, Access::Read).explain("open", path)
    }

    /// Opens an existing file to write to it.
    pub(super) fn open_to_write(&self, path: &Path) -> Result<BoxedFile, StorageFault> {
        self.vfs.open(path, Access::Write).explain("open", path)
    }

    /// Creates a file to be written, replacing one of that name.
    pub(super) fn create(&self, path: &Path) -> Result<BoxedFile, StorageFault> {
        self.vfs.open(path, Access::Create).explain("create", path)
    }

    /// What is found under a name.
    pub(super) fn metadata(&self, path: &Path) -> Result<Option<Metadata>, StorageFault> {
        self.vfs.metadata(path).explain("inspect", path)
    }

    /// Whether there is a file or directory of this name.
    pub(super) fn exists(&self, path: &Path) -> Result<bool, StorageFault> {
        Ok(self.metadata(path)?.is_some())
    }

    /// Removes a file. Durable after [`Disk::sync_dir`].
    pub(super) fn remove(&self, path: &Path) -> Result<(), StorageFault> {
        self.vfs.remove(path).explain("remove", path)
    }

    /// Room on the disk; `None` if it cannot tell.
    pub(super) fn room(&self) -> Result<Option<Room>, StorageFault> {
        (self.vfs.room(&self.root)).explain("ask for the room on the disk of", &self.root)
    }

    /// Takes the exclusive lock that `path` stands for; `None` if it is taken.
    pub(super) fn lock(&self, path: &Path) -> Result<Option<Lock>, StorageFault> {
        self.vfs.lock(path).explain("lock", path)
    }

    /// What lies in a directory, sorted by name.
    pub(super) fn list(&self, directory: &Path) -> Result<Vec<PathBuf>, StorageFault> {
        let mut paths = self.vfs.list(directory).explain("list", directory)?;
        paths.sort();
        Ok(paths)
    }

    /// Files of a directory that end in `.extension`, sorted by name.
    pub(super) fn files_with_extension(
        &self,
        directory: &Path,
        extension: &str,
    ) -> Result<Vec<PathBuf>, StorageFault> {
        let mut paths = self.list(directory)?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == extension));
        Ok(paths)
    }

    /// Removes what an interrupted write left behind.
    pub(super) fn remove_partials(&self, directory: &Path) -> Result<(), StorageFault> {
        for path in self.files_with_extension(directory, PARTIAL)? {
            self.remove(&path)?;
        }
        Ok(())
    }

    /// Guards the file at `path`, which has a temporary name.
    pub(super) fn partial(&self, path: PathBuf) -> PartialFile {
        PartialFile {
            disk: self.clone(),
            path: Some(path),
        }
    }
}

/// The directory that a path lies in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// A file under a temporary name. Dropping it removes the file; [`PartialFile::publish`] gives it
/// its lasting name.
pub(super) struct PartialFile {
    disk: Disk,
    path: Option<PathBuf>,
}

impl PartialFile {
    /// Length of the file, bytes.
    pub(super) fn length(&self) -> Result<u64, StorageFault> {
        let Some(path) = &self.path else {
            return Ok(0);
        };
        let found = self.disk.metadata(path)?;
        Ok(found.map_or(0, |found| found.length))
    }

    /// Renames the file, whose content must be durable already. The name is durable on return.
    pub(super) fn publish(mut self, target: &Path) -> Result<(), StorageFault> {
        if let Some(path) = self.path.take() {
            let renamed = self.disk.vfs.rename(&path, target).explain("rename", &path);
            if renamed.is_err() {
                self.path = Some(path);
            }
            renamed?;
        }
        self.disk.sync_name(target)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A leftover is removed at the next open; there is nobody here to tell.
            let _ = self.disk.remove(path);
        }
    }
}
