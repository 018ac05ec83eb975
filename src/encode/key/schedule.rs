//! Derivation of keys from keys: one context for each step, so that no two uses share a key.

use zeroize::Zeroizing;

use super::{SECRET_BYTES, SecretKind};

/// A derived key. No `Debug`; wiped on drop.
pub(in crate::encode) struct Key(Zeroizing<[u8; SECRET_BYTES]>);

impl Key {
    pub(super) fn root(kind: SecretKind, secret: &[u8; SECRET_BYTES]) -> Self {
        let context = match kind {
            SecretKind::Linkage => "musubi/v1/linkage-root",
            SecretKind::Source => "musubi/v1/source-root",
        };
        Self(Zeroizing::new(blake3::derive_key(context, secret)))
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

    /// The key itself, for a keyed hash.
    pub(in crate::encode) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    fn child(&self, context: &'static str, label: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(self.0.as_slice());
        // Labels are profile, recipe and attribute names and epochs: at most 63 bytes.
        hasher.update(&(label.len() as u32).to_le_bytes());
        hasher.update(label.as_bytes());
        Self(Zeroizing::new(*hasher.finalize().as_bytes()))
    }
}
