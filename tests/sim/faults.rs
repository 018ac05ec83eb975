//! One fault at every operation of an ingest of 200 records, a linkage and its publication,
//! an erasure and a compaction.

use std::panic::{AssertUnwindSafe, catch_unwind};

use musubi::store::vfs::memory::{Crash, FaultKind, Random};
use rayon::prelude::*;

use crate::ops::Step;
use crate::run::World;

/// What is done: 200 records of two sources, some newer versions, a publication, an erasure, a
/// compaction.
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
        submit(0, 3, 40..100, 2),
        Step::Publish,
        Step::PutRun(1),
        Step::Erase(0, vec![3, 4, 50]),
        Step::Compact,
        Step::Audit,
    ]
}

/// Does the work with a fault at operation `at`, then ends in `how`; everything acknowledged must
/// be there, and the work can be done to its end.
fn once(at: u64, kind: FaultKind, how: Crash) -> u64 {
    let mut world = World::undisturbed(Random::new(at));
    let before = world.disk.operations();
    world.plan(at, kind);
    for step in &work() {
        world.play(step);
    }
    let operations = world.disk.operations() - before;
    world.crash(how);
    for step in &work() {
        world.play(step);
    }
    assert_eq!(world.oracle.taken.len(), 3, "the work is done in the end");
    world.verify();
    operations
}

fn every_operation(kind: FaultKind) {
    let operations = once(u64::MAX / 2, kind, Crash::Power);
    let failed: Vec<(u64, Crash)> = (1..=operations)
        .into_par_iter()
        .flat_map(|at| [(at, Crash::Power), (at, Crash::Process)])
        .filter(|(at, how)| catch_unwind(AssertUnwindSafe(|| once(*at, kind, *how))).is_err())
        .collect();
    println!("{kind:?}: {operations} operations, each with one fault and two ways to end");
    assert!(failed.is_empty(), "{kind:?} at operations {failed:?}");
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
