//! Makes one keyed equality tag of a record.
//!
//! A tag is the first 8 bytes (little-endian) of BLAKE3, keyed with the key of the tag, over
//! `u32 LE length ‖ value` for each attribute of the recipe, in order. The value 0 means absent
//! and is given out as 1 instead.

use zeroize::Zeroizing;

use super::filter::append_field;
use super::identity::Identity;
use super::key::Key;
use crate::terms::Attribute;
use crate::terms::profile::TagRecipe;

/// A tag recipe with its key derived. No `Debug`.
pub(super) struct TagMaker {
    attributes: Vec<Attribute>,
    key: Key,
}

impl TagMaker {
    /// `key`: key of this tag under the linkage secret.
    pub(super) fn new(recipe: &TagRecipe, key: Key) -> Self {
        Self {
            attributes: recipe.attributes.clone(),
            key,
        }
    }

    /// The tag, or `None` if an attribute is missing or holds an unknown character.
    ///
    /// `message`: memory that is used again.
    pub(super) fn make(
        &self,
        identity: &Identity,
        message: &mut Zeroizing<Vec<u8>>,
    ) -> Option<u64> {
        message.clear();
        for attribute in &self.attributes {
            append_field(message, identity.known(*attribute)?);
        }
        let hash = blake3::keyed_hash(self.key.bytes(), message);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        Some(u64::from_le_bytes(first).max(1))
    }
}
