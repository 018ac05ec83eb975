//! The index against a map in memory, through saves, merges, reopenings and damage.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::store::testing::disk;
use crate::store::vfs::memory::Random;

fn known(number: u64) -> KnownRecord {
    KnownRecord {
        location: RowLocation {
            segment: number + 1,
            row: number as u32,
            generation: 2,
        },
        version: 3,
        content: [number as u8; 16],
    }
}

fn key(number: u64) -> RecordKey {
    let hash = blake3::hash(&number.to_le_bytes());
    *hash.as_bytes().first_chunk().expect("long enough")
}

fn applied(submission: u64) -> Applied {
    Applied {
        submission,
        hash: [7; 32],
        rewritings: 1,
    }
}

fn open(directory: &Path) -> Index {
    Index::open(&disk(directory)).expect("open")
}

fn take_in(index: &Index, numbers: std::ops::Range<u64>, mark: u64) {
    let mut entries: Vec<Entry> = numbers.map(|n| (key(n), known(n + mark))).collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    let count = entries.len() as u64;
    let mut entries = entries.into_iter();
    let taken = index.take_in(count, || Ok(entries.next()));
    taken.expect("taken in");
}

fn contents(index: &Index) -> BTreeMap<RecordKey, (u64, u32)> {
    let mut found = BTreeMap::new();
    index
        .each(&mut |key, known| {
            let before = found.insert(*key, (known.location.segment, known.location.row));
            assert!(before.is_none(), "each key once");
        })
        .expect("read");
    found
}

#[test]
fn it_answers_as_a_map_does_through_saves_merges_and_reopenings() {
    let directory = tempfile::tempdir().expect("directory");
    let mut index = open(directory.path());
    let mut oracle: BTreeMap<RecordKey, (u64, u32)> = BTreeMap::new();
    let mut random = Random::new(5);
    let large = RECENT_MAX as u64;
    for step in 1..=24 {
        let first = random.below(4 * large);
        let count = match random.below(3) {
            0 => large + random.below(1_000),
            1 => 1 + random.below(500),
            _ => large / 2,
        };
        take_in(&index, first..first + count, step);
        for number in first..first + count {
            oracle.insert(key(number), (number + step + 1, (number + step) as u32));
        }
        let gone: Vec<RecordKey> = (0..50).map(|_| key(random.below(4 * large))).collect();
        index.remove(&gone).expect("removed");
        for key in &gone {
            oracle.remove(key);
        }
        index.set_applied(applied(step)).expect("applied");
        if random.one_in(3) {
            let saved = !index.read().recent.is_empty();
            if saved {
                index.write().is_unsaved = true;
                index.set_applied(applied(step)).expect("saved");
            }
            drop(index);
            index = open(directory.path());
            assert!(index.applied() == applied(step));
        }
        for _ in 0..300 {
            let key = key(random.below(5 * large));
            let found = index.find(&key).expect("an answer");
            let found = found.map(|known| (known.location.segment, known.location.row));
            assert_eq!(found, oracle.get(&key).copied());
        }
    }
    assert!(contents(&index) == oracle);
    let runs = index.read().runs.len();
    assert!(runs < 16, "{runs} runs");
    let blocks = index.blocks.count() as u64;
    let entries: u64 = index.read().runs.iter().map(|run| run.entries()).sum();
    assert!(
        blocks < entries / 256 + 2 * runs as u64 + 2,
        "merged runs are removed"
    );
}

#[test]
fn what_only_memory_held_is_not_said_to_be_in_after_a_reopening() {
    let directory = tempfile::tempdir().expect("directory");
    let index = open(directory.path());
    take_in(&index, 0..100, 0);
    index.set_applied(applied(1)).expect("applied");
    assert!(index.applied() == applied(1));
    drop(index);
    let index = open(directory.path());
    assert!(index.applied() == Applied::NOTHING);
    assert!(contents(&index).is_empty());
}

#[test]
fn blocks_that_no_manifest_names_are_removed_at_the_next_open() {
    let directory = tempfile::tempdir().expect("directory");
    let index = open(directory.path());
    take_in(&index, 0..RECENT_MAX as u64, 0);
    index.set_applied(applied(1)).expect("applied");
    let named = index.blocks.count();
    take_in(&index, 0..RECENT_MAX as u64 + 300, 0);
    assert!(index.blocks.count() > named);
    drop(index);
    let index = open(directory.path());
    assert_eq!(index.blocks.count(), named);
    assert!(index.applied() == applied(1));
}

#[test]
fn an_index_that_lacks_a_block_or_has_a_bad_manifest_is_emptied() {
    let directory = tempfile::tempdir().expect("directory");
    for harm in ["block", "manifest"] {
        let index = open(directory.path());
        take_in(&index, 0..RECENT_MAX as u64 + 5, 0);
        index.set_applied(applied(1)).expect("applied");
        drop(index);
        let index = open(directory.path());
        assert!(index.applied() == applied(1), "it was whole");
        match harm {
            "block" => index.blocks.remove(1, 1).expect("removed"),
            _ => {
                let mut bytes = index.blocks.manifest().expect("read").expect("there");
                bytes[20] ^= 1;
                index.blocks.set_manifest(bytes).expect("written");
            }
        }
        drop(index);
        let index = open(directory.path());
        assert!(index.applied() == Applied::NOTHING, "{harm}");
        assert!(contents(&index).is_empty(), "{harm}");
    }
}
