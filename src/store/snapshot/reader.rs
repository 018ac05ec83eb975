//! Reads a snapshot and checks all of it.

use std::sync::Arc;

use rayon::prelude::*;

use super::format::{HEADER_BYTES, HistoryCounts, RefEntry, decode_source};
use super::history::{Event, HistoricRun, History};
use super::{Lines, Published, Snapshot, snapshot_path};
use crate::store::fault::StorageFault;
use crate::store::sealed::{Seal, SealedReader};
use crate::store::table::RowRefs;
use crate::store::vault::Vault;
use crate::terms::RunId;

impl Published {
    /// Reads a snapshot and checks all of it.
    pub(in crate::store) fn load(
        disk: &Vault,
        run: RunId,
        generation: u32,
        seal: &Seal,
    ) -> Result<Self, StorageFault> {
        let path = snapshot_path(disk.root(), run, generation);
        let mut reader = SealedReader::open(disk, &path, seal)?;
        let [rows, source_count, refs_bytes, _] = reader.counts();
        let mut bytes = [0; HEADER_BYTES];
        reader.read(&mut bytes)?;
        let Some((version, counts)) = HistoryCounts::of_header(run, &bytes) else {
            return Err(
                reader.fault("the header does not give the format and run that the log names")
            );
        };
        let named = reader.read_values(source_count, decode_source)?;
        let Some(named) = named.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(reader.fault("a source before here has no valid name"));
        };
        let (sources, mut starts): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        starts.push(rows);
        if !starts.is_sorted() || starts[0] != 0 || rows >= u64::from(u32::MAX) {
            return Err(reader.fault("the sources before here do not share out the rows"));
        }
        let (entities, refs, history) = match version {
            1 | 2 => read_in_full(&mut reader, (rows, refs_bytes), run, (version, &counts))?,
            _ => {
                reader.align()?;
                let entities = reader.read_values(rows, u32::from_le_bytes)?;
                let refs = read_refs(&mut reader, (rows, refs_bytes), &starts)?;
                (entities, refs, read_history(&mut reader, &counts)?)
            }
        };
        let known = history.issued.len();
        if entities.par_iter().any(|place| *place as usize >= known) {
            return Err(reader.fault("a record before here has an entity that was never published"));
        }
        reader.finish()?;
        let lines = Lines {
            run,
            sources,
            starts,
            entities,
            refs,
        };
        Ok(Self(Arc::new(Snapshot::new(lines, history))))
    }
}

/// Record refs, each written as what differs from the one before.
fn read_refs(
    reader: &mut SealedReader,
    (rows, own_bytes): (u64, u64),
    starts: &[u64],
) -> Result<RowRefs, StorageFault> {
    reader.align()?;
    let entries = reader.read_values(rows, |[shared, own]| RefEntry { shared, own })?;
    reader.align()?;
    let bytes: u64 = (entries.iter())
        .map(|it| u64::from(it.shared) + u64::from(it.own))
        .sum();
    let own: u64 = entries.iter().map(|it| u64::from(it.own)).sum();
    if own != own_bytes {
        return Err(reader.fault("the record refs do not have their lengths"));
    }
    let mut text: Vec<u8> = Vec::with_capacity(bytes as usize);
    let mut ends = Vec::with_capacity(entries.len());
    let mut before = 0;
    let mut starts = starts.iter().peekable();
    for (row, RefEntry { shared, own }) in (0..).zip(entries) {
        // The first of a source shares nothing.
        while starts.next_if(|start| **start <= row).is_some() {
            before = text.len();
        }
        let (start, shared) = (text.len(), usize::from(shared));
        if before + shared > start {
            return Err(reader.fault("a record ref shares more than the one before it has"));
        }
        text.extend_from_within(before..before + shared);
        text.resize(text.len() + usize::from(own), 0);
        reader.read(&mut text[start + shared..])?;
        ends.push(text.len() as u64);
        before = start;
    }
    let refs = String::from_utf8(text).ok();
    let refs = refs.and_then(|text| RowRefs::of_parts(text, ends));
    refs.ok_or_else(|| reader.fault("the record refs before here are no text"))
}

fn read_history(
    reader: &mut SealedReader,
    counts: &HistoryCounts,
) -> Result<History, StorageFault> {
    reader.align()?;
    let runs = reader.read_values(u64::from(counts.runs), HistoricRun::decode)?;
    reader.align()?;
    let issued = reader.read_values(counts.issued, u128::from_le_bytes)?;
    reader.align()?;
    let issued_in = reader.read_values(counts.issued, u32::from_le_bytes)?;
    reader.align()?;
    let events = reader.read_values(counts.events, Event::decode)?;
    let runs = runs.into_iter().collect::<Option<Vec<_>>>();
    let events = events.into_iter().collect::<Option<Vec<_>>>();
    let (Some(runs), Some(events)) = (runs, events) else {
        return Err(reader.fault("the history before here names no run or no change"));
    };
    let in_order = events.is_sorted()
        && issued.is_sorted()
        && issued_in.iter().all(|number| *number < counts.runs)
        && events.iter().all(|event| event.publication < counts.runs);
    if !in_order {
        return Err(reader.fault("the history before here is out of order"));
    }
    Ok(History {
        runs,
        issued,
        issued_in,
        events,
    })
}

/// Entities, record refs and history as versions 1 and 2 have them.
fn read_in_full(
    reader: &mut SealedReader,
    (rows, refs_bytes): (u64, u64),
    run: RunId,
    (version, counts): (u32, &HistoryCounts),
) -> Result<(Vec<u32>, RowRefs, History), StorageFault> {
    reader.align()?;
    let entities = reader.read_values(rows, u128::from_le_bytes)?;
    reader.align()?;
    let ends = reader.read_values(rows, u64::from_le_bytes)?;
    reader.align()?;
    let text = reader.read_text(refs_bytes)?;
    let Some(refs) = RowRefs::of_parts(text, ends) else {
        return Err(reader.fault("the record refs before here contradict each other"));
    };
    reader.align()?;
    // Row numbers by entity, which a reader makes itself.
    reader.skip(rows * 4)?;
    let history = if version == 1 {
        let mut ids = entities.clone();
        ids.par_sort_unstable();
        ids.dedup();
        History::of_first(run, ids)
    } else {
        read_history(reader, counts)?
    };
    let places = entities.par_iter().map(|id| {
        let place = history.issued.binary_search(id);
        place.ok().map(|place| place as u32)
    });
    let Some(places) = places.collect::<Option<Vec<u32>>>() else {
        return Err(reader.fault("a record before here has an entity that was never published"));
    };
    Ok((places, refs, history))
}
