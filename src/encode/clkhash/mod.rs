//! Cryptographic longterm keys as clkhash 0.18 makes them, bit for bit, for projects that move to
//! musubi and must stay comparable with encodings that exist.
//!
//! One key is one Bloom filter over all features of a clkhash *linkage schema* of version 3, a
//! JSON text. It works on the columns as they are written: nothing is normalised but what the
//! schema says.
//!
//! # Steps
//! 1. HKDF (RFC 5869) gives two keys for each feature, ignored ones included.
//! 2. A value is replaced if it is the feature's sentinel of a missing value, else brought to its
//!    format (`value.rs`), and cut into tokens (`token.rs`).
//! 3. Each token sets bits (`hash.rs`): BLAKE2b with the token's round as salt, or double hashing
//!    with HMAC-SHA-1 and HMAC-MD5.
//! 4. The filter is folded by exclusive or.
//!
//! # The `xorFolds` trap
//! clkhash's documentation calls the number of folds `xorFolds`; its program reads `xor_folds` and
//! passes over the documented name without a word. A schema with `"xorFolds": 1` therefore gives
//! *unfolded* filters, of the length `l` that the schema states either way. This module does the
//! same, or encodings would not be comparable: only `xor_folds` folds.
//!
//! # Privacy
//! Such filters are comparable between all people, and fall to graph matching without the key. They
//! are for moving, not for staying.

mod base64;
mod hash;
mod schema;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use schema::{ClkSchema, ClkSchemaError};

use hkdf::Hkdf;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use hash::FeatureKeys;
use schema::{Feature, KdfHash};

/// A value is not what its format in the schema says, so that clkhash would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value does not have the format that the clkhash schema gives")]
pub struct ClkValueError;

/// Makes the Bloom filter of a row under one schema and secret.
///
/// # Privacy
/// Holds keys: no `Debug`.
pub struct ClkEncoder {
    schema: ClkSchema,
    keys: Vec<FeatureKeys>,
}

impl ClkEncoder {
    /// Derives the keys. `secret`: the bytes of clkhash's secret text.
    #[must_use]
    pub fn new(schema: ClkSchema, secret: &[u8]) -> Self {
        let size = schema.key_bytes;
        let mut stream = Zeroizing::new(vec![0; 2 * size * schema.features.len()]);
        let (salt, info) = (schema.kdf_salt.as_deref(), schema.kdf_info.as_slice());
        let done = match schema.kdf_hash {
            KdfHash::Sha256 => Hkdf::<Sha256>::new(salt, secret).expand(info, &mut stream),
            KdfHash::Sha512 => Hkdf::<Sha512>::new(salt, secret).expand(info, &mut stream),
        };
        done.expect("the schema's check keeps the keys within 255 hashes");
        let keys = stream
            .chunks_exact(2 * size)
            .map(|pair| FeatureKeys::new(&pair[..size], &pair[size..]))
            .collect();
        Self { schema, keys }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &ClkSchema {
        &self.schema
    }

    /// Writes the filter of a row into `out`; bit *i* of clkhash's filter is bit `i % 64` of word
    /// `i / 64`.
    ///
    /// # Shape
    /// `row`: one value for each feature, in the schema's order. `out`: at least
    /// [`ClkSchema::words`] words; all are overwritten.
    ///
    /// # Errors
    /// [`ClkValueError`]; `out` is all zero then.
    ///
    /// # Panics
    /// If `out` is shorter.
    pub fn encode(&self, row: &[impl AsRef<str>], out: &mut [u64]) -> Result<(), ClkValueError> {
        out.fill(0);
        let wide = self.schema.bits << self.schema.folds;
        let mut filter = Zeroizing::new(vec![0_u64; wide.div_ceil(64)]);
        for ((feature, keys), entry) in self.schema.features.iter().zip(&self.keys).zip(row) {
            let Feature::Hashed(hashed) = feature else {
                continue;
            };
            let value = hashed
                .format
                .value(entry.as_ref(), hashed.missing.as_ref())?;
            let tokens = hashed.comparison.tokens(&value)?;
            let mut bytes = Zeroizing::new(Vec::new());
            for (index, token) in tokens.iter().enumerate() {
                bytes.clear();
                hashed.encoding.append(token, &mut bytes)?;
                let bits = hashed.strategy.bits(index, tokens.len());
                hash::set_bits(hashed.hash, keys, &bytes, bits, wide, &mut filter);
            }
        }
        for bit in (0..wide).filter(|bit| filter[bit / 64] >> (bit % 64) & 1 == 1) {
            // Folding halves again and again: what is left is the position modulo the length.
            let to = bit % self.schema.bits;
            out[to / 64] ^= 1 << (to % 64);
        }
        Ok(())
    }
}
