//! One fault at every operation of an ingest of 200 records, a linkage and its publication, an
//! erasure, a compaction, a change of the key, two backups and a restore.
//!
//! `MUSUBI_SIM_FAULT` replays one, as its failure names it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use musubi::store::vfs::memory::{Crash, FaultKind, Operation, Random};
use rayon::prelude::*;

use crate::ops::{Step, Way};
use crate::run::World;

/// What is done: 200 records of two sources, some newer versions, a publication, a backup, an
/// erasure, a compaction, a new key, the next backup.
fn work() -> Vec<Step> {
    let submit = |source: u8, request: u16, labels: std::ops::Range<u8>, version| {
        let records = labels.map(|label| (label, version, u64::from(label)));
        Step::Submit(source, request, records.collect(), true)
    };
    vec![
        submit(0, 1, 0..70, 1),
        Step::Audit,
        submit(1, 2, 0..70, 1),
        Step::PutRun(1),
        Step::BackUp(0, Way::Open),
        submit(0, 3, 40..100, 2),
        Step::Publish,
        Step::PutRun(1),
        Step::Erase(0, vec![3, 4, 50]),
        Step::Compact,
        Step::Rotate(1),
        Step::Audit,
        Step::BackUp(0, Way::Open),
    ]
}

/// What is done before and during a restore of an older backup: the erased stay erased.
fn restoring() -> (Vec<Step>, Vec<Step>) {
    let records = |labels: std::ops::Range<u8>| labels.map(|label| (label, 1, 7)).collect();
    let before = vec![
        Step::Submit(0, 1, records(0..4), true),
        Step::Publish,
        Step::BackUp(0, Way::Open),
        Step::Submit(0, 2, records(4..6), true),
        Step::Rotate(1),
        Step::Erase(0, vec![1, 5]),
    ];
    let during = vec![
        Step::Restore(0, true, true),
        Step::Submit(1, 3, records(0..2), true),
        Step::BackUp(0, Way::Closed),
    ];
    (before, during)
}

/// Does the work with a fault at operation `at`, then ends in `how`; everything acknowledged must
/// be there, and the work can be done to its end. Gives the kinds of its operations.
fn once(before: &[Step], work: &[Step], at: u64, kind: FaultKind, how: Crash) -> Vec<Operation> {
    let mut world = World::undisturbed(Random::new(at));
    for step in before {
        world.play(step);
    }
    let start = world.disk.operations();
    world.plan(at, kind);
    for step in work {
        world.play(step);
    }
    let kinds = world.disk.kinds().split_off(start as usize);
    world.crash(how);
    for step in work {
        world.play(step);
    }
    for step in work {
        if let Step::Submit(source, request, _, _) = step {
            let done = world.oracle.taken.contains_key(&(*source, *request));
            assert!(done, "the work is done in the end");
        }
    }
    world.crash(Crash::Power);
    world.verify();
    world.finish();
    kinds
}

/// Whether something can go wrong in this way at an operation of this kind.
fn can_happen(kind: FaultKind, operation: Operation) -> bool {
    match kind {
        FaultKind::Error => true,
        // A stop where nothing is changed leaves what a stop at the next change leaves.
        FaultKind::Stop => operation != Operation::Look,
        FaultKind::NoSpace => matches!(
            operation,
            Operation::Create | Operation::Write | Operation::Sync
        ),
        FaultKind::ShortWrite => operation == Operation::Write,
    }
}

/// A fault as `MUSUBI_SIM_FAULT` names it.
fn name_of(sweep: &str, kind: FaultKind, at: u64, how: Crash) -> String {
    format!("{sweep} {kind:?} {at} {how:?}")
}

fn at_every_operation(sweep: &str, kind: FaultKind, before: &[Step], work: &[Step]) {
    let replayed = std::env::var("MUSUBI_SIM_FAULT").ok();
    let kinds = once(before, work, u64::MAX / 2, kind, Crash::Power);
    let places: Vec<(u64, Crash)> = (1..)
        .zip(&kinds)
        .filter(|(_, operation)| can_happen(kind, **operation))
        .flat_map(|(at, _)| [(at, Crash::Power), (at, Crash::Process)])
        .filter(|(at, how)| {
            let name = name_of(sweep, kind, *at, *how);
            replayed.as_ref().is_none_or(|replayed| *replayed == name)
        })
        .collect();
    let failed: Vec<&(u64, Crash)> = places
        .par_iter()
        .filter(|(at, how)| {
            let done = catch_unwind(AssertUnwindSafe(|| once(before, work, *at, kind, *how)));
            done.is_err()
        })
        .collect();
    println!(
        "{sweep} {kind:?}: {} operations, {} cases",
        kinds.len(),
        places.len()
    );
    if let Some((at, how)) = failed.first() {
        let name = name_of(sweep, kind, *at, *how);
        panic!(
            "{} of {} cases failed; replay one with MUSUBI_SIM_FAULT='{name}'; failed: {failed:?}",
            failed.len(),
            places.len()
        );
    }
}

fn every_operation(kind: FaultKind) {
    at_every_operation("work", kind, &[], &work());
    let (before, during) = restoring();
    at_every_operation("restore", kind, &before, &during);
}

#[test]
fn an_error_at_any_operation_loses_nothing() {
    every_operation(FaultKind::Error);
}

#[test]
fn no_space_at_any_operation_loses_nothing() {
    every_operation(FaultKind::NoSpace);
}

#[test]
fn a_short_write_at_any_operation_loses_nothing() {
    every_operation(FaultKind::ShortWrite);
}

#[test]
fn a_stop_at_any_operation_loses_nothing() {
    every_operation(FaultKind::Stop);
}
