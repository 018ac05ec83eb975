//! What stands on the disk: nothing that was submitted can be found in any file, and nothing opens
//! without the key.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::terms::{EntityId, RefusalReason};

/// Bytes of every file below a directory.
pub(super) fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.clone(), fs::read(&path).expect("read")));
            }
        }
    }
    found
}

/// The first of `records` of which a trace is in a file: record ref, tag or 16 bytes of a filter.
pub(super) fn trace(directory: &Path, records: &[RecordEncoding]) -> Option<String> {
    let mut needles: Vec<(String, Vec<u8>)> = Vec::new();
    for record in records {
        let label = record.record_ref.as_str();
        needles.push((format!("ref of {label}"), label.as_bytes().to_vec()));
        for tag in &record.tags {
            needles.push((format!("tag of {label}"), tag.to_le_bytes().to_vec()));
        }
        for pair in record.filters.windows(2) {
            let window = pair.iter().flat_map(|word| word.to_le_bytes()).collect();
            needles.push((format!("filter of {label}"), window));
        }
    }
    // By the first 8 bytes, so that each file is gone through once.
    let mut starts: BTreeMap<[u8; 8], Vec<&(String, Vec<u8>)>> = BTreeMap::new();
    for needle in &needles {
        let start = *needle.1.first_chunk().expect("needles have 8 bytes");
        starts.entry(start).or_default().push(needle);
    }
    for (path, bytes) in files(directory) {
        for (at, window) in bytes.windows(8).enumerate() {
            let start: &[u8; 8] = window.try_into().expect("8 bytes");
            for (what, needle) in starts.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(needle) {
                    return Some(format!("{what} in {} at {at}", path.display()));
                }
            }
        }
    }
    None
}

fn label(number: u64) -> String {
    format!("patient-{number:06}")
}

fn records(numbers: std::ops::Range<u64>) -> Vec<RecordEncoding> {
    numbers
        .map(|number| encoding(&label(number), 1, number + 1))
        .collect()
}

/// Publishes each row as an entity of its own.
pub(super) fn publish(store: &Store, run: u128) {
    let rows = store.load_table().expect("table");
    let entities: Vec<EntityId> = (1..=rows.refs.len() as u128)
        .map(EntityId::from_u128)
        .collect();
    store
        .publish(RunId::from_u128(run), &rows, &entities)
        .expect("published");
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let target = to.join(path.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("parent")).expect("created");
        fs::write(target, bytes).expect("written");
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let directory = tempfile::tempdir().expect("directory");
    let wanted = records(0..3);
    for needle in [
        label(1).into_bytes(),
        wanted[2].tags[3].to_le_bytes().to_vec(),
        [wanted[0].filters[4], wanted[0].filters[5]]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect(),
    ] {
        let bytes = [b"before".as_slice(), &needle, b"after"].concat();
        fs::write(directory.path().join("file"), bytes).expect("written");
        assert!(trace(directory.path(), &wanted).is_some());
    }
}

#[test]
fn nothing_submitted_is_in_any_file_even_before_the_commit() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let taken = records(0..300);
    submit(&store, "hospital_name", "1", &taken);
    publish(&store, 1);
    // A submission under way: more than what buffers hold, so that spools are on the disk.
    let under_way = records(1_000..11_000);
    let begun = header("hospital_name", "2");
    let mut writer = store.begin_submission(&begun).expect("begun");
    let mut journal = store.begin_journal(&begun, 1).expect("begun");
    let chunk: Vec<Arrival> = under_way.iter().cloned().map(Ok).collect();
    journal.append(&chunk, 1).expect("appended");
    for record in &under_way {
        writer.append(record).expect("appended");
    }
    let spooled: usize = files(&directory.path().join("segments"))
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "partial"))
        .map(|(_, bytes)| bytes.len())
        .sum();
    assert!(spooled > 1 << 20, "{spooled} bytes are spooled");
    let journalled: usize = files(&directory.path().join("journals"))
        .iter()
        .map(|(_, bytes)| bytes.len())
        .sum();
    assert!(
        journalled > 1 << 20,
        "{journalled} bytes are in the journal"
    );
    let all: Vec<RecordEncoding> = taken.into_iter().chain(under_way).collect();
    assert_eq!(trace(directory.path(), &all), None);
    writer.commit(BTreeMap::new()).expect("committed");
    publish(&store, 2);
    assert_eq!(trace(directory.path(), &all), None);
    for (path, bytes) in files(directory.path()) {
        let named = bytes.windows(13).any(|window| window == b"hospital_name");
        assert!(!named, "{} names the source", path.display());
    }
    drop(store);
    let backup = tempfile::tempdir().expect("directory");
    copy(directory.path(), backup.path());
    assert_eq!(trace(backup.path(), &all), None);
    assert_eq!(live(&open(backup.path())).len(), all.len());
}

#[test]
fn nothing_of_an_erased_record_opens_any_more() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let taken = records(0..50);
    submit(&store, "a", "1", &taken);
    publish(&store, 1);
    let gone: Vec<RecordRef> = (10..20)
        .map(|number| RecordRef::new(&label(number)).expect("label"))
        .collect();
    let before: Vec<PathBuf> = files(directory.path()).into_iter().map(|it| it.0).collect();
    store.erase(&source("a"), &gone).expect("erased");
    store.compact().expect("compacted");
    drop(store);
    // The files that held the records are gone with their keys' IDs; in the ones that are there
    // now, even the key finds nothing.
    for file in ["segments/000001.mseg", "snapshots/"] {
        let held = before.iter().filter(|path| {
            let path = path.strip_prefix(directory.path()).expect("below");
            path.starts_with(file)
        });
        for path in held {
            assert!(!path.exists(), "{} is still there", path.display());
        }
    }
    let vault = super::vault::Vault::unlock(&disk(directory.path()), &key());
    let vault = vault.ok().flatten().expect("unlocked");
    let plain = tempfile::tempdir().expect("directory");
    let opened = super::sealed::open_all(&vault);
    assert_eq!(opened.len(), 2, "a segment and a snapshot");
    for (number, bytes) in opened.iter().enumerate() {
        fs::write(plain.path().join(number.to_string()), bytes).expect("written");
    }
    assert_eq!(trace(plain.path(), &taken[10..20]), None);
    let kept = trace(plain.path(), &taken[..10]);
    assert!(kept.is_some(), "what was kept is found in the opened files");
    assert_eq!(trace(directory.path(), &taken), None);
}

#[test]
fn a_wrong_or_missing_key_is_refused_and_nothing_is_touched() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(&store, "a", "1", &records(0..5));
    drop(store);
    fs::write(directory.path().join("segments/x.partial"), b"x").expect("leftover");
    let before = files(directory.path());
    let wrong = KeyProvider::Key(StoreKey::from_bytes([8; 32]));
    let opened = Store::open(directory.path(), &wrong).map(|_| ());
    assert!(matches!(
        opened,
        Err(OpenStoreError::Locked(UnlockError::WrongKey { .. }))
    ));
    let verified = verify(directory.path(), &wrong);
    assert!(matches!(
        verified,
        Err(VerifyError::Locked(UnlockError::WrongKey { .. }))
    ));
    let passphrase = KeyProvider::Passphrase(zeroize::Zeroizing::new("a passphrase".into()));
    let opened = Store::open(directory.path(), &passphrase).map(|_| ());
    let other = UnlockError::OtherProvider {
        path: directory.path().join("keyring"),
        needed: "key file",
        given: "passphrase",
    };
    assert_eq!(
        opened.err().map(|it| it.to_string()),
        Some(other.to_string())
    );
    assert!(files(directory.path()) == before);
    // Without its keyring the store does not open either, and no new one is made.
    fs::remove_file(directory.path().join("keyring")).expect("removed");
    let opened = Store::open(directory.path(), &key()).map(|_| ());
    match opened {
        Err(OpenStoreError::Storage(StorageFault::Damaged { path, .. })) => {
            assert_eq!(path, directory.path().join("keyring"));
        }
        _ => panic!("a store without its keyring is refused"),
    }
    assert!(!directory.path().join("keyring").exists());
}

#[test]
fn a_rotated_key_opens_and_the_old_one_does_not() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let receipt = submit(&store, "a", "1", &records(0..5));
    let before = live(&store);
    let new = KeyProvider::Passphrase(zeroize::Zeroizing::new("a longer passphrase".into()));
    store.rotate_key(&new).expect("rotated");
    submit(&store, "a", "2", &records(5..6));
    drop(store);
    assert!(Store::open(directory.path(), &key()).is_err());
    let store = Store::open(directory.path(), &new).expect("opened");
    assert_eq!(live(&store).len(), before.len() + 1);
    assert_eq!(
        store.submissions()[0].receipt,
        receipt,
        "the same signature"
    );
    store.rotate_key(&key()).expect("rotated back");
    drop(store);
    open(directory.path());
}

#[test]
fn damage_is_found_without_the_key() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    submit(&store, "a", "1", &records(0..5));
    publish(&store, 1);
    let head = store.head();
    drop(store);
    assert_eq!(verify_without_key(directory.path()).expect("whole"), head);
    for (file, from) in [("segments/000001.mseg", 0), ("log/000001.mlog", 64)] {
        let path = directory.path().join(file);
        let whole = fs::read(&path).expect("bytes");
        let mut bytes = whole.clone();
        bytes[from + 100] ^= 1;
        fs::write(&path, &bytes).expect("written");
        match verify_without_key(directory.path()) {
            Err(VerifyError::Storage(StorageFault::Damaged {
                path: named,
                offset,
                ..
            })) => {
                assert_eq!((named, offset), (path.clone(), from as u64));
            }
            _ => panic!("damage in {file} is found"),
        }
        fs::write(&path, whole).expect("written");
    }
}

#[test]
fn receipts_are_signed_and_the_same_each_time() {
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let mut writer = store.begin_submission(&header("a", "1")).expect("begun");
    writer
        .append(&encoding("patient-1", 1, 1))
        .expect("appended");
    let refused = BTreeMap::from([(RefusalReason::Shape, 2)]);
    let receipt = writer.commit(refused).expect("committed");
    assert_eq!(receipt.sequence, store.head().sequence);
    let key = VerifyingKey::from_bytes(&store.receipt_key()).expect("a key");
    let mut signature = [0; 64];
    for (byte, at) in signature.iter_mut().zip((0..128).step_by(2)) {
        *byte = u8::from_str_radix(&receipt.signature[at..at + 2], 16).expect("hex");
    }
    let signature = Signature::from_bytes(&signature);
    assert!(key.verify(&receipt.signed_bytes(), &signature).is_ok());
    drop(store);
    let store = open(directory.path());
    match store.begin_submission(&header("a", "1")) {
        Err(BeginSubmissionError::AlreadyDone(again)) => assert_eq!(*again, receipt),
        _ => panic!("the request was carried out before"),
    }
    assert_eq!(store.receipt_key(), key.to_bytes());
}
