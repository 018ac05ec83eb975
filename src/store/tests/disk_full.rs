//! A disk that fills up: new records are refused, all else goes on, and nothing needs a restart.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::vfs::{Access, BoxedFile, Lock, Metadata, RealDisk, Room, Vfs, VfsFile};

const TOTAL: u64 = 1 << 20;

/// A small disk: what is written to its files takes room, and the room can be set.
#[derive(Clone)]
struct SmallDisk(Arc<AtomicU64>);

struct SmallFile {
    file: BoxedFile,
    free: Arc<AtomicU64>,
}

impl SmallDisk {
    fn set_free(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

impl Vfs for SmallDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<BoxedFile> {
        Ok(Box::new(SmallFile {
            file: RealDisk.open(path, access)?,
            free: Arc::clone(&self.0),
        }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(directory)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        RealDisk.metadata(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        RealDisk.lock(path)
    }
    fn room(&self, _directory: &Path) -> io::Result<Option<Room>> {
        let free = self.0.load(Ordering::Relaxed);
        Ok(Some(Room { free, total: TOTAL }))
    }
    fn is_real(&self) -> bool {
        false
    }
}

impl io::Read for SmallFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl io::Seek for SmallFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl io::Write for SmallFile {
    /// Writes what there is room for, as a disk does.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let free = self.free.load(Ordering::Relaxed);
        let count = bytes.len().min(free as usize);
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.file.write(&bytes[..count])?;
        self.free.fetch_sub(written as u64, Ordering::Relaxed);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl VfsFile for SmallFile {
    fn sync_data(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn sync_all(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}

fn small_store(directory: &Path) -> (Store, SmallDisk) {
    let disk = SmallDisk(Arc::new(AtomicU64::new(TOTAL)));
    let store = Store::open_on(Arc::new(disk.clone()), directory, &key()).expect("open");
    store.set_profile(&profile(), "2026").expect("profile");
    (store, disk)
}

#[test]
fn a_nearly_full_disk_refuses_records_and_nothing_else() {
    let directory = tempfile::tempdir().expect("directory");
    let (store, disk) = small_store(directory.path());
    submit(&store, "a", "1", &[encoding("r1", 1, 1)]);
    let before = live(&store);
    disk.set_free(TOTAL / 20 - 1);
    let refused = store.begin_submission(&header("a", "2")).err();
    match refused {
        Some(BeginSubmissionError::Storage(fault)) => {
            assert!(fault.is_disk_full());
            assert!(fault.to_string().contains("52427 bytes left and 52428"));
        }
        _ => panic!("a nearly full disk takes no submission"),
    }
    assert_eq!(live(&store), before, "reads go on");
    store.append_audit("{}").expect("audit goes on");
    let table = store.load_table().expect("table");
    let entities = vec![crate::terms::EntityId::from_u128(1); table.refs.len()];
    store
        .publish(crate::terms::RunId::from_u128(1), &table, &entities)
        .expect("runs go on");
    disk.set_free(TOTAL);
    submit(&store, "a", "2", &[encoding("r2", 1, 2)]);
}

#[test]
fn a_disk_that_gets_full_on_the_way_is_noticed_before_it_is_full() {
    let directory = tempfile::tempdir().expect("directory");
    let (store, disk) = small_store(directory.path());
    let begun = store.begin_submission(&header("a", "1"));
    let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
    writer.append(&encoding("r1", 1, 1)).expect("appended");
    writer.check_room().expect("room");
    disk.set_free(1);
    assert!(matches!(
        writer.check_room(),
        Err(AppendRecordError::Storage(fault)) if fault.is_disk_full()
    ));
    store.keep_free(Some(1));
    writer.check_room().expect("the limit is the operator's");
    store.keep_free(None);
    drop(writer);
    disk.set_free(TOTAL);
    let receipt = submit(&store, "a", "1", &[encoding("r1", 1, 1)]);
    assert_eq!(receipt.accepted, 1, "nothing of the first try is there");
}

#[test]
fn wherever_a_disk_gets_full_nothing_is_lost_and_the_same_request_comes_through() {
    // With no reserve, the disk is let run full at each byte count at which something happens.
    let mut refusals = 0;
    for free in (0..12_000).step_by(97) {
        let directory = tempfile::tempdir().expect("directory");
        let (store, disk) = small_store(directory.path());
        store.keep_free(Some(0));
        submit(&store, "a", "1", &[encoding("r1", 1, 1)]);
        disk.set_free(free);
        let records: Vec<_> = (0..8)
            .map(|n| encoding(&format!("r{n}"), 2, n + 10))
            .collect();
        let tried = (|| {
            let mut writer = store
                .begin_submission(&header("a", "2"))
                .unwrap_or_else(|error| panic!("{error}"));
            for record in &records {
                writer.append(record).map_err(|error| error.to_string())?;
            }
            let receipt = writer.commit(BTreeMap::new());
            receipt.map_err(|error| error.to_string())
        })();
        refusals += usize::from(tried.is_err());
        disk.set_free(TOTAL);
        let receipt = match tried {
            Ok(receipt) => receipt,
            Err(_) => submit(&store, "a", "2", &records),
        };
        assert_eq!(receipt.accepted, 8, "with {free} bytes free");
        assert_eq!(live(&store).len(), 8);
        drop(store);
        let (again, _) = small_store(directory.path());
        assert_eq!(live(&again).len(), 8);
        assert_eq!(again.submissions()[1].receipt, receipt);
    }
    assert!(refusals > 20, "{refusals}");
}
