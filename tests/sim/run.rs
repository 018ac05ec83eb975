//! Plays a history: the store and the oracle side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use musubi::store::vfs::Vfs;
use musubi::store::vfs::memory::{Crash, Fault, FaultKind, MemoryDisk, Random};
use musubi::store::{
    BeginSubmissionError, CommitError, KeyProvider, OpenStoreError, Store, StoreKey,
    SubmissionWriter, UnlockError, verify_on,
};
use musubi::terms::run::{Run, RunState};
use musubi::terms::{EntityId, Receipt, RecordRef, RunId, SourceId};

use crate::backups::Backups;
use crate::compare::compare;
use crate::ops::{self, FOLDERS, Record, Step};
use crate::oracle::{Entities, Key, Oracle, Request, encoding, header, profile, source_name};

/// Plays the history of a seed; gives the number of crashes.
pub fn history(seed: u64, trace: bool) -> u64 {
    let mut random = Random::new(seed);
    let steps = ops::steps(&mut random);
    let mut world = World::new(random);
    for step in &steps {
        if trace {
            println!("{:>6} {step:?}", world.disk.operations());
        }
        world.play(step);
    }
    world.finish();
    world.crashes
}

pub fn log_path(store: &Path) -> PathBuf {
    store.join("log/000001.mlog")
}

pub struct World {
    pub disk: MemoryDisk,
    /// Where the store lies; at first two directories that do not exist yet.
    pub directory: PathBuf,
    pub store: Option<Store>,
    pub oracle: Oracle,
    pub crashes: u64,
    pub backups: Backups,
    pub random: Random,
    /// A fault was planned since the store was opened: operations may fail.
    pub disturbed: bool,
    full: bool,
    /// Faults other than a full disk were planned since the store was opened.
    harmed: bool,
    /// Syncs that had failed when the store was opened.
    pub failed_syncs: u64,
    marks: u64,
}

impl World {
    /// A new store; the making of one in four is interrupted.
    pub fn new(mut random: Random) -> Self {
        let stop = random.one_in(4).then(|| 1 + random.below(60));
        match stop {
            Some(at) => Self::stopped_while_opening(random, at),
            None => Self::undisturbed(random),
        }
    }

    /// A new store whose making stopped at operation `at`.
    pub fn stopped_while_opening(random: Random, at: u64) -> Self {
        let mut world = Self::closed(random);
        world.plan(at, FaultKind::Stop);
        world.open();
        world
    }

    /// A new store on a disk that is good so far.
    pub fn undisturbed(random: Random) -> Self {
        let mut world = Self::closed(random);
        world.open();
        world
    }

    fn closed(mut random: Random) -> Self {
        let disk = MemoryDisk::new(random.bits());
        Self {
            disk,
            directory: "/data/store".into(),
            store: None,
            oracle: Oracle::default(),
            crashes: 0,
            backups: Backups::default(),
            random,
            disturbed: false,
            full: false,
            harmed: false,
            failed_syncs: 0,
            marks: 0,
        }
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open between steps")
    }

    pub fn plan(&mut self, from_now: u64, kind: FaultKind) {
        let operation = self.disk.operations() + from_now;
        self.disk.plan(Some(Fault { operation, kind }));
        self.disturbed = true;
        self.harmed = true;
    }

    pub fn play(&mut self, step: &Step) {
        match step {
            Step::Submit(source, request, records, commit) => {
                self.submit((*source, *request), records, *commit);
            }
            Step::Repeat(which) => self.repeat(*which),
            Step::PutRun(run) => self.put_run(*run),
            Step::Publish => self.publish(),
            Step::Audit => {
                let result = self.store().append_audit("{\"n\":1}");
                if let Some(position) = self.accept(result) {
                    self.oracle.heads.insert(position.hash_hex());
                }
            }
            Step::Erase(source, labels) => self.erase(*source, labels),
            Step::Compact => {
                let result = self.store().compact();
                self.accept(result);
            }
            Step::Rotate(number) => self.rotate(*number),
            Step::BackUp(folder, way) => self.back_up(*folder, *way),
            Step::Restore(folder, suppress, adopt) => self.restore(*folder, *suppress, *adopt),
            Step::RebuildIndex => {
                let result = self.store().rebuild_index();
                self.accept(result);
            }
            Step::Reopen => {
                self.store = None;
                self.open();
            }
            Step::Crash(how) => self.crash(*how),
            Step::Fault(from_now, kind) => self.plan(*from_now, *kind),
            Step::Full(full) => self.set_full(*full),
        }
        if self.disk.is_stopped() {
            let how = ops::crash(&mut self.random);
            self.crash(how);
        }
    }

    /// The value; or nothing, if something may have gone wrong.
    pub fn accept<T, E: std::error::Error>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let text = explain(&error);
                assert!(self.disturbed, "an operation failed on a good disk: {text}");
                assert!(!text.contains("is damaged"), "no byte decayed: {text}");
                None
            }
        }
    }

    pub fn set_full(&mut self, full: bool) {
        self.disk.set_full(full);
        let lifted = self.full && !full;
        self.full = full;
        self.disturbed |= full;
        if lifted && !self.harmed {
            // Nothing but a full disk went wrong: the store goes on by itself.
            self.disturbed = false;
        }
    }

    pub fn crash(&mut self, how: Crash) {
        self.stop(how);
        if how == Crash::Process && self.random.one_in(4) {
            // Somebody backs up what is there before starting the server again.
            let folder = self.random.below(FOLDERS) as usize;
            self.back_up_closed(folder);
        }
        self.examine_restored();
        if how == Crash::Power {
            self.examine_beside();
        }
        self.examine_backups();
        self.open();
    }

    /// The end of the process, or of the machine.
    pub fn stop(&mut self, how: Crash) {
        // What the process still does as it goes is cut off by the disk.
        self.disk.crash(how);
        self.store = None;
        self.crashes += 1;
        self.set_full(false);
        self.disturbed = false;
    }

    /// Opens the store, through what faults were planned, and compares.
    pub fn open(&mut self) {
        loop {
            match self.try_open() {
                Ok(store) => {
                    self.store = Some(store);
                    break;
                }
                Err(error) => {
                    assert!(self.disturbed, "does not open: {error}");
                    self.disk.plan(None);
                    if self.disk.is_stopped() {
                        let how = ops::crash(&mut self.random);
                        self.disk.crash(how);
                        self.crashes += 1;
                    }
                    self.disk.set_full(false);
                    self.full = false;
                    self.disturbed = false;
                }
            }
        }
        self.disk.plan(None);
        self.disturbed = self.full;
        self.harmed = false;
        self.failed_syncs = self.disk.failed_syncs();
        self.compare();
    }

    fn try_open(&mut self) -> Result<Store, String> {
        let vfs: Arc<dyn Vfs> = Arc::new(self.disk.clone());
        let (number, store) = open_with_one_of(&vfs, &self.directory, &self.oracle)?;
        self.oracle.set_key(number);
        Ok(store)
    }

    fn submit(&mut self, request: Request, records: &[Record], commit: bool) {
        let writer = match self.store().begin_submission(&header(request)) {
            Ok(writer) => writer,
            Err(BeginSubmissionError::AlreadyDone(receipt)) => {
                let (before, _) = &self.oracle.taken[&request];
                assert!(*before == *receipt, "the receipt is the one given before");
                return;
            }
            Err(error) => {
                self.accept::<(), _>(Err(error));
                return;
            }
        };
        let known = self.oracle.taken.contains_key(&request);
        assert!(
            !known,
            "a request that was acknowledged is carried out anew"
        );
        if !self.append(writer, request, records, commit) {
            self.oracle.dropped.insert(request);
        }
    }

    /// Whether the submission got as far as its commit.
    fn append(
        &mut self,
        mut writer: SubmissionWriter,
        request: Request,
        records: &[Record],
        commit: bool,
    ) -> bool {
        for record in records {
            let result = writer.append(&encoding(*record));
            if self.accept(result).is_none() {
                return false;
            }
        }
        if !commit {
            return false;
        }
        let result: Result<Receipt, CommitError> = writer.commit(BTreeMap::new());
        match self.accept(result) {
            Some(receipt) => self.oracle.take(request, records.to_vec(), receipt),
            None => {
                let tries = self.oracle.uncertain.entry(request).or_default();
                tries.push(records.to_vec());
            }
        }
        true
    }

    fn repeat(&mut self, which: u64) {
        let count = self.oracle.taken.len() as u64;
        let nth = which.checked_rem(count).map(|at| at as usize);
        if let Some(request) = nth.and_then(|at| self.oracle.taken.keys().nth(at).copied()) {
            self.submit(request, &[], true);
        }
    }

    fn put_run(&mut self, number: u8) {
        self.marks += 1;
        let run = Run {
            id: RunId::from_u128(u128::from(number)),
            state: RunState::Queued,
            created_unix_s: self.marks,
            steps: Vec::new(),
            progress: None,
            failure: None,
            report: None,
        };
        let result = self.store().put_run(&run);
        let accepted = self.accept(result).is_some();
        let known = self.oracle.runs.entry(number).or_default();
        if accepted {
            known.acknowledge(self.marks);
        } else {
            known.since.push(self.marks);
        }
    }

    fn publish(&mut self) {
        let result = self.store().load_table();
        let Some(rows) = self.accept(result) else {
            return;
        };
        self.marks += 1;
        let run = 1_000 + u128::from(self.marks);
        let ids: Vec<EntityId> = (0..rows.refs.len() as u32)
            .map(|row| EntityId::from_u128(run * 10 + u128::from(rows.table.key(row) % 3)))
            .collect();
        let entities: Entities = (0..)
            .zip(&ids)
            .map(|(row, id)| {
                let source = &rows.sources[usize::from(rows.table.source(row))];
                let key = (source.to_string(), rows.refs.text(row).to_owned());
                (key, id.as_u128())
            })
            .collect();
        let run = RunId::from_u128(run);
        self.oracle.entities.insert(run, entities);
        let result = self.store().publish(run, &rows, &ids);
        if self.accept(result).is_some() {
            self.oracle.published.acknowledge(run);
        } else {
            let shown = self.store().published().map(|it| it.run());
            assert!(shown == self.oracle.published.acknowledged, "stays");
            self.oracle.published.since.push(run);
        }
    }

    fn erase(&mut self, source: u8, labels: &[u8]) {
        let name = source_name(source);
        let refs: Vec<RecordRef> = (labels.iter())
            .map(|label| RecordRef::new(&format!("ref-{label}")).expect("label"))
            .collect();
        let keys = (refs.iter()).map(|label| (name.clone(), label.as_str().to_owned()));
        let keys: BTreeSet<Key> = keys.collect();
        let gone = |key: &&Key| self.oracle.live.contains_key(*key);
        let live = keys.iter().filter(gone).count() as u64;
        let result = (self.store()).erase(&SourceId::new(&name).expect("source"), &refs);
        if let Some(receipt) = self.accept(result) {
            assert_eq!(receipt.erased, live, "records erased");
            self.oracle.heads.insert(receipt.position.hash_hex());
            self.oracle.erase(&keys);
        } else {
            // Whether it happened shows after the next open, before anything comes after it.
            self.oracle.erasing = Some(keys);
            if !self.disk.is_stopped() {
                self.store = None;
                self.open();
            }
        }
    }

    /// Everything acknowledged is there, nothing else is, nothing is doubled.
    pub fn compare(&mut self) {
        let store = self.store().clone();
        let log = self.disk.content(&log_path(&self.directory));
        compare(&store, &mut self.oracle, &log.expect("there is a log"));
        self.oracle.unseen.clear();
    }

    /// Looks at every receipt once more, and makes a last backup.
    pub fn finish(&mut self) {
        self.oracle.unseen = self.oracle.taken.keys().copied().collect();
        self.compare();
        self.back_up_all();
    }

    /// Closes the store and re-reads everything.
    pub fn verify(&mut self) {
        self.store = None;
        let vfs = Arc::new(self.disk.clone());
        let key = key(self.oracle.keys()[0]);
        verify_on(vfs, &self.directory, &key).expect("whole");
        self.open();
    }

    fn rotate(&mut self, number: u8) {
        let result = self.store().rotate_key(&key(number));
        if self.accept(result).is_some() {
            self.oracle.set_key(number);
        } else {
            self.oracle.key.since.push(number);
        }
    }
}

/// A key of a store, by number.
pub fn key(number: u8) -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7 + number; 32]))
}

/// Opens a store with one of the keys that may be the one; the others do not open it. Gives the
/// number of the key.
///
/// The error is one of the disk.
pub fn open_with_one_of(
    vfs: &Arc<dyn Vfs>,
    directory: &Path,
    oracle: &Oracle,
) -> Result<(u8, Store), String> {
    let keys = oracle.keys();
    for retired in oracle.retired.iter().filter(|it| !keys.contains(it)) {
        let opened = Store::open_on(Arc::clone(vfs), directory, &key(*retired));
        assert!(opened.is_err(), "a key that was replaced opens the store");
    }
    for number in &keys {
        match Store::open_on(Arc::clone(vfs), directory, &key(*number)) {
            Ok(store) => {
                (store.set_profile(&profile().0, "2026")).map_err(|error| explain(&error))?;
                return Ok((*number, store));
            }
            Err(OpenStoreError::Locked(UnlockError::WrongKey { .. })) => {}
            Err(error) => return Err(explain(&error)),
        }
    }
    panic!("no key opens the store");
}

/// An error with its causes.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
