use proptest::prelude::*;

use super::*;
use crate::terms::{EntityId, LinkageProfile, MatchWeight, Row};

const ALL_TAGS: u64 = 0b1_1110;

/// Rows with a kind and presence bits each; the key is a mix of the given number.
fn table(rows: &[(EventKind, u64, u64)]) -> RecordTable {
    let layout = LinkageProfile::built_in("jp-standard")
        .expect("built in")
        .layout();
    let mut table = RecordTable::with_capacity(layout.clone(), rows.len());
    for (kind, presence, key) in rows {
        table.push(Row {
            filters: &vec![0; layout.filter_words()],
            tags: &vec![0; layout.tag_slots()],
            presence: *presence,
            kind: *kind,
            year: 0,
            flags: 0,
            source: 0,
            key: key.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        });
    }
    table
}

fn plain(count: u64) -> RecordTable {
    table(
        &(0..count)
            .map(|key| (EventKind::Hospital, ALL_TAGS, key))
            .collect::<Vec<_>>(),
    )
}

fn rules() -> ClusterRules {
    ClusterRules {
        support_min: 0.5,
        once: vec![EventKind::Birth, EventKind::Death],
        comparable_mask: ALL_TAGS,
    }
}

fn link(a: u32, b: u32, bits: f64) -> Link {
    Link {
        pair: CandidatePair::new(a, b),
        weight: MatchWeight(bits),
    }
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
    let found = solve(&plain(7), &links, &rules());
    assert_eq!(found.clusters, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(found.links_set_aside, 1);
}

#[test]
fn rows_that_cannot_be_compared_do_not_count_against_a_merge() {
    // Row 3 shares tags with row 2 only.
    let rows = [
        (EventKind::Claim, 0b0_0110, 0),
        (EventKind::Claim, 0b0_0110, 1),
        (EventKind::Claim, 0b1_1110, 2),
        (EventKind::Claim, 0b1_1000, 3),
    ];
    let links = [
        link(0, 1, 9.0),
        link(0, 2, 9.0),
        link(1, 2, 9.0),
        link(2, 3, 5.0),
    ];
    assert_eq!(
        solve(&table(&rows), &links, &rules()).clusters,
        [vec![0, 1, 2, 3]]
    );
}

#[test]
fn pairs_that_blocking_missed_are_found_inside_components() {
    let links = [link(0, 1, 9.0), link(1, 2, 9.0), link(4, 5, 9.0)];
    let compared: Vec<CandidatePair> = links.iter().map(|link| link.pair).collect();
    let missing = |rows_max| -> Vec<(u32, u32)> {
        let found = uncompared(6, &links, &compared, rows_max);
        found.iter().map(|pair| (pair.a, pair.b)).collect()
    };
    assert_eq!(missing(10), [(0, 2)]);
    assert!(
        missing(2).is_empty(),
        "a component that is too large is left alone"
    );
}

#[test]
fn nobody_dies_twice() {
    let rows = [
        (EventKind::Death, ALL_TAGS, 0),
        (EventKind::Hospital, ALL_TAGS, 1),
        (EventKind::Death, ALL_TAGS, 2),
    ];
    let links = [link(0, 1, 12.0), link(1, 2, 9.0), link(0, 2, 9.0)];
    let found = solve(&table(&rows), &links, &rules());
    assert_eq!(found.clusters, [vec![0, 1], vec![2]]);
    assert_eq!(found.links_set_aside, 2);
}

#[test]
fn ids_follow_the_larger_share_and_are_given_once() {
    let id = |n: u128| Some(EntityId::from_u128(n));
    // Entity 1 had rows 0-2, entity 2 rows 3-4; now 0,1 | 2,3,4 | 5 | 6.
    let previous = [id(1), id(1), id(1), id(2), id(2), None, id(1)];
    let clusters = [vec![0, 1], vec![2, 3, 4], vec![5], vec![6]];
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
        edges in proptest::collection::vec((0_u32..12, 0_u32..12, 0_u8..4), 0..40),
        order in Just((0..12_u32).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let kinds = [EventKind::Birth, EventKind::Hospital, EventKind::Claim, EventKind::Death];
        let row = |record: u32| (kinds[record as usize % 4], ALL_TAGS, u64::from(record));
        let mut distinct = std::collections::BTreeMap::new();
        for (a, b, bits) in edges.iter().filter(|(a, b, _)| a != b) {
            distinct.insert((*a.min(b), *a.max(b)), f64::from(*bits));
        }

        let straight = table(&(0..12).map(row).collect::<Vec<_>>());
        let links: Vec<Link> = distinct.iter().map(|((a, b), w)| link(*a, *b, *w)).collect();
        let expected = solve(&straight, &links, &rules());

        let shuffled = table(&order.iter().map(|record| row(*record)).collect::<Vec<_>>());
        let place = |record: u32| order.iter().position(|r| *r == record).expect("in order") as u32;
        let mut moved: Vec<Link> =
            distinct.iter().map(|((a, b), w)| link(place(*a), place(*b), *w)).collect();
        moved.reverse();
        let found = solve(&shuffled, &moved, &rules());

        let mut back: Vec<Vec<u32>> = found
            .clusters
            .iter()
            .map(|rows| {
                let mut records: Vec<u32> = rows.iter().map(|row| order[*row as usize]).collect();
                records.sort_unstable();
                records
            })
            .collect();
        back.sort();
        prop_assert_eq!(back, expected.clusters);
        prop_assert_eq!(found.links_set_aside, expected.links_set_aside);
    }
}
