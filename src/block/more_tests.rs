//! Rows that come later pair as if they had been there.

use proptest::prelude::*;

use super::*;
use crate::block::candidates;
use crate::block::tests::{plan, table};

proptest! {
    #[test]
    fn pairs_of_before_and_of_more_are_the_pairs_of_all(
        rows in proptest::collection::vec(proptest::collection::vec(0_u64..7, 2), 1..40),
        share in 0.0_f64..1.0,
        limit in 2_usize..12,
    ) {
        let first = (rows.len() as f64 * share) as usize;
        let plan = plan(&[0, 1], limit);
        let all = table(&rows);
        let mut grown = candidates(&table(&rows[..first]), &plan, &|_| ());
        let whole = candidates(&all, &plan, &|_| ());
        match more_candidates(&all, &plan, first as RowIndex) {
            Some(more) => {
                grown.add(more);
                prop_assert!(grown.pairs == whole.pairs);
                prop_assert_eq!(grown.passes.len(), whole.passes.len());
                for (grown, whole) in grown.passes.iter().zip(&whole.passes) {
                    let of = |pass: &Pass| (pass.rows, pass.pairs, pass.capped_blocks, pass.capped_rows);
                    prop_assert_eq!(of(grown), of(whole));
                }
            }
            // A block that was within the limit is beyond it now.
            None => {
                let size = |rows: &[Vec<u64>], tag: usize, value: u64| {
                    rows.iter().filter(|row| row[tag] == value).count()
                };
                let crossed = (0..2).any(|tag| (1..7).any(|value| {
                    (2..=limit).contains(&size(&rows[..first], tag, value))
                        && size(&rows, tag, value) > limit
                }));
                prop_assert!(crossed);
            }
        }
    }
}
