//! Plays a history: the store and the oracle side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use musubi::store::vfs::memory::{Crash, Fault, FaultKind, MemoryDisk, Random};
use musubi::store::{
    BeginSubmissionError, CommitError, KeyProvider, Store, StoreKey, SubmissionWriter, row_key,
    verify_on,
};
use musubi::terms::run::{Run, RunState};
use musubi::terms::{EntityId, Receipt, RecordRef, RunId, SourceId};

use crate::ops::{self, Record, Step};
use crate::oracle::{
    Entities, Key, Oracle, Request, chain, encoding, header, profile, source_name,
};

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
    world.crashes
}

/// Where the store lies: two directories that do not exist yet.
fn directory() -> PathBuf {
    PathBuf::from("/data/store")
}

pub fn log_path() -> PathBuf {
    directory().join("log/000001.mlog")
}

pub struct World {
    pub disk: MemoryDisk,
    pub store: Option<Store>,
    pub oracle: Oracle,
    pub crashes: u64,
    random: Random,
    /// A fault was planned since the store was opened: operations may fail.
    disturbed: bool,
    full: bool,
    /// Faults other than a full disk were planned since the store was opened.
    harmed: bool,
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
            store: None,
            oracle: Oracle::default(),
            crashes: 0,
            random,
            disturbed: false,
            full: false,
            harmed: false,
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
    fn accept<T, E: std::error::Error>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(_) if self.disturbed => None,
            Err(error) => panic!("an operation failed on a good disk: {}", explain(&error)),
        }
    }

    fn set_full(&mut self, full: bool) {
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
        // What the process still does as it goes is cut off by the disk.
        self.disk.crash(how);
        self.store = None;
        self.crashes += 1;
        self.set_full(false);
        self.disturbed = false;
        self.open();
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
        self.compare();
    }

    fn try_open(&self) -> Result<Store, String> {
        let vfs = Arc::new(self.disk.clone());
        let store = Store::open_on(vfs, &directory(), &key()).map_err(|error| explain(&error))?;
        (store.set_profile(&profile().0, "2026")).map_err(|error| explain(&error))?;
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
            self.oracle.erase(keys);
        } else {
            // Whether it happened shows after the next open, before anything comes after it.
            self.oracle.erasing = Some(keys);
            if !self.disk.is_stopped() {
                self.store = None;
                self.open();
            }
        }
    }

    /// An erasure that was not acknowledged happened as a whole, or not at all.
    fn find_erasing(&mut self) {
        let found = self.store().tombstones().len();
        if let Some(keys) = self.oracle.erasing.take()
            && found != self.oracle.erased.len()
        {
            self.oracle.erase(keys);
        }
        assert_eq!(found, self.oracle.erased.len(), "erased records");
    }

    /// Everything acknowledged is there, nothing else is, nothing is doubled.
    pub fn compare(&mut self) {
        self.find_uncertain();
        self.find_erasing();
        let store = self.store().clone();
        for (request, (receipt, _)) in &self.oracle.taken {
            match store.begin_submission(&header(*request)) {
                Err(BeginSubmissionError::AlreadyDone(again)) => {
                    assert!(*again == *receipt, "the receipt is the one given before");
                }
                _ => panic!("an acknowledged submission is gone"),
            }
        }
        let submissions = store.submissions().len();
        assert_eq!(
            submissions,
            self.oracle.taken.len(),
            "nothing else is there"
        );
        assert!(self.rows() == self.expected(), "live records");
        self.compare_chain();
        for (number, known) in &mut self.oracle.runs {
            let run = store.run(RunId::from_u128(u128::from(*number)));
            known.resolve(run.map(|run| run.created_unix_s));
        }
        let published = store.published();
        let run = published.as_ref().map(|it| it.run());
        self.oracle.published.resolve(run);
        if let (Some(published), Some(run)) = (published, run) {
            let found: Entities = published
                .iter()
                .map(|(source, label, entity)| {
                    let key = (source.to_string(), label.as_str().to_owned());
                    (key, entity.as_u128())
                })
                .collect();
            assert!(found == self.oracle.entities[&run], "published entities");
        }
    }

    /// Submissions that were not acknowledged: those that are there count from now on.
    fn find_uncertain(&mut self) {
        for request in &self.oracle.dropped {
            let known = self.oracle.taken.contains_key(request)
                || self.oracle.uncertain.contains_key(request);
            let begun = self.store().begin_submission(&header(*request));
            assert!(known || begun.is_ok(), "a dropped submission is there");
        }
        let mut found = Vec::new();
        for (request, tries) in std::mem::take(&mut self.oracle.uncertain) {
            let begun = self.store().begin_submission(&header(request));
            if let Err(BeginSubmissionError::AlreadyDone(receipt)) = begun {
                found.push((receipt, request, tries));
            }
        }
        found.sort_by_key(|(receipt, _, _)| receipt.submission);
        for (receipt, request, tries) in found {
            let fits = |records: &&Vec<Record>| {
                let outcome = self.oracle.judge(request.0, records);
                outcome.content_hash == receipt.content_hash
                    && outcome.counts[1] == receipt.unchanged
                    && outcome.counts[2] == receipt.refused.values().sum::<u64>()
            };
            let records = tries.iter().find(fits).cloned();
            let records = records.expect("what is there is what was submitted");
            self.oracle.take(request, records, *receipt);
        }
    }

    fn compare_chain(&self) {
        let files = self.disk.files();
        let log = files.iter().find(|(path, _)| *path == log_path());
        let values = chain(&log.expect("there is a log").1);
        assert_eq!(values.len() as u64, self.store().head().sequence, "chain");
        for head in &self.oracle.heads {
            assert!(values.contains(head), "an acknowledged log entry is gone");
        }
    }

    /// Tags of the live records, as the store gives them.
    fn rows(&self) -> BTreeMap<Key, Vec<u64>> {
        let loaded = self.store().load_table().expect("table");
        let row = |row: u32| {
            let source = &loaded.sources[usize::from(loaded.table.source(row))];
            let label = loaded.refs.text(row).to_owned();
            assert_eq!(loaded.table.key(row), row_key(source, &label));
            ((source.to_string(), label), loaded.table.tags(row).to_vec())
        };
        let rows: BTreeMap<_, _> = (0..loaded.table.len() as u32).map(row).collect();
        assert_eq!(rows.len(), loaded.table.len(), "no record is there twice");
        rows
    }

    fn expected(&self) -> BTreeMap<Key, Vec<u64>> {
        let live = self.oracle.live.iter();
        live.map(|(key, (_, content))| (key.clone(), encoding((0, 1, *content)).tags))
            .collect()
    }

    /// Closes the store and re-reads everything.
    pub fn verify(&mut self) {
        self.store = None;
        verify_on(Arc::new(self.disk.clone()), &directory(), &key()).expect("whole");
        self.open();
    }
}

/// The key of the stores.
fn key() -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7; 32]))
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
