//! Histories that once broke a promise, each named after what broke. They do not depend on how
//! histories are made from seeds: each is played with its fault at every operation, on many disks.

use musubi::store::vfs::memory::{Crash, FaultKind, Random};

use crate::ops::Step;
use crate::run::World;

/// Disks, each with other choices about what survives.
const DISKS: u64 = 12;

fn submit(source: u8, request: u16) -> Step {
    let records = (0..4).map(|label| (label, u32::from(request), 7));
    Step::Submit(source, request, records.collect(), true)
}

/// Plays `before`, then `after` with the fault at each of its first `operations` operations.
fn at_every_operation(kind: FaultKind, operations: u64, before: &[Step], after: &[Step]) {
    for at in 1..=operations {
        for disk in 0..DISKS {
            let mut world = World::undisturbed(Random::new(disk));
            before.iter().for_each(|step| world.play(step));
            world.plan(at, kind);
            after.iter().for_each(|step| world.play(step));
            world.verify();
        }
    }
}

/// A server that was killed between writing an entry and syncing it read the entry at its next
/// start, answered with its receipt, and lost it with the power.
#[test]
fn what_a_restart_reads_is_durable_before_it_is_acknowledged() {
    let after = [
        submit(0, 2),
        Step::Crash(Crash::Process),
        submit(0, 2),
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::Stop, 30, &[submit(0, 1)], &after);
}

/// A sync that failed left an entry that was readable and would never be durable. After a restart
/// further entries were added behind it, and a power cut left a hole before them.
#[test]
fn a_restart_after_a_failed_sync_leaves_no_hole_in_the_log() {
    let after = [
        submit(0, 2),
        Step::Reopen,
        submit(0, 3),
        Step::Audit,
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::Error, 30, &[submit(0, 1)], &after);
}

/// An entry that a full disk cut short was taken back, but not for good: a crash brought it back
/// while its segment had made room for another.
#[test]
fn what_a_full_disk_refused_does_not_come_back() {
    let after = [
        submit(0, 2),
        submit(0, 3),
        submit(0, 2),
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::NoSpace, 30, &[submit(0, 1)], &after);
}

/// A process that ended between making a directory and syncing its name left a name that no later
/// start made durable, and the whole store went with the power.
#[test]
fn a_store_whose_making_was_interrupted_is_made_durable_by_the_next_start() {
    for at in 1..=45 {
        for disk in 0..DISKS {
            let mut world = World::stopped_while_opening(Random::new(disk), at);
            world.play(&submit(0, 1));
            world.play(&Step::Crash(Crash::Power));
            world.verify();
        }
    }
}
