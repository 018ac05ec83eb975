//! The index in memory, for disks that sled cannot open files on. It is as empty at each open as a
//! sled index that was deleted, so every open goes through the rebuilding.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::{Applied, KnownRecord};
use crate::store::crypt::RecordKey;

/// The index in memory.
#[derive(Default)]
pub(in crate::store) struct MemoryIndex(Mutex<Known>);

struct Known {
    records: HashMap<RecordKey, KnownRecord>,
    applied: Applied,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            records: HashMap::new(),
            applied: Applied::NOTHING,
        }
    }
}

impl MemoryIndex {
    pub(super) fn applied(&self) -> Applied {
        self.known().applied
    }

    pub(super) fn find(&self, key: &RecordKey) -> Option<KnownRecord> {
        self.known().records.get(key).copied()
    }

    pub(super) fn each(&self, visit: &mut dyn FnMut(&[u8], &KnownRecord)) {
        let known = self.known();
        let mut records: Vec<_> = known.records.iter().collect();
        records.sort_unstable_by_key(|(key, _)| *key);
        for (key, record) in records {
            visit(key.as_slice(), record);
        }
    }

    pub(super) fn take_in(&self, records: impl Iterator<Item = (RecordKey, KnownRecord)>) {
        self.known().records.extend(records);
    }

    pub(super) fn remove(&self, records: &[RecordKey]) {
        let mut known = self.known();
        for key in records {
            known.records.remove(key);
        }
    }

    pub(super) fn set_applied(&self, applied: Applied) {
        self.known().applied = applied;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
