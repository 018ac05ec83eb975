//! Writes a segment while records stream in: filters go straight to the file, the other columns to
//! spool files that are appended at the end. Memory does not grow with the number of records.

use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{DirectoryRow, RowLocation, header};
use crate::store::disk::{self, Disk, PartialFile};
use crate::store::fault::{Explain, StorageFault};
use crate::store::sealed::{Seal, SealedWriter};
use crate::store::vfs::BoxedFile;
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
    packed: Vec<u8>,
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
        disk: &Disk,
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
            packed: Vec::new(),
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
        content: super::ContentHalf,
        replaced: Option<RowLocation>,
    ) -> Result<(), StorageFault> {
        let label = encoding.record_ref.as_str().as_bytes();
        let row = DirectoryRow {
            presence: encoding.presence,
            ref_start: self.refs_bytes,
            content,
            version: encoding.version,
            flags: encoding.flags,
            ref_bytes: label.len() as u8,
            kind: encoding.kind,
        };
        pack(&encoding.filters, &mut self.packed);
        self.body.write(&self.packed)?;
        pack(&encoding.tags, &mut self.packed);
        self.tags.write(&self.packed)?;
        self.directory.write(&row.encode())?;
        self.refs.write(label)?;
        self.refs_bytes += label.len() as u64;
        self.rows += 1;
        self.replaced.extend(replaced);
        Ok(())
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

/// A column on disk; dropping it removes the file.
struct Spool {
    path: PathBuf,
    out: BufWriter<BoxedFile>,
    _guard: PartialFile,
}

impl Spool {
    fn create(disk: &Disk, path: PathBuf) -> Result<Self, StorageFault> {
        Ok(Self {
            out: BufWriter::with_capacity(1 << 16, disk.create(&path)?),
            _guard: disk.partial(path.clone()),
            path,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageFault> {
        self.out.write_all(bytes).explain("write", &self.path)
    }

    fn drain_into(mut self, body: &mut SealedWriter) -> Result<(), StorageFault> {
        self.out.flush().explain("write", &self.path)?;
        let file = self.out.get_mut();
        file.seek(SeekFrom::Start(0)).explain("read", &self.path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer).explain("read", &self.path)?;
            if count == 0 {
                return Ok(());
            }
            body.write(&buffer[..count])?;
        }
    }
}
