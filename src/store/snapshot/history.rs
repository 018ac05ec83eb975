//! What became of every entity ID that was ever published. Kept in each snapshot, so it is as durable
//! as the publication; it names IDs only, no record.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{NONE, Published, Snapshot};
use crate::terms::{Churn, EntityId, IdState, RunId};

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

/// What a publication adds to the history.
pub(super) struct Follows {
    pub(super) history: History,
    /// The entity of each record: its place among the IDs ever published.
    pub(super) entities: Vec<u32>,
    pub(super) churn: Churn,
}

impl History {
    /// The history after a publication of `count` records in (source, record ref) order, `entity(at)`
    /// being the entity of each, and `rows_before[at]` its row in the publication before or [`NONE`].
    ///
    /// `None` if more IDs were ever published than a place can name.
    pub(super) fn after(
        before: Option<&Snapshot>,
        run: HistoricRun,
        entity: impl Fn(usize) -> u128 + Sync,
        rows_before: &[u32],
    ) -> Option<Follows> {
        let mut history = before.map(|it| it.history.clone()).unwrap_or_default();
        let publication = history.runs.len() as u32;
        history.runs.push(run);
        let known = &history.issued;
        let place_before = |row: u32| match before {
            Some(before) if row != NONE => Some(before.lines.entities[row as usize] as usize),
            _ => None,
        };
        let place = |(at, row): (usize, &u32)| {
            let id = entity(at);
            match place_before(*row).filter(|place| known[*place] == id) {
                Some(place) => place as u32,
                None => known.binary_search(&id).map_or(NONE, |it| it as u32),
            }
        };
        let mut entities: Vec<u32> = rows_before.par_iter().enumerate().map(place).collect();
        let unknown = entities.par_iter().enumerate();
        let unknown = unknown.filter(|(_, place)| **place == NONE);
        let mut fresh: Vec<u128> = unknown.map(|(at, _)| entity(at)).collect();
        fresh.par_sort_unstable();
        fresh.dedup();
        let moved = rows_before.par_iter().enumerate().filter_map(|(at, row)| {
            let (was, now) = (known[place_before(*row)?], entity(at));
            (was != now).then_some((was, now))
        });
        let mut moved: Vec<(u128, u128)> = moved.collect();
        moved.par_sort_unstable();
        moved.dedup();
        let places = history.issue(&fresh, publication);
        if history.issued.len() >= NONE as usize {
            return None;
        }
        let issued = &history.issued;
        entities.par_iter_mut().enumerate().for_each(|(at, place)| {
            *place = match places.get(*place as usize) {
                Some(place) => *place,
                None => issued.partition_point(|id| *id < entity(at)) as u32,
            };
        });
        let mut churn = Churn::default();
        if let Some(before) = before {
            let mut in_force = vec![false; issued.len()];
            entities.iter().for_each(|it| in_force[*it as usize] = true);
            let goes_on = |place: usize| in_force[places[place] as usize];
            churn = history.add_changes(before, publication, &goes_on, moved);
        }
        churn.created = fresh.len() as u64;
        Some(Follows {
            history,
            entities,
            churn,
        })
    }

    /// Notes what became of the IDs of the publication before. `goes_on` tells of a place among its IDs
    /// whether that ID is in force now; `moved` holds IDs before and now of records that changed theirs,
    /// ascending, each pair once.
    fn add_changes(
        &mut self,
        before: &Snapshot,
        publication: u32,
        goes_on: &dyn Fn(usize) -> bool,
        moved: Vec<(u128, u128)>,
    ) -> Churn {
        let mut churn = Churn {
            existing: before.entity_count,
            ..Churn::default()
        };
        let mut moved = moved.into_iter().peekable();
        let old = before.history.issued.iter().copied().enumerate();
        for (place, id) in old.filter(|(place, _)| before.is_in_force(*place)) {
            let mut others = Vec::new();
            while let Some((_, other)) = moved.next_if(|(from, _)| *from == id) {
                others.push(other);
            }
            let (change, ended) = match (goes_on(place), others.len()) {
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
        self.events.par_sort_unstable();
        churn
    }

    /// The history of a publication that was made before there was one; `ids`: those in force, ascending.
    pub(super) fn of_first(run: RunId, ids: Vec<u128>) -> Self {
        Self {
            runs: vec![HistoricRun {
                run,
                created_unix_s: 0,
            }],
            issued_in: vec![0; ids.len()],
            issued: ids,
            events: Vec::new(),
        }
    }

    /// Adds IDs, ascending, none of which was ever issued. Gives the new places of those before.
    fn issue(&mut self, fresh: &[u128], publication: u32) -> Vec<u32> {
        let known = std::mem::take(&mut self.issued);
        let known_in = std::mem::take(&mut self.issued_in);
        let count = known.len() + fresh.len();
        (self.issued, self.issued_in) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut places = Vec::with_capacity(known.len());
        let mut rest = fresh;
        for (id, issued_in) in known.into_iter().zip(known_in) {
            let before = rest.iter().take_while(|other| **other < id).count();
            self.add_issued(&rest[..before], publication);
            rest = &rest[before..];
            places.push(self.issued.len() as u32);
            self.issued.push(id);
            self.issued_in.push(issued_in);
        }
        self.add_issued(rest, publication);
        places
    }

    fn add_issued(&mut self, ids: &[u128], publication: u32) {
        self.issued.extend_from_slice(ids);
        self.issued_in.resize(self.issued.len(), publication);
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
        let issued = history.issued_in(id)?;
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
        let place = self.0.history.issued.binary_search(&id);
        place.is_ok_and(|place| self.0.is_in_force(place))
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
