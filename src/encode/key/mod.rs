//! The secrets of a source: what makes an encoding impossible to repeat without being told.
//!
//! The *linkage secret* is shared by all sources of a project and never reaches the server. The
//! *source secret* belongs to one source alone; it decides which bits are flipped.
//!
//! # Key schedule
//! Every key is 32 bytes. `child(context, parent, label)` is
//! `BLAKE3 derive_key(context, parent ‖ u32 LE length of label ‖ label)`.
//!
//! ```text
//! linkage secret ─ root ─ epoch ─ profile name ─┬─ filter name ─┬─ attribute name   (grams)
//!                                               │               └─ permutation
//!                                               └─ tags ─ tag name           (labels of tags)
//! source secret  ─ root ─ epoch ─ profile name ─┬─ filter name                      (flips)
//!                                               └─ padding                (padding of slots)
//! ```
//!
//! In the suite `hmac-sha-256`, `child(context, parent, label)` is HMAC-SHA-256 keyed with the
//! parent over `u32 LE length of context ‖ context ‖ u32 LE length of label ‖ label`, and a root is
//! HMAC-SHA-256 keyed with the secret over the context.
//!
//! The contexts are the constants in `key/schedule.rs`. A new epoch, another profile name or
//! another recipe name gives keys that tell nothing about the old ones.

mod key_file;
mod many;
mod messages;
mod schedule;
mod seal;
mod share;
mod stream;
#[cfg(test)]
mod tests;

pub use key_file::{ReadKeyError, SecretKind, WriteKeyError, key_file_fingerprint};
pub use seal::{
    OpenedSecret, SealError, new_exchange_key, open_key_file, public_key_fingerprint, seal_key_file,
};
pub use share::{ShareError, join_key_file, split_key_file};

pub(super) use messages::{Messages, Value};
pub(super) use schedule::Key;
pub(super) use stream::KeyStream;

use std::fmt;
use std::path::Path;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::terms::profile::Suite;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes for a new secret")]
pub struct NoRandomness;

/// Names a secret without telling it: the first 8 bytes of
/// `BLAKE3 derive_key("musubi/v1/secret-fingerprint", secret)`.
///
/// Sources compare it to see that they hold the same linkage secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFingerprint(pub [u8; 8]);

impl SecretFingerprint {
    fn of(secret: &[u8; SECRET_BYTES]) -> Self {
        let digest = blake3::derive_key("musubi/v1/secret-fingerprint", secret);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(first)
    }
}

impl fmt::Display for SecretFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

macro_rules! secrets {
    ($($name:ident $kind:ident $root:literal $doc:literal;)*) => {$(
        #[doc = $doc]
        ///
        /// # Privacy
        /// No `Debug`, no `Clone`; wiped on drop.
        pub struct $name(Zeroizing<[u8; SECRET_BYTES]>);

        impl $name {
            /// A fresh secret from the operating system.
            ///
            /// # Errors
            /// [`NoRandomness`].
            pub fn generate() -> Result<Self, NoRandomness> {
                let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
                getrandom::fill(bytes.as_mut_slice()).map_err(|_| NoRandomness)?;
                Ok(Self(bytes))
            }

            /// Wraps bytes that were made elsewhere. They must be uniformly random.
            #[must_use]
            pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
                Self(Zeroizing::new(bytes))
            }

            /// Reads a key file.
            ///
            /// # Errors
            /// [`ReadKeyError`]: also when others than the owner may read the file.
            pub fn read(path: &Path) -> Result<Self, ReadKeyError> {
                key_file::read(path, SecretKind::$kind).map(Self)
            }

            /// Writes a new key file that only the owner can read. Never overwrites.
            ///
            /// # Errors
            /// [`WriteKeyError`].
            pub fn write_new(&self, path: &Path) -> Result<(), WriteKeyError> {
                key_file::write_new(path, SecretKind::$kind, &self.0)
            }

            /// What may be told about the secret.
            #[must_use]
            pub fn fingerprint(&self) -> SecretFingerprint {
                SecretFingerprint::of(&self.0)
            }

            pub(super) fn root(&self, suite: Suite) -> Key {
                Key::root($root, suite, &self.0)
            }
        }
    )*};
}

secrets! {
    LinkageSecret Linkage "musubi/v1/linkage-root" "The secret that all sources of a project share and the server never holds.";
    SourceSecret Source "musubi/v1/source-root" "The secret of one source alone: it fixes which bits of a record are flipped.";
}

impl LinkageSecret {
    /// The secret in 64 lower-case hexadecimal digits.
    pub(super) fn hexadecimal(&self) -> Zeroizing<String> {
        key_file::to_hex(self.0.as_slice())
    }
}
