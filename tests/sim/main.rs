//! The store on a disk that crashes and fails on purpose, against a map in memory.
//!
//! # Failure
//! - An acknowledged submission, run, publication or audit event is gone or different after a crash.
//! - Something that was never submitted is there, or something submitted is there twice.
//! - A receipt changes, or the log does not hold the chain value that it names.
//! - The chain of the log, recomputed here from its bytes, does not hold.
//! - The store does not open after a crash, although no byte decayed.
//! - An operation fails although no fault was planned, or panics.
//! - After a full disk has room again, the store does not go on by itself.
//! - A backup or restore that was acknowledged is not whole, or is not the store of its time, with
//!   what was to be erased again erased.
//! - A backup that failed harmed the store or the backup before it, or stands in the way of the next.
//! - A backup holds files that the store no longer has.
//! - A store opens that was restored in part, or before the erased were erased again.
//! - After a change of the key neither the old nor the new one opens the store, or, once the new
//!   one did, the old one does.
//!
//! # No failure
//! - An operation that was not acknowledged is there after a crash, whole; or is not there.
//! - After a fault of a sync the store takes no more writes until it is opened again.
//! - A backup made after a sync failed may be ahead of what the store has after a power cut; the
//!   next backup then needs another folder.
//!
//! # Nondeterminism left
//! None in one history: one thread, all choices from the seed. The store's ID and keys are drawn
//! by the operating system; the order and size of no operation depends on them.
//!
//! `MUSUBI_SIM_CASES` sets the number of histories, `MUSUBI_SIM_SEED` replays one.

mod backups;
mod compare;
mod decay;
mod faults;
mod index_decay;
mod ops;
mod oracle;
mod reproduction;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

/// Histories in an ordinary run. Each crashes at least once.
const CASES: u64 = 10_000;

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

#[test]
fn nothing_acknowledged_is_lost_in_any_history() {
    if let Some(seed) = number("MUSUBI_SIM_SEED") {
        let crashes = run::history(seed, true);
        println!("seed {seed}: {crashes} crashes");
        return;
    }
    let cases = number("MUSUBI_SIM_CASES").unwrap_or(CASES);
    let outcomes: Vec<(u64, Option<u64>)> = (0..cases)
        .into_par_iter()
        .map(|seed| {
            let crashes = catch_unwind(AssertUnwindSafe(|| run::history(seed, false)));
            (seed, crashes.ok())
        })
        .collect();
    let failed: Vec<u64> = (outcomes.iter())
        .filter(|(_, crashes)| crashes.is_none())
        .map(|(seed, _)| *seed)
        .collect();
    let crashes: u64 = outcomes.iter().filter_map(|(_, crashes)| *crashes).sum();
    println!("{cases} histories, {crashes} crashes");
    assert!(
        failed.is_empty(),
        "{} of {cases} histories failed; replay one with MUSUBI_SIM_SEED={}; first seeds: {:?}",
        failed.len(),
        failed[0],
        &failed[..failed.len().min(10)]
    );
}
