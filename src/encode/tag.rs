//! Says what the slots of one keyed equality tag of a record are made of.
//!
//! A slot is the first 8 bytes (little-endian) of the profile's suite, keyed with the key of all tags,
//! over `label of the tag ‖ u8 index of the list ‖ length and value of each attribute of the list`,
//! filled up with zeros to a multiple of 64 bytes; `key/messages.rs` says how a length is written, and
//! `key/mod.rs` where the label comes from. The value 0 means absent and is given out as 1 instead.
//!
//! # Variants
//! A tag with deletions has the whole value in its first slot, and in the next ones the value with
//! one character left out: of the first characters, as many as there are slots. Equal variants are
//! made once, and values of fewer than three characters have none, as what is left would be shared
//! by many. Two values that are one insertion, deletion or replacement apart share a slot.
//!
//! # Buckets
//! A tag with buckets is the same number of another message: `label of the tag ‖ 128 ‖ length and value of
//! each other attribute ‖ length and value of the bucket`. The bucket, `u32 LE`, is what is left when the
//! number of the tag without buckets is divided by how many there are. So it is drawn anew for each value of
//! the other attributes.
//!
//! # Padding
//! Slots that no variant fills hold words of a keyed stream over the record ref, under the source
//! secret: without it nobody can tell a padded slot from a variant, and the number of characters
//! does not leak. A tag with `pad` is padded as a whole where the name is a common one: who has a rare name
//! does not leak either.

use std::ops::Range;

use zeroize::Zeroizing;

use super::filter::append_field;
use super::identity::Identity;
use super::key::{Key, Messages, Value};
use crate::terms::profile::{Buckets, TagPart, TagRecipe};
use crate::terms::{Attribute, AttributeSet, RecordRef};

/// Fewest characters of a value that has variants.
pub const CHARACTERS_MIN: usize = 3;

/// Stands where a list's index does, in the message of a tag with buckets. Above every index.
const OF_BUCKET: u8 = 128;

/// A tag recipe with its label derived. No `Debug`.
pub(super) struct TagMaker {
    parts: Vec<TagPart>,
    deletions: Option<Attribute>,
    buckets: Option<Buckets>,
    /// What a record must have for the tag to be made.
    needed: AttributeSet,
    /// What a record must have for the tag to be padded where it cannot be made; `None`: it is not.
    padded_with: Option<AttributeSet>,
    label: [u8; 8],
    /// Its slots among those of all tags.
    slots: Range<usize>,
}

/// The words that fill slots: one for each slot of a record.
pub(super) struct Padding {
    bytes: Vec<u8>,
    message: Zeroizing<Vec<u8>>,
}

impl Padding {
    /// No words yet.
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            message: Zeroizing::new(Vec::with_capacity(128)),
        }
    }

    /// Draws the words of a record: 64-bit little-endian words of the keyed stream over
    /// `u32 LE length ‖ record ref`. `key`: of padding, under the source secret.
    pub(super) fn draw(&mut self, key: &Key, record_ref: &RecordRef, slots: usize) {
        self.message.clear();
        append_field(&mut self.message, record_ref.as_str());
        // Eight blocks of BLAKE3 are made as fast as one.
        self.bytes.resize((8 * slots).next_multiple_of(512), 0);
        key.stream(&self.message).fill(&mut self.bytes);
    }

    /// Fills slots with the words of their places.
    fn fill(&self, row: &mut [u64], slots: Range<usize>) {
        let (words, _) = self.bytes.as_chunks();
        for (slot, word) in row[slots.clone()].iter_mut().zip(&words[slots]) {
            *slot = u64::from_le_bytes(*word);
        }
    }
}

/// A record's values as they stand in the messages of its tags.
pub(super) struct TagValues {
    values: Vec<Value>,
    /// The attributes that the record has, without an unknown character.
    known: AttributeSet,
}

impl TagValues {
    /// No values yet.
    pub(super) fn new() -> Self {
        let values = Attribute::ALL.iter().map(|_| Value::new());
        Self {
            values: values.collect(),
            known: AttributeSet::default(),
        }
    }

    /// Takes the values of a record that tags need.
    pub(super) fn read(&mut self, identity: &Identity, needed: &[Attribute]) {
        self.known = identity.all_known();
        for attribute in needed {
            if self.known.contains(*attribute) {
                self.values[*attribute as usize].set(identity.bytes(*attribute));
            }
        }
    }

    fn get(&self, attribute: Attribute) -> &Value {
        &self.values[attribute as usize]
    }
}

impl TagMaker {
    /// `tags_key`: key of all tags under the linkage secret. `slots`: its own among those of all tags.
    pub(super) fn new(recipe: &TagRecipe, tags_key: &Key, slots: Range<usize>) -> Self {
        let attributes = recipe.attributes();
        let mut needed = AttributeSet::default();
        let mut of_any_names = AttributeSet::default();
        for attribute in &attributes {
            needed.insert(*attribute);
            of_any_names.insert(of_any_name(*attribute));
        }
        Self {
            parts: recipe.parts.clone(),
            deletions: recipe.deletions.map(|deletions| deletions.attribute),
            buckets: recipe.buckets,
            needed,
            padded_with: recipe.pad.then_some(of_any_names),
            label: tags_key.tag_label(&recipe.name),
            slots,
        }
    }

    /// Puts what the tag's slots are made of into `messages`, fills the other slots of the row with
    /// padding, and says whether there is a tag. There is none if an attribute is missing or holds an
    /// unknown character; but a tag with `pad` is padded for a record that lacks an attribute because
    /// its name is a common one.
    ///
    /// # Shape
    /// `padding` and `row`: the slots of all tags; of none if no tag is padded.
    pub(super) fn make(
        &self,
        identity: &Identity,
        values: &TagValues,
        messages: &mut Messages,
        padding: &Padding,
        row: &mut [u64],
    ) -> bool {
        let known = values.known;
        if !known.contains_all(self.needed) {
            let padded = self.padded_with;
            let is_padded = padded.is_some_and(|padded| known.contains_all(padded));
            if is_padded {
                padding.fill(row, self.slots.clone());
            }
            return is_padded;
        }
        let first_message = messages.count();
        let mut next = self.slots.start;
        // Bytes of the first message before the value that loses a character.
        let mut shared = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let mut head = [0; 9];
            head[..8].copy_from_slice(&self.label);
            // A tag has at most 32 lists.
            head[8] = index as u8;
            let message = messages.begin(next, &head);
            for attribute in &part.attributes {
                if index == 0 && self.deletions == Some(*attribute) {
                    shared = message.length();
                }
                message.value(values.get(*attribute));
            }
            next += 1;
        }
        if let Some(deleted) = self.deletions {
            let whole = identity.known(deleted).unwrap_or_default();
            for (start, end) in deletions(whole) {
                if next == self.slots.end {
                    break;
                }
                let message = messages.begin_as(next, first_message, shared);
                message.value_of_two([&whole.as_bytes()[..start], &whole.as_bytes()[end..]]);
                let attributes = self.parts[0].attributes.iter();
                let after = attributes.skip_while(|other| **other != deleted).skip(1);
                after.for_each(|attribute| message.value(values.get(*attribute)));
                next += 1;
            }
        }
        if next < self.slots.end {
            padding.fill(row, next..self.slots.end);
        }
        true
    }

    /// Puts what the tag's slot is made of in the end into `messages`, if the tag has buckets and the record
    /// has it. In the row stands the number that [`TagMaker::make`]'s message has.
    pub(super) fn make_bucket(&self, values: &TagValues, messages: &mut Messages, row: &[u64]) {
        let Some(buckets) = self.buckets else { return };
        if !values.known.contains_all(self.needed) {
            return;
        }
        let slot = self.slots.start;
        // Less than `count`, which has 32 bits.
        let bucket = (row[slot] % u64::from(buckets.count)) as u32;
        let mut head = [OF_BUCKET; 9];
        head[..8].copy_from_slice(&self.label);
        let message = messages.begin(slot, &head);
        let attributes = self.parts[0].attributes.iter();
        let others = attributes.filter(|one| **one != buckets.attribute);
        others.for_each(|attribute| message.value(values.get(*attribute)));
        message.value_of_two([&bucket.to_le_bytes(), &[]]);
    }

    /// Its slots among those of all tags.
    pub(super) fn slots(&self) -> Range<usize> {
        self.slots.clone()
    }
}

/// Whether a record has an attribute, or lacks it only because of how common its name is: a tag with `pad`
/// is padded for such records, and not for one that lacks the name.
#[must_use]
pub fn known_but_for_rarity(identity: &Identity, attribute: Attribute) -> bool {
    identity.known(of_any_name(attribute)).is_some()
}

/// The attribute that names have, common or not, in place of one that only common or rare ones have.
fn of_any_name(attribute: Attribute) -> Attribute {
    match attribute {
        Attribute::RareGivenKana
        | Attribute::UncommonGivenKana
        | Attribute::MostCommonGivenKana => Attribute::GivenKana,
        Attribute::RareGivenKanji => Attribute::GivenKanji,
        other => other,
    }
}

/// The characters of a value that are left out in turn, from byte to byte: of equal neighbours one,
/// since leaving out either leaves the same; none of a short value.
fn deletions(whole: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let has_variants = whole.chars().nth(CHARACTERS_MIN - 1).is_some();
    let mut previous = None;
    whole
        .char_indices()
        .filter(move |(_, c)| has_variants && previous.replace(*c) != Some(*c))
        .map(|(start, c)| (start, start + c.len_utf8()))
}
