//! A store beside what it must know, whether it is the one of the history or a copy of it.

use std::collections::BTreeMap;

use musubi::store::{BeginSubmissionError, Store, row_key};
use musubi::terms::RunId;

use crate::ops::Record;
use crate::oracle::{Entities, Key, Oracle, chain, encoding, header};

/// Everything acknowledged is there, nothing else is, nothing is doubled. What was uncertain shows,
/// and counts from now on.
pub fn compare(store: &Store, oracle: &mut Oracle, log: &[u8]) {
    find_uncertain(store, oracle);
    find_erasing(store, oracle);
    // Receipts are signed, which takes most of the time here: each is looked at after the first
    // opening, and all of them at the end.
    let requests = oracle.unseen.iter();
    for (request, (receipt, _)) in requests.map(|it| (it, &oracle.taken[it])) {
        match store.begin_submission(&header(*request)) {
            Err(BeginSubmissionError::AlreadyDone(again)) => {
                assert!(*again == *receipt, "the receipt is the one given before");
            }
            _ => panic!("an acknowledged submission is gone"),
        }
    }
    let submissions = store.submissions().len();
    assert_eq!(submissions, oracle.taken.len(), "nothing else is there");
    assert!(rows(store) == expected(oracle), "live records");
    let values = chain(log);
    assert_eq!(values.len() as u64, store.head().sequence, "chain");
    for head in &oracle.heads {
        assert!(values.contains(head), "an acknowledged log entry is gone");
    }
    for (number, known) in &mut oracle.runs {
        let run = store.run(RunId::from_u128(u128::from(*number)));
        known.resolve(run.map(|run| run.created_unix_s));
    }
    let published = store.published();
    let run = published.as_ref().map(|it| it.run());
    oracle.published.resolve(run);
    if let (Some(published), Some(run)) = (published, run) {
        let found: Entities = published
            .iter()
            .map(|(source, label, entity)| {
                let key = (source.to_string(), label.as_str().to_owned());
                (key, entity.as_u128())
            })
            .collect();
        assert!(found == oracle.entities[&run], "published entities");
    }
}

/// An erasure that was not acknowledged happened as a whole, or not at all.
fn find_erasing(store: &Store, oracle: &mut Oracle) {
    let found = store.tombstones().len();
    if let Some(keys) = oracle.erasing.take()
        && found != oracle.erased.len()
    {
        oracle.erase(&keys);
    }
    assert_eq!(found, oracle.erased.len(), "erased records");
}

/// Submissions that were not acknowledged: those that are there count from now on.
fn find_uncertain(store: &Store, oracle: &mut Oracle) {
    for request in &oracle.dropped {
        let known = oracle.taken.contains_key(request) || oracle.uncertain.contains_key(request);
        let begun = store.begin_submission(&header(*request));
        assert!(known || begun.is_ok(), "a dropped submission is there");
    }
    let mut found = Vec::new();
    for (request, tries) in std::mem::take(&mut oracle.uncertain) {
        let begun = store.begin_submission(&header(request));
        if let Err(BeginSubmissionError::AlreadyDone(receipt)) = begun {
            found.push((receipt, request, tries));
        }
    }
    found.sort_by_key(|(receipt, _, _)| receipt.submission);
    for (receipt, request, tries) in found {
        let fits = |records: &&Vec<Record>| {
            let outcome = oracle.judge(request.0, records);
            outcome.content_hash == receipt.content_hash
                && outcome.counts[1] == receipt.unchanged
                && outcome.counts[2] == receipt.refused.values().sum::<u64>()
        };
        let records = tries.iter().find(fits).cloned();
        let records = records.expect("what is there is what was submitted");
        oracle.take(request, records, *receipt);
    }
}

/// Tags of the live records, as the store gives them.
fn rows(store: &Store) -> BTreeMap<Key, Vec<u64>> {
    let loaded = store.load_table().expect("table");
    let row = |row: u32| {
        let source = &loaded.sources[usize::from(loaded.table.source(row))];
        let label = loaded.refs.text(row).to_owned();
        assert_eq!(loaded.table.key(row), row_key(source, &label));
        ((source.to_string(), label), loaded.table.tags(row).to_vec())
    };
    let rows: BTreeMap<_, _> = (0..loaded.table.len() as u32).map(row).collect();
    assert_eq!(rows.len(), loaded.table.len(), "no record is there twice");
    rows
}

fn expected(oracle: &Oracle) -> BTreeMap<Key, Vec<u64>> {
    let live = oracle.live.iter();
    live.map(|(key, (_, content))| (key.clone(), encoding((0, 1, *content)).tags))
        .collect()
}
