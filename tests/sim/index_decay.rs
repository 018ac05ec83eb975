//! Decay of the index in sled, on the real disk: whatever it is, a store that opens answers from an
//! index that is made anew, or as good as new.
//!
//! `MUSUBI_INDEX_CASES` sets the number of cases, `MUSUBI_INDEX_SEED` replays one.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use musubi::store::vfs::memory::Random;
use musubi::store::{Store, StoreDigest};

use crate::number;
use crate::oracle::{encoding, header, profile};
use crate::run::{explain, key};

const CASES: u64 = 60;
const SECTOR: usize = 512;

fn submit(store: &Store, request: u16, labels: std::ops::Range<u8>, version: u32) -> u64 {
    let begun = store.begin_submission(&header((0, request)));
    let mut writer = begun.unwrap_or_else(|error| panic!("{}", explain(&error)));
    for label in labels {
        let record = encoding((label, version, u64::from(label)));
        writer.append(&record).expect("appended");
    }
    writer.commit(BTreeMap::new()).expect("committed").accepted
}

fn opened(store: &Path) -> Store {
    let opened = Store::open(store, &key(0));
    opened.unwrap_or_else(|error| panic!("{}", explain(&error)))
}

/// A closed store of 200 records, and its digest.
fn filled(store: &Path) -> StoreDigest {
    let store = opened(store);
    store.set_profile(&profile().0, "2026").expect("profile");
    submit(&store, 1, 0..150, 1);
    submit(&store, 2, 100..200, 2);
    store.digest().expect("digest")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("parent")).expect("folder");
        fs::copy(&file, target).expect("copied");
    }
}

/// Flips a bit, loses a sector or the end of a file of the index.
fn harm(index: &Path, random: &mut Random) {
    let files = files_below(index);
    let path = &files[random.below(files.len() as u64) as usize];
    let mut bytes = fs::read(path).expect("read");
    // Most of a sled file is empty room; the places that hold something are near its start.
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    if used == 0 {
        return;
    }
    let at = random.below(used as u64) as usize;
    match random.below(4) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => {
            let start = at / SECTOR * SECTOR;
            let end = (start + SECTOR).min(bytes.len());
            bytes[start..end].fill(0);
        }
        _ => bytes.truncate(at),
    }
    fs::write(path, bytes).expect("written");
}

fn case(seed: u64, template: &Path, digest: &StoreDigest) {
    let random = &mut Random::new(seed);
    let place = tempfile::tempdir().expect("directory");
    copy(template, place.path());
    harm(&place.path().join("index"), random);
    let store = opened(place.path());
    assert!(
        store.digest().expect("digest") == *digest,
        "the index is the same"
    );
    // What the index does not know any more would come in a second time.
    assert_eq!(submit(&store, 3, 0..200, 1), 0, "no record is new");
}

#[test]
fn whatever_decays_in_the_index_is_healed() {
    let template = tempfile::tempdir().expect("directory");
    let digest = filled(template.path());
    if let Some(seed) = number("MUSUBI_INDEX_SEED") {
        return case(seed, template.path(), &digest);
    }
    let cases = number("MUSUBI_INDEX_CASES").unwrap_or(CASES);
    let failed: Vec<u64> = (0..cases)
        .filter(|seed| {
            catch_unwind(AssertUnwindSafe(|| case(*seed, template.path(), &digest))).is_err()
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {cases} cases failed; replay one with MUSUBI_INDEX_SEED={}",
        failed.len(),
        failed[0]
    );
}
