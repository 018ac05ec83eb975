//! Where the key of a store comes from: a key file that the operator keeps, or a passphrase.
//! The store's own directory never holds it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::aead::{KEY_BYTES, Key};

/// The word that starts a key file.
const LABEL: &str = "musubi-store-key-v1";
/// A key file has one line of at most this many bytes; what is longer is no key file.
const KEY_FILE_BYTES_MAX: u64 = 256;

/// Why a store key is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadStoreKeyError {
    /// The file cannot be read.
    #[error("cannot read the store key {}: without it the store cannot be opened", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Not one line `<label> <64 hexadecimal digits>`.
    #[error("{} is not a store key: it must be one line '{LABEL} <64 hexadecimal digits>'", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
    },
    /// Group or others may read the file.
    #[error("{0} can be read by others (mode {mode:03o}): run `chmod 600 {0}` first", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Why a store key is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteStoreKeyError {
    /// The file exists, or cannot be written.
    #[error("cannot write the store key {}; an existing file is never overwritten", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for a new key")]
    NoRandomness,
}

/// The key that a store's keyring is wrapped with: 32 random bytes.
///
/// # Privacy
/// No `Debug`; wiped on drop.
#[derive(Clone)]
pub struct StoreKey(Key);

impl StoreKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Key::new(bytes))
    }

    /// A new random key in a new file, readable by its owner only.
    ///
    /// # Errors
    /// [`WriteStoreKeyError`]; nothing is overwritten.
    pub fn create(path: &Path) -> Result<Self, WriteStoreKeyError> {
        let mut key = Key::new([0; KEY_BYTES]);
        getrandom::fill(&mut *key).map_err(|_| WriteStoreKeyError::NoRandomness)?;
        let mut line = Zeroizing::new(String::with_capacity(128));
        line.push_str(LABEL);
        line.push(' ');
        for byte in key.iter() {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        line.push('\n');
        write_new(path, line.as_bytes()).map_err(|source| WriteStoreKeyError::Io {
            path: path.into(),
            source,
        })?;
        Ok(Self(key))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`ReadStoreKeyError`]; also if others than the owner may read the file.
    pub fn read(path: &Path) -> Result<Self, ReadStoreKeyError> {
        let failed = |source| ReadStoreKeyError::Io {
            path: path.into(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let path = path.into();
                return Err(ReadStoreKeyError::Exposed { path, mode });
            }
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX as usize + 1));
        file.take(KEY_FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        parse(&bytes).ok_or_else(|| ReadStoreKeyError::Form { path: path.into() })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A key whose name is lost with the power takes the store with it.
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn parse(bytes: &[u8]) -> Option<StoreKey> {
    let line = std::str::from_utf8(bytes)
        .ok()?
        .trim_end_matches(['\r', '\n']);
    let hex = line.strip_prefix(LABEL)?.strip_prefix(' ')?.as_bytes();
    if hex.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut key = Key::new([0; KEY_BYTES]);
    for (slot, pair) in key.iter_mut().zip(hex.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *slot = (high * 16 + low) as u8;
    }
    Some(StoreKey(key))
}

/// What opens a store.
///
/// # Privacy
/// No `Debug`; wiped on drop.
#[derive(Clone)]
pub enum KeyProvider {
    /// A random key, as from a key file.
    Key(StoreKey),
    /// A passphrase, stretched with argon2id; salt and cost stand in the keyring.
    Passphrase(Zeroizing<String>),
}

impl KeyProvider {
    /// The provider for the key file at `path`.
    ///
    /// # Errors
    /// [`ReadStoreKeyError`].
    pub fn key_file(path: &Path) -> Result<Self, ReadStoreKeyError> {
        StoreKey::read(path).map(Self::Key)
    }

    /// How a new keyring is wrapped by this provider.
    pub(super) fn stretching(&self) -> Stretching {
        match self {
            Self::Key(_) => Stretching::None,
            Self::Passphrase(_) => Stretching::ARGON2ID,
        }
    }

    /// The key that wraps a keyring, if it was wrapped in the way of this provider.
    pub(super) fn wrapping_key(&self, stretching: Stretching, salt: &[u8; 16]) -> Option<Key> {
        let mut key = Key::new([0; KEY_BYTES]);
        match (self, stretching) {
            (Self::Key(store_key), Stretching::None) => {
                let derived = blake3::Hasher::new_derive_key("musubi/v1/store-key")
                    .update(&*store_key.0)
                    .update(salt)
                    .finalize();
                key.copy_from_slice(derived.as_bytes());
            }
            (
                Self::Passphrase(passphrase),
                Stretching::Argon2id {
                    memory_kib,
                    passes,
                    lanes,
                },
            ) => {
                let params = Params::new(memory_kib, passes, lanes, Some(KEY_BYTES)).ok()?;
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
                    .ok()?;
            }
            _ => return None,
        }
        Some(key)
    }
}

/// How the wrapping key follows from what the operator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretching {
    /// It is random already.
    None,
    /// RFC 9106.
    Argon2id {
        /// Memory, KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
}

impl Stretching {
    /// The second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
    const ARGON2ID: Self = Self::Argon2id {
        memory_kib: 64 << 10,
        passes: 3,
        lanes: 4,
    };

    /// Whether a keyring that asks for this may be served: a damaged one must not eat the memory.
    pub(super) fn is_bearable(self) -> bool {
        match self {
            Self::None => true,
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => memory_kib <= 1 << 20 && passes <= 16 && lanes <= 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_read_as_it_was_made_and_never_overwritten() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("store.key");
        let made = StoreKey::create(&path).unwrap_or_else(|error| panic!("{error}"));
        let read = StoreKey::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(made.0 == read.0);
        assert!(StoreKey::create(&path).is_err());
    }

    #[test]
    fn what_is_no_key_file_or_open_to_others_is_refused() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("store.key");
        let refused = |text: &str| {
            let _ = std::fs::remove_file(&path);
            write_new(&path, text.as_bytes()).expect("written");
            matches!(StoreKey::read(&path), Err(ReadStoreKeyError::Form { .. }))
        };
        assert!(refused(""));
        assert!(refused(&format!("{LABEL} 00")));
        assert!(refused(&format!(
            "musubi-linkage-secret-v1 {}",
            "0".repeat(64)
        )));
        assert!(refused(&format!("{LABEL} {}", "x".repeat(64))));
        assert!(refused(&"0".repeat(300)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&path, mode).expect("changed");
            let read = StoreKey::read(&path);
            assert!(matches!(
                read,
                Err(ReadStoreKeyError::Exposed { mode: 0o644, .. })
            ));
        }
        let missing = StoreKey::read(&directory.path().join("none"));
        assert!(matches!(missing, Err(ReadStoreKeyError::Io { .. })));
    }
}
