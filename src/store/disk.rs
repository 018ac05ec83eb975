//! Directories and durable renames: what a file system needs to be told so that a name, too, is on
//! stable storage.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::fault::{Explain, StorageFault};

/// Ending of files that are being written; they mean nothing and are removed at the next open.
pub(super) const PARTIAL: &str = "partial";

/// Creates a directory, readable by its owner only, unless it exists. The name is durable on return.
pub(super) fn create_dir(path: &Path) -> Result<(), StorageFault> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).explain("create directory", path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(path: &Path) -> Result<(), StorageFault> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .confirm(path)
}

/// Creates a file to be written, replacing one of that name.
pub(super) fn create_file(path: &Path) -> Result<File, StorageFault> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).explain("create", path)
}

/// Files of a directory that end in `.extension`, sorted by name.
pub(super) fn files_with_extension(
    directory: &Path,
    extension: &str,
) -> Result<Vec<PathBuf>, StorageFault> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).explain("list", directory)? {
        let path = entry.explain("list", directory)?.path();
        if path.extension().is_some_and(|ending| ending == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Removes what an interrupted write left behind.
pub(super) fn remove_partials(directory: &Path) -> Result<(), StorageFault> {
    for path in files_with_extension(directory, PARTIAL)? {
        fs::remove_file(&path).explain("remove", &path)?;
    }
    Ok(())
}

/// A file under a temporary name. Dropping it removes the file; [`PartialFile::publish`] gives it
/// its lasting name.
pub(super) struct PartialFile {
    path: Option<PathBuf>,
}

impl PartialFile {
    /// Guards the file at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    /// Renames the file, whose content must be durable already. The name is durable on return.
    pub(super) fn publish(mut self, target: &Path) -> Result<(), StorageFault> {
        if let Some(path) = self.path.take() {
            let renamed = fs::rename(&path, target).explain("rename", &path);
            if renamed.is_err() {
                self.path = Some(path);
            }
            renamed?;
        }
        match target.parent() {
            Some(directory) => sync_dir(directory),
            None => Ok(()),
        }
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A leftover is removed at the next open; there is nobody here to tell.
            let _ = fs::remove_file(path);
        }
    }
}
