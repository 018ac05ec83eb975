//! Entity IDs over many publications: what became of each, at any time, also after a restart.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::terms::{Churn, EntityId, IdState};

fn run(number: u128) -> RunId {
    RunId::from_u128(number)
}

fn id(number: u128) -> EntityId {
    EntityId::from_u128(number)
}

/// A store of so many records of one source.
fn store_of(directory: &Path, records: u64) -> Store {
    let store = open(directory);
    let made: Vec<RecordEncoding> = (0..records)
        .map(|number| encoding(&format!("r{number:02}"), 1, number))
        .collect();
    submit(&store, "hosp_a", "1", &made);
    store
}

fn publish(store: &Store, number: u128, entities: &[u128]) -> Churn {
    let rows = store.load_table().expect("table");
    let entities: Vec<EntityId> = entities.iter().map(|number| id(*number)).collect();
    let churn = store.publish(run(number), &rows, &entities);
    churn.unwrap_or_else(|error| panic!("{error}"))
}

fn state(store: &Store, number: u128, as_of: Option<u128>) -> Option<IdState> {
    let published = store.published().expect("published");
    published.id_state(id(number), as_of.map(run))
}

/// State in words, for messages: IDs of tests are small numbers.
fn told(state: Option<IdState>) -> String {
    match state {
        None => "never".into(),
        Some(IdState::Merged(into)) => format!("merged {}", into.as_u128()),
        Some(IdState::Split(ids)) => {
            let ids: Vec<u128> = ids.iter().map(|id| id.as_u128()).collect();
            format!("split {ids:?}")
        }
        Some(other) => other.name().into(),
    }
}

#[test]
fn every_id_tells_what_became_of_it_at_any_time() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store_of(folder.path(), 6);
    publish(&store, 1, &[10, 10, 20, 20, 30, 40]);
    // 20 and 30 become one; 10 loses a record.
    let churn = publish(&store, 2, &[10, 50, 20, 20, 20, 40]);
    let expected = Churn {
        existing: 4,
        created: 1,
        merged: 1,
        split: 1,
        retired: 0,
    };
    assert_eq!(churn, expected);
    assert!((churn.per_thousand() - 500.0).abs() < 1e-9);
    // 20 goes apart without going on, and 40 into what 10 is.
    publish(&store, 3, &[10, 50, 60, 70, 70, 10]);
    let wanted = [
        (10, None, "split [10, 50]"),
        (10, Some(1), "current"),
        (20, None, "split [60, 70]"),
        (20, Some(2), "current"),
        (30, None, "split [60, 70]"),
        (30, Some(2), "merged 20"),
        (30, Some(1), "current"),
        (40, None, "merged 10"),
        (40, Some(2), "current"),
        (50, None, "current"),
        (50, Some(1), "never"),
        (99, None, "never"),
        (10, Some(9), "never"),
    ];
    let check = |store: &Store| {
        for (number, as_of, wanted) in wanted {
            let found = told(state(store, number, as_of));
            assert_eq!(found, wanted, "{number} as of {as_of:?}");
        }
    };
    check(&store);
    drop(store);
    let store = Store::open(folder.path(), &key()).expect("opens");
    check(&store);
    let published = store.published().expect("published");
    let between = |from, to| published.churn_between(run(from), run(to));
    assert_eq!(between(1, 2), Some(expected));
    let whole = between(1, 3).expect("both are known");
    assert_eq!(
        (whole.existing, whole.created, whole.merged, whole.split),
        (4, 3, 1, 3)
    );
    assert_eq!(between(2, 1), None);
    assert_eq!(between(1, 9), None);
}

#[test]
fn the_same_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store_of(folder.path(), 3);
    publish(&store, 1, &[1, 1, 2]);
    let churn = publish(&store, 2, &[1, 1, 2]);
    let nothing = Churn {
        existing: 2,
        ..Churn::default()
    };
    assert_eq!(churn, nothing);
}

#[test]
fn an_id_whose_records_are_erased_says_so_and_no_label_stays() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store_of(folder.path(), 4);
    publish(&store, 1, &[1, 1, 2, 3]);
    publish(&store, 2, &[1, 1, 2, 2]);
    let gone = ["r02", "r03"].map(|label| RecordRef::new(label).expect("label"));
    store.erase(&source("hosp_a"), &gone).expect("erased");
    for (number, as_of) in [(2, None), (3, None), (3, Some(1))] {
        assert_eq!(told(state(&store, number, as_of)), "erased", "{number}");
    }
    assert_eq!(told(state(&store, 1, None)), "current");
    publish(&store, 3, &[1, 1]);
    drop(store);
    let store = Store::open(folder.path(), &key()).expect("opens");
    assert_eq!(told(state(&store, 2, None)), "erased");
    assert_eq!(told(state(&store, 3, Some(1))), "erased");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any records to any entities, again and again: every ID ever published has a state that holds.
    #[test]
    fn every_id_ever_published_resolves(
        partitions in prop::collection::vec(prop::collection::vec(0_u128..4, 8), 2..7),
    ) {
        let folder = tempfile::tempdir().expect("folder");
        let store = store_of(folder.path(), 8);
        // Entity IDs are never reused: a number that was out of force comes back as another.
        let mut name: BTreeMap<u128, u128> = BTreeMap::new();
        let mut ever: BTreeSet<u128> = BTreeSet::new();
        let mut next = 0;
        let mut now = Vec::new();
        for (number, partition) in (1_u128..).zip(&partitions) {
            name.retain(|group, _| now_holds(&now, *group));
            now.clone_from(partition);
            let entities: Vec<u128> = (partition.iter())
                .map(|group| *name.entry(*group).or_insert_with(|| { next += 1; next }))
                .collect();
            ever.extend(&entities);
            let before = number.checked_sub(1).filter(|it| *it > 0);
            let churn = publish(&store, number, &entities);
            let published = store.published().expect("published");
            if let Some(before) = before {
                prop_assert_eq!(published.churn_between(run(before), run(number)), Some(churn));
            }
            let in_force: BTreeSet<u128> = entities.into_iter().collect();
            for one in &ever {
                match published.id_state(id(*one), None) {
                    Some(IdState::Current) => prop_assert!(in_force.contains(one)),
                    Some(IdState::Merged(into)) => {
                        prop_assert!(!in_force.contains(one) && in_force.contains(&into.as_u128()));
                    }
                    Some(IdState::Split(ids)) => {
                        prop_assert!(ids.iter().all(|id| in_force.contains(&id.as_u128())));
                    }
                    Some(IdState::Retired | IdState::Erased) | None => {
                        prop_assert!(false, "records never go away here");
                    }
                }
            }
        }
    }
}

fn now_holds(now: &[u128], group: u128) -> bool {
    now.contains(&group)
}
