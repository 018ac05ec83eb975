//! Writes a segment while records stream in: filters go straight to the file, the other columns to
//! spool files that are appended at the end. Memory does not grow with the number of records.

use super::spool::Spool;
use super::{DirectoryRow, RowLocation, header};
use crate::store::crypt::ContentMark;
use crate::store::disk::{self, PartialFile};
use crate::store::fault::StorageFault;
use crate::store::sealed::{Seal, SealedWriter};
use crate::store::vault::Vault;
use crate::terms::profile::Layout;
use crate::terms::{Fingerprint, RecordEncoding, SourceId};

/// A segment being written.
pub(in crate::store) struct SegmentWriter {
    body: SealedWriter,
    tags: Spool,
    directory: Spool,
    refs: Spool,
    replaced: Vec<RowLocation>,
    rows: u32,
    refs_bytes: u64,
    /// Room for the filters and tags of a row as bytes.
    packed: (Vec<u8>, Vec<u8>),
}

/// A finished segment under its temporary name.
pub(in crate::store) struct FinishedSegment {
    /// The file, durable.
    pub(in crate::store) file: PartialFile,
    /// Its seal.
    pub(in crate::store) seal: Seal,
    /// Rows.
    pub(in crate::store) rows: u32,
    /// Rows of older segments that its rows replace.
    pub(in crate::store) replaced: Vec<RowLocation>,
}

impl SegmentWriter {
    /// Starts a segment; `stem` is a name that no other open segment has.
    pub(in crate::store) fn create(
        disk: &Vault,
        stem: &str,
        source: &SourceId,
        profile: Fingerprint,
        layout: &Layout,
    ) -> Result<Self, StorageFault> {
        let directory = super::directory(disk.root());
        let path = |part: &str| directory.join(format!("{stem}-{part}.{}", disk::PARTIAL));
        let mut body = SealedWriter::create(disk, &path("segment"))?;
        body.write(&header(source, profile, layout))?;
        Ok(Self {
            body,
            tags: Spool::create(disk, path("tags"))?,
            directory: Spool::create(disk, path("directory"))?,
            refs: Spool::create(disk, path("refs"))?,
            replaced: Vec::new(),
            rows: 0,
            refs_bytes: 0,
            packed: Default::default(),
        })
    }

    /// Rows so far.
    pub(in crate::store) fn rows(&self) -> u32 {
        self.rows
    }

    /// Adds a record, which takes the place of `replaced` if given.
    pub(in crate::store) fn push(
        &mut self,
        encoding: &RecordEncoding,
        content: ContentMark,
        replaced: Option<RowLocation>,
    ) -> Result<(), StorageFault> {
        let label = encoding.record_ref.as_str();
        let row = DirectoryRow {
            presence: encoding.presence,
            ref_start: 0,
            content,
            version: encoding.version,
            year: encoding.year,
            flags: encoding.flags,
            ref_bytes: label.len() as u8,
            kind: encoding.kind,
        };
        let (mut filters, mut tags) = std::mem::take(&mut self.packed);
        pack(&encoding.filters, &mut filters);
        pack(&encoding.tags, &mut tags);
        self.push_row(row, label, &filters, &tags)?;
        self.packed = (filters, tags);
        self.replaced.extend(replaced);
        Ok(())
    }

    /// Adds a row with its filters and tags as bytes.
    pub(in crate::store) fn push_row(
        &mut self,
        row: DirectoryRow,
        label: &str,
        filters: &[u8],
        tags: &[u8],
    ) -> Result<(), StorageFault> {
        let row = DirectoryRow {
            ref_start: self.refs_bytes,
            ..row
        };
        self.body.write(filters)?;
        self.tags.write(tags)?;
        self.directory.write(&row.encode())?;
        self.refs.write(label.as_bytes())?;
        self.refs_bytes += label.len() as u64;
        self.rows += 1;
        Ok(())
    }

    /// Says that rows of other segments are dead.
    pub(in crate::store) fn keep_replaced(&mut self, replaced: Vec<RowLocation>) {
        self.replaced.extend(replaced);
    }

    /// Puts the sections together. The file's content is on stable storage on return.
    pub(in crate::store) fn finish(mut self) -> Result<FinishedSegment, StorageFault> {
        for spool in [self.tags, self.directory, self.refs] {
            self.body.align()?;
            spool.drain_into(&mut self.body)?;
        }
        self.body.align()?;
        for location in &self.replaced {
            self.body.write(&location.encode())?;
        }
        self.body.align()?;
        let counts = [
            u64::from(self.rows),
            self.refs_bytes,
            self.replaced.len() as u64,
            0,
        ];
        let (file, seal) = self.body.finish(counts)?;
        Ok(FinishedSegment {
            file,
            seal,
            rows: self.rows,
            replaced: self.replaced,
        })
    }
}

fn pack(words: &[u64], packed: &mut Vec<u8>) {
    packed.clear();
    packed.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}
