use std::io::{Read, Write};

use super::*;

fn write(disk: &MemoryDisk, path: &str, bytes: &[u8], sync: bool) {
    let mut file = (disk.open(Path::new(path), Access::Create)).expect("created");
    file.write_all(bytes).expect("written");
    if sync {
        file.sync_data().expect("synced");
    }
}

fn read(disk: &MemoryDisk, path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = disk.open(Path::new(path), Access::Read).ok()?;
    file.read_to_end(&mut bytes).expect("read");
    Some(bytes)
}

/// Outcomes over many seeds.
fn outcomes<T: Ord>(run: impl Fn(MemoryDisk) -> T) -> std::collections::BTreeSet<T> {
    (0..400).map(|seed| run(MemoryDisk::new(seed))).collect()
}

#[test]
fn what_was_synced_with_its_name_survives_every_crash() {
    let left = outcomes(|disk| {
        write(&disk, "/a", b"kept", true);
        disk.sync_dir(Path::new("/")).expect("synced");
        disk.crash(Crash::Power);
        read(&disk, "/a")
    });
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [Some(b"kept".to_vec())]
    );
}

#[test]
fn a_name_that_was_not_synced_may_be_lost_or_kept() {
    let left = outcomes(|disk| {
        write(&disk, "/a", b"x", true);
        disk.crash(Crash::Power);
        read(&disk, "/a")
    });
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [None, Some(b"x".to_vec())]
    );
}

#[test]
fn bytes_that_were_not_synced_may_be_kept_lost_cut_or_zero() {
    let left = outcomes(|disk| {
        write(&disk, "/a", b"", true);
        disk.sync_dir(Path::new("/")).expect("synced");
        write(&disk, "/a", b"xy", false);
        disk.crash(Crash::Power);
        read(&disk, "/a").expect("there")
    });
    for wanted in [&b""[..], b"x", b"xy", b"\0\0"] {
        assert!(left.contains(wanted), "{wanted:?} never happened");
    }
}

#[test]
fn a_rename_that_was_not_synced_leaves_the_old_file_or_the_new_one() {
    let left = outcomes(|disk| {
        write(&disk, "/old", b"old", true);
        write(&disk, "/new", b"new", true);
        disk.sync_dir(Path::new("/")).expect("synced");
        disk.rename(Path::new("/new"), Path::new("/old"))
            .expect("renamed");
        disk.crash(Crash::Power);
        (read(&disk, "/old"), read(&disk, "/new"))
    });
    let old = (Some(b"old".to_vec()), Some(b"new".to_vec()));
    let new = (Some(b"new".to_vec()), None);
    assert_eq!(left.into_iter().collect::<Vec<_>>(), [new, old]);
}

#[test]
fn after_a_failed_sync_a_later_one_brings_nothing_back() {
    let left = outcomes(|disk| {
        write(&disk, "/a", b"", true);
        disk.sync_dir(Path::new("/")).expect("synced");
        let mut file = (disk.open(Path::new("/a"), Access::Write)).expect("open");
        file.write_all(b"x").expect("written");
        let operation = disk.operations() + 1;
        let kind = FaultKind::Error;
        disk.plan(Some(Fault { operation, kind }));
        file.sync_data().expect_err("fails");
        file.sync_data().expect("says that it succeeds");
        disk.crash(Crash::Power);
        read(&disk, "/a").expect("there")
    });
    assert!(left.contains(&b""[..]) && left.contains(&b"x"[..]));
}

#[test]
fn a_process_crash_keeps_everything_and_closes_files_and_locks() {
    let disk = MemoryDisk::new(1);
    let mut file = (disk.open(Path::new("/a"), Access::Create)).expect("created");
    file.write_all(b"x").expect("written");
    let lock = disk.lock(Path::new("/LOCK")).expect("locked");
    assert!(disk.lock(Path::new("/LOCK")).expect("asked").is_none());
    disk.crash(Crash::Process);
    assert!(file.write_all(b"y").is_err());
    assert_eq!(read(&disk, "/a"), Some(b"x".to_vec()));
    let again = disk.lock(Path::new("/LOCK")).expect("asked");
    drop(lock);
    assert!(again.is_some());
    assert!(disk.lock(Path::new("/LOCK")).expect("asked").is_none());
}

#[test]
fn a_full_disk_takes_nothing_and_a_short_write_says_so() {
    let disk = MemoryDisk::new(1);
    let mut file = (disk.open(Path::new("/a"), Access::Create)).expect("created");
    let operation = disk.operations() + 1;
    let kind = FaultKind::ShortWrite;
    disk.plan(Some(Fault { operation, kind }));
    let taken = file.write(b"0123456789").expect("written");
    assert!((1..10).contains(&taken));
    disk.set_full(true);
    let error = file.write_all(b"x").expect_err("full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(disk.open(Path::new("/b"), Access::Create).is_err());
    disk.set_full(false);
    file.write_all(b"x").expect("room again");
}
