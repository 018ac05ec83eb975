//! What is left after a crash.

use std::path::Path;

use super::Crash;
use super::random::Random;
use super::state::{Change, Name, State, Stored};

/// Bytes that a disk writes at once; one of them may still be torn.
const SECTOR: usize = 512;

impl State {
    /// Leaves what survives, and starts a new life of the machine.
    pub(super) fn crash(&mut self, how: Crash) {
        self.boot += 1;
        self.locks.clear();
        self.fault = None;
        self.stopped = false;
        if how == Crash::Process {
            return;
        }
        let changes = std::mem::take(&mut self.name_changes);
        let kept = choose(changes.len(), &mut self.random);
        for ((_, change), _) in changes.iter().zip(kept).filter(|(_, kept)| *kept) {
            change.apply(&mut self.durable_names);
        }
        // What lies in a directory that is gone is gone.
        loop {
            let lost = self.durable_names.keys().find(|path| {
                let parent = path.parent().unwrap_or(Path::new("/"));
                self.durable_names.get(parent) != Some(&Name::Directory)
            });
            match lost.cloned() {
                Some(path) => self.durable_names.remove(&path),
                None => break,
            };
        }
        self.names = self.durable_names.clone();
        let names = &self.names;
        self.files
            .retain(|id, _| names.values().any(|name| *name == Name::File(*id)));
        for file in self.files.values_mut() {
            file.settle(&mut self.random);
            file.content = file.durable.clone();
        }
    }
}

impl Stored {
    /// Makes some of what was not synced durable, and forgets the rest.
    pub(super) fn settle(&mut self, random: &mut Random) {
        let changes = std::mem::take(&mut self.changes);
        match random.below(4) {
            // The lengths arrived, the bytes did not.
            0 => {
                for change in &changes {
                    match change {
                        Change::Write(at, bytes) => {
                            let end = at + bytes.len();
                            if self.durable.len() < end {
                                self.durable.resize(end, 0);
                            }
                        }
                        Change::Cut(_) => change.apply(&mut self.durable),
                    }
                }
            }
            // Sectors arrived, or not, each for itself.
            1 => {
                for change in &changes {
                    match change {
                        Change::Write(at, bytes) => self.scatter(*at, bytes, random),
                        Change::Cut(_) if random.one_in(2) => change.apply(&mut self.durable),
                        Change::Cut(_) => {}
                    }
                }
            }
            _ => {
                let kept = choose(changes.len(), random);
                let last = kept.iter().rposition(|kept| *kept);
                for (index, change) in changes.iter().enumerate().filter(|(i, _)| kept[*i]) {
                    match change {
                        Change::Write(at, bytes) if Some(index) == last && random.one_in(2) => {
                            let left = random.below(bytes.len() as u64 + 1) as usize;
                            Change::Write(*at, bytes[..left].to_vec()).apply(&mut self.durable);
                        }
                        change => change.apply(&mut self.durable),
                    }
                }
            }
        }
    }

    fn scatter(&mut self, at: usize, bytes: &[u8], random: &mut Random) {
        let mut done = 0;
        while done < bytes.len() {
            let start = at + done;
            let length = (SECTOR - start % SECTOR).min(bytes.len() - done);
            if random.one_in(2) {
                let left = if random.one_in(8) {
                    random.below(length as u64) as usize
                } else {
                    length
                };
                Change::Write(start, bytes[done..done + left].to_vec()).apply(&mut self.durable);
            }
            done += length;
        }
    }
}

/// Which of `count` changes are kept: none, all, the first ones, or any.
fn choose(count: usize, random: &mut Random) -> Vec<bool> {
    match random.below(4) {
        0 => vec![false; count],
        1 => vec![true; count],
        2 => {
            let first = random.below(count as u64 + 1) as usize;
            (0..count).map(|index| index < first).collect()
        }
        _ => (0..count).map(|_| random.one_in(2)).collect(),
    }
}
