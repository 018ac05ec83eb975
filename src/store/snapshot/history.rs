//! What became of every entity ID that was ever published. Kept in each snapshot, so it is as durable
//! as the publication; it names IDs only, no record.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::Published;
use crate::terms::{Churn, EntityId, IdState, RunId, SourceId};

pub(super) const PUBLICATION_BYTES: usize = 40;
pub(super) const EVENT_BYTES: usize = 40;

/// A publication as the history knows it.
#[derive(Clone, Copy)]
pub(super) struct HistoricRun {
    pub(super) run: RunId,
    /// When the run was asked for, seconds since 1970, UTC; 0 if nobody knows.
    pub(super) created_unix_s: u64,
}

/// How an ID changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Change {
    /// It ended; all its records went to `other`.
    Merged = 1,
    /// Some of its records went to `other`.
    Split = 2,
    /// It ended; its records, if it had any, went to several.
    Ended = 3,
}

/// A change of an ID, in order of ID, publication, change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) id: u128,
    /// Number of the publication, from 0.
    pub(super) publication: u32,
    pub(super) change: Change,
    /// The other ID; 0 for [`Change::Ended`].
    pub(super) other: u128,
}

/// Every ID ever published and what became of it.
#[derive(Clone, Default)]
pub(super) struct History {
    /// Publications, oldest first.
    pub(super) runs: Vec<HistoricRun>,
    /// IDs ever published, ascending.
    pub(super) issued: Vec<u128>,
    /// Number of the publication that issued each.
    pub(super) issued_in: Vec<u32>,
    pub(super) events: Vec<Event>,
}

impl History {
    /// The history after a publication of `count` records, `line(at)` being the record and its entity
    /// in (source, record ref) order; and what it changed.
    pub(super) fn after<'a>(
        before: Option<&Published>,
        run: HistoricRun,
        count: usize,
        line: impl Fn(usize) -> (&'a SourceId, &'a str, u128),
    ) -> (Self, Churn) {
        let mut history = before.map(|it| it.0.history.clone()).unwrap_or_default();
        if let (Some(before), true) = (before, history.runs.is_empty()) {
            history.begin(before);
        }
        let publication = history.runs.len() as u32;
        history.runs.push(run);
        let mut now: Vec<u128> = (0..count).map(|at| line(at).2).collect();
        now.par_sort_unstable();
        now.dedup();
        let mut churn = Churn::default();
        if let Some(before) = before {
            churn = history.add_changes(before, publication, &now, count, line);
        }
        let known = &history.issued;
        let fresh: Vec<u128> = (now.into_iter())
            .filter(|id| known.binary_search(id).is_err())
            .collect();
        churn.created = fresh.len() as u64;
        history.issue(fresh, publication);
        (history, churn)
    }

    /// Notes what became of the IDs of the publication before. `now`: IDs in force, ascending.
    fn add_changes<'a>(
        &mut self,
        before: &Published,
        publication: u32,
        now: &[u128],
        count: usize,
        line: impl Fn(usize) -> (&'a SourceId, &'a str, u128),
    ) -> Churn {
        let mut moved = moves(before, count, line);
        moved.par_sort_unstable();
        moved.dedup();
        let old = ids(before);
        let mut churn = Churn {
            existing: old.len() as u64,
            ..Churn::default()
        };
        let mut moved = moved.into_iter().peekable();
        for id in old {
            let mut others = Vec::new();
            while let Some((_, other)) = moved.next_if(|(from, _)| *from == id) {
                others.push(other);
            }
            let goes_on = now.binary_search(&id).is_ok();
            let (change, ended) = match (goes_on, others.len()) {
                (true, 0) => continue,
                (false, 1) => (Change::Merged, false),
                (goes_on, _) => (Change::Split, !goes_on),
            };
            match (change, others.is_empty()) {
                (_, true) => churn.retired += 1,
                (Change::Merged, _) => churn.merged += 1,
                _ => churn.split += 1,
            }
            let event = |change, other| Event {
                id,
                publication,
                change,
                other,
            };
            self.events
                .extend(others.into_iter().map(|other| event(change, other)));
            if ended {
                self.events.push(event(Change::Ended, 0));
            }
        }
        self.events.sort_unstable();
        churn
    }

    /// Begins with a publication that was made before there was a history.
    fn begin(&mut self, before: &Published) {
        self.runs.push(HistoricRun {
            run: before.run(),
            created_unix_s: 0,
        });
        self.issue(ids(before), 0);
    }

    /// Adds IDs, ascending, none of which was ever issued.
    fn issue(&mut self, fresh: Vec<u128>, publication: u32) {
        let known = std::mem::take(&mut self.issued);
        let known = known.into_iter().zip(std::mem::take(&mut self.issued_in));
        let mut all: Vec<(u128, u32)> = known
            .chain(fresh.into_iter().map(|id| (id, publication)))
            .collect();
        all.par_sort_unstable();
        (self.issued, self.issued_in) = all.into_iter().unzip();
    }

    /// Number of the publication that issued an ID.
    fn issued_in(&self, id: u128) -> Option<u32> {
        let at = self.issued.binary_search(&id).ok()?;
        Some(self.issued_in[at])
    }

    fn events_of(&self, id: u128) -> &[Event] {
        let start = self.events.partition_point(|event| event.id < id);
        let end = self.events.partition_point(|event| event.id <= id);
        &self.events[start..end]
    }

    /// Adds to `found` the IDs that hold at publication `until` what `id` held at `from`.
    fn follow(&self, id: u128, from: u32, until: u32, found: &mut BTreeSet<u128>) {
        let later = |event: &&Event| event.publication > from && event.publication <= until;
        for event in self.events_of(id).iter().filter(later) {
            match event.change {
                Change::Merged => return self.follow(event.other, event.publication, until, found),
                Change::Split => self.follow(event.other, event.publication, until, found),
                Change::Ended => return,
            }
        }
        found.insert(id);
    }

    /// Whether an ID had ended by publication `at`.
    fn has_ended(&self, id: u128, at: u32) -> bool {
        let ends = |event: &Event| event.change != Change::Split && event.publication <= at;
        self.events_of(id).iter().any(ends)
    }
}

/// IDs in force, ascending.
fn ids(published: &Published) -> Vec<u128> {
    let mut ids = published.0.entities.clone();
    ids.par_sort_unstable();
    ids.dedup();
    ids
}

/// IDs before and now of the records that belong to another entity now.
fn moves<'a>(
    before: &Published,
    count: usize,
    line: impl Fn(usize) -> (&'a SourceId, &'a str, u128),
) -> Vec<(u128, u128)> {
    let snapshot = &before.0;
    let mut moved = Vec::new();
    let mut at = 0;
    for row in 0..before.len() {
        let was = (&snapshot.sources[snapshot.source(row)], snapshot.label(row));
        while at < count && (line(at).0, line(at).1) < was {
            at += 1;
        }
        if at < count {
            let (source, label, now) = line(at);
            if (source, label) == was && now != snapshot.entities[row] {
                moved.push((snapshot.entities[row], now));
            }
        }
    }
    moved
}

impl Published {
    /// What became of an ID: now, or as it stood after run `as_of`. `None` if no publication up to then
    /// had it, or `as_of` published nothing.
    ///
    /// An ID whose records were all erased since is [`IdState::Erased`] at any time.
    #[must_use]
    pub fn id_state(&self, id: EntityId, as_of: Option<RunId>) -> Option<IdState> {
        let history = &self.0.history;
        let id = id.as_u128();
        let last = history.runs.len() as u32;
        let until = match as_of {
            None => last,
            Some(run) => history.runs.iter().position(|it| it.run == run)? as u32,
        };
        let Some(issued) = history.issued_in(id) else {
            // Published before there was a history.
            return self.is_in_force(id).then_some(IdState::Current);
        };
        if issued > until {
            return None;
        }
        let mut found = BTreeSet::new();
        history.follow(id, issued, until, &mut found);
        if found.is_empty() {
            return Some(IdState::Retired);
        }
        let mut today = BTreeSet::new();
        for one in &found {
            history.follow(*one, until, last, &mut today);
        }
        if !today.is_empty() && !today.iter().any(|one| self.is_in_force(*one)) {
            return Some(IdState::Erased);
        }
        let others: Vec<EntityId> = found.iter().map(|id| EntityId::from_u128(*id)).collect();
        Some(match &others[..] {
            [one] if one.as_u128() == id => IdState::Current,
            [one] => IdState::Merged(*one),
            _ => IdState::Split(others),
        })
    }

    /// How the IDs in force after one run had changed after a later one. `None` if one of the two
    /// published nothing, or the first is not the older.
    #[must_use]
    pub fn churn_between(&self, from: RunId, to: RunId) -> Option<Churn> {
        let history = &self.0.history;
        let number = |run| history.runs.iter().position(|it| it.run == run);
        let (from, to) = (number(from)? as u32, number(to)? as u32);
        if from > to {
            return None;
        }
        let mut churn = Churn::default();
        for (id, issued) in history.issued.iter().zip(&history.issued_in) {
            if *issued > from {
                churn.created += u64::from(*issued <= to);
                continue;
            }
            if history.has_ended(*id, from) {
                continue;
            }
            churn.existing += 1;
            let mut found = BTreeSet::new();
            history.follow(*id, from, to, &mut found);
            match (found.len(), found.contains(id)) {
                (1, true) => {}
                (0, _) => churn.retired += 1,
                (1, false) => churn.merged += 1,
                _ => churn.split += 1,
            }
        }
        Some(churn)
    }

    /// The last publication of a run that was asked for by then, seconds since 1970, UTC.
    #[must_use]
    pub fn run_by(&self, unix_s: u64) -> Option<RunId> {
        let runs = self.0.history.runs.iter().rev();
        let mut earlier = runs.filter(|it| it.created_unix_s <= unix_s);
        earlier.next().map(|it| it.run)
    }

    fn is_in_force(&self, id: u128) -> bool {
        let snapshot = &self.0;
        let entity_at = |row: &u32| snapshot.entities[*row as usize];
        let at = (snapshot.by_entity).partition_point(|row| entity_at(row) < id);
        snapshot
            .by_entity
            .get(at)
            .is_some_and(|row| entity_at(row) == id)
    }
}

impl HistoricRun {
    pub(super) fn encode(&self) -> [u8; PUBLICATION_BYTES] {
        let mut bytes = [0; PUBLICATION_BYTES];
        bytes[..32].copy_from_slice(self.run.to_string().as_bytes());
        bytes[32..].copy_from_slice(&self.created_unix_s.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: [u8; PUBLICATION_BYTES]) -> Option<Self> {
        let (run, seconds) = bytes.split_at(32);
        Some(Self {
            run: RunId::from_hex(std::str::from_utf8(run).ok()?).ok()?,
            created_unix_s: u64::from_le_bytes(seconds.try_into().ok()?),
        })
    }
}

impl Event {
    pub(super) fn encode(&self) -> [u8; EVENT_BYTES] {
        let mut bytes = [0; EVENT_BYTES];
        bytes[..16].copy_from_slice(&self.id.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.other.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.publication.to_le_bytes());
        bytes[36..].copy_from_slice(&(self.change as u32).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: [u8; EVENT_BYTES]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (other, rest) = rest.split_first_chunk()?;
        let (publication, rest) = rest.split_first_chunk()?;
        let (change, _) = rest.split_first_chunk()?;
        Some(Self {
            id: u128::from_le_bytes(*id),
            other: u128::from_le_bytes(*other),
            publication: u32::from_le_bytes(*publication),
            change: match u32::from_le_bytes(*change) {
                1 => Change::Merged,
                2 => Change::Split,
                3 => Change::Ended,
                _ => return None,
            },
        })
    }
}
