//! A life of a table in batches: rows come, change and go, verdicts are passed and withdrawn. After
//! each batch the partition is that of one run over all that there is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const ROWS: u32 = 24;

/// One change of the world.
#[derive(Debug, Clone)]
enum Change {
    /// The next row comes.
    Insert,
    /// A row goes, with all that concerns it.
    Delete(u32),
    /// The evidence for a pair is this many bits, or there is none.
    Evidence(u32, u32, Option<u8>),
    /// A person decides on a pair, or takes it back.
    Decide(u32, u32, Option<bool>),
}

fn change() -> impl Strategy<Value = Change> {
    let row = 0..ROWS;
    prop_oneof![
        3 => Just(Change::Insert),
        1 => row.clone().prop_map(Change::Delete),
        8 => (row.clone(), 1_u32..4, prop::option::weighted(0.9, 0_u8..6))
            .prop_map(|(a, by, bits)| Change::Evidence(a, (a + by) % ROWS, bits)),
        1 => (row.clone(), 1_u32..4, prop::option::weighted(0.8, any::<bool>()))
            .prop_map(|(a, by, same)| Change::Decide(a, (a + by) % ROWS, same)),
    ]
}

#[derive(Default)]
struct World {
    rows: u32,
    gone: BTreeSet<u32>,
    links: BTreeMap<(u32, u32), u8>,
    verdicts: BTreeMap<(u32, u32), bool>,
}

impl World {
    /// Applies a change; rows that it touches.
    fn apply(&mut self, change: &Change) -> Vec<u32> {
        let live = |world: &Self, row: u32| row < world.rows && !world.gone.contains(&row);
        match change {
            Change::Insert if self.rows < ROWS => {
                self.rows += 1;
                vec![self.rows - 1]
            }
            Change::Delete(row) if live(self, *row) => {
                self.gone.insert(*row);
                self.links.retain(|(a, b), _| a != row && b != row);
                self.verdicts.retain(|(a, b), _| a != row && b != row);
                vec![*row]
            }
            Change::Evidence(a, b, bits) if live(self, *a) && live(self, *b) => {
                let pair = (*a.min(b), *a.max(b));
                match bits {
                    Some(bits) => self.links.insert(pair, *bits),
                    None => self.links.remove(&pair),
                };
                vec![*a, *b]
            }
            Change::Decide(a, b, same) if live(self, *a) && live(self, *b) => {
                let pair = (*a.min(b), *a.max(b));
                match same {
                    Some(same) => self.verdicts.insert(pair, *same),
                    None => self.verdicts.remove(&pair),
                };
                vec![*a, *b]
            }
            _ => Vec::new(),
        }
    }

    fn person(row: u32) -> Person {
        let kinds = [EventKind::Birth, EventKind::Hospital, EventKind::Claim];
        Person {
            kind: Some(kinds[row as usize % 3]),
            year: 2000 + (row * 7 % 4) as u16,
            source: row as u16 % 4,
            key: u64::from(row),
            ..Person::default()
        }
    }

    /// Links and verdicts of the live rows, each row under another number.
    fn evidence(&self, place: &BTreeMap<u32, u32>) -> (Vec<Link>, Vec<Verdict>) {
        let links = self.links.iter();
        let links = links.map(|((a, b), bits)| link(place[a], place[b], f64::from(*bits)));
        let verdicts = self.verdicts.iter().map(|((a, b), same)| Verdict {
            pair: CandidatePair::new(place[a], place[b]),
            same: *same,
        });
        (links.collect(), verdicts.collect())
    }

    /// Clusters of the live rows from one run over them alone, in this order.
    fn in_one_run(&self, order: &[u32], rules: &ClusterRules) -> Vec<Vec<u32>> {
        let live = |row: &&u32| **row < self.rows && !self.gone.contains(row);
        let rows: Vec<u32> = order.iter().filter(live).copied().collect();
        let place: BTreeMap<u32, u32> = rows.iter().copied().zip(0..).collect();
        let people: Vec<Person> = rows.iter().map(|row| Self::person(*row)).collect();
        let (links, verdicts) = self.evidence(&place);
        let found = solve(&table(&people), &links, &verdicts, rules);
        let mut clusters = clusters(&found);
        for cluster in &mut clusters {
            cluster
                .iter_mut()
                .for_each(|row| *row = rows[*row as usize]);
            cluster.sort_unstable();
        }
        clusters.sort();
        clusters
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2500))]
    #[test]
    fn batches_end_where_one_run_ends(
        batches in prop::collection::vec(prop::collection::vec(change(), 1..30), 1..8),
        order in Just((0..ROWS).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut rules = rules();
        rules.rows_max = 8;
        rules.link_bits = 0.0;
        let mut world = World::default();
        let mut before = solve(&plain(0), &[], &[], &rules);
        for batch in &batches {
            let touched: Vec<u32> = batch.iter().flat_map(|change| world.apply(change)).collect();
            let everywhere: BTreeMap<u32, u32> = (0..world.rows).map(|row| (row, row)).collect();
            let people: Vec<Person> = (0..world.rows).map(World::person).collect();
            let table = table(&people);
            let (links, verdicts) = world.evidence(&everywhere);
            let again = solve_again(&table, &links, &verdicts, &rules, &before, &touched);
            let whole = solve(&table, &links, &verdicts, &rules);
            prop_assert!(again == whole, "{} rows", world.rows);
            before = again;
        }
        let mut kept = clusters(&before);
        kept.retain(|rows| !world.gone.contains(&rows[0]));
        prop_assert_eq!(kept, world.in_one_run(&order, &rules));
    }
}
