//! How many people a run found: what is counted over entities and tracers, and what `score` makes of it.

use std::collections::{BTreeMap, HashMap};

use super::scoring::Scored;
use super::tracers;
use crate::cluster::{self, Partition};
use crate::score::{self, ErrorEstimates, Estimated, Part, Pieces};
use crate::terms::people::{PeopleBasis, PeopleCount, PeopleGroup, PeopleOverlap};
use crate::terms::{EventKind, RecordTable, RowIndex, SourceId};

/// Kinds of events.
const KINDS: usize = EventKind::ALL.len();

/// Tracers with so many times the sources of people, or so few, say little about people.
const LIKENESS: f64 = 2.0;

/// What the people are counted from.
pub(super) struct Linkage<'a> {
    pub(super) table: &'a RecordTable,
    pub(super) sources: &'a [SourceId],
    pub(super) partition: &'a Partition,
    pub(super) scored: &'a Scored,
    pub(super) errors: &'a ErrorEstimates,
    /// Records of each invented person.
    pub(super) tracers: &'a [Vec<RowIndex>],
}

/// A part of the records: entities that have one, and records whose entity has a further one.
#[derive(Clone, Copy, Default)]
struct Tally {
    entities: u64,
    joined: u64,
}

impl Tally {
    /// Counts an entity with so many records of the part.
    fn add(&mut self, records: u64) {
        self.entities += u64::from(records > 0);
        self.joined += if records > 1 { records } else { 0 };
    }
}

/// All tallies of one pass over the entities.
struct Tallies {
    all: Tally,
    /// Entities of a single record.
    alone: u64,
    seats: u64,
    sources: Vec<Tally>,
    kinds: [Tally; KINDS],
    /// Of records of either kind.
    either: [[Tally; KINDS]; KINDS],
    years: BTreeMap<u16, Tally>,
}

impl Tallies {
    fn of(table: &RecordTable, partition: &Partition, sources: usize) -> Self {
        let mut tallies = Self {
            all: Tally::default(),
            alone: 0,
            seats: 0,
            sources: vec![Tally::default(); sources],
            kinds: [Tally::default(); KINDS],
            either: [[Tally::default(); KINDS]; KINDS],
            years: BTreeMap::new(),
        };
        let mut sorted: Vec<u16> = Vec::new();
        for rows in partition.iter() {
            // No cluster holds both tracers and people: its first row tells.
            if tracers::is_tracer(table, rows[0]) {
                continue;
            }
            tallies.all.add(rows.len() as u64);
            tallies.alone += u64::from(rows.len() == 1);
            let mut each = |value: &dyn Fn(RowIndex) -> u16, add: &mut dyn FnMut(u16, u64)| {
                sorted.clear();
                sorted.extend(rows.iter().map(|row| value(*row)));
                sorted.sort_unstable();
                let groups = sorted.chunk_by(|x, y| x == y);
                groups.for_each(|group| add(group[0], group.len() as u64));
            };
            each(&|row| table.source(row), &mut |source, records| {
                tallies.seats += 1;
                tallies.sources[usize::from(source)].add(records);
            });
            each(&|row| table.year(row), &mut |year, records| {
                if year != 0 {
                    tallies.years.entry(year).or_default().add(records);
                }
            });
            let mut of_kind = [0; KINDS];
            each(
                &|row| u16::from(table.kind(row).code()),
                &mut |kind, records| {
                    of_kind[usize::from(kind)] = records;
                },
            );
            tallies.add_kinds(&of_kind);
        }
        // One source: each of its records is a seat, or no link could be missing.
        if tallies
            .sources
            .iter()
            .filter(|one| one.entities > 0)
            .count()
            == 1
        {
            let rows = 0..table.len() as RowIndex;
            tallies.seats = rows.filter(|row| !tracers::is_tracer(table, *row)).count() as u64;
        }
        tallies
    }

    fn add_kinds(&mut self, of_kind: &[u64; KINDS]) {
        for first in 0..KINDS {
            self.kinds[first].add(of_kind[first]);
            for second in first + 1..KINDS {
                self.either[first][second].add(of_kind[first] + of_kind[second]);
            }
        }
    }

    /// A part: a missed link takes one record from the rest of its person, any as likely as any other, and
    /// a false one joins two entities by chance.
    fn part(&self, tally: Tally) -> Part {
        let chance = tally.entities as f64 / self.all.entities.max(1) as f64;
        Part {
            entities: tally.entities,
            excess_share: tally.joined as f64 / self.all.joined.max(1) as f64,
            hidden_share: chance * chance,
        }
    }

    /// What two kinds have in common: one and the other less either.
    fn overlap(&self, first: usize, second: usize) -> Part {
        let [one, other, either] = [
            self.kinds[first],
            self.kinds[second],
            self.either[first][second],
        ]
        .map(|tally| self.part(tally));
        Part {
            entities: one.entities + other.entities - either.entities,
            excess_share: one.excess_share + other.excess_share - either.excess_share,
            hidden_share: one.hidden_share + other.hidden_share - either.hidden_share,
        }
    }
}

/// Counts the people, and says in words what the count leans on.
pub(super) fn count(linkage: &Linkage<'_>) -> (PeopleCount, Vec<String>) {
    let Linkage {
        table, partition, ..
    } = *linkage;
    let tallies = Tallies::of(table, partition, linkage.sources.len());
    let is_real = |row: RowIndex| !tracers::is_tracer(table, row);
    let (ties, wrong) = cluster::false_ties(partition, &linkage.scored.links, &is_real);
    let hidden = score::hidden_people(wrong, ties, linkage.errors);
    let (basis, excess, fallbacks) = excess(linkage, &tallies, hidden);
    let counted = |part: Part| part.people(excess, hidden);
    let group = |name: &str, tally: Tally| PeopleGroup {
        name: name.to_owned(),
        counted: counted(tallies.part(tally)).unless_small(),
    };
    let sources = linkage.sources.iter().zip(&tallies.sources);
    let kinds = EventKind::ALL.iter().zip(tallies.kinds);
    let pairs = (0..KINDS).flat_map(|first| (first + 1..KINDS).map(move |second| (first, second)));
    let overlaps = pairs.map(|(first, second)| (first, second, tallies.overlap(first, second)));
    let overlaps = overlaps.filter(|(_, _, part)| part.entities > 0);
    let overlaps = overlaps.map(|(first, second, part)| PeopleOverlap {
        kinds: [EventKind::ALL[first], EventKind::ALL[second]],
        counted: counted(part).unless_small(),
    });
    let people = PeopleCount {
        all: counted(Part::whole(tallies.all.entities)),
        basis,
        excess_entities: excess.value,
        excess_interval: excess.interval,
        hidden_people: hidden.value,
        hidden_interval: hidden.interval,
        sources: sources
            .map(|(source, tally)| group(source.as_str(), *tally))
            .collect(),
        kinds: kinds
            .filter(|(_, tally)| tally.entities > 0)
            .map(|(kind, tally)| group(kind.name(), tally))
            .collect(),
        years: tallies
            .years
            .iter()
            .map(|(year, tally)| group(&year.to_string(), *tally))
            .collect(),
        overlaps: overlaps.collect(),
    };
    (people, fallbacks)
}

/// Entities too many: by tracers, or by the model where there are none.
fn excess(
    linkage: &Linkage<'_>,
    tallies: &Tallies,
    hidden: Estimated,
) -> (PeopleBasis, Estimated, Vec<String>) {
    let cluster_of = linkage.partition.cluster_of_rows();
    let of_tracers = linkage.tracers.iter().map(|rows| {
        let mut seats: Vec<(u32, u16)> = rows
            .iter()
            .map(|row| (cluster_of[*row as usize], linkage.table.source(*row)))
            .collect();
        seats.sort_unstable();
        seats.dedup();
        Pieces {
            seats: seats.len() as u64,
            entities: seats.chunk_by(|x, y| x.0 == y.0).count() as u64,
        }
    });
    let of_tracers: Vec<Pieces> = of_tracers.collect();
    let people = Pieces {
        seats: tallies.seats,
        entities: tallies.all.entities,
    };
    let needed = people.seats.saturating_sub(people.entities) as f64;
    let Some(missed) = score::missed_ties(&of_tracers, needed) else {
        let expected = expected_between(linkage, &cluster_of);
        let words = "no tracers with records in two sources: nothing tells of links that blocking never \
                     proposed. The number of people is likely too high, and the lower end of its interval is \
                     a limit: as if every record that is alone belonged to somebody else";
        let excess = score::excess_by_model(expected, tallies.alone, people.entities);
        return (PeopleBasis::Model, excess, vec![words.into()]);
    };
    let mut words = Vec::new();
    let seats: u64 = of_tracers.iter().map(|one| one.seats).sum();
    let of_tracer = seats as f64 / of_tracers.len() as f64;
    let of_person = people.seats as f64 / people.entities.max(1) as f64;
    if of_tracer > LIKENESS * of_person || of_person > LIKENESS * of_tracer {
        words.push(format!(
            "tracers have records in {of_tracer:.1} sources and people in {of_person:.1}: the number of \
             people takes them to be alike"
        ));
    }
    let excess = score::excess_by_tracers(people, hidden.value, missed);
    (PeopleBasis::Tracers, excess, words)
}

/// Pairs of entities that the model expects to be one person, by the best pair that supports it.
fn expected_between(linkage: &Linkage<'_>, cluster_of: &[u32]) -> f64 {
    let mut best: HashMap<(u32, u32), f64> = HashMap::new();
    for link in &linkage.scored.supporting {
        let [a, b] = [link.pair.a, link.pair.b].map(|row| cluster_of[row as usize]);
        if a != b && !tracers::is_tracer(linkage.table, link.pair.a) {
            let known = best.entry((a.min(b), a.max(b))).or_default();
            *known = known.max(link.weight.probability());
        }
    }
    // In the order of entities: a sum of floats depends on its order.
    let mut best: Vec<((u32, u32), f64)> = best.into_iter().collect();
    best.sort_unstable_by_key(|(pair, _)| *pair);
    best.into_iter().map(|(_, probability)| probability).sum()
}
