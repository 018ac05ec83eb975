//! Key files: one line of text, readable by their owner alone, never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::{SECRET_BYTES, SecretFingerprint};

/// Which of the two secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Shared by all sources of a project.
    Linkage,
    /// Of one source alone.
    Source,
    /// The private part of a source's exchange key, to which secrets are sealed.
    Exchange,
}

/// Whether a file holds a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFileKind {
    /// It does: others may not read it.
    Secret,
    /// It may be sent around.
    Open,
}

impl SecretKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Linkage, Self::Source, Self::Exchange];

    /// The word that starts a key file of this kind.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Linkage => "musubi-linkage-secret-v1",
            Self::Source => "musubi-source-secret-v1",
            Self::Exchange => "musubi-exchange-key-v1",
        }
    }
}

/// Why a key file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadKeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Not one line `<label> <64 hexadecimal digits>`.
    #[error(
        "{path} is not a key file: it must be one line '{} <64 hexadecimal digits>'",
        expected.label()
    )]
    Form {
        /// Which file.
        path: PathBuf,
        /// Which kind was asked for.
        expected: SecretKind,
    },
    /// A key of the other kind.
    #[error("{path} holds a '{}', but a '{}' is needed here", found.label(), expected.label())]
    OtherKind {
        /// Which file.
        path: PathBuf,
        /// Which kind was asked for.
        expected: SecretKind,
        /// Which kind it is.
        found: SecretKind,
    },
    /// Group or others may read the file.
    #[error("{path} can be read by others (mode {mode:03o}): run `chmod 600 {path}` first")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Why a key file is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteKeyError {
    /// The file exists: a lost secret cannot be made again.
    #[error("{path} exists: key files are never overwritten, choose another name")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the key file {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// A key file has one line of at most this many bytes; what is longer is no key file.
const KEY_FILE_BYTES_MAX: u64 = 384;

pub(super) fn read(
    path: &Path,
    expected: SecretKind,
) -> Result<Zeroizing<[u8; SECRET_BYTES]>, ReadKeyError> {
    let form = || ReadKeyError::Form {
        path: path.into(),
        expected,
    };
    let text = read_text(path, KeyFileKind::Secret)?.ok_or_else(form)?;
    let (found, secret) = parse(&text).ok_or_else(form)?;
    if found == expected {
        Ok(secret)
    } else {
        Err(ReadKeyError::OtherKind {
            path: path.into(),
            expected,
            found,
        })
    }
}

/// Kind and fingerprint of the secret in a key file of either kind.
///
/// # Errors
/// [`ReadKeyError`].
pub fn key_file_fingerprint(path: &Path) -> Result<(SecretKind, SecretFingerprint), ReadKeyError> {
    let (kind, secret) = read_any(path)?;
    Ok((kind, SecretFingerprint::of(&secret)))
}

/// Kind and secret of a key file of either kind.
pub(super) fn read_any(
    path: &Path,
) -> Result<(SecretKind, Zeroizing<[u8; SECRET_BYTES]>), ReadKeyError> {
    let form = || ReadKeyError::Form {
        path: path.into(),
        expected: SecretKind::Linkage,
    };
    let text = read_text(path, KeyFileKind::Secret)?.ok_or_else(form)?;
    parse(&text).ok_or_else(form)
}

pub(super) fn write_new(
    path: &Path,
    kind: SecretKind,
    secret: &[u8; SECRET_BYTES],
) -> Result<(), WriteKeyError> {
    let digits = to_hex(secret);
    let line = Zeroizing::new(format!("{} {}\n", kind.label(), digits.as_str()));
    write_line_new(path, &line)
}

/// Writes a new file that only the owner can read.
pub(super) fn write_line_new(path: &Path, line: &str) -> Result<(), WriteKeyError> {
    let failed = |error: io::Error| {
        let path = path.into();
        if error.kind() == io::ErrorKind::AlreadyExists {
            WriteKeyError::Exists { path }
        } else {
            WriteKeyError::Io { path, error }
        }
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Lower-case hexadecimal digits.
pub(super) fn to_hex(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(secret))
}

/// The text of a key file; `None` if it is too long or not text.
pub(super) fn read_text(
    path: &Path,
    kind: KeyFileKind,
) -> Result<Option<Zeroizing<String>>, ReadKeyError> {
    let failed = |error| ReadKeyError::Io {
        path: path.into(),
        error,
    };
    let file = File::open(path).map_err(failed)?;
    if kind == KeyFileKind::Secret {
        refuse_exposed(path, &file)?;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX as usize + 1));
    file.take(KEY_FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > KEY_FILE_BYTES_MAX {
        return Ok(None);
    }
    let text = std::str::from_utf8(&bytes).ok();
    Ok(text.map(|text| Zeroizing::new(text.to_owned())))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), ReadKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|error| ReadKeyError::Io {
        path: path.into(),
        error,
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(ReadKeyError::Exposed {
            path: path.into(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), ReadKeyError> {
    Ok(())
}

fn parse(text: &str) -> Option<(SecretKind, Zeroizing<[u8; SECRET_BYTES]>)> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (label, hex) = line.split_once(' ')?;
    let kind = SecretKind::ALL
        .into_iter()
        .find(|kind| kind.label() == label)?;
    Some((kind, from_hex(hex)?))
}

/// Bytes from their hexadecimal digits.
pub(super) fn from_hex<const N: usize>(hex: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut secret = Zeroizing::new([0; N]);
    if hex.len() != 2 * N {
        return None;
    }
    let read = HEXLOWER_PERMISSIVE.decode_mut(hex.as_bytes(), secret.as_mut_slice());
    read.ok().map(|_| secret)
}
