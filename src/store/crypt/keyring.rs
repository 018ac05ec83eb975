//! The keyring: a file with the store's keys, wrapped with a key that only the operator has.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::aead::{Cipher, NONCE_BYTES, TAG_BYTES, Tag};
use super::provider::{KeyProvider, Stretching};
use super::{DataKeys, SECRET_BYTES};
use crate::store::fault::StorageFault;

/// Bytes of the file.
const FILE_BYTES: usize = 256;
/// Bytes before the nonce: what the wrapping is bound to.
const HEADER_BYTES: usize = 48;
/// Where the checksum stands.
const CHECKSUM: usize = 224;
const MAGIC: &[u8; 8] = b"MUSUBIKR";
const FORMAT_VERSION: u32 = 1;

/// Why the keys of a store cannot be had. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The keyring is whole, but was wrapped with another key.
    #[error("the key does not open '{}': it is the key of another store, or was replaced by a newer one", path.display())]
    WrongKey {
        /// The keyring.
        path: PathBuf,
    },
    /// A key file was given for a passphrase, or the other way round.
    #[error("'{}' is opened with a {needed}, not with a {given}", path.display())]
    OtherProvider {
        /// The keyring.
        path: PathBuf,
        /// What opens it.
        needed: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for new keys")]
    NoRandomness,
    /// The keyring is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Why a store has its old key still, or after an unconfirmed write perhaps the new one.
#[derive(Debug, thiserror::Error)]
#[error("the store's key could not be replaced")]
pub struct RotateKeyError(#[from] UnlockError);

/// Path of the keyring within a store.
pub(in crate::store) fn keyring_path(store: &Path) -> PathBuf {
    store.join("keyring")
}

/// The bytes of a keyring.
pub(in crate::store) struct KeyringFile {
    stretching: Stretching,
    /// How often the keyring was written, from 1.
    generation: u32,
    salt: [u8; 16],
    nonce: [u8; NONCE_BYTES],
    wrapped: [u8; SECRET_BYTES],
    tag: Tag,
}

impl KeyringFile {
    /// New keys, wrapped.
    pub(in crate::store) fn generate(
        provider: &KeyProvider,
        path: &Path,
    ) -> Result<(Self, DataKeys), UnlockError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut *secret).map_err(|_| UnlockError::NoRandomness)?;
        let keys = DataKeys::from_secret(secret);
        Ok((Self::wrap(&keys, provider, 1, path)?, keys))
    }

    /// The same keys under another provider.
    pub(in crate::store) fn rewrap(
        &self,
        keys: &DataKeys,
        provider: &KeyProvider,
        path: &Path,
    ) -> Result<Self, UnlockError> {
        Self::wrap(keys, provider, self.generation.saturating_add(1), path)
    }

    fn wrap(
        keys: &DataKeys,
        provider: &KeyProvider,
        generation: u32,
        path: &Path,
    ) -> Result<Self, UnlockError> {
        let mut file = Self {
            stretching: provider.stretching(),
            generation,
            salt: [0; 16],
            nonce: [0; NONCE_BYTES],
            wrapped: *keys.secret,
            tag: [0; TAG_BYTES],
        };
        let drawn = getrandom::fill(&mut file.salt).and_then(|()| getrandom::fill(&mut file.nonce));
        let wrapping = provider.wrapping_key(file.stretching, &file.salt);
        let (Ok(()), Some(wrapping)) = (drawn, wrapping) else {
            zeroize::Zeroize::zeroize(&mut file.wrapped);
            return Err(match drawn {
                Err(_) => UnlockError::NoRandomness,
                Ok(()) => file.refusal(provider, path),
            });
        };
        let header = file.header();
        file.tag = Cipher::new(&wrapping).seal(&file.nonce, &header, &mut file.wrapped);
        Ok(file)
    }

    /// Opens the keys.
    pub(in crate::store) fn unlock(
        &self,
        provider: &KeyProvider,
        path: &Path,
    ) -> Result<DataKeys, UnlockError> {
        let wrapping = provider
            .wrapping_key(self.stretching, &self.salt)
            .ok_or_else(|| self.refusal(provider, path))?;
        let mut secret = Zeroizing::new(self.wrapped);
        Cipher::new(&wrapping)
            .open(&self.nonce, &self.header(), &mut *secret, &self.tag)
            .map_err(|_| UnlockError::WrongKey { path: path.into() })?;
        Ok(DataKeys::from_secret(secret))
    }

    fn refusal(&self, provider: &KeyProvider, path: &Path) -> UnlockError {
        let word = |is_key| if is_key { "key file" } else { "passphrase" };
        UnlockError::OtherProvider {
            path: path.into(),
            needed: word(self.stretching == Stretching::None),
            given: word(provider.stretching() == Stretching::None),
        }
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let numbers = match self.stretching {
            Stretching::None => [0; 4],
            Stretching::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => [1, memory_kib, passes, lanes],
        };
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        for (place, number) in bytes[12..28].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes[28..32].copy_from_slice(&self.generation.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.salt);
        bytes
    }

    /// The file's bytes.
    pub(in crate::store) fn encode(&self) -> [u8; FILE_BYTES] {
        let mut bytes = [0; FILE_BYTES];
        bytes[..HEADER_BYTES].copy_from_slice(&self.header());
        bytes[48..72].copy_from_slice(&self.nonce);
        bytes[72..200].copy_from_slice(&self.wrapped);
        bytes[200..216].copy_from_slice(&self.tag);
        let checksum = blake3::hash(&bytes[..CHECKSUM]);
        bytes[CHECKSUM..].copy_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads the file's bytes; a damaged keyring is told from a wrong key by its checksum.
    pub(in crate::store) fn decode(bytes: &[u8], path: &Path) -> Result<Self, StorageFault> {
        let damaged = |offset, rule| StorageFault::damaged(path, offset, rule);
        let bytes: &[u8; FILE_BYTES] = bytes
            .try_into()
            .map_err(|_| damaged(0, "a keyring has 256 bytes"))?;
        if &bytes[..8] != MAGIC {
            return Err(damaged(0, "this is not the keyring of a musubi store"));
        }
        if bytes[CHECKSUM..] != *blake3::hash(&bytes[..CHECKSUM]).as_bytes() {
            return Err(damaged(0, "the keyring does not match its checksum"));
        }
        let number = |at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a slice of 4 bytes"))
        };
        let stretching = match number(12) {
            0 => Stretching::None,
            1 => Stretching::Argon2id {
                memory_kib: number(16),
                passes: number(20),
                lanes: number(24),
            },
            _ => return Err(damaged(12, "the keyring names no known way to its key")),
        };
        if number(8) != FORMAT_VERSION {
            let rule = "the keyring has a format version that this program does not know";
            return Err(damaged(8, rule));
        }
        if !stretching.is_bearable() {
            return Err(damaged(16, "the keyring asks for too much memory or time"));
        }
        let mut file = Self {
            stretching,
            generation: number(28),
            salt: [0; 16],
            nonce: [0; NONCE_BYTES],
            wrapped: [0; SECRET_BYTES],
            tag: [0; TAG_BYTES],
        };
        file.salt.copy_from_slice(&bytes[32..48]);
        file.nonce.copy_from_slice(&bytes[48..72]);
        file.wrapped.copy_from_slice(&bytes[72..200]);
        file.tag.copy_from_slice(&bytes[200..216]);
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::crypt::StoreKey;

    fn key(byte: u8) -> KeyProvider {
        KeyProvider::Key(StoreKey::from_bytes([byte; 32]))
    }

    fn passphrase(text: &str) -> KeyProvider {
        KeyProvider::Passphrase(Zeroizing::new(text.into()))
    }

    fn opened(file: &KeyringFile, provider: &KeyProvider) -> Result<[u8; 32], UnlockError> {
        let file = KeyringFile::decode(&file.encode(), Path::new("k"))?;
        Ok(file.unlock(provider, Path::new("k"))?.public_key())
    }

    #[test]
    fn keys_come_back_under_the_right_key_and_after_a_change_of_it() {
        let path = Path::new("k");
        let Ok((file, keys)) = KeyringFile::generate(&key(1), path) else {
            panic!("generated");
        };
        assert_eq!(opened(&file, &key(1)).ok(), Some(keys.public_key()));
        assert!(matches!(
            opened(&file, &key(2)),
            Err(UnlockError::WrongKey { .. })
        ));
        let Ok(changed) = file.rewrap(&keys, &passphrase("long enough"), path) else {
            panic!("rewrapped");
        };
        let with = |provider: &KeyProvider| opened(&changed, provider);
        assert_eq!(
            with(&passphrase("long enough")).ok(),
            Some(keys.public_key())
        );
        let wrong = with(&passphrase("another"));
        assert!(matches!(wrong, Err(UnlockError::WrongKey { .. })));
        assert!(matches!(
            with(&key(1)),
            Err(UnlockError::OtherProvider { .. })
        ));
    }

    #[test]
    fn a_flipped_byte_is_damage_and_not_a_wrong_key() {
        let Ok((file, _)) = KeyringFile::generate(&key(1), Path::new("k")) else {
            panic!("generated");
        };
        let whole = file.encode();
        for at in 0..whole.len() {
            let mut bytes = whole;
            bytes[at] ^= 1;
            assert!(KeyringFile::decode(&bytes, Path::new("k")).is_err(), "{at}");
        }
        assert!(KeyringFile::decode(&whole[..255], Path::new("k")).is_err());
    }
}
