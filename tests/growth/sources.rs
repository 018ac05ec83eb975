//! Another source comes: IDs change where it tells something new about who is one person.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use musubi::store::Published;
use musubi::terms::run::ThresholdPolicy;
use musubi::terms::{EntityId, IdState};

use crate::register::*;

/// IDs that changed though the truth gave no reason: not pieces of one person that became one, and not an
/// entity of two people that came apart.
fn changed_without_need(
    before: &BTreeMap<EntityId, BTreeSet<u32>>,
    after: &BTreeMap<EntityId, BTreeSet<u32>>,
    published: &Published,
) -> usize {
    let needless = |(id, people): &(&EntityId, &BTreeSet<u32>)| match published.id_state(**id, None)
    {
        Some(IdState::Current) => false,
        Some(IdState::Merged(into)) => after[&into].is_disjoint(people) || after[&into].len() > 1,
        Some(IdState::Split(_)) => people.len() == 1,
        _ => true,
    };
    before.iter().filter(needless).count()
}

/// The people of each entity.
fn people(records: &[Made], published: &Published) -> BTreeMap<EntityId, BTreeSet<u32>> {
    let person: HashMap<(&str, &str), u32> = records
        .iter()
        .map(|one| {
            (
                (one.source.as_str(), one.encoding.record_ref.as_str()),
                one.person,
            )
        })
        .collect();
    let mut people: BTreeMap<EntityId, BTreeSet<u32>> = BTreeMap::new();
    for (source, record_ref, entity) in published.iter() {
        let known = person[&(source.as_str(), record_ref.as_str())];
        people.entry(entity).or_default().insert(known);
    }
    people
}

/// Adds a source under a kept policy; gives the share of IDs that changed and that changed without need, of
/// 1,000.
fn adds_a_source(name: &str, source: &str) -> (f64, f64) {
    let profile = profile(name);
    let records = population(&profile, 2_000, 42);
    let folder = tempfile::tempdir().expect("folder");
    let store = open(&folder.path().join("store"), &profile);
    let (later, first): (Vec<&Made>, Vec<&Made>) =
        (records.iter()).partition(|one| one.source.as_str() == source);
    assert!(!later.is_empty());
    submit(&store, "first", first.iter().copied());
    link(&store, None);
    let mut issued = ids(&published(&store));
    let before = people(&records, &published(&store));

    submit(&store, "again", first);
    let again = link(&store, ThresholdPolicy::AsBefore).clustering.churn;
    assert_eq!(
        (again.created, again.merged, again.split, again.retired),
        (0, 0, 0, 0),
        "the same records change nothing"
    );

    submit(&store, "later", later);
    let churn = link(&store, ThresholdPolicy::AsBefore).clustering.churn;
    assert!(churn.created > 0);
    let published = published(&store);
    let after = people(&records, &published);
    let needless = changed_without_need(&before, &after, &published);
    let needless = 1000.0 * needless as f64 / churn.existing as f64;
    println!(
        "{name} and {source}: {churn:?}, {:.2} of 1,000, {needless:.2} without need",
        churn.per_thousand()
    );

    let now = ids(&published);
    issued.extend(&now);
    for id in issued {
        let holders = match published.id_state(id, None) {
            Some(IdState::Current) => vec![id],
            Some(IdState::Merged(into)) => vec![into],
            Some(IdState::Split(parts)) => parts,
            _ => panic!("an ID is lost"),
        };
        assert!(holders.iter().all(|holder| now.contains(holder)));
    }
    (churn.per_thousand(), needless)
}

#[test]
fn another_source_leaves_ids_as_they_are() {
    for name in ["jp-standard", "jp-fields"] {
        let (changed, needless) = adds_a_source(name, "hosp_b");
        assert!(
            changed <= 5.0 && needless <= 1.0,
            "{name}: {changed}, {needless}"
        );
    }
}
