//! The manifest of a backup: which files it has, and what they must be. It is written last, so a
//! backup without one, or with an older one, is an unfinished or an older backup.

use std::io::{Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::store::disk::{Disk, PARTIAL};
use crate::store::fault::{Explain, StorageFault};
use crate::store::log::LogPosition;

/// Version of the manifest that this program writes and reads.
const FORMAT: u32 = 2;
/// Hexadecimal digits of a seal that are part of a file's name in a backup.
const SEAL_DIGITS: usize = 16;

/// Path of the keyring within a store.
pub(super) const KEYRING: &str = "keyring";

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Version of this file.
    pub(super) format: u32,
    /// Random name of the store, 32 hexadecimal digits.
    pub(super) store: String,
    /// When the backup was made, seconds since 1970, UTC.
    pub(super) created_unix_s: u64,
    /// The log.
    pub(super) log: LogCopied,
    /// All other files, by path.
    pub(super) files: Vec<FileCopied>,
}

/// The part of the log that belongs to a backup.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogCopied {
    /// Length; what follows in the file does not belong to this backup.
    pub(super) bytes: u64,
    /// BLAKE3 of these bytes, hexadecimal.
    pub(super) blake3: String,
    /// Number of the last entry.
    pub(super) sequence: u64,
    /// Chain value after it, hexadecimal.
    pub(super) head: String,
}

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCopied {
    /// Path within the store, as in `segments/000001.mseg`.
    pub(super) path: String,
    /// Length.
    pub(super) bytes: u64,
    /// BLAKE3, hexadecimal.
    pub(super) blake3: String,
    /// Its last 32 bytes, hexadecimal: the seal of a sealed file, which stands for the whole.
    pub(super) seal: String,
}

impl FileCopied {
    /// Path within the backup: that within the store, with the start of the seal, as in
    /// `segments/000001-09af09af09af09af.mseg`. So no file of a backup ever takes the place of
    /// another, and the backup in force stays whole until the next one is.
    pub(super) fn stored(&self) -> String {
        let start = self.seal.get(..SEAL_DIGITS).unwrap_or(&self.seal);
        match self.path.rsplit_once('.') {
            Some((name, ending)) => format!("{name}-{start}.{ending}"),
            None => format!("{}-{start}", self.path),
        }
    }
}

impl Manifest {
    /// An empty manifest of the present version.
    pub(super) fn new(store: String, created_unix_s: u64, log: LogCopied) -> Self {
        Self {
            format: FORMAT,
            store,
            created_unix_s,
            log,
            files: Vec::new(),
        }
    }

    /// Reads the manifest of a backup; `None` if there is none.
    pub(super) fn read(backup: &Disk) -> Result<Option<Self>, StorageFault> {
        let path = manifest_path(backup);
        if !backup.exists(&path)? {
            return Ok(None);
        }
        let mut text = Vec::new();
        let mut file = backup.open(&path)?;
        file.read_to_end(&mut text).explain("read", &path)?;
        let damaged = |rule| StorageFault::damaged(&path, 0, rule);
        let form = "the manifest of the backup does not have its form";
        let text = String::from_utf8(text).map_err(|_| damaged(form))?;
        if !text.ends_with('\n') {
            return Err(damaged(form));
        }
        let mut lines = text.lines();
        let (Some(body), Some(checksum), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(damaged(form));
        };
        if blake3::hash(body.as_bytes()).to_hex().as_str() != checksum {
            return Err(damaged(
                "the manifest of the backup does not match its checksum",
            ));
        }
        let manifest: Self = serde_json::from_str(body).map_err(|_| damaged(form))?;
        if manifest.format != FORMAT {
            return Err(damaged(
                "the backup has a format that this program does not know",
            ));
        }
        if (manifest.files.iter()).any(|file| !is_within(&file.path) || !is_hex(&file.seal)) {
            return Err(damaged("the manifest names a path outside the backup"));
        }
        Ok(Some(manifest))
    }

    /// Puts the manifest in force. Durable on return.
    pub(super) fn write(&self, backup: &Disk) -> Result<(), StorageFault> {
        let path = manifest_path(backup);
        let partial = path.with_extension(PARTIAL);
        let body = serde_json::to_string(self).expect("text keys and no failing serialiser");
        let checksum = blake3::hash(body.as_bytes()).to_hex();
        let guard = backup.partial(partial.clone());
        let mut file = backup.create(&partial)?;
        file.write_all(format!("{body}\n{checksum}\n").as_bytes())
            .explain("write", &partial)?;
        file.sync_all().confirm(&partial)?;
        guard.publish(&path)
    }

    /// Position of the last log entry.
    ///
    /// The error is the rule that is broken.
    pub(super) fn head(&self) -> Result<LogPosition, &'static str> {
        let hash = blake3::Hash::from_hex(&self.log.head)
            .map_err(|_| "the head of the log is 64 hexadecimal digits")?;
        Ok(LogPosition {
            sequence: self.log.sequence,
            hash: hash.into(),
        })
    }

    /// The file of this path within the store.
    pub(super) fn file(&self, path: &str) -> Option<&FileCopied> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Where the keyring lies in the backup.
    pub(super) fn keyring(&self, backup: &Disk) -> Result<PathBuf, StorageFault> {
        let rule = "the manifest of the backup names no keyring";
        let file = self.file(KEYRING);
        let file = file.ok_or_else(|| StorageFault::damaged(&manifest_path(backup), 0, rule))?;
        Ok(backup.root().join(file.stored()))
    }
}

/// Where the manifest lies.
pub(super) fn manifest_path(backup: &Disk) -> PathBuf {
    backup.root().join("manifest")
}

fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_within(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    !path.contains('\\') && path.split('/').all(plain)
}
