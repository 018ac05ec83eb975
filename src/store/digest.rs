//! What a store amounts to, in 96 bytes: two stores that hold the same records, index and entities
//! have the same digest, however they came to hold them.

use super::catalogue::Catalogue;
use super::fault::StorageFault;
use super::index::IndexError;
use super::log::log_path;
use super::segment::read_directory;
use super::{Store, inner::Inner};

/// Digest of a store's content. It does not depend on how submissions cut the records up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreDigest {
    /// Over the live records: source, record ref, version, content.
    pub records: [u8; 32],
    /// Over the published entities: source, record ref, entity; zero before the first publication.
    pub published: [u8; 32],
    /// Over the index: every key and value, so also where each record lies.
    pub index: [u8; 32],
}

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// A segment is damaged or cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// The index did not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Store {
    /// Reads everything that is live and gives its digest. Takes 16 bytes of memory per record.
    ///
    /// # Errors
    /// [`DigestError`].
    pub fn digest(&self) -> Result<StoreDigest, DigestError> {
        // No submission comes between the records and the index.
        let _commit = self.inner.commit_lock();
        let records = records(&self.inner, &self.inner.catalogue())?;
        let mut published = [0; 32];
        if let Some(publication) = self.published() {
            let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/published-digest");
            for (source, record_ref, entity) in publication.iter() {
                hasher
                    .update(source.as_str().as_bytes())
                    .update(&[0])
                    .update(record_ref.as_str().as_bytes())
                    .update(&[0])
                    .update(entity.to_hex().as_bytes());
            }
            published = *hasher.finalize().as_bytes();
        }
        let mut index = blake3::Hasher::new_derive_key("musubi/v1/index-digest");
        self.inner.each_indexed(&mut |key, known| {
            index
                .update(&(key.len() as u64).to_le_bytes())
                .update(key)
                .update(&known.location.segment.to_le_bytes())
                .update(&known.location.generation.to_le_bytes())
                .update(&known.location.row.to_le_bytes())
                .update(&known.version.to_le_bytes())
                .update(&known.content);
        })?;
        Ok(StoreDigest {
            records,
            published,
            index: *index.finalize().as_bytes(),
        })
    }
}

/// Digest of the live records, whatever their order.
fn records(inner: &Inner, catalogue: &Catalogue) -> Result<[u8; 32], StorageFault> {
    let mut hashes: Vec<[u8; 16]> = Vec::new();
    for submission in &catalogue.submissions {
        let (Some(binding), Some(segment)) = (&catalogue.binding, &submission.segment) else {
            continue;
        };
        let committed = &submission.committed;
        let expected = binding
            .expected(committed, segment)
            .map_err(|rule| StorageFault::damaged(&log_path(inner.disk.root()), 0, rule))?;
        for (row, record, label) in read_directory(&inner.disk, &expected)?.iter() {
            if submission.live.contains(row) {
                let mut hasher = blake3::Hasher::new();
                hasher
                    .update(committed.source.as_str().as_bytes())
                    .update(&[0])
                    .update(label.as_bytes())
                    .update(&[0])
                    .update(&record.version.to_le_bytes())
                    .update(&record.content);
                let hash = *hasher.finalize().as_bytes();
                hashes.push(*hash.first_chunk().expect("32 bytes have a first half"));
            }
        }
    }
    hashes.sort_unstable();
    let mut digest = blake3::Hasher::new_derive_key("musubi/v1/records-digest");
    digest.update(hashes.as_flattened());
    Ok(*digest.finalize().as_bytes())
}
