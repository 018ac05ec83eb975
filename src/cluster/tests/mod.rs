//! Made-up tables and links, and what clustering makes of them.

mod again;
mod conflicts;
mod oracle;

use proptest::prelude::*;

use super::*;
use crate::terms::profile::LinkageProfile;
use crate::terms::{EntityId, EventKind, MatchWeight, Row};

/// A row in words: event, year, tags by name with a value each.
#[derive(Clone, Default)]
pub(super) struct Person {
    pub(super) kind: Option<EventKind>,
    pub(super) year: u16,
    pub(super) flags: u32,
    pub(super) source: u16,
    pub(super) tags: Vec<(&'static str, u64)>,
    pub(super) key: u64,
}

/// A profile with a tag for every rule.
pub(super) fn profile() -> LinkageProfile {
    let text = include_str!("../../../tests/vectors/profiles/salted-filter.toml");
    LinkageProfile::parse(text).expect("valid")
}

pub(super) fn rules() -> ClusterRules {
    ClusterRules::of(&profile(), f64::NEG_INFINITY)
}

pub(super) fn evidence<'a>(links: &'a [Link], verdicts: &'a [Verdict]) -> Evidence<'a> {
    Evidence {
        links,
        verdicts,
        ..Evidence::default()
    }
}

/// A table of rows; a row without tags has all, each with a value of its own.
pub(super) fn table(people: &[Person]) -> RecordTable {
    let profile = profile();
    let layout = profile.layout();
    let mut table = RecordTable::with_capacity(layout.clone(), people.len());
    for (number, person) in (1_u64..).zip(people) {
        let mut tags = vec![0; layout.tag_slots()];
        let mut presence = 0;
        for (index, tag) in profile.tags.iter().enumerate() {
            let named = person.tags.iter().find(|(name, _)| *name == tag.name);
            let value = match named {
                Some((_, value)) => *value,
                None if person.tags.is_empty() => number << 8 | index as u64,
                None => continue,
            };
            presence |= layout.tag_bit(index);
            layout.tag_range(index).for_each(|slot| tags[slot] = value);
        }
        table.push(Row {
            filters: &vec![0; layout.filter_words()],
            tags: &tags,
            presence,
            kind: person.kind.unwrap_or(EventKind::Hospital),
            year: person.year,
            flags: person.flags,
            source: person.source,
            key: person.key.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        });
    }
    table
}

pub(super) fn plain(count: u64) -> RecordTable {
    let person = |key| Person {
        key,
        ..Person::default()
    };
    table(&(0..count).map(person).collect::<Vec<_>>())
}

pub(super) fn link(a: u32, b: u32, bits: f64) -> Link {
    Link {
        pair: CandidatePair::new(a, b),
        weight: MatchWeight(bits),
    }
}

pub(super) fn clusters(found: &Clusters) -> Vec<Vec<u32>> {
    found.partition.iter().map(<[u32]>::to_vec).collect()
}

pub(super) fn reasons(found: &Clusters) -> Vec<(&'static str, u64)> {
    let counts = found.set_aside_counts();
    (counts.iter())
        .map(|count| (count.reason.code(), count.links))
        .collect()
}

#[test]
fn a_chain_of_single_links_does_not_hold_two_groups_together() {
    let links = [
        link(0, 1, 20.0),
        link(0, 2, 20.0),
        link(1, 2, 20.0),
        link(3, 4, 20.0),
        link(3, 5, 20.0),
        link(4, 5, 20.0),
        link(2, 3, 1.0),
    ];
    let found = solve(&plain(7), evidence(&links, &[]), &rules());
    assert_eq!(clusters(&found), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(reasons(&found), [("support", 1)]);
    assert_eq!(
        found.partition.cluster_of_rows(),
        [0, 0, 0, 1, 1, 1, 2],
        "each row names its cluster"
    );
}

#[test]
fn rows_that_cannot_be_compared_do_not_count_against_a_merge() {
    let with = |key, names: &[&'static str]| Person {
        key,
        tags: names.iter().map(|name| (*name, key + 1)).collect(),
        ..Person::default()
    };
    let (one, two) = (
        ["given+birth+sex", "surname+birth+sex"],
        ["name+birth", "kanji+birth"],
    );
    // Row 3 shares tags with row 2 only.
    let table = table(&[
        with(0, &one),
        with(1, &one),
        with(2, &[one, two].concat()),
        with(3, &two),
    ]);
    let links = [
        link(0, 1, 9.0),
        link(0, 2, 9.0),
        link(1, 2, 9.0),
        link(2, 3, 5.0),
    ];
    let found = solve(&table, evidence(&links, &[]), &rules());
    assert_eq!(clusters(&found), [vec![0, 1, 2, 3]]);
}

#[test]
fn pairs_that_blocking_missed_are_found_inside_components() {
    let links = [link(0, 1, 9.0), link(1, 2, 9.0), link(4, 5, 9.0)];
    let compared: Vec<CandidatePair> = links.iter().map(|link| link.pair).collect();
    let missing = |rows_max| -> Vec<(u32, u32)> {
        let found = uncompared(6, &links, &compared, rows_max, &|_| true);
        found.iter().map(|pair| (pair.a, pair.b)).collect()
    };
    assert_eq!(missing(10), [(0, 2)]);
    assert!(
        missing(2).is_empty(),
        "a component that is too large is left alone"
    );
}

#[test]
fn a_component_that_is_too_large_is_divided_where_it_is_weakest_and_reported() {
    let mut rules = rules();
    rules.rows_max = 3;
    rules.link_bits = 0.0;
    // Three triangles in a row, tied by two links to each neighbour.
    let mut links = Vec::new();
    for first in [0, 3, 6] {
        links.extend([(0, 1), (0, 2), (1, 2)].map(|(a, b)| link(first + a, first + b, 20.0)));
    }
    for a in 0..3 {
        links.extend([link(a, 3 + a, 2.5), link(3 + a, 6 + a, 5.5)]);
    }
    let found = solve(&plain(9), evidence(&links, &[]), &rules);
    assert_eq!(
        clusters(&found),
        [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8]]
    );
    assert_eq!(reasons(&found), [("oversize", 6)]);
    let oversize = found.oversize();
    assert_eq!((oversize.components, oversize.rows), (1, 9));
    assert_eq!((oversize.largest_rows, oversize.undivided), (9, 0));
    assert!((oversize.cut_bits - 6.0).abs() < 1e-9, "{oversize:?}");
}

#[test]
fn records_that_are_all_alike_are_kept_whole_and_reported() {
    let mut rules = rules();
    rules.rows_max = 10;
    rules.link_bits = 0.0;
    let mut links = Vec::new();
    for a in 0..40 {
        links.extend((a + 1..40).map(|b| link(a, b, 30.0)));
    }
    let found = solve(&plain(40), evidence(&links, &[]), &rules);
    assert_eq!(found.partition.len(), 1);
    assert_eq!(found.oversize().undivided, 40);
    assert!(found.set_aside().is_empty());
}

#[test]
fn nothing_gives_nothing() {
    let found = solve(&plain(0), evidence(&[], &[]), &rules());
    assert!(found.partition.is_empty());
    assert_eq!(found.partition.iter().len(), 0);
    assert_eq!(
        clusters(&solve(&plain(1), evidence(&[], &[]), &rules())),
        [vec![0]]
    );
}

#[test]
fn ids_follow_the_larger_share_and_are_given_once() {
    let id = |n: u128| Some(EntityId::from_u128(n));
    // Entity 1 had rows 0-2, entity 2 rows 3-4; now 0,1 | 2,3,4 | 5 | 6.
    let previous = [id(1), id(1), id(1), id(2), id(2), None, id(1)];
    let clusters = Partition::of_labels(&[0, 0, 2, 2, 2, 5, 6]);
    let mut next = 100;
    let found = inherit(&previous, &clusters, &mut || {
        next += 1;
        EntityId::from_u128(next)
    });
    let numbers: Vec<u128> = found.iter().map(|id| id.as_u128()).collect();
    assert_eq!(numbers, [1, 1, 2, 2, 2, 101, 102]);
}

proptest! {
    /// The same records in another order, their links in another order: the same partition.
    #[test]
    fn the_partition_does_not_depend_on_order(
        edges in prop::collection::vec((0_u32..12, 0_u32..12, 0_u8..4), 0..40),
        verdicts in prop::collection::vec((0_u32..12, 0_u32..12, any::<bool>()), 0..4),
        order in Just((0..12_u32).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let kinds = [EventKind::Birth, EventKind::Hospital, EventKind::Claim, EventKind::Death];
        let row = |record: u32| Person {
            kind: Some(kinds[record as usize % 4]),
            year: 2000 + (record * 7 % 5) as u16,
            flags: record % 2,
            source: record as u16 % 3,
            key: u64::from(record),
            ..Person::default()
        };
        let mut distinct = std::collections::BTreeMap::new();
        for (a, b, bits) in edges.iter().filter(|(a, b, _)| a != b) {
            distinct.insert((*a.min(b), *a.max(b)), f64::from(*bits));
        }
        let mut rules = rules();
        rules.rows_max = 6;
        rules.link_bits = 0.0;
        let verdict = |place: &dyn Fn(u32) -> u32| -> Vec<Verdict> {
            let pairs = verdicts.iter().filter(|(a, b, _)| a != b);
            let placed = pairs.map(|(a, b, same)| Verdict {
                pair: CandidatePair::new(place(*a), place(*b)),
                same: *same,
            });
            placed.collect()
        };

        let straight = table(&(0..12).map(row).collect::<Vec<_>>());
        let links: Vec<Link> = distinct.iter().map(|((a, b), w)| link(*a, *b, *w)).collect();
        let expected = solve(&straight, evidence(&links, &verdict(&|row| row)), &rules);

        let shuffled = table(&order.iter().map(|record| row(*record)).collect::<Vec<_>>());
        let place = |record: u32| order.iter().position(|r| *r == record).expect("in order") as u32;
        let mut moved: Vec<Link> =
            distinct.iter().map(|((a, b), w)| link(place(*a), place(*b), *w)).collect();
        moved.reverse();
        let found = solve(&shuffled, evidence(&moved, &verdict(&place)), &rules);

        let mut back: Vec<Vec<u32>> = clusters(&found);
        for rows in &mut back {
            rows.iter_mut().for_each(|row| *row = order[*row as usize]);
            rows.sort_unstable();
        }
        back.sort();
        prop_assert_eq!(back, clusters(&expected));
        prop_assert_eq!(reasons(&found), reasons(&expected));
        prop_assert_eq!(found.refused_merges(), expected.refused_merges());
        prop_assert_eq!(found.contradictory_verdicts(), expected.contradictory_verdicts());
        prop_assert!(found.oversize() == expected.oversize());
    }
}

#[test]
fn supporting_pairs_support_but_do_not_propose() {
    let links = [link(0, 1, 20.0), link(2, 3, 20.0), link(1, 2, 9.0)];
    let solved = |links: &[Link], supporting: &[Link]| {
        let evidence = Evidence {
            links,
            supporting,
            ..Evidence::default()
        };
        clusters(&solve(&plain(4), evidence, &rules()))
    };
    let apart = [vec![0, 1], vec![2, 3]];
    assert_eq!(solved(&links, &[]), apart, "one link of four pairs");
    let one = [link(0, 2, 1.0)];
    assert_eq!(solved(&links, &one), [vec![0, 1, 2, 3]], "two of four");
    let two = [link(0, 2, 1.0), link(1, 3, 1.0)];
    assert_eq!(solved(&links[..2], &two), apart, "no link proposes it");
}
