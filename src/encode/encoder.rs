//! The encoder: one profile, one secret, one epoch; records in, encodings out.

use zeroize::Zeroizing;

use super::filter::{FilterMaker, FilterScratch};
use super::harden::Flips;
use super::identity::SourceRecord;
use super::key::{LinkageSecret, SecretFingerprint, SourceSecret};
use super::tag::TagMaker;
use crate::terms::RecordEncoding;
use crate::terms::profile::{Layout, LinkageProfile};

/// Why an encoder is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewEncoderError {
    /// The profile flips bits, and that needs a source secret.
    #[error(
        "the linkage profile flips bits of the filter '{filter}', and that needs the source's own \
         secret: give a source key"
    )]
    NoSourceSecret {
        /// Which filter.
        filter: String,
    },
    /// The epoch has the wrong form.
    #[error("an epoch is 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-'")]
    Epoch,
}

/// Turns records into encodings. All keys are derived when it is made; [`Encoder::encode`] can be
/// called from many threads.
///
/// # Privacy
/// Holds keys: no `Debug`.
pub struct Encoder {
    layout: Layout,
    filters: Vec<FilterMaker>,
    tags: Vec<TagMaker>,
    secret_fingerprint: SecretFingerprint,
}

impl Encoder {
    /// Derives all keys of a profile.
    ///
    /// # Errors
    /// [`NewEncoderError`].
    pub fn new(
        profile: &LinkageProfile,
        secret: &LinkageSecret,
        source_secret: Option<&SourceSecret>,
        epoch: &str,
    ) -> Result<Self, NewEncoderError> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if epoch.is_empty() || epoch.len() > 63 || !epoch.bytes().all(good) {
            return Err(NewEncoderError::Epoch);
        }
        let profile_key = secret.root().epoch(epoch).profile(&profile.name);
        let source_key =
            source_secret.map(|secret| secret.root().epoch(epoch).profile(&profile.name));
        let mut filters = Vec::with_capacity(profile.filters.len());
        for recipe in &profile.filters {
            let flips = match &source_key {
                _ if recipe.flip == 0.0 => None,
                Some(key) => Some(Flips::new(key.filter(&recipe.name), recipe.flip)),
                None => {
                    return Err(NewEncoderError::NoSourceSecret {
                        filter: recipe.name.clone(),
                    });
                }
            };
            let filter_key = profile_key.filter(&recipe.name);
            filters.push(FilterMaker::new(recipe, &filter_key, flips));
        }
        let tags = profile.tags.iter();
        Ok(Self {
            layout: profile.layout(),
            filters,
            tags: tags
                .map(|recipe| TagMaker::new(recipe, profile_key.tag(&recipe.name)))
                .collect(),
            secret_fingerprint: secret.fingerprint(),
        })
    }

    /// Shape of the encodings.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Which linkage secret the keys come from.
    #[must_use]
    pub fn secret_fingerprint(&self) -> SecretFingerprint {
        self.secret_fingerprint
    }

    /// Encodes one record. Same record, same encoding.
    ///
    /// The result has presence 0 if nothing could be made of the record; such a record is to be
    /// refused as empty.
    #[must_use]
    pub fn encode(&self, record: &SourceRecord) -> RecordEncoding {
        let mut encoding = RecordEncoding {
            record_ref: record.record_ref.clone(),
            version: record.version,
            kind: record.kind,
            flags: record.flags,
            presence: 0,
            filters: vec![0; self.layout.filter_words()],
            tags: vec![0; self.layout.tag_slots()],
        };
        let mut scratch = FilterScratch::new();
        for (index, filter) in self.filters.iter().enumerate() {
            let out = &mut encoding.filters[self.layout.filter_range(index)];
            if filter.make(&record.identity, &record.record_ref, &mut scratch, out) {
                encoding.presence |= self.layout.filter_bit(index);
            }
        }
        let mut message = Zeroizing::new(Vec::with_capacity(256));
        for (index, tag) in self.tags.iter().enumerate() {
            if let Some(value) = tag.make(&record.identity, &mut message) {
                encoding.tags[self.layout.tag_range(index)].fill(value);
                encoding.presence |= self.layout.tag_bit(index);
            }
        }
        encoding
    }
}

#[cfg(test)]
mod tests;
