//! Histories that once broke a promise, each named after what broke. They do not depend on how
//! histories are made from seeds: each is played with its fault at every operation, on many disks.

use musubi::store::vfs::memory::{Crash, FaultKind, Random};

use crate::ops::{Step, Way};
use crate::run::World;

/// Disks, each with other choices about what survives.
const DISKS: u64 = 6;

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

/// A process that ended between giving the new keyring its name and syncing it left a store that the
/// new key opened, so that the old one could be destroyed; a power cut brought the old keyring back.
#[test]
fn a_key_that_opened_the_store_opens_it_after_a_power_cut() {
    let after = [
        Step::Rotate(1),
        Step::Crash(Crash::Process),
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::Stop, 12, &[submit(0, 1)], &after);
}

/// A backup overwrote the keyring of the one before, and segments whose number had been given again;
/// interrupted, it left a backup that was not whole.
#[test]
fn an_interrupted_backup_leaves_the_one_before_whole() {
    let before = [submit(0, 1), Step::BackUp(0, Way::Open), Step::Rotate(1)];
    let after = [
        submit(0, 2),
        Step::BackUp(0, Way::Open),
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::Stop, 110, &before, &after);
}

/// A process that ended between making the folder of a backup, or of a restored store, and making its
/// name durable left a folder that the next one filled and that went with the power.
#[test]
fn the_folder_of_a_backup_and_of_a_restored_store_is_durable() {
    let back_up = || Step::BackUp(0, Way::Open);
    let after = [back_up(), back_up(), Step::Crash(Crash::Power)];
    at_every_operation(FaultKind::Stop, 8, &[submit(0, 1)], &after);
    let restore = || Step::Restore(0, false, false);
    let before = [submit(0, 1), back_up()];
    let after = [
        restore(),
        Step::Crash(Crash::Process),
        restore(),
        Step::Crash(Crash::Power),
    ];
    at_every_operation(FaultKind::Stop, 20, &before, &after);
}
