//! Projects and the keys of their pseudonyms.
//!
//! Keys that the operator must be able to use again (pseudonymised, certified operator) follow from the keyring. The key of
//! an anonymised project is random, lies encrypted in a file of its own, and is in no backup; destroying it takes the file
//! away, and then neither keyring nor backup gives it back.
//!
//! A new key file is durable before the log names its version; the log says that a key is destroyed before its file goes. So
//! after a crash a file that the log does not want is taken away, and a file that is missing is a destroyed key.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Store;
use super::catalogue::Catalogue;
use super::crypt::{FileId, TAG_BYTES};
use super::fault::{Explain, StorageFault};
use super::inner::Inner;
use super::log::{AppendError, LogEntry};
use super::vault::Vault;
use crate::terms::{Project, ProjectId, PseudonymVersion};

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"MUSUBIPK";
/// Magic, file ID, encrypted key, tag.
pub(super) const FILE_BYTES: usize = 8 + 16 + KEY_BYTES + TAG_BYTES;
const EXTENSION: &str = "mkey";

/// The key of one version of a project's pseudonyms.
///
/// # Privacy
/// No `Debug`; wiped on drop.
pub struct ProjectKey {
    secret: Zeroizing<[u8; KEY_BYTES]>,
    version: PseudonymVersion,
}

impl ProjectKey {
    /// The key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.secret
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> PseudonymVersion {
        self.version
    }
}

/// Why a project could not be made, or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeProjectError {
    /// There is a project of that name.
    #[error("there is a project '{0}' already; a name is used once")]
    Exists(ProjectId),
    /// There is none of that name.
    #[error("there is no project '{0}'")]
    Missing(ProjectId),
    /// Somebody changed it meanwhile.
    #[error("project '{0}' was changed meanwhile; look at it again")]
    Changed(ProjectId),
    /// Keys of this domain must stay.
    #[error(
        "the pseudonyms of project '{0}' must stay traceable; only anonymised projects have a key to destroy"
    )]
    MustStay(ProjectId),
    /// All versions are used up.
    #[error("the pseudonyms of project '{0}' were issued 31 times; make a new project")]
    Versions(ProjectId),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers for the project's key")]
    Random,
    /// The key file.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ProjectKeyError {
    /// There is no project of that name.
    #[error("there is no project '{0}'")]
    Missing(ProjectId),
    /// The key is destroyed.
    #[error(
        "the key of project '{0}' is destroyed: its pseudonyms cannot be made again, only issued anew"
    )]
    Destroyed(ProjectId),
    /// The key file.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl Store {
    /// Makes a project. Durable on return.
    ///
    /// # Errors
    /// [`ChangeProjectError`]
    pub fn create_project(&self, project: &Project) -> Result<(), ChangeProjectError> {
        let _commit = self.inner.commit_lock();
        if self.project(&project.id).is_some() {
            return Err(ChangeProjectError::Exists(project.id.clone()));
        }
        let project = Project {
            version: PseudonymVersion::FIRST,
            destroyed: false,
            ..project.clone()
        };
        self.inner.put_project(project)
    }

    /// Issues the pseudonyms of a project anew: those of the version before, which is
    /// the one that the caller has seen, are not made any more.
    ///
    /// # Errors
    /// [`ChangeProjectError`]
    pub fn renew_project(
        &self,
        id: &ProjectId,
        seen: PseudonymVersion,
    ) -> Result<Project, ChangeProjectError> {
        let _commit = self.inner.commit_lock();
        let mut project = self.found(id)?;
        if project.version != seen {
            return Err(ChangeProjectError::Changed(id.clone()));
        }
        let next = project.version.next();
        let before = project.clone();
        project.version = next.ok_or_else(|| ChangeProjectError::Versions(id.clone()))?;
        project.destroyed = false;
        self.inner.put_project(project.clone())?;
        if before.domain.is_destroyable() {
            remove_key_file(&self.inner.disk, &before)?;
        }
        Ok(project)
    }

    /// Destroys the key of an anonymised project. Nobody can make its pseudonyms again on return. Once more changes nothing.
    ///
    /// # Errors
    /// [`ChangeProjectError`]
    pub fn destroy_project_key(&self, id: &ProjectId) -> Result<(), ChangeProjectError> {
        let _commit = self.inner.commit_lock();
        let mut project = self.found(id)?;
        if !project.domain.is_destroyable() {
            return Err(ChangeProjectError::MustStay(id.clone()));
        }
        if !project.destroyed {
            project.destroyed = true;
            self.inner.record(LogEntry::Project(project.clone()), &[])?;
        }
        Ok(remove_key_file(&self.inner.disk, &project)?)
    }

    /// A project as it stands.
    #[must_use]
    pub fn project(&self, id: &ProjectId) -> Option<Project> {
        self.inner.catalogue().projects.get(id).cloned()
    }

    /// All projects, by name.
    #[must_use]
    pub fn projects(&self) -> Vec<Project> {
        self.inner.catalogue().projects.values().cloned().collect()
    }

    /// The key of a project's pseudonyms.
    ///
    /// # Errors
    /// [`ProjectKeyError`]
    pub fn project_key(&self, id: &ProjectId) -> Result<ProjectKey, ProjectKeyError> {
        let project = self
            .project(id)
            .ok_or_else(|| ProjectKeyError::Missing(id.clone()))?;
        let version = project.version;
        let secret = if !project.domain.is_destroyable() {
            self.inner.disk.keys().project_key(&project)
        } else if project.destroyed {
            return Err(ProjectKeyError::Destroyed(id.clone()));
        } else {
            let read = read_key_file(&self.inner.disk, &project)?;
            read.ok_or_else(|| ProjectKeyError::Destroyed(id.clone()))?
        };
        Ok(ProjectKey { secret, version })
    }

    fn found(&self, id: &ProjectId) -> Result<Project, ChangeProjectError> {
        self.project(id)
            .ok_or_else(|| ChangeProjectError::Missing(id.clone()))
    }
}

impl Inner {
    /// Writes a new version of a project down, its key before.
    fn put_project(&self, project: Project) -> Result<(), ChangeProjectError> {
        if project.domain.is_destroyable() {
            make_key_file(&self.disk, &project)?;
        }
        self.record(LogEntry::Project(project), &[])?;
        Ok(())
    }
}

fn directory(store: &Path) -> PathBuf {
    store.join("projects")
}

pub(super) fn key_path(store: &Path, project: &Project) -> PathBuf {
    directory(store).join(format!(
        "{}-{}.{EXTENSION}",
        project.id,
        project.version.get()
    ))
}

fn make_key_file(disk: &Vault, project: &Project) -> Result<(), ChangeProjectError> {
    let mut id: FileId = [0; 16];
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    for random in [id.as_mut_slice(), secret.as_mut_slice()] {
        getrandom::fill(random).map_err(|_| ChangeProjectError::Random)?;
    }
    let tag = disk.keys().file_cipher(&id).seal(0, secret.as_mut_slice());
    let folder = directory(disk.root());
    disk.create_dir(&folder)?;
    let path = key_path(disk.root(), project);
    let partial = path.with_extension(super::disk::PARTIAL);
    let guard = disk.partial(partial.clone());
    let mut file = disk.create(&partial)?;
    let bytes = [MAGIC.as_slice(), &id, secret.as_slice(), &tag].concat();
    file.write_all(&bytes).explain("write", &partial)?;
    file.sync_all().confirm(&partial)?;
    drop(file);
    Ok(guard.publish(&path)?)
}

fn read_key_file(
    disk: &Vault,
    project: &Project,
) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, StorageFault> {
    let path = key_path(disk.root(), project);
    if !disk.exists(&path)? {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    let mut file = disk.open(&path)?.take(FILE_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).explain("read", &path)?;
    let damaged = |offset, rule| StorageFault::damaged(&path, offset, rule);
    if bytes.len() != FILE_BYTES || !bytes.starts_with(MAGIC) {
        return Err(damaged(
            0,
            "the key file of a project does not have its form",
        ));
    }
    let mut id: FileId = [0; 16];
    id.copy_from_slice(&bytes[8..24]);
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    secret.copy_from_slice(&bytes[24..24 + KEY_BYTES]);
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&bytes[24 + KEY_BYTES..]);
    let opened = disk
        .keys()
        .file_cipher(&id)
        .open(0, secret.as_mut_slice(), &tag);
    opened.map_err(|_| damaged(24, "the key of a project is not authentic"))?;
    Ok(Some(secret))
}

/// Overwrites and removes the key file of a version, if it is there. Durable on return.
fn remove_key_file(disk: &Vault, project: &Project) -> Result<(), StorageFault> {
    let path = key_path(disk.root(), project);
    if disk.exists(&path)? {
        wipe(disk, &path)?;
        disk.sync_dir(&directory(disk.root()))?;
    }
    Ok(())
}

fn wipe(disk: &Vault, path: &Path) -> Result<(), StorageFault> {
    let mut file = disk.open_to_write(path)?;
    file.write_all(&[0; FILE_BYTES]).explain("write", path)?;
    file.sync_all().confirm(path)?;
    drop(file);
    disk.remove(path)
}

/// Removes key files of versions that are not in force.
pub(super) fn remove_leftover_keys(
    disk: &Vault,
    catalogue: &Catalogue,
) -> Result<(), StorageFault> {
    let folder = directory(disk.root());
    if !disk.exists(&folder)? {
        return Ok(());
    }
    disk.remove_partials(&folder)?;
    let in_force = |path: &PathBuf| {
        let mut projects = catalogue
            .projects
            .values()
            .filter(|project| !project.destroyed);
        projects.any(|project| key_path(disk.root(), project) == *path)
    };
    let mut removed = false;
    for path in disk.files_with_extension(&folder, EXTENSION)? {
        if !in_force(&path) {
            wipe(disk, &path)?;
            removed = true;
        }
    }
    if removed {
        disk.sync_dir(&folder)?;
    }
    Ok(())
}
