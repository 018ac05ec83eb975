//! Makes the slots of one keyed equality tag of a record.
//!
//! A slot is the first 8 bytes (little-endian) of the profile's suite, keyed with the key of the
//! tag, over `u32 LE length ‖ value` for each attribute of its list, in order. From the second list
//! on, `u32 LE 0xFFFF_FFFF ‖ u32 LE index of the list` comes first: no value is that long. The value
//! 0 means absent and is given out as 1 instead.
//!
//! # Variants
//! A tag with deletions has the whole value in its first slot, and in the next ones the value with
//! one character left out: of the first characters, as many as there are slots. Equal variants are
//! made once, and values of fewer than three characters have none, as what is left would be shared
//! by many. Two values that are one insertion, deletion or replacement apart share a slot.
//!
//! # Padding
//! Slots that no variant fills hold the same function of the record ref, keyed under the source
//! secret: without it nobody can tell a padded slot from a variant, and the number of characters
//! does not leak. A tag with `pad` is padded as a whole where the name is a common one: who has a rare name
//! does not leak either.

use zeroize::Zeroizing;

use super::filter::append_field;
use super::identity::Identity;
use super::key::Key;
use crate::terms::profile::{TagPart, TagRecipe};
use crate::terms::{Attribute, RecordRef};

/// Fewest characters of a value that has variants.
pub const CHARACTERS_MIN: usize = 3;

/// A tag recipe with its key derived. No `Debug`.
pub(super) struct TagMaker {
    parts: Vec<TagPart>,
    deletions: Option<Attribute>,
    pad: bool,
    /// Needed if there are deletions or `pad` is set.
    padding: Option<Padding>,
    key: Key,
}

/// Key of a tag under the source secret.
pub(super) struct Padding(pub(super) Key);

impl TagMaker {
    /// `key`: key of this tag under the linkage secret. `padding`: needed if the recipe is padded.
    pub(super) fn new(recipe: &TagRecipe, key: Key, padding: Option<Padding>) -> Self {
        Self {
            parts: recipe.parts.clone(),
            deletions: recipe.deletions.map(|deletions| deletions.attribute),
            pad: recipe.pad,
            padding,
            key,
        }
    }

    /// Writes the tag's slots and says whether there is one. It is absent, and `slots` all zero, if
    /// an attribute is missing or holds an unknown character and the recipe does not pad.
    ///
    /// `message`: memory that is used again.
    ///
    /// # Shape
    /// `slots`: as many as the recipe has, all zero.
    pub(super) fn make(
        &self,
        identity: &Identity,
        record_ref: &RecordRef,
        message: &mut Zeroizing<Vec<u8>>,
        slots: &mut [u64],
    ) -> bool {
        for (index, part) in self.parts.iter().enumerate() {
            if !write_message(index, part, identity, None, message) {
                slots.fill(0);
                return self.pads(identity) && self.fill_from(0, record_ref, message, slots);
            }
            slots[index] = value(&self.key, message);
        }
        if let Some(attribute) = self.deletions {
            let filled = self.variants(attribute, identity, message, slots);
            self.fill_from(filled, record_ref, message, slots);
        }
        true
    }

    /// Whether a record that lacks an attribute is padded: one that lacks it because its name is a
    /// common one, not one that lacks the name.
    fn pads(&self, identity: &Identity) -> bool {
        let common = |attribute: &Attribute| match attribute {
            Attribute::RareGivenKana
            | Attribute::UncommonGivenKana
            | Attribute::MostCommonGivenKana => identity.known(Attribute::GivenKana).is_some(),
            Attribute::RareGivenKanji => identity.known(Attribute::GivenKanji).is_some(),
            other => identity.known(*other).is_some(),
        };
        let mut attributes = self.parts.iter().flat_map(|part| &part.attributes);
        self.pad && attributes.all(common)
    }

    /// Pads the slots from `first` on and says whether it could.
    fn fill_from(
        &self,
        first: usize,
        record_ref: &RecordRef,
        message: &mut Zeroizing<Vec<u8>>,
        slots: &mut [u64],
    ) -> bool {
        let Some(padding) = &self.padding else {
            return false;
        };
        for (index, slot) in slots.iter_mut().enumerate().skip(first) {
            message.clear();
            append_field(message, record_ref.as_str());
            // A tag has at most 32 slots.
            message.extend((index as u32).to_le_bytes());
            *slot = value(&padding.0, message);
        }
        true
    }

    /// Fills slots with variants and tells how many slots are in use.
    fn variants(
        &self,
        attribute: Attribute,
        identity: &Identity,
        message: &mut Zeroizing<Vec<u8>>,
        slots: &mut [u64],
    ) -> usize {
        let whole = identity.known(attribute).unwrap_or_default();
        if whole.chars().count() < CHARACTERS_MIN {
            return 1;
        }
        let mut shorter = Zeroizing::new(String::with_capacity(whole.len()));
        let mut filled = 1;
        for (start, left_out) in whole.char_indices() {
            if filled == slots.len() {
                break;
            }
            shorter.clear();
            shorter.push_str(&whole[..start]);
            shorter.push_str(&whole[start + left_out.len_utf8()..]);
            let replaced = Some((attribute, shorter.as_str()));
            write_message(0, &self.parts[0], identity, replaced, message);
            let variant = value(&self.key, message);
            if !slots[..filled].contains(&variant) {
                slots[filled] = variant;
                filled += 1;
            }
        }
        filled
    }
}

/// Writes what a list binds; false if an attribute is missing or not wholly known.
fn write_message(
    index: usize,
    part: &TagPart,
    identity: &Identity,
    replaced: Option<(Attribute, &str)>,
    message: &mut Zeroizing<Vec<u8>>,
) -> bool {
    message.clear();
    if index > 0 {
        message.extend(u32::MAX.to_le_bytes());
        message.extend((index as u32).to_le_bytes());
    }
    for attribute in &part.attributes {
        let value = match replaced {
            Some((other, value)) if other == *attribute => Some(value),
            _ => identity.known(*attribute),
        };
        let Some(value) = value else {
            return false;
        };
        append_field(message, value);
    }
    true
}

fn value(key: &Key, message: &[u8]) -> u64 {
    key.number(message).max(1)
}
