//! Backups and restores of a history, and what each of them must hold.
//!
//! What is examined is examined on a copy of the disk, so that looking does not change the history.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use musubi::store::vfs::Vfs;
use musubi::store::vfs::memory::{Crash, MemoryDisk};
use musubi::store::{
    BackupError, OpenStoreError, RestoreError, Store, UnlockError, backup_on, restore_on,
    verify_backup_on,
};

use crate::compare::compare;
use crate::ops::{FOLDERS, Way};
use crate::oracle::{Oracle, chain, profile};
use crate::run::{World, explain, key, log_path};

/// All backups and restored stores.
#[derive(Default)]
pub struct Backups {
    folders: [Folder; FOLDERS as usize],
    /// Restored stores that nobody works on, acknowledged.
    beside: Vec<Restored>,
    /// A restore that may not have ended.
    restoring: Option<Restored>,
    /// Stores restored so far.
    count: u64,
}

/// A folder of backups.
#[derive(Default)]
struct Folder {
    /// How often the folder was given up for a new one.
    number: u64,
    /// The backup that was acknowledged last.
    known: Option<Kept>,
    /// Later ones, not acknowledged, any of which may be there instead.
    since: Vec<Kept>,
    /// What was found there last, and the hash of all files: what has not changed since is not
    /// looked at again.
    seen: Option<(blake3::Hash, Kept)>,
    /// A sync failed before a backup, so that it may hold entries that the store lost since.
    ahead: bool,
}

/// A backup as it must be.
#[derive(Clone)]
struct Kept {
    /// Chain value of the last log entry.
    head: String,
    /// The store at its time.
    state: Oracle,
}

struct Restored {
    path: PathBuf,
    state: Oracle,
    /// The folder that it was restored from.
    folder: usize,
    /// Chain value of the backup's last log entry.
    head: String,
    /// It takes the place of the store.
    adopt: bool,
    acknowledged: bool,
}

impl World {
    fn vfs(&self) -> Arc<dyn Vfs> {
        Arc::new(self.disk.clone())
    }

    fn folder(&self, at: usize) -> PathBuf {
        format!("/backup/{at}-{}", self.backups.folders[at].number).into()
    }

    pub fn back_up(&mut self, at: usize, way: Way) {
        match way {
            Way::Open => self.attempt(at),
            Way::Closed => {
                self.store = None;
                self.attempt(at);
                if !self.disk.is_stopped() {
                    self.open();
                }
            }
            Way::Killed => {
                self.stop(Crash::Process);
                self.attempt(at);
                self.examine_restored();
                self.open();
            }
        }
    }

    /// Backs up a store that nobody has open.
    pub fn back_up_closed(&mut self, at: usize) {
        self.attempt(at);
    }

    fn attempt(&mut self, at: usize) {
        let Some(log) = self.disk.content(&log_path(&self.directory)) else {
            return;
        };
        let kept = Kept {
            head: head(&log),
            state: self.oracle.clone(),
        };
        let ahead = self.disk.failed_syncs() > self.failed_syncs;
        let path = self.folder(at);
        let result = match &self.store {
            Some(store) => store.backup(&path),
            None => backup_on(&self.vfs(), &self.directory, &path),
        };
        if let Err(BackupError::OtherStore { .. }) = result {
            self.examine(at);
            let folder = &mut self.backups.folders[at];
            assert!(
                folder.ahead,
                "the backup is refused as that of another store"
            );
            let number = folder.number + 1;
            *folder = Folder {
                number,
                ..Folder::default()
            };
            return;
        }
        let accepted = self.accept(result);
        let folder = &mut self.backups.folders[at];
        if let Some(report) = accepted {
            assert_eq!(report.head.hash_hex(), kept.head, "the end of the log");
            folder.ahead = ahead;
            folder.known = Some(kept);
            folder.since.clear();
            self.compare_files(&path);
        } else {
            folder.ahead |= ahead;
            folder.since.push(kept);
        }
    }

    /// A backup has the files that the store has, and no other.
    fn compare_files(&self, backup: &Path) {
        let held = |directory: &Path| {
            let mut contents: Vec<_> = (self.disk.copy_of(directory).files().into_iter())
                .filter(|(path, _)| {
                    let text = path.to_string_lossy();
                    let file = text.rsplit('/').next().unwrap_or_default();
                    let partial = file.ends_with(".partial");
                    assert!(directory != backup || !partial, "{file}");
                    (file.starts_with("keyring") && !partial)
                        || file.ends_with(".mseg")
                        || file.ends_with(".msnp")
                })
                .map(|(_, content)| content)
                .collect();
            contents.sort_unstable();
            contents
        };
        assert!(
            held(backup) == held(&self.directory),
            "files of the backup and of the store"
        );
    }

    /// Every backup that was acknowledged is there, and whole; the next one can be made.
    pub fn examine_backups(&mut self) {
        for at in 0..self.backups.folders.len() {
            self.examine(at);
        }
    }

    /// At the end nothing stands in the way of another backup.
    pub fn back_up_all(&mut self) {
        for at in 0..self.backups.folders.len() {
            let folder = &self.backups.folders[at];
            if folder.known.is_some() || !folder.since.is_empty() {
                self.back_up(at, Way::Open);
                self.examine(at);
            }
        }
    }

    /// The backup in a folder: it is one that was made, and restores to the store of its time.
    fn examine(&mut self, at: usize) -> Option<Kept> {
        let folder = &self.backups.folders[at];
        if folder.known.is_none() && folder.since.is_empty() {
            return None;
        }
        let path = self.folder(at);
        let copy = self.disk.copy_of(&path);
        let files = hash_of(&copy);
        let mut made = folder.known.iter().chain(&folder.since);
        if let Some((seen, kept)) = &folder.seen
            && *seen == files
            && made.any(|it| it.head == kept.head)
        {
            return Some(kept.clone());
        }
        let vfs: Arc<dyn Vfs> = Arc::new(copy.clone());
        let head = match verify_backup_on(&vfs, &path) {
            Ok(report) => report.head.hash_hex(),
            Err(BackupError::NoBackup { .. }) if folder.known.is_none() => return None,
            Err(error) => panic!("the backup is not whole: {}", explain(&error)),
        };
        let made = (folder.known.iter().chain(&folder.since)).filter(|kept| kept.head == head);
        let mut made: Vec<Kept> = made.cloned().collect();
        let mut kept = made.pop().expect("the backup is the last one, or later");
        for earlier in made {
            kept.state.key.since.extend(earlier.state.keys());
        }
        let target = Path::new("/restored");
        let number = restore_with_one_of(&vfs, &path, target, &kept.state);
        kept.state.set_key(number);
        let opened = Store::open_on(Arc::clone(&vfs), target, &key(number));
        let store = opened.unwrap_or_else(|error| panic!("{}", explain(&error)));
        compare_copy(&store, &mut kept.state, &copy, target);
        self.backups.folders[at].seen = Some((files, kept.clone()));
        Some(kept)
    }

    pub fn restore(&mut self, at: usize, suppress: bool, adopt: bool) {
        let Some(found) = self.examine(at) else {
            return;
        };
        let number = found.state.keys()[0];
        let mut state = found.state;
        let mut gone = 0;
        if suppress {
            let erased = &self.oracle.erased;
            gone = (erased.iter().filter(|it| state.live.contains_key(*it))).count() as u64;
            state.erase(erased);
        }
        // A restore that did not end is run again at the same place.
        let path = match self.backups.restoring.take() {
            Some(before) => before.path,
            None => {
                self.backups.count += 1;
                format!("/restored/{}/store", self.backups.count).into()
            }
        };
        let newer = suppress.then_some(self.directory.as_path());
        let result = restore_on(&self.vfs(), &self.folder(at), &path, &key(number), newer);
        let accepted = self.accept(result);
        if let Some(report) = &accepted {
            assert_eq!(report.erased_again, gone, "records erased again");
        }
        self.backups.restoring = Some(Restored {
            path,
            state,
            folder: at,
            head: found.head,
            adopt,
            acknowledged: accepted.is_some(),
        });
        if !self.disk.is_stopped() && self.examine_restored() {
            self.open();
        }
    }

    /// A restored store does not open until all of it is there and what was erased is gone. Gives
    /// whether it took the place of the store.
    pub fn examine_restored(&mut self) -> bool {
        let Some(restored) = self.backups.restoring.take() else {
            return false;
        };
        if !restored.is_finished(&self.disk) {
            assert!(!restored.acknowledged, "an acknowledged restore is gone");
            self.backups.restoring = Some(restored);
            return false;
        }
        if !restored.adopt {
            if restored.acknowledged {
                self.backups.beside.push(restored);
            }
            return false;
        }
        self.store = None;
        self.directory = restored.path;
        self.oracle = restored.state;
        for (at, folder) in self.backups.folders.iter_mut().enumerate() {
            // Backups of what comes after the restored one are of another history.
            let known = folder.known.as_ref().map(|kept| &kept.head);
            let same = folder.since.is_empty() && known == Some(&restored.head);
            if at != restored.folder || !same {
                let number = folder.number + 1;
                *folder = Folder {
                    number,
                    ..Folder::default()
                };
            }
        }
        true
    }

    /// Acknowledged restores are still there after a power cut.
    pub fn examine_beside(&mut self) {
        for restored in self.backups.beside.drain(..) {
            assert!(restored.is_finished(&self.disk), "a restored store is gone");
        }
    }
}

impl Restored {
    /// Whether the store opens; then it is as it must be.
    fn is_finished(&self, disk: &MemoryDisk) -> bool {
        let copy = disk.copy_of(&self.path);
        if (copy.files().iter()).all(|(path, _)| path.ends_with("LOCK")) {
            return false;
        }
        let vfs = Arc::new(copy.clone());
        match Store::open_on(vfs, &self.path, &key(self.state.keys()[0])) {
            Ok(store) => {
                compare_copy(&store, &mut self.state.clone(), &copy, &self.path);
                true
            }
            Err(OpenStoreError::Unfinished { .. }) => false,
            Err(error) => panic!("restored in part: {}", explain(&error)),
        }
    }
}

/// A hash of all files of a disk.
fn hash_of(disk: &MemoryDisk) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (path, content) in disk.files() {
        hasher
            .update(path.to_string_lossy().as_bytes())
            .update(&(content.len() as u64).to_le_bytes())
            .update(&content);
    }
    hasher.finalize()
}

/// Compares a store on a copy of the disk.
fn compare_copy(store: &Store, state: &mut Oracle, copy: &MemoryDisk, directory: &Path) {
    store.set_profile(&profile().0, "2026").expect("profile");
    let log = copy.content(&log_path(directory)).expect("there is a log");
    compare(store, state, &log);
}

/// Restores with one of the keys that may be the one; those replaced before do not open the backup.
fn restore_with_one_of(vfs: &Arc<dyn Vfs>, backup: &Path, target: &Path, state: &Oracle) -> u8 {
    let keys = state.keys();
    let retired = state.retired.iter().filter(|it| !keys.contains(it));
    let mut opened_by = None;
    for number in retired.chain(&keys) {
        match restore_on(vfs, backup, target, &key(*number), None) {
            Ok(_) => {
                opened_by = Some(*number);
                break;
            }
            Err(RestoreError::Unlock(UnlockError::WrongKey { .. })) => {}
            Err(error) => panic!("the backup cannot be restored: {}", explain(&error)),
        }
    }
    let number = opened_by.expect("a key opens the backup");
    assert!(keys.contains(&number), "a replaced key opens the backup");
    number
}

/// Chain value after the last whole entry of a log.
fn head(log: &[u8]) -> String {
    chain(log).pop().unwrap_or_else(|| {
        let header = log[32..64].try_into().expect("32 bytes");
        blake3::Hash::from_bytes(header).to_hex().to_string()
    })
}
