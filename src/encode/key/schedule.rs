//! Derivation of keys from keys: one context for each step, so that no two uses share a key.

use zeroize::Zeroizing;

use super::stream::{KeyStream, hmac_sha_256};
use super::{SECRET_BYTES, SecretKind};
use crate::terms::profile::Suite;

/// A derived key and the suite that it is for. No `Debug`; wiped on drop.
pub(in crate::encode) struct Key {
    bytes: Zeroizing<[u8; SECRET_BYTES]>,
    suite: Suite,
}

impl Key {
    pub(super) fn root(kind: SecretKind, suite: Suite, secret: &[u8; SECRET_BYTES]) -> Self {
        let context = match kind {
            SecretKind::Linkage => "musubi/v1/linkage-root",
            SecretKind::Source => "musubi/v1/source-root",
        };
        let bytes = match suite {
            Suite::Blake3 => blake3::derive_key(context, secret),
            Suite::HmacSha256 => hmac_sha_256(secret, &[context.as_bytes()]),
        };
        Self {
            bytes: Zeroizing::new(bytes),
            suite,
        }
    }

    /// Key of an epoch under a root.
    pub(in crate::encode) fn epoch(&self, epoch: &str) -> Self {
        self.child("musubi/v1/epoch", epoch)
    }

    /// Key of a profile under an epoch.
    pub(in crate::encode) fn profile(&self, name: &str) -> Self {
        self.child("musubi/v1/profile", name)
    }

    /// Key of a filter under a profile.
    pub(in crate::encode) fn filter(&self, name: &str) -> Self {
        self.child("musubi/v1/filter", name)
    }

    /// Key of an attribute's grams under a filter.
    pub(in crate::encode) fn attribute(&self, name: &str) -> Self {
        self.child("musubi/v1/attribute", name)
    }

    /// Key of the permutation of a filter's bits.
    pub(in crate::encode) fn permutation(&self) -> Self {
        self.child("musubi/v1/permutation", "")
    }

    /// Key of a tag under a profile.
    pub(in crate::encode) fn tag(&self, name: &str) -> Self {
        self.child("musubi/v1/tag", name)
    }

    /// The keyed stream of a message.
    pub(in crate::encode) fn stream(&self, message: &[u8]) -> KeyStream {
        KeyStream::new(self.suite, &self.bytes, message)
    }

    #[cfg(test)]
    pub(in crate::encode) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.bytes
    }

    fn child(&self, context: &'static str, label: &str) -> Self {
        // Labels are profile, recipe and attribute names and epochs: at most 63 bytes.
        let length = (label.len() as u32).to_le_bytes();
        let bytes = match self.suite {
            Suite::Blake3 => {
                let mut hasher = blake3::Hasher::new_derive_key(context);
                hasher.update(self.bytes.as_slice());
                hasher.update(&length);
                hasher.update(label.as_bytes());
                *hasher.finalize().as_bytes()
            }
            Suite::HmacSha256 => {
                let context_length = (context.len() as u32).to_le_bytes();
                let message: [&[u8]; 4] = [
                    &context_length,
                    context.as_bytes(),
                    &length,
                    label.as_bytes(),
                ];
                hmac_sha_256(&self.bytes, &message)
            }
        };
        Self {
            bytes: Zeroizing::new(bytes),
            suite: self.suite,
        }
    }
}
