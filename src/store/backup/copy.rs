//! Copies a file under a temporary name and hashes it on the way.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::manifest::FileCopied;
use crate::store::disk::{Disk, PARTIAL};
use crate::store::fault::{Explain, StorageFault};

/// Bytes at the end of a file that stand for it in the manifest.
const SEAL_BYTES: usize = 32;

/// A copied file.
pub(super) struct Copied {
    /// Length.
    pub(super) bytes: u64,
    /// BLAKE3, hexadecimal.
    pub(super) blake3: String,
    /// Last 32 bytes, hexadecimal.
    pub(super) seal: String,
}

/// Reads the first `limit` bytes of a file, and hands them to `out`.
pub(super) fn read_through(
    disk: &Disk,
    path: &Path,
    limit: u64,
    out: &mut dyn FnMut(&[u8]) -> Result<(), StorageFault>,
) -> Result<Copied, StorageFault> {
    let mut file = disk.open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    let mut last = Vec::new();
    let mut bytes = 0;
    while bytes < limit {
        let most = buffer.len().min((limit - bytes) as usize);
        let count = file.read(&mut buffer[..most]).explain("read", path)?;
        if count == 0 {
            break;
        }
        let now = &buffer[..count];
        hasher.update(now);
        last.extend_from_slice(&now[count.saturating_sub(SEAL_BYTES)..]);
        last.drain(..last.len().saturating_sub(SEAL_BYTES));
        out(now)?;
        bytes += count as u64;
    }
    Ok(Copied {
        bytes,
        blake3: hasher.finalize().to_hex().to_string(),
        seal: HEXLOWER.encode(&last),
    })
}

/// Copies the first `limit` bytes of a file to `partial`, which is replaced, and gives the copy the
/// name that `name` chooses for it, unless that refuses it. Durable on return.
pub(super) fn copy(
    (from, path): (&Disk, &Path),
    (to, partial): (&Disk, &Path),
    limit: u64,
    name: impl FnOnce(&Copied) -> Result<PathBuf, StorageFault>,
) -> Result<Copied, StorageFault> {
    let mut file = to.create(partial)?;
    let guard = to.partial(partial.to_owned());
    let mut write = |bytes: &[u8]| file.write_all(bytes).explain("write", partial);
    let copied = read_through(from, path, limit, &mut write)?;
    file.sync_all().confirm(partial)?;
    drop(file);
    guard.publish(&name(&copied)?)?;
    Ok(copied)
}

/// The temporary name of a file.
pub(super) fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".");
    name.push(PARTIAL);
    PathBuf::from(name)
}

/// Last 32 bytes of a file, hexadecimal, and its length.
pub(super) fn seal_of(disk: &Disk, path: &Path) -> Result<(u64, String), StorageFault> {
    let mut file = disk.open(path)?;
    let bytes = file.length().explain("inspect", path)?;
    let start = bytes.saturating_sub(SEAL_BYTES as u64);
    let mut last = Vec::new();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(start)).explain("read", path)?;
    file.read_to_end(&mut last).explain("read", path)?;
    Ok((bytes, HEXLOWER.encode(&last)))
}

/// Refuses a file that is not what the manifest says.
pub(super) fn check(
    path: &Path,
    expected: &FileCopied,
    found: &Copied,
) -> Result<(), StorageFault> {
    if found.bytes != expected.bytes {
        return Err(StorageFault::damaged(
            path,
            found.bytes.min(expected.bytes),
            "the file does not have the length that the manifest names",
        ));
    }
    if found.blake3 != expected.blake3 {
        return Err(StorageFault::damaged(
            path,
            0,
            "the file does not match its checksum in the manifest",
        ));
    }
    Ok(())
}
