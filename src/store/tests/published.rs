//! Publications against a map: what is in memory after a run is what is read after a restart.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::terms::EntityId;

/// Source and record ref to entity.
type Oracle = BTreeMap<(String, String), u128>;

/// Panics if what is published is not what the map says. No value in messages: they would name records.
fn check(store: &Store, oracle: &Oracle) {
    let published = store.published().expect("published");
    let told: Vec<_> = published.iter().collect();
    let wanted = oracle.iter().map(|((name, label), entity)| {
        let label = RecordRef::new(label).expect("label");
        (source(name), label, EntityId::from_u128(*entity))
    });
    let wanted: Vec<_> = wanted.collect();
    assert!(told == wanted, "all records in their order");
    let mut entities: BTreeMap<EntityId, Vec<_>> = BTreeMap::new();
    for (source, label, entity) in wanted {
        assert!(published.entity_of(&source, &label) == Some(entity));
        entities.entry(entity).or_default().push((source, label));
    }
    assert_eq!(published.entity_count(), entities.len() as u64);
    for (entity, records) in entities {
        assert!(
            published.records_of(entity) == records,
            "records of an entity"
        );
    }
    let other = RecordRef::new("none such").expect("label");
    assert!(published.entity_of(&source("a"), &other).is_none());
    let rows = store.load_table().expect("table");
    let found = published.entities_of(&rows);
    for (row, found) in found.into_iter().enumerate() {
        let name = rows.sources[usize::from(rows.table.source(row as u32))].to_string();
        let wanted = oracle.get(&(name, rows.refs.text(row as u32).to_owned()));
        assert!(found.map(|entity| entity.as_u128()) == wanted.copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Sources come and grow between publications; labels share bytes, also parts of a character.
    #[test]
    fn what_is_published_is_what_is_read_again(
        batches in proptest::collection::vec(
            proptest::collection::vec(("[abc]", "[あいう7]{1,4}", 0_u128..6), 1..12),
            1..4,
        ),
    ) {
        let directory = tempfile::tempdir().expect("directory");
        let mut store = open(directory.path());
        let mut oracle = Oracle::new();
        for (number, batch) in batches.iter().enumerate() {
            for name in ["a", "b", "c"] {
                let mut of_source: BTreeMap<&str, u64> = BTreeMap::new();
                for (place, (_, label, _)) in (0..).zip(batch).filter(|(_, it)| it.0 == name) {
                    if !oracle.contains_key(&(name.into(), label.clone())) {
                        of_source.insert(label, place);
                    }
                }
                let records: Vec<_> = of_source.iter().map(|(label, place)| encoding(label, 1, *place)).collect();
                if !records.is_empty() {
                    submit(&store, name, &number.to_string(), &records);
                }
            }
            for (name, label, entity) in batch {
                oracle.insert((name.clone(), label.clone()), *entity);
            }
            let rows = store.load_table().expect("table");
            let entity = |row: u32| {
                let name = rows.sources[usize::from(rows.table.source(row))].to_string();
                EntityId::from_u128(oracle[&(name, rows.refs.text(row).to_owned())])
            };
            let entities: Vec<EntityId> = (0..rows.table.len() as u32).map(entity).collect();
            store.publish(RunId::from_u128(number as u128 + 1), &rows, &entities).expect("published");
            check(&store, &oracle);
        }
        drop(store);
        store = open(directory.path());
        check(&store, &oracle);
    }
}
