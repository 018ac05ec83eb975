//! Checks a sealed file without the key: every block against its checksum, the table against the seal.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::reader::open_checked;
use super::{BLOCK_BYTES, ENTRY_BYTES};
use crate::store::disk::Disk;
use crate::store::fault::{Explain, StorageFault};

/// Reads a sealed file and checks every byte of it against its own seal. Whether it is the file that
/// the log names, only the key tells.
pub(in crate::store) fn scrub(disk: &Disk, path: &Path) -> Result<(), StorageFault> {
    let (mut file, trailer, table, _) = open_checked(disk, path)?;
    file.seek(SeekFrom::Start(0)).explain("read", path)?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut start = 0;
    for entry in table.chunks_exact(ENTRY_BYTES) {
        let length = (trailer.body_bytes - start).min(BLOCK_BYTES as u64);
        let block = &mut block[..length as usize];
        file.read_exact(block).explain("read", path)?;
        if !entry.starts_with(blake3::hash(block).as_bytes()) {
            let rule = "the block of 1 MiB from here does not match its checksum";
            return Err(StorageFault::damaged(path, start, rule));
        }
        start += length;
    }
    Ok(())
}
