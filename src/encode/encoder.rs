//! The encoder: one profile, one secret, one epoch; records in, encodings out.

use super::clkhash::{ClkEncoder, ClkSchema, ClkSchemaError};
use super::filter::{FilterMaker, FilterScratch};
use super::harden::Flips;
use super::identity::SourceRecord;
use super::key::{Key, LinkageSecret, Messages, SecretFingerprint, SourceSecret};
use super::tag::{Padding, TagMaker, TagValues};
use crate::terms::profile::{Layout, LinkageProfile};
use crate::terms::{Attribute, RecordEncoding};

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
    /// A tag pads its slots, and that needs a source secret.
    #[error(
        "the linkage profile pads the slots of the tag '{tag}', and that needs the source's own \
         secret: give a source key"
    )]
    NoSourceSecretForTag {
        /// Which tag.
        tag: String,
    },
    /// The clkhash schema in the profile is not valid.
    #[error(transparent)]
    Clkhash(#[from] ClkSchemaError),
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
    /// What the tags are made of.
    needed: Vec<Attribute>,
    tags_key: Key,
    /// Under the source secret; `None` if no tag is padded.
    padding_key: Option<Key>,
    clkhash: Option<ClkEncoder>,
    secret_fingerprint: SecretFingerprint,
}

/// Memory for encoding, one for each thread. Plaintext: no `Debug`, wiped on drop.
pub struct EncodeScratch {
    filter: FilterScratch,
    values: TagValues,
    messages: Messages,
    padding: Padding,
}

impl EncodeScratch {
    /// Nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            filter: FilterScratch::new(),
            values: TagValues::new(),
            messages: Messages::new(),
            padding: Padding::new(),
        }
    }
}

impl Default for EncodeScratch {
    fn default() -> Self {
        Self::new()
    }
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
        let suite = profile.suite;
        let profile_key = secret.root(suite).epoch(epoch).profile(&profile.name);
        let source_key =
            source_secret.map(|secret| secret.root(suite).epoch(epoch).profile(&profile.name));
        let clkhash = match &profile.clkhash {
            None => None,
            Some(recipe) => {
                let schema = ClkSchema::parse(&recipe.schema)?;
                Some(ClkEncoder::new(schema, secret.hexadecimal().as_bytes()))
            }
        };
        let mut filters = Vec::with_capacity(profile.filters.len());
        // A clkhash filter has no recipe of ours.
        let recipes = profile.filters.iter().filter(|_| clkhash.is_none());
        for recipe in recipes {
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
        let layout = profile.layout();
        let tags_key = profile_key.tags();
        let mut tags = Vec::with_capacity(profile.tags.len());
        for (index, recipe) in profile.tags.iter().enumerate() {
            tags.push(TagMaker::new(recipe, &tags_key, layout.tag_range(index)));
        }
        let padded = profile.tags.iter().find(|recipe| recipe.is_padded());
        let padding_key = match (padded, &source_key) {
            (None, _) => None,
            (Some(_), Some(key)) => Some(key.padding()),
            (Some(recipe), None) => {
                return Err(NewEncoderError::NoSourceSecretForTag {
                    tag: recipe.name.clone(),
                });
            }
        };
        Ok(Self {
            layout,
            filters,
            needed: needed(profile),
            tags,
            tags_key,
            padding_key,
            clkhash,
            secret_fingerprint: secret.fingerprint(),
        })
    }

    /// Takes another secret for a clkhash profile: the text that a project has used with clkhash.
    /// Without it the secret is the linkage secret in 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn with_clkhash_secret(mut self, secret: &[u8]) -> Self {
        self.clkhash = self
            .clkhash
            .map(|encoder| ClkEncoder::new(encoder.schema().clone(), secret));
        self
    }

    /// The columns that a clkhash profile hashes as they are written; a reader is to keep them with
    /// [`Identity::set_columns`](super::Identity::set_columns).
    #[must_use]
    pub fn clkhash_columns(&self) -> Option<&[String]> {
        let encoder = self.clkhash.as_ref();
        encoder.map(|encoder| encoder.schema().columns())
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
        self.encode_with(record, &mut EncodeScratch::new())
    }

    /// As [`Encoder::encode`], in memory that is used again for the next record.
    #[must_use]
    pub fn encode_with(
        &self,
        record: &SourceRecord,
        scratch: &mut EncodeScratch,
    ) -> RecordEncoding {
        self.encode_in(record, scratch, [Vec::new(), Vec::new()])
    }

    /// As [`Encoder::encode_with`], with the filters and tags in the memory of others that are no
    /// longer needed.
    #[must_use]
    pub fn encode_in(
        &self,
        record: &SourceRecord,
        scratch: &mut EncodeScratch,
        [mut filters, mut tags]: [Vec<u64>; 2],
    ) -> RecordEncoding {
        filters.clear();
        filters.resize(self.layout.filter_words(), 0);
        tags.clear();
        tags.resize(self.layout.tag_slots(), 0);
        let mut encoding = RecordEncoding {
            record_ref: record.record_ref.clone(),
            version: record.version,
            kind: record.kind,
            year: if self.layout.event_year() {
                record.year
            } else {
                0
            },
            flags: record.flags,
            presence: 0,
            filters,
            tags,
        };
        for (index, filter) in self.filters.iter().enumerate() {
            let out = &mut encoding.filters[self.layout.filter_range(index)];
            if filter.make(
                &record.identity,
                &record.record_ref,
                &mut scratch.filter,
                out,
            ) {
                encoding.presence |= self.layout.filter_bit(index);
            }
        }
        if let Some(clkhash) = &self.clkhash {
            let row = record.identity.columns();
            let made = row.len() == clkhash.schema().columns().len()
                && clkhash.encode(row, &mut encoding.filters).is_ok();
            if made && encoding.filters.iter().any(|word| *word != 0) {
                encoding.presence |= self.layout.filter_bit(0);
            }
        }
        encoding.presence |= self.make_tags(record, scratch, &mut encoding.tags);
        encoding
    }

    /// Writes all tags and says which there are.
    fn make_tags(
        &self,
        record: &SourceRecord,
        scratch: &mut EncodeScratch,
        row: &mut [u64],
    ) -> u64 {
        let mut presence = 0;
        let EncodeScratch {
            values,
            messages,
            padding,
            ..
        } = scratch;
        messages.clear();
        if let Some(key) = &self.padding_key {
            padding.draw(key, &record.record_ref, row.len());
        }
        values.read(&record.identity, &self.needed);
        for (index, tag) in self.tags.iter().enumerate() {
            if tag.make(&record.identity, values, messages, padding, row) {
                presence |= self.layout.tag_bit(index);
            }
        }
        self.tags_key.numbers(messages, row);
        messages.clear();
        for tag in &self.tags {
            tag.make_bucket(values, messages, row);
        }
        if messages.count() > 0 {
            self.tags_key.numbers(messages, row);
        }
        for (index, tag) in self.tags.iter().enumerate() {
            if presence & self.layout.tag_bit(index) != 0 {
                row[tag.slots()]
                    .iter_mut()
                    .for_each(|slot| *slot = (*slot).max(1));
            }
        }
        presence
    }
}

/// The attributes that some tag binds, each once.
fn needed(profile: &LinkageProfile) -> Vec<Attribute> {
    let of_a_tag = |attribute: &Attribute| {
        let mut tags = profile.tags.iter();
        tags.any(|tag| tag.attributes().contains(attribute))
    };
    Attribute::ALL.iter().copied().filter(of_a_tag).collect()
}

#[cfg(test)]
mod bucket_tests;
#[cfg(test)]
mod slot_tests;
#[cfg(test)]
mod spelling_tests;
#[cfg(test)]
mod tests;
