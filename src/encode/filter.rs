//! Makes one Bloom filter of a record, from grams to hardened bits.
//!
//! # The hash of one gram
//! `message = field(gram) ‖ u32 LE occurrence ‖ field(salt value) …`, where
//! `field(x) = u32 LE length ‖ x`. The profile's suite, keyed with the key of (filter, attribute),
//! is read as a stream of 32-bit little-endian words; word *w* sets base bit
//! `(w · base_bits) >> 32`. Each bit has a word of its own: double hashing would leave patterns that
//! can be mined.

use super::gram::GramBuffer;
use super::harden::{Flips, Placement};
use super::identity::Identity;
use super::key::Key;
use crate::terms::profile::{FilterRecipe, Grams};
use crate::terms::{Attribute, RecordRef};
use zeroize::Zeroizing;

/// A profile allows at most this many bits per gram.
const BITS_PER_GRAM_MAX: usize = 64;

/// Memory that is used again from filter to filter. Plaintext: no `Debug`, wiped on drop.
pub(super) struct FilterScratch {
    grams: GramBuffer,
    salt: Zeroizing<Vec<u8>>,
    message: Zeroizing<Vec<u8>>,
}

impl FilterScratch {
    pub(super) fn new() -> Self {
        Self {
            grams: GramBuffer::new(),
            salt: Zeroizing::new(Vec::with_capacity(64)),
            message: Zeroizing::new(Vec::with_capacity(256)),
        }
    }
}

struct FeatureKey {
    attribute: Attribute,
    grams: Grams,
    bits_per_gram: usize,
    key: Key,
}

/// A filter recipe with its keys derived. No `Debug`.
pub(super) struct FilterMaker {
    features: Vec<FeatureKey>,
    salt: Vec<Attribute>,
    base_bits: u32,
    placement: Placement,
    flips: Option<Flips>,
}

impl FilterMaker {
    /// `filter_key`: key of this filter under the linkage secret. `flips`: `None` if the recipe
    /// flips nothing.
    pub(super) fn new(recipe: &FilterRecipe, filter_key: &Key, flips: Option<Flips>) -> Self {
        let features = recipe.features.iter().map(|feature| FeatureKey {
            attribute: feature.attribute,
            grams: feature.grams,
            bits_per_gram: (feature.bits_per_gram as usize).min(BITS_PER_GRAM_MAX),
            key: filter_key.attribute(feature.attribute.name()),
        });
        let placement = if recipe.balance {
            Placement::balanced(recipe.bits, &filter_key.permutation())
        } else {
            Placement::plain(recipe.bits)
        };
        Self {
            features: features.collect(),
            salt: recipe.salt.clone(),
            base_bits: placement.base_bits(),
            placement,
            flips,
        }
    }

    /// Writes the filter into `out` and says whether there is one. It is absent, and `out` all
    /// zero, if a salt attribute is missing or unreadable, or if no gram remains.
    ///
    /// # Shape
    /// `out`: the filter's words, all zero.
    pub(super) fn make(
        &self,
        identity: &Identity,
        record_ref: &RecordRef,
        scratch: &mut FilterScratch,
        out: &mut [u64],
    ) -> bool {
        scratch.salt.clear();
        for attribute in &self.salt {
            let Some(value) = identity.known(*attribute) else {
                return false;
            };
            append_field(&mut scratch.salt, value);
        }
        let mut gram_count = 0;
        self.placement.start(out);
        for feature in &self.features {
            let Some(value) = identity.get(feature.attribute) else {
                continue;
            };
            scratch.grams.cut(feature.grams, value);
            for (gram, occurrence) in scratch.grams.iter() {
                scratch.message.clear();
                append_field(&mut scratch.message, gram);
                scratch.message.extend_from_slice(&occurrence.to_le_bytes());
                scratch.message.extend_from_slice(&scratch.salt);
                self.set_bits(feature, &scratch.message, out);
                gram_count += 1;
            }
        }
        if gram_count == 0 {
            out.fill(0);
            return false;
        }
        if let Some(flips) = &self.flips {
            flips.apply(record_ref, out);
        }
        out.iter().any(|word| *word != 0)
    }

    fn set_bits(&self, feature: &FeatureKey, message: &[u8], out: &mut [u64]) {
        let mut stream = [0; 4 * BITS_PER_GRAM_MAX];
        let stream = &mut stream[..4 * feature.bits_per_gram];
        feature.key.stream(message).fill(stream);
        for bytes in stream.chunks_exact(4) {
            let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let position = (u64::from(word) * u64::from(self.base_bits)) >> 32;
            self.placement.set(position as usize, out);
        }
    }
}

/// `u32 LE length ‖ value`: no two lists of values give the same bytes.
pub(super) fn append_field(message: &mut Vec<u8>, value: &str) {
    // A value is a field of a person: far shorter than 2³² bytes.
    message.extend_from_slice(&(value.len() as u32).to_le_bytes());
    message.extend_from_slice(value.as_bytes());
}
