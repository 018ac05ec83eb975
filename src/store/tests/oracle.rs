//! Random histories against a map: live records, receipts and the loaded table agree.

use proptest::prelude::*;

use super::*;

type Key = (String, String);

/// What the store should know.
#[derive(Default)]
struct Oracle {
    live: BTreeMap<Key, (u32, u64)>,
    receipts: BTreeMap<(String, String), Receipt>,
}

#[derive(Debug, Clone)]
enum Step {
    /// Source, request, records (label, version, content), whether it is committed.
    Submit(u8, u8, Vec<(u8, u32, u64)>, bool),
    Reopen,
    LoseIndex,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = (0..6u8, 1..4u32, 0..3u64);
    let submit = (
        0..2u8,
        0..12u8,
        prop::collection::vec(record, 0..8),
        prop::bool::weighted(0.85),
    )
        .prop_map(|(source, request, records, commit)| {
            Step::Submit(source, request, records, commit)
        });
    let step = prop_oneof![10 => submit, 1 => Just(Step::Reopen), 1 => Just(Step::LoseIndex)];
    prop::collection::vec(step, 1..14)
}

impl Oracle {
    /// Accepted, unchanged and refused records of a submission; takes it in if `commit`.
    fn submit(&mut self, source: &str, records: &[(u8, u32, u64)], commit: bool) -> [u64; 3] {
        let mut taken: BTreeMap<u8, u64> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut counts = [0; 3];
        for (label, version, content) in records {
            let key = (source.to_owned(), label.to_string());
            let outcome = match (taken.get(label), self.live.get(&key)) {
                (Some(before), _) if before == content => 1,
                (Some(_), _) => 2,
                (None, None) => 0,
                (None, Some((held, _))) if version > held => 0,
                (None, Some(held)) if *held == (*version, *content) => 1,
                (None, Some(_)) => 2,
            };
            counts[outcome] += 1;
            if outcome < 2 {
                taken.insert(*label, *content);
            }
            if outcome == 0 {
                changes.push((key, (*version, *content)));
            }
        }
        if commit {
            self.live.extend(changes);
        }
        counts
    }

    fn check(&self, store: &Store) {
        let expected: BTreeMap<Key, Vec<u64>> = self
            .live
            .iter()
            .map(|(key, (_, content))| (key.clone(), encoding("x", 1, *content).tags))
            .collect();
        assert!(live(store) == expected, "live records agree");
        let counts: Vec<(String, u64)> = store
            .sources()
            .into_iter()
            .filter(|source| source.records > 0)
            .map(|source| (source.source.to_string(), source.records))
            .collect();
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for (source, _) in self.live.keys() {
            *wanted.entry(source.clone()).or_default() += 1;
        }
        assert_eq!(counts, wanted.into_iter().collect::<Vec<_>>());
        assert_eq!(store.submissions().len(), self.receipts.len());
    }
}

fn play(steps: &[Step]) {
    let directory = tempfile::tempdir().expect("directory");
    let mut oracle = Oracle::default();
    let mut store = open(directory.path());
    for step in steps {
        match step {
            Step::Submit(source, request, records, commit) => {
                let name = format!("s{source}");
                let key = (name.clone(), format!("r{request}"));
                let mut writer = match store.begin_submission(&header(&key.0, &key.1)) {
                    Ok(writer) => writer,
                    Err(BeginSubmissionError::AlreadyDone(receipt)) => {
                        assert_eq!(Some(&*receipt), oracle.receipts.get(&key));
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                };
                assert!(!oracle.receipts.contains_key(&key));
                for (label, version, content) in records {
                    let record = encoding(&label.to_string(), *version, *content);
                    writer.append(&record).expect("appended");
                }
                let expected = oracle.submit(&name, records, *commit);
                if *commit {
                    let receipt = writer.commit(BTreeMap::new()).expect("committed");
                    let refused = receipt.refused.values().sum();
                    assert_eq!([receipt.accepted, receipt.unchanged, refused], expected);
                    oracle.receipts.insert(key, receipt);
                }
            }
            Step::Reopen => {
                drop(store);
                store = open(directory.path());
            }
            Step::LoseIndex => {
                drop(store);
                std::fs::remove_dir_all(directory.path().join("index")).expect("removed");
                store = open(directory.path());
            }
        }
        oracle.check(&store);
    }
    drop(store);
    oracle.check(&open(directory.path()));
    verify(directory.path(), &key()).expect("whole");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_history_agrees_with_a_map(steps in steps()) {
        play(&steps);
    }
}
