//! Header of an encoding file: what the encodings are, and of what they are made.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};

use crate::encode::key::SecretFingerprint;
use crate::terms::profile::{Fingerprint, LinkageProfile};
use crate::terms::{ENCODING_BYTES_MAX, SourceId};

/// One filter's name and length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterShape {
    /// Name in the profile.
    pub name: String,
    /// Length in bits, a multiple of 64.
    pub bits: u32,
}

/// What an encoding file says before its first record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodingHeader {
    /// Name of the linkage profile.
    pub profile: String,
    /// Fingerprint of the linkage profile.
    pub profile_fingerprint: Fingerprint,
    /// Epoch.
    pub epoch: String,
    /// Who encoded.
    pub source: SourceId,
    /// Fingerprint of the linkage secret.
    pub secret_fingerprint: SecretFingerprint,
    /// The filters, in order.
    pub filters: Vec<FilterShape>,
    /// Names of the tags, in order.
    pub tags: Vec<String>,
    /// Slots of all tags of a row.
    pub tag_slots: usize,
    /// When the file was begun, seconds since 1970-01-01 UTC.
    pub created_unix_s: u64,
}

/// The header as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    profile: String,
    profile_fingerprint: String,
    epoch: String,
    source: SourceId,
    secret_fingerprint: String,
    filters: Vec<FilterShape>,
    tags: Vec<String>,
    /// Left out where each tag has one slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag_slots: Option<usize>,
    created_unix_s: u64,
}

impl EncodingHeader {
    /// Header for encodings under a profile.
    #[must_use]
    pub fn new(
        profile: &LinkageProfile,
        epoch: &str,
        source: &SourceId,
        secret_fingerprint: SecretFingerprint,
        created_unix_s: u64,
    ) -> Self {
        let filters = profile.filters.iter().map(|filter| FilterShape {
            name: filter.name.clone(),
            bits: filter.bits,
        });
        Self {
            profile: profile.name.clone(),
            profile_fingerprint: profile.fingerprint(),
            epoch: epoch.into(),
            source: source.clone(),
            secret_fingerprint,
            filters: filters.collect(),
            tags: profile.tags.iter().map(|tag| tag.name.clone()).collect(),
            tag_slots: profile.layout().tag_slots(),
            created_unix_s,
        }
    }

    /// Words of all filters of a row.
    #[must_use]
    pub fn filter_words(&self) -> usize {
        let words = self.filters.iter().map(|filter| filter.bits as usize / 64);
        words.sum()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let raw = RawHeader {
            profile: self.profile.clone(),
            profile_fingerprint: self.profile_fingerprint.to_string(),
            epoch: self.epoch.clone(),
            source: self.source.clone(),
            secret_fingerprint: self.secret_fingerprint.to_string(),
            filters: self.filters.clone(),
            tags: self.tags.clone(),
            tag_slots: (self.tag_slots != self.tags.len()).then_some(self.tag_slots),
            created_unix_s: self.created_unix_s,
        };
        serde_json::to_vec(&raw).expect("strings, numbers and lists always serialise")
    }

    /// Reads the JSON; `None` if it is not a header that this version writes.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let raw: RawHeader = serde_json::from_slice(json).ok()?;
        let words: u64 = raw.filters.iter().map(|f| u64::from(f.bits) / 64).sum();
        let tag_slots = raw.tag_slots.unwrap_or(raw.tags.len());
        let fits = words.saturating_add(tag_slots as u64) <= ENCODING_BYTES_MAX as u64 / 8;
        if !fits
            || tag_slots < raw.tags.len()
            || raw
                .filters
                .iter()
                .any(|f| f.bits == 0 || !f.bits.is_multiple_of(64))
        {
            return None;
        }
        Some(Self {
            profile: raw.profile,
            profile_fingerprint: Fingerprint(from_hex(&raw.profile_fingerprint)?),
            epoch: raw.epoch,
            source: raw.source,
            secret_fingerprint: SecretFingerprint(from_hex(&raw.secret_fingerprint)?),
            filters: raw.filters,
            tags: raw.tags,
            tag_slots,
            created_unix_s: raw.created_unix_s,
        })
    }
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}
