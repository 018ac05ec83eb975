//! Real processes on real files, ended by SIGKILL at places drawn from a printed seed, 200 times and more.
//!
//! # Failure
//! An acknowledged submission or audit event is gone; something is there that was never submitted, or
//! is there twice, or in part; a receipt changes; the store does not open or verify.
//!
//! # No failure
//! A submission that was under way is there, whole, or is not there.
//!
//! # Nondeterminism left
//! A kill comes when a certain line of the process is read; how far it got by then is up to the
//! machine. SIGKILL leaves what the operating system took, so lost syncs are the business of `tests/sim`.

mod child;
#[path = "../it/world.rs"]
#[allow(dead_code)]
mod world;

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::RwLock;

use musubi::store::vfs::memory::Random;
use musubi::store::{BeginSubmissionError, Store, verify};
use musubi::terms::Receipt;
use rayon::prelude::*;

use child::{Request, SOURCES, header, key, records};

/// Seed of all kill points.
pub const SEED: u64 = 20_261_122;
const STORES: u64 = 10;
const ROUNDS_PER_STORE: u64 = 18;
/// A process is killed after so many lines at most; a submission has eight.
const LINES_MAX: u64 = 60;

/// What the killed processes said.
#[derive(Default)]
struct Said {
    begun: BTreeSet<Request>,
    receipts: BTreeMap<Request, Receipt>,
    audited: u64,
}

impl Said {
    /// Takes in a line; `false` if it is not one of ours, or cut.
    fn hear(&mut self, line: &str) -> bool {
        let Some((_, line)) = line.split_once("kill: ") else {
            return false;
        };
        let mut words = line.splitn(4, ' ');
        let verb = words.next().unwrap_or_default();
        let mut number = || words.next()?.parse::<u64>().ok();
        match (verb, number(), number()) {
            ("begin", Some(source), Some(request)) => {
                self.begun.insert((source, request));
            }
            ("done", Some(source), Some(request)) => {
                let json = words.next().unwrap_or_default();
                match serde_json::from_str(json) {
                    Ok(receipt) => self.receipts.insert((source, request), receipt),
                    Err(_) => return false,
                };
            }
            ("audited", Some(sequence), _) => self.audited = self.audited.max(sequence),
            _ => {}
        }
        true
    }

    /// First request number that no process has used for a source.
    fn next(&self, source: u64) -> u64 {
        let used = self
            .begun
            .range((source, 0)..=(source, u64::MAX))
            .next_back();
        used.map_or(1, |(_, request)| request + 1)
    }

    /// Everything acknowledged is there, everything there was submitted, nothing twice.
    fn check(&mut self, store: &Store) {
        let mut expected = BTreeMap::new();
        for request in &self.begun {
            match (
                store.begin_submission(&header(*request)),
                self.receipts.get(request),
            ) {
                (Err(BeginSubmissionError::AlreadyDone(again)), Some(receipt)) => {
                    assert!(*again == *receipt, "the receipt is the one given before");
                }
                (Err(BeginSubmissionError::AlreadyDone(receipt)), None) => {
                    self.receipts.insert(*request, *receipt);
                }
                (Ok(_), None) => continue,
                (Ok(_), Some(_)) => panic!("an acknowledged submission is gone"),
                (Err(error), _) => panic!("{error}"),
            }
            for record in records(*request) {
                let label = record.record_ref.as_str().to_owned();
                expected.insert((request.0, label), record.tags);
            }
        }
        assert_eq!(store.submissions().len(), self.receipts.len());
        assert!(store.head().sequence >= self.audited);
        let loaded = store.load_table().expect("table");
        let rows = (0..loaded.table.len() as u32).map(|row| {
            let source = &loaded.sources[usize::from(loaded.table.source(row))];
            let number = (0..SOURCES).find(|it| child::source(*it) == *source);
            let key = (number.expect("a source"), loaded.refs.text(row).to_owned());
            (key, loaded.table.tags(row).to_vec())
        });
        let found: BTreeMap<_, _> = rows.collect();
        assert_eq!(found.len(), loaded.table.len(), "no record is there twice");
        assert!(found == expected, "the live records are those submitted");
    }
}

/// Between fork and exec a new process holds copies of all open files of this one, and with them
/// their locks. So no process is started while a store is open here, whichever store it is.
static GATE: RwLock<()> = RwLock::new(());

/// A process that submits to the store in `directory` until it is killed.
fn spawn(directory: &Path, said: &Said) -> Child {
    let next: Vec<String> = (0..SOURCES).map(|it| said.next(it).to_string()).collect();
    let _no_store_is_open = GATE.write().expect("gate");
    Command::new(std::env::current_exe().expect("this test"))
        .args(["child::works_until_it_is_killed", "--exact", "--nocapture"])
        .env(child::STORE, directory)
        .env(child::NEXT, next.join(" "))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test starts")
}

/// Lets a process work on the store, kills it, and hears all it said.
fn round(directory: &Path, said: &mut Said, lines: u64) {
    let mut child = spawn(directory, said);
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut heard = 0;
    for line in output.lines().map_while(Result::ok) {
        heard += u64::from(said.hear(&line));
        if heard == lines {
            child.kill().expect("SIGKILL");
        }
    }
    child.wait().expect("gone");
    assert!(heard >= lines, "it was killed at work, not before");
}

#[test]
fn sigkill_at_any_place_loses_nothing_acknowledged_and_doubles_nothing() {
    println!("seed {SEED}, {STORES} stores, {ROUNDS_PER_STORE} kills each");
    let counts: Vec<(usize, usize)> = (0..STORES)
        .into_par_iter()
        .map(|number| {
            let mut random = Random::new(SEED + number);
            let directory = tempfile::tempdir().expect("directory");
            let path = directory.path().join("store");
            let mut said = Said::default();
            for _ in 0..ROUNDS_PER_STORE {
                round(&path, &mut said, 1 + random.below(LINES_MAX));
                let _no_process_starts = GATE.read().expect("gate");
                let store = Store::open(&path, &key()).expect("opens after a kill");
                said.check(&store);
            }
            let _no_process_starts = GATE.read().expect("gate");
            verify(&path, &key()).expect("whole");
            (said.begun.len(), said.receipts.len())
        })
        .collect();
    let begun: usize = counts.iter().map(|(begun, _)| begun).sum();
    let there: usize = counts.iter().map(|(_, there)| there).sum();
    println!("{begun} submissions begun, {there} taken in");
    assert!(there > 100 && there < begun, "both kinds happened");
}
