use proptest::prelude::*;

use super::*;
use crate::terms::{EventKind, LinkageProfile, PassReason, Row};

/// A table whose rows carry only the given tags; 0 is absent.
pub(super) fn table(rows: &[Vec<u64>]) -> RecordTable {
    let mut profile =
        String::from("name = \"slots\"\nversion = 1\nsummary = \"One slot a tag.\"\n");
    for tag in 0..4 {
        profile +=
            &format!("[[tag]]\nname = \"{tag}\"\nattributes = [\"given_kana\"]\nblock = true\n");
    }
    profile += "[[comparison]]\nname = \"given\"\nrungs = [{ attribute = \"given_kana\", m = 0.9, u = 0.01 }]\n";
    let layout = LinkageProfile::parse(&profile).expect("valid").layout();
    let mut table = RecordTable::with_capacity(layout.clone(), rows.len());
    for (index, wanted) in rows.iter().enumerate() {
        let mut tags = vec![0; layout.tag_slots()];
        tags[..wanted.len()].copy_from_slice(wanted);
        let presence = (0..tags.len())
            .filter(|tag| tags[*tag] != 0)
            .fold(0, |mask, tag| mask | layout.tag_bit(tag));
        table.push(Row {
            filters: &vec![0; layout.filter_words()],
            tags: &tags,
            presence,
            kind: EventKind::Other,
            year: 0,
            flags: 0,
            source: 0,
            key: index as u64,
        });
    }
    table
}

pub(super) fn plan(tags: &[usize], block_rows_max: usize) -> BlockPlan {
    BlockPlan {
        tags: tags.to_vec(),
        block_rows_max,
    }
}

fn pairs(found: &Candidates) -> Vec<(u32, u32)> {
    found.pairs.iter().map(|pair| (pair.a, pair.b)).collect()
}

#[test]
fn a_hot_block_is_left_out_and_reported() {
    let rows: Vec<Vec<u64>> = (0..6)
        .map(|row| vec![7, if row < 2 { 1 } else { 0 }])
        .collect();
    let found = candidates(&table(&rows), &plan(&[0, 1], 5), &|_| ());
    assert_eq!(pairs(&found), [(0, 1)]);
    let first = Pass {
        tag: 0,
        rows: 6,
        capped_blocks: 1,
        capped_rows: 6,
        ..Pass::default()
    };
    let second = Pass {
        tag: 1,
        rows: 2,
        pairs: 1,
        new_pairs: 1,
        ..Pass::default()
    };
    assert_eq!(found.passes, [first, second]);
}

#[test]
fn a_pass_runs_over_all_slots_of_a_tag() {
    let profile = LinkageProfile::built_in("jp-national").expect("built in");
    let tag = profile.tags.iter().position(|tag| tag.slots() == 7);
    let tag = tag.expect("a tag of seven slots");
    let layout = profile.layout();
    let mut table = RecordTable::with_capacity(layout.clone(), 3);
    // Rows 0 and 1 share two values in other slots; row 2 holds one value twice and nothing else.
    for slots in [[1, 2, 3, 4, 5, 6, 7], [9, 1, 8, 2, 10, 11, 12], [13; 7]] {
        let mut tags = vec![0; layout.tag_slots()];
        tags[layout.tag_range(tag)].copy_from_slice(&slots);
        table.push(Row {
            filters: &[],
            tags: &tags,
            presence: layout.tag_bit(tag),
            kind: EventKind::Other,
            year: 0,
            flags: 0,
            source: 0,
            key: 0,
        });
    }
    let found = candidates(&table, &plan(&[tag], 5), &|_| ());
    assert_eq!(pairs(&found), [(0, 1)]);
}

#[test]
fn absent_tags_pair_nothing() {
    let found = candidates(
        &table(&[vec![0, 0], vec![0, 0]]),
        &plan(&[0, 1], 5),
        &|_| (),
    );
    assert!(found.pairs.is_empty());
    assert!(
        found
            .passes
            .iter()
            .all(|pass| pass.rows == 0 && pass.capped_blocks == 0)
    );
}

proptest! {
    #[test]
    fn blocking_equals_the_naive_union(
        rows in proptest::collection::vec(proptest::collection::vec(0_u64..5, 3), 0..40),
    ) {
        let found = candidates(&table(&rows), &plan(&[0, 2], usize::MAX), &|_| ());
        let mut expected = Vec::new();
        for a in 0..rows.len() {
            for b in a + 1..rows.len() {
                if [0, 2].iter().any(|tag| rows[a][*tag] != 0 && rows[a][*tag] == rows[b][*tag]) {
                    expected.push((a as u32, b as u32));
                }
            }
        }
        prop_assert_eq!(pairs(&found), expected);
    }
    #[test]
    fn the_exact_scan_finds_all_that_share_a_value(
        rows in proptest::collection::vec(proptest::collection::vec(0_u64..5, 3), 1..40),
        chosen in proptest::collection::vec(0_usize..40, 0..10),
    ) {
        let sample: Vec<u32> = chosen.iter().map(|row| (row % rows.len()) as u32).collect();
        let found = sharing_rows(&table(&rows), &sample);
        let mut expected = Vec::new();
        for a in 0..rows.len() {
            for b in a + 1..rows.len() {
                let sampled = sample.contains(&(a as u32)) || sample.contains(&(b as u32));
                let shares = |tag: usize| rows[a][tag] != 0 && rows[a][tag] == rows[b][tag];
                if sampled && (0..3).any(shares) {
                    expected.push((a as u32, b as u32));
                }
            }
        }
        let found: Vec<_> = found.iter().map(|pair| (pair.a, pair.b)).collect();
        prop_assert_eq!(found, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Enough rows for several tasks, partitions and sets; the oracle is a join by value.
    #[test]
    fn many_rows_are_joined_like_few(seed in 0_u64..1000, people in 1_000_u64..30_000) {
        let mut state = seed;
        let mut random = |below: u64| {
            state = pass::mixed(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % below
        };
        let rows: Vec<Vec<u64>> = (0..140_000)
            .map(|_| (0..2).map(|_| (random(people) + 1) * random(3).min(1)).collect())
            .collect();
        let found = candidates(&table(&rows), &plan(&[0, 1], 60), &|_| ());
        let mut expected = std::collections::BTreeSet::new();
        for tag in 0..2 {
            let mut blocks = std::collections::BTreeMap::<u64, Vec<u32>>::new();
            for (row, values) in (0..).zip(&rows).filter(|(_, values)| values[tag] != 0) {
                blocks.entry(values[tag]).or_default().push(row);
            }
            for block in blocks.values().filter(|block| block.len() <= 60) {
                for (index, a) in block.iter().enumerate() {
                    expected.extend(block[index + 1..].iter().map(|b| (*a, *b)));
                }
            }
        }
        prop_assert!(pairs(&found) == expected.into_iter().collect::<Vec<_>>());
        let new: u64 = found.passes.iter().map(|pass| pass.new_pairs).sum();
        prop_assert_eq!(new, found.pairs.len() as u64);
    }
}

#[test]
fn the_plan_leaves_out_what_nobody_has_and_says_what_to_expect() {
    let rows: Vec<Vec<u64>> = (0..100)
        .map(|row| vec![row / 4 + 1, 0, u64::from(row == 7)])
        .collect();
    let outlook = super::plan(&table(&rows), &[0, 1, 2]);
    assert_eq!(outlook.plan, plan(&[0], 1_000));
    let of = |tag, rows, estimated_pairs, reason| TagOutlook {
        tag,
        rows,
        estimated_pairs,
        reason,
    };
    let expected = [
        of(0, 100, 25 * 6, PassReason::Shared),
        of(1, 0, 0, PassReason::Empty),
        of(2, 1, 0, PassReason::Empty),
    ];
    assert_eq!(outlook.tags, expected);
}

#[test]
fn the_plan_lowers_the_limit_where_there_would_be_too_many_pairs() {
    // 990 rows of one value in each of two tags: half as many pairs again as may be proposed.
    let rows: Vec<Vec<u64>> = (0..1_300)
        .map(|row| match row {
            0..990 => vec![1, 2],
            _ => vec![row / 2, row / 2],
        })
        .collect();
    let outlook = super::plan(&table(&rows), &[0, 1]);
    assert_eq!(outlook.plan.block_rows_max, 300);
    assert_eq!(outlook.tags[0].estimated_pairs, 155);
}

#[test]
fn a_sample_is_as_large_as_asked_and_drawn_by_the_seed() {
    let rows = vec![vec![1]; 5_000];
    let sample = sample_rows(&table(&rows), 300, 5);
    assert_eq!(sample.len(), 300);
    assert!(sample.is_sorted());
    assert_eq!(sample, sample_rows(&table(&rows), 300, 5));
    assert_ne!(sample, sample_rows(&table(&rows), 300, 6));
    assert_eq!(sample_rows(&table(&rows[..20]), 300, 5).len(), 20);
}
