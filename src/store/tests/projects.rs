//! Keys of projects: they last, they differ, and one that is destroyed is gone.

use super::*;
use crate::store::project::{FILE_BYTES, KEY_BYTES, key_path};
use crate::store::testing::key;
use crate::store::{ChangeProjectError, ProjectKeyError};
use crate::terms::{OutputDomain, Project, ProjectId, PseudonymVersion};

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
        let renewed = store
            .renew_project(&one.id, PseudonymVersion::FIRST)
            .expect("renewed");
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
    store
        .renew_project(&one.id, PseudonymVersion::FIRST)
        .expect("issued anew");
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
    let refused = store.renew_project(&missing, PseudonymVersion::FIRST);
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
