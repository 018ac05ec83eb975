//! Makes a backup, or brings one up to date.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;

use super::check::damaged;
use super::copy::{self, Copied, copy, seal_of};
use super::manifest::{FileCopied, KEYRING, LogCopied, Manifest};
use super::{BackupError, BackupReport};
use crate::store::crypt::keyring_path;
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};
use crate::store::lock::DirectoryLock;
use crate::store::log::{WholeLog, log_path, whole_entries};
use crate::store::sealed::scrub;

/// Folders of a store whose files a backup copies, with the ending of their names.
const SEALED: [(&str, &str); 2] = [("segments", "mseg"), ("snapshots", "msnp")];
/// Kind of the log entries that take sealed files away, which a backup must not run across.
const REWRITING: u8 = 6;
/// How often a backup starts over because files were taken away under it.
const TRIES: u32 = 5;

/// Backs the store on `from` up to the folder of `to`.
pub(super) fn back_up(from: &Disk, to: &Disk) -> Result<BackupReport, BackupError> {
    if !from.exists(&log_path(from.root()))? {
        return Err(BackupError::NoStore {
            directory: from.root().display().to_string(),
        });
    }
    to.create_dir(to.root())?;
    let _lock = DirectoryLock::take(to)?;
    // A process before may have ended between making the folder and making its name durable.
    to.sync_names_to(to.root())?;
    to.remove_partials(to.root())?;
    for folder in ["log", "segments", "snapshots"] {
        let folder = to.root().join(folder);
        to.create_dir(&folder)?;
        to.remove_partials(&folder)?;
    }
    let before = Manifest::read(to)?;
    for _ in 0..TRIES {
        if let Some(report) = try_once(from, to, before.as_ref())? {
            return Ok(report);
        }
    }
    Err(BackupError::Restless)
}

/// Makes the backup; `None` if files were taken away meanwhile.
fn try_once(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
) -> Result<Option<BackupReport>, BackupError> {
    let log = continued_log(from, to, before)?;
    let log_file = log_path(from.root());
    // What the store's process wrote, but did not sync yet, must not be in the backup and be lost in
    // the store: the two would be different histories.
    (from.open(&log_file)?.sync_data()).confirm(&log_file)?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let copied_log = LogCopied {
        bytes: log.end,
        blake3: String::new(),
        sequence: log.head.sequence,
        head: log.head.hash_hex(),
    };
    let now = since_1970.unwrap_or_default().as_secs();
    let mut manifest = Manifest::new(HEXLOWER.encode(&log.store_id), now, copied_log);
    let (mut copied_files, mut copied_bytes) = (1, log.end);
    for (path, name) in files_to_copy(from)? {
        let file = match take(from, to, before, (&path, &name)) {
            Ok(file) => file,
            Err(_) if !from.exists(&path)? => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        if let Taken::Copied(file) = &file {
            copied_files += 1;
            copied_bytes += file.bytes;
        }
        let (Taken::Copied(file) | Taken::Kept(file)) = file;
        manifest.files.push(file);
    }
    let mut rewritten = false;
    whole_entries(from, |kind, position| {
        rewritten |= kind == REWRITING && position.sequence > log.head.sequence;
    })?;
    if rewritten {
        return Ok(None);
    }
    let target = log_path(to.root());
    let partial = copy::partial(&target);
    let copied = copy((from, &log_file), (to, &partial), log.end, |_| Ok(target))?;
    manifest.log.blake3 = copied.blake3;
    manifest.write(to)?;
    remove_others(to, &manifest)?;
    Ok(Some(BackupReport {
        copied_files,
        copied_bytes,
        ..BackupReport::of(&manifest, log.head)
    }))
}

/// The log as it is now, which must continue the one of the backup that is there.
fn continued_log(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
) -> Result<WholeLog, BackupError> {
    let head = match before {
        Some(before) => Some(before.head().map_err(|rule| damaged(to, rule))?),
        None => None,
    };
    let mut continues = head.is_none_or(|head| head.sequence == 0);
    let log = whole_entries(from, |_, position| continues |= Some(position) == head)?;
    let same = before.is_none_or(|before| before.store == HEXLOWER.encode(&log.store_id));
    if same && continues {
        return Ok(log);
    }
    Err(BackupError::OtherStore {
        directory: to.root().display().to_string(),
    })
}

/// All sealed files of a store, with their paths within it, in order.
fn sealed_files(disk: &Disk) -> Result<Vec<(PathBuf, String)>, StorageFault> {
    let mut files = Vec::new();
    for (folder, extension) in SEALED {
        let directory = disk.root().join(folder);
        for path in disk.files_with_extension(&directory, extension)? {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                let name = format!("{folder}/{name}");
                files.push((path, name));
            }
        }
    }
    Ok(files)
}

/// The keyring and all sealed files of a store, with their paths within it.
fn files_to_copy(disk: &Disk) -> Result<Vec<(PathBuf, String)>, StorageFault> {
    let mut files = vec![(keyring_path(disk.root()), KEYRING.to_owned())];
    files.extend(sealed_files(disk)?);
    Ok(files)
}

/// A file of the backup.
enum Taken {
    /// It was copied now.
    Copied(FileCopied),
    /// It was there.
    Kept(FileCopied),
}

/// Copies the file `path`, which is called `name` within the store, unless the backup has it. What
/// is damaged is not copied.
fn take(
    from: &Disk,
    to: &Disk,
    before: Option<&Manifest>,
    (path, name): (&Path, &str),
) -> Result<Taken, StorageFault> {
    if let Some(known) = before.and_then(|before| before.file(name))
        && is_kept(from, to, path, known)?
    {
        return Ok(Taken::Kept(known.clone()));
    }
    if name != KEYRING {
        scrub(from, path)?;
    }
    let of = |copied: &Copied| FileCopied {
        path: name.to_owned(),
        bytes: copied.bytes,
        blake3: copied.blake3.clone(),
        seal: copied.seal.clone(),
    };
    let partial = copy::partial(&to.root().join(name));
    let copied = copy((from, path), (to, &partial), u64::MAX, |copied| {
        Ok(to.root().join(of(copied).stored()))
    })?;
    Ok(Taken::Copied(of(&copied)))
}

/// Whether the backup still has a file that its manifest names, and it is the one in the store: a
/// number may have been given to another file, so the seal decides.
fn is_kept(from: &Disk, to: &Disk, path: &Path, known: &FileCopied) -> Result<bool, StorageFault> {
    let there = to.metadata(&to.root().join(known.stored()))?;
    Ok(there.is_some_and(|there| there.length == known.bytes)
        && seal_of(from, path)? == (known.bytes, known.seal.clone()))
}

/// Removes what the manifest in force does not name. Durable on return.
fn remove_others(to: &Disk, manifest: &Manifest) -> Result<(), StorageFault> {
    let named = |file: &FileCopied| to.root().join(file.stored());
    let named: BTreeSet<PathBuf> = manifest.files.iter().map(named).collect();
    let mut found = to.list(to.root())?;
    found.retain(|path| is_keyring(path));
    found.extend(sealed_files(to)?.into_iter().map(|(path, _)| path));
    for path in found {
        if !named.contains(&path) {
            to.remove(&path)?;
        }
    }
    to.sync_dir(to.root())?;
    for (folder, _) in SEALED {
        to.sync_dir(&to.root().join(folder))?;
    }
    Ok(())
}

/// Whether a path of a backup is that of a keyring.
fn is_keyring(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(KEYRING))
}
