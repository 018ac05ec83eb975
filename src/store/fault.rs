//! What can go wrong with a file: the operating system refused, or the bytes are not what they
//! must be. Every operation of the store carries one of these two as its cause.

use std::io;
use std::path::{Path, PathBuf};

/// A fault of a file of the store. Names file, place and rule, never content.
#[derive(Debug, thiserror::Error)]
pub enum StorageFault {
    /// The operating system refused.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// What was tried, as in `open`.
        action: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk did not confirm that something is on stable storage: what is there is unknown.
    #[error("the disk did not confirm that '{}' is on stable storage", path.display())]
    Unconfirmed {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk has no more room than what is kept for the log and the index.
    #[error(
        "the disk of '{}' has {free} bytes left and {keep} are kept free; free some, enlarge it, \
         or lower store.keep_free_bytes; taking in goes on by itself",
        path.display()
    )]
    NoRoom {
        /// The store's directory.
        path: PathBuf,
        /// Bytes left.
        free: u64,
        /// Bytes that are kept free.
        keep: u64,
    },
    /// The bytes break a rule of the format.
    #[error("'{}' is damaged at offset {offset}: {rule}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Byte offset of the first thing that breaks the rule.
        offset: u64,
        /// The rule.
        rule: &'static str,
    },
}

impl StorageFault {
    /// Whether the cause is that the disk is full, or nearly.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Unconfirmed { .. } | Self::Damaged { .. } => false,
        }
    }

    /// A file whose bytes break `rule` at `offset`.
    pub(super) fn damaged(path: &Path, offset: u64, rule: &'static str) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            offset,
            rule,
        }
    }
}

/// Adds to an I/O result what was tried and on which path.
pub(super) trait Explain<T> {
    /// Turns an I/O error into a [`StorageFault`].
    fn explain(self, action: &'static str, path: &Path) -> Result<T, StorageFault>;

    /// Turns the error of an fsync into a [`StorageFault::Unconfirmed`].
    fn confirm(self, path: &Path) -> Result<T, StorageFault>;
}

impl<T> Explain<T> for io::Result<T> {
    fn explain(self, action: &'static str, path: &Path) -> Result<T, StorageFault> {
        self.map_err(|source| StorageFault::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }

    fn confirm(self, path: &Path) -> Result<T, StorageFault> {
        self.map_err(|source| StorageFault::Unconfirmed {
            path: path.to_owned(),
            source,
        })
    }
}
