//! Encryption at rest: whose keys open a store, and what each of them does.
//!
//! ```text
//! store key (key file) or passphrase ── wraps ──► keyring file: four random keys
//!   log key        ─ payload of each log entry
//!   file key       ─ (file ID) ─ one key for each sealed file and journal
//!   reference key  ─ keyed hashes that stand for record refs and contents outside sealed files; keys of projects
//!   signing key    ─ receipts (Ed25519)
//! ```
//!
//! A new store key rewraps the keyring; nothing else is written anew.

mod aead;
mod keyring;
mod provider;

pub(super) use aead::{BlockCipher, FrameCipher, NONCE_BYTES, NotAuthentic, TAG_BYTES, Tag};
pub(super) use keyring::{KeyringFile, keyring_path};
pub use keyring::{RotateKeyError, UnlockError};
pub use provider::{KeyProvider, ReadStoreKeyError, StoreKey, WriteStoreKeyError};

use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use self::aead::{Cipher, KEY_BYTES, Key};
use crate::terms::{Project, SourceId};

/// Stands for (source, record ref) in the index; cannot be computed without the key.
pub(super) type RecordKey = [u8; 16];
/// Stands for an erased (source, record ref) in the log.
pub(super) type Tombstone = [u8; 16];
/// Stands for a record's content: equal content, equal mark.
pub(super) type ContentMark = [u8; 16];
/// Random name of a sealed file or journal, from which its key is derived.
pub(super) type FileId = [u8; 16];

/// Bytes of the keys in a keyring.
const SECRET_BYTES: usize = 4 * KEY_BYTES;

/// The opened keys of a store.
///
/// # Privacy
/// No `Debug`; wiped on drop.
pub(super) struct DataKeys {
    /// All keys, as the keyring holds them.
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    log: Cipher,
    log_nonces: Key,
    files: Key,
    records: Key,
    contents: Key,
    tombstones: Key,
    projects: Key,
    signing: SigningKey,
}

impl DataKeys {
    fn from_secret(secret: Zeroizing<[u8; SECRET_BYTES]>) -> Self {
        let (keys, _) = secret.as_chunks::<KEY_BYTES>();
        let derive = |key: &[u8], context: &str| Key::new(blake3::derive_key(context, key));
        Self {
            log: Cipher::new(&keys[0]),
            log_nonces: derive(&keys[0], "musubi/v1/log-nonce"),
            files: Key::new(keys[1]),
            records: derive(&keys[2], "musubi/v1/record-key"),
            contents: derive(&keys[2], "musubi/v1/content-mark"),
            tombstones: derive(&keys[2], "musubi/v1/tombstone"),
            projects: derive(&keys[2], "musubi/v1/project"),
            signing: SigningKey::from_bytes(&keys[3]),
            secret,
        }
    }

    /// Keys that are always the same.
    #[cfg(test)]
    pub(in crate::store) fn fixed() -> Self {
        Self::from_secret(Zeroizing::new([9; SECRET_BYTES]))
    }

    /// What stands for a record in the index.
    pub(super) fn record_key(&self, source: &SourceId, label: &str) -> RecordKey {
        reference_hash(&self.records, source, label)
    }

    /// What stands for an erased record in the log.
    pub(super) fn tombstone(&self, source: &SourceId, label: &str) -> Tombstone {
        reference_hash(&self.tombstones, source, label)
    }

    /// What stands for a content in segments and index.
    pub(super) fn content_mark(&self, content_hash: &[u8; 32]) -> ContentMark {
        first_half(&blake3::keyed_hash(&self.contents, content_hash))
    }

    /// The key of a project's pseudonyms, for this recipient and this version.
    pub(super) fn project_key(&self, project: &Project) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut hasher = blake3::Hasher::new_keyed(&self.projects);
        for part in [project.id.as_str(), &project.recipient] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&[project.version.get()]);
        Zeroizing::new(*hasher.finalize().as_bytes())
    }

    /// The cipher of one sealed file.
    pub(super) fn file_cipher(&self, file: &FileId) -> BlockCipher {
        let key = Key::new(*blake3::keyed_hash(&self.files, file).as_bytes());
        BlockCipher::new(&key)
    }

    /// The cipher of one journal.
    pub(super) fn journal_cipher(&self, file: &FileId) -> FrameCipher {
        let key = Key::new(*blake3::keyed_hash(&self.files, file).as_bytes());
        FrameCipher::new(&key)
    }

    /// Encrypts the payload of a log entry: nonce, text, tag.
    ///
    /// The nonce follows from all that goes in, so that a sequence that is used again, after a torn
    /// tail or on a restored copy, never meets another text under the same nonce.
    pub(super) fn seal_payload(&self, context: &[u8], chain: &[u8; 32], payload: &[u8]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.log_nonces);
        hasher.update(context).update(chain).update(payload);
        let mut nonce = [0; NONCE_BYTES];
        hasher.finalize_xof().fill(&mut nonce);
        let mut sealed = Vec::with_capacity(payload.len() + NONCE_BYTES + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(payload);
        let tag = self.log.seal(&nonce, context, &mut sealed[NONCE_BYTES..]);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Decrypts the payload of a log entry, if it is authentic.
    pub(super) fn open_payload(
        &self,
        context: &[u8],
        sealed: Vec<u8>,
    ) -> Result<Vec<u8>, NotAuthentic> {
        self.log.open_sealed(context, sealed)
    }

    /// Ed25519 signature, RFC 8032.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// The key that signatures are checked with.
    pub(super) fn public_key(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }
}

/// A cipher whose key nobody keeps: for files that live no longer than the process.
pub(super) fn ephemeral_cipher() -> Result<BlockCipher, getrandom::Error> {
    let mut key = Key::new([0; KEY_BYTES]);
    getrandom::fill(&mut *key)?;
    Ok(BlockCipher::new(&key))
}

fn reference_hash(key: &Key, source: &SourceId, label: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher
        .update(source.as_str().as_bytes())
        .update(&[0])
        .update(label.as_bytes());
    first_half(&hasher.finalize())
}

fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    *hash
        .as_bytes()
        .first_chunk()
        .expect("32 bytes have a first half")
}

#[cfg(test)]
mod tests;
