//! The seam between the store and the disk: every operation of the store on a file goes through
//! [`Vfs`], so that the same code runs on the real disk and on one that crashes and fails on purpose.
//!
//! It has what the store needs and no more. Calls are few and large: whoever writes rows buffers them.

mod disk;
#[doc(hidden)]
pub mod memory;

pub use disk::RealDisk;

use std::io;
use std::path::{Path, PathBuf};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// An existing file, to be read.
    Read,
    /// An existing file, to be read and written.
    Write,
    /// A new file, to be read and written; replaces one of that name.
    Create,
}

/// What is found under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Length of a file, bytes; of no meaning for a directory.
    pub length: u64,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Room on a disk, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What can still be written.
    pub free: u64,
    /// Size of the disk.
    pub total: u64,
}

/// An exclusive lock; dropping it releases it.
pub type Lock = Box<dyn Send + Sync>;

/// An open file.
pub type BoxedFile = Box<dyn VfsFile>;

/// A file system, as far as the store uses one.
pub trait Vfs: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn open(&self, path: &Path, access: Access) -> io::Result<BoxedFile>;

    /// Renames a file, replacing one of the new name. Durable after [`Vfs::sync_dir`].
    ///
    /// # Errors
    /// As the operating system gives them.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Durable after [`Vfs::sync_dir`].
    ///
    /// # Errors
    /// As the operating system gives them.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Paths of what lies in a directory, in any order.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// Creates a directory in an existing one, readable by its owner only.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable: files created, renamed and removed.
    ///
    /// # Errors
    /// As the operating system gives them; then it is unknown what is durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// What is found under a name; `None` for nothing.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;

    /// Takes the exclusive lock that the file `path` stands for, creating the file; `None` if it is
    /// taken.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;

    /// Room on the disk that `directory` lies on; `None` if the disk cannot tell.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn room(&self, directory: &Path) -> io::Result<Option<Room>> {
        let _ = directory;
        Ok(None)
    }

    /// Whether paths name files of the operating system, which other code (sled) can open itself.
    fn is_real(&self) -> bool;
}

/// An open file: reads and writes at its own position.
pub trait VfsFile: io::Read + io::Write + io::Seek + Send + Sync {
    /// Makes the content durable, with as much metadata as reading it back needs.
    ///
    /// # Errors
    /// As the operating system gives them; then it is unknown what is durable.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Makes content and metadata durable.
    ///
    /// # Errors
    /// As the operating system gives them; then it is unknown what is durable.
    fn sync_all(&mut self) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn set_len(&mut self, length: u64) -> io::Result<()>;

    /// Length, bytes.
    ///
    /// # Errors
    /// As the operating system gives them.
    fn length(&self) -> io::Result<u64>;
}
