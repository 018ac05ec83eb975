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
const KEY_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"MUSUBIPK";
/// Magic, file ID, encrypted key, tag.
const FILE_BYTES: usize = 8 + 16 + KEY_BYTES + TAG_BYTES;
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

    /// Issues the pseudonyms of a project anew: those of the version before are not made any more.
    ///
    /// # Errors
    /// [`ChangeProjectError`]
    pub fn renew_project(&self, id: &ProjectId) -> Result<Project, ChangeProjectError> {
        let _commit = self.inner.commit_lock();
        let mut project = self.found(id)?;
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

fn key_path(store: &Path, project: &Project) -> PathBuf {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::key;
    use crate::terms::OutputDomain;

    fn project(name: &str, domain: OutputDomain) -> Project {
        Project {
            id: ProjectId::new(name).expect("good name"),
            domain,
            recipient: "university".into(),
            purpose: "a study".into(),
            created_unix_s: 7,
            expires_unix_s: 8,
            version: PseudonymVersion::FIRST,
            destroyed: false,
        }
    }

    fn secret(store: &Store, project: &Project) -> [u8; KEY_BYTES] {
        *store.project_key(&project.id).expect("a key").bytes()
    }

    #[test]
    fn keys_outlast_a_restart_and_differ_by_project_recipient_and_version() {
        let directory = tempfile::tempdir().expect("directory");
        let mut secrets = Vec::new();
        for domain in OutputDomain::ALL {
            let one = project(&format!("one-{}", domain.name()), domain);
            let other = Project {
                recipient: "company".into(),
                ..project(&format!("two-{}", domain.name()), domain)
            };
            let store = Store::open(directory.path(), &key()).expect("open");
            store.create_project(&one).expect("made");
            store.create_project(&other).expect("made");
            let again = store.create_project(&one);
            assert!(matches!(again, Err(ChangeProjectError::Exists(_))));
            let before = secret(&store, &one);
            drop(store);
            let store = Store::open(directory.path(), &key()).expect("open");
            assert!(secret(&store, &one) == before);
            let renewed = store.renew_project(&one.id).expect("renewed");
            assert_eq!(renewed.version.get(), 2);
            secrets.extend([before, secret(&store, &one), secret(&store, &other)]);
        }
        secrets.sort_unstable();
        secrets.dedup();
        assert_eq!(secrets.len(), 9);
    }

    #[test]
    fn a_destroyed_key_is_gone_from_the_disk_and_cannot_be_made_again() {
        let directory = tempfile::tempdir().expect("directory");
        let one = project("one", OutputDomain::Anonymised);
        let path = key_path(directory.path(), &one);
        let store = Store::open(directory.path(), &key()).expect("open");
        store.create_project(&one).expect("made");
        let file = std::fs::read(&path).expect("the key file");
        store.destroy_project_key(&one.id).expect("destroyed");
        store.destroy_project_key(&one.id).expect("once more");
        assert!(!path.exists());
        drop(store);
        // As if the process had ended before the file went, or somebody put a copy back.
        std::fs::write(&path, &file).expect("written");
        let store = Store::open(directory.path(), &key()).expect("open");
        assert!(!path.exists());
        let gone = store.project_key(&one.id);
        assert!(matches!(gone, Err(ProjectKeyError::Destroyed(_))));
        store.renew_project(&one.id).expect("issued anew");
        store.project_key(&one.id).expect("another key");
    }

    #[test]
    fn keys_that_must_stay_traceable_are_not_destroyed() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path(), &key()).expect("open");
        for domain in [OutputDomain::Pseudonymised, OutputDomain::CertifiedOperator] {
            let one = project(domain.name(), domain);
            store.create_project(&one).expect("made");
            let refused = store.destroy_project_key(&one.id);
            assert!(matches!(refused, Err(ChangeProjectError::MustStay(_))));
        }
        let missing = ProjectId::new("missing").expect("good name");
        let refused = store.renew_project(&missing);
        assert!(matches!(refused, Err(ChangeProjectError::Missing(_))));
    }

    #[test]
    fn a_damaged_key_file_is_named_and_never_used() {
        let directory = tempfile::tempdir().expect("directory");
        let one = project("one", OutputDomain::Anonymised);
        let store = Store::open(directory.path(), &key()).expect("open");
        store.create_project(&one).expect("made");
        let path = key_path(directory.path(), &one);
        let good = std::fs::read(&path).expect("the key file");
        for place in 0..FILE_BYTES {
            let mut bad = good.clone();
            bad[place] ^= 1;
            std::fs::write(&path, &bad).expect("written");
            let fault = store.project_key(&one.id).err().expect("refused");
            assert!(matches!(fault, ProjectKeyError::Storage(_)), "byte {place}");
        }
        std::fs::write(&path, &good[..FILE_BYTES - 1]).expect("written");
        assert!(store.project_key(&one.id).is_err());
    }
}
