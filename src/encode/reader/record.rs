//! From one entry of a file to a record: normalising, and what travels in clear. Pure, so that many
//! entries can be worked on at once.

use std::hash::{BuildHasher, RandomState};

use super::{Entry, RowRefusal};
use crate::encode::field::Field;
use crate::encode::identity::{Identity, SourceRecord};
use crate::encode::map::MapFile;
use crate::encode::normalise::event::event_facts;
use crate::encode::normalise::{Note, Rule, normalise_into};
use crate::terms::{AttributeSet, EventKind, RecordFlag, RecordRef, SourceId};

/// Makes records of entries. The same entry gives the same record on every thread.
#[derive(Clone)]
pub struct Recorder {
    map: MapFile,
    source: SourceId,
    /// Hashes record refs, with keys of this file alone.
    ref_hashers: [RandomState; 2],
}

/// What became of one entry, but for its values: what a report is made of.
pub struct Recorded {
    /// Where the entry begins, from 1.
    pub line: u64,
    /// Keyed by the reader: what tells its record ref from others; or why there is no record.
    pub outcome: Result<[u8; 16], RowRefusal>,
    /// Fields that ran into a rule.
    pub notes: Vec<Note>,
    /// Attributes of the record.
    pub filled: AttributeSet,
    /// Whether it is a further name of a person.
    pub is_alias: bool,
}

impl Recorder {
    pub(super) fn new(map: &MapFile, source: &SourceId) -> Self {
        Self {
            map: map.clone(),
            source: source.clone(),
            ref_hashers: [RandomState::new(), RandomState::new()],
        }
    }

    /// Makes a record of an entry; `None` together with a refusal in [`Recorded::outcome`].
    #[must_use]
    pub fn record(&self, entry: &Entry) -> (Recorded, Option<SourceRecord>) {
        self.record_in(entry, Identity::default())
    }

    /// As [`Recorder::record`], in the memory of an identity that is no longer needed.
    #[must_use]
    pub fn record_in(&self, entry: &Entry, spare: Identity) -> (Recorded, Option<SourceRecord>) {
        let mut recorded = Recorded {
            line: entry.line,
            outcome: Err(RowRefusal::NoIdentity),
            notes: Vec::new(),
            filled: AttributeSet::default(),
            is_alias: entry.is_alias,
        };
        match self.make(entry, spare, &mut recorded) {
            Ok(record) => {
                recorded.outcome = Ok(self.ref_hash(&record.record_ref));
                (recorded, Some(record))
            }
            Err(reason) => {
                recorded.outcome = Err(reason);
                (recorded, None)
            }
        }
    }

    /// 128 bits that tell a record ref from others of the file.
    fn ref_hash(&self, record_ref: &RecordRef) -> [u8; 16] {
        let [first, second] = &self.ref_hashers;
        let halves = [first.hash_one(record_ref), second.hash_one(record_ref)];
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&halves[0].to_le_bytes());
        hash[8..].copy_from_slice(&halves[1].to_le_bytes());
        hash
    }

    fn make(
        &self,
        entry: &Entry,
        mut identity: Identity,
        recorded: &mut Recorded,
    ) -> Result<SourceRecord, RowRefusal> {
        if let Some(reason) = entry.refusal {
            return Err(reason);
        }
        let record_ref =
            RecordRef::new(entry.record_ref.trim()).map_err(|_| RowRefusal::RecordRef)?;
        let version = match entry.version.trim() {
            "" => 1,
            written => written
                .parse()
                .ok()
                .filter(|version| *version >= 1)
                .ok_or(RowRefusal::Version)?,
        };
        let mut flags = match entry.flags.trim() {
            "" => 0,
            written => written
                .parse()
                .ok()
                .filter(|flags| flags & RecordFlag::SET_HERE == 0)
                .ok_or(RowRefusal::Flags)?,
        };
        let values = entry.values();
        let (locale, notes) = (self.map.locale, &mut recorded.notes);
        normalise_into(&values, locale, &self.source, notes, &mut identity);
        let kind = self.kind(entry);
        let written = values.get(Field::EventDate);
        let event = event_facts(written, kind, &mut identity, &mut recorded.notes);
        recorded.filled = identity.filled();
        if recorded.filled.is_empty() {
            return Err(RowRefusal::NoIdentity);
        }
        flags |= event.flags;
        if self.map.send_flags {
            flags |= broken_rules(&recorded.notes);
        }
        if entry.is_tracer {
            flags |= RecordFlag::Tracer.bit();
        }
        if !entry.columns.is_empty() {
            identity.set_columns(entry.columns.clone());
        }
        Ok(SourceRecord {
            record_ref,
            version,
            kind,
            year: event.year,
            flags,
            identity,
        })
    }

    fn kind(&self, entry: &Entry) -> EventKind {
        if entry.is_alias {
            return EventKind::Unspecified;
        }
        if self.map.kinds.is_empty() {
            return self.map.kind;
        }
        let told = self.map.kinds.get(entry.kind.trim());
        told.copied().unwrap_or(self.map.kind)
    }
}

/// The flags of the rules that a record ran into.
fn broken_rules(notes: &[Note]) -> u32 {
    let flags = notes.iter().map(|note| match note.rule {
        Rule::PlaceholderDate => RecordFlag::PlaceholderBirthDate.bit(),
        Rule::OutOfEra => RecordFlag::OutOfEra.bit(),
        Rule::InsurerCheckDigit => RecordFlag::InsurerCheckDigit.bit(),
        _ => 0,
    });
    flags.fold(0, |all, flag| all | flag)
}
