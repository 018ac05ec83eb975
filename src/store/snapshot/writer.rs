//! Writes a snapshot.

use super::format::{HistoryCounts, RefEntry, encode_source, header};
use super::history::History;
use super::{Lines, Published, directory};
use crate::store::disk::{self, PartialFile};
use crate::store::fault::StorageFault;
use crate::store::sealed::{Seal, SealedWriter};
use crate::store::vault::Vault;

/// Writes the snapshot under a temporary name; its content is on stable storage on return.
pub(in crate::store) fn write(
    disk: &Vault,
    published: &Published,
) -> Result<(PartialFile, Seal), StorageFault> {
    let snapshot = &published.0;
    let (lines, history) = (&snapshot.lines, &snapshot.history);
    let path = directory(disk.root()).join(format!("{}.{}", lines.run, disk::PARTIAL));
    let mut body = SealedWriter::create(disk, &path)?;
    body.write(&header(lines.run, &HistoryCounts::of(history)))?;
    for (name, start) in lines.sources.iter().zip(&lines.starts) {
        body.write(&encode_source(name, *start))?;
    }
    body.align()?;
    for place in &lines.entities {
        body.write(&place.to_le_bytes())?;
    }
    body.align()?;
    let own_bytes = write_refs(&mut body, lines)?;
    write_history(&mut body, history)?;
    body.finish([
        lines.entities.len() as u64,
        lines.sources.len() as u64,
        own_bytes,
        snapshot.entity_count,
    ])
}

/// Writes the record refs, each as what differs from the one before; gives the bytes of the differences.
fn write_refs(body: &mut SealedWriter, lines: &Lines) -> Result<u64, StorageFault> {
    let mut own_bytes = 0;
    each_ref(lines, |entry, _| {
        own_bytes += u64::from(entry.own);
        body.write(&[entry.shared, entry.own])
    })?;
    body.align()?;
    each_ref(lines, |_, own| body.write(own))?;
    body.align()?;
    Ok(own_bytes)
}

fn each_ref(
    lines: &Lines,
    mut write: impl FnMut(RefEntry, &[u8]) -> Result<(), StorageFault>,
) -> Result<(), StorageFault> {
    for rows in lines.starts.windows(2) {
        let mut before = "";
        for row in rows[0] as u32..rows[1] as u32 {
            let label = lines.refs.text(row);
            let entry = RefEntry::after(before, label);
            write(entry, &label.as_bytes()[usize::from(entry.shared)..])?;
            before = label;
        }
    }
    Ok(())
}

fn write_history(body: &mut SealedWriter, history: &History) -> Result<(), StorageFault> {
    for run in &history.runs {
        body.write(&run.encode())?;
    }
    body.align()?;
    for id in &history.issued {
        body.write(&id.to_le_bytes())?;
    }
    body.align()?;
    for number in &history.issued_in {
        body.write(&number.to_le_bytes())?;
    }
    body.align()?;
    for event in &history.events {
        body.write(&event.encode())?;
    }
    body.align()
}
