//! Derivation of keys from keys: one context for each step, so that no two uses share a key.

use zeroize::Zeroizing;

use super::SECRET_BYTES;
use super::stream::{Hmac, KeyStream, hmac_sha_256, keyed};
use crate::terms::profile::Suite;

/// A derived key and the suite that it is for. No `Debug`; wiped on drop.
pub(in crate::encode) struct Key {
    bytes: Zeroizing<[u8; SECRET_BYTES]>,
    suite: Suite,
    /// HMAC with the key taken in already: half of the work on a short message. Wiped on drop.
    keyed: Option<Hmac>,
}

impl Key {
    pub(super) fn root(context: &'static str, suite: Suite, secret: &[u8; SECRET_BYTES]) -> Self {
        let bytes = match suite {
            Suite::Blake3 => blake3::derive_key(context, secret),
            Suite::HmacSha256 => hmac_sha_256(secret, &[context.as_bytes()]),
        };
        Self::new(suite, bytes)
    }

    fn new(suite: Suite, bytes: [u8; SECRET_BYTES]) -> Self {
        let keyed = match suite {
            Suite::Blake3 => None,
            Suite::HmacSha256 => Some(keyed(&bytes)),
        };
        Self {
            bytes: Zeroizing::new(bytes),
            suite,
            keyed,
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

    /// Key of the invented people of an epoch.
    pub(in crate::encode) fn tracers(&self) -> Self {
        self.child("musubi/v1/tracers", "")
    }

    /// Key of all tags under a profile.
    pub(in crate::encode) fn tags(&self) -> Self {
        self.child("musubi/v1/tags", "")
    }

    /// What tells a tag from the others under their key.
    pub(in crate::encode) fn tag_label(&self, name: &str) -> [u8; 8] {
        let mut label = [0; 8];
        label.copy_from_slice(&self.child("musubi/v1/tag", name).bytes[..8]);
        label
    }

    /// Key of the padding of slots under a profile.
    pub(in crate::encode) fn padding(&self) -> Self {
        self.child("musubi/v1/padding", "")
    }

    /// The keyed stream of a message.
    pub(in crate::encode) fn stream<'a>(&'a self, message: &'a [u8]) -> KeyStream<'a> {
        match &self.keyed {
            None => KeyStream::blake3(&self.bytes, message),
            Some(keyed) => KeyStream::hmac_sha_256(keyed, message),
        }
    }

    /// The key's bytes, if its suite is BLAKE3.
    pub(super) fn blake3(&self) -> Option<&[u8; SECRET_BYTES]> {
        (self.suite == Suite::Blake3).then_some(&self.bytes)
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
        Self::new(self.suite, bytes)
    }
}
