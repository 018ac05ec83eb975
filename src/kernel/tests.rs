use super::*;
use proptest::prelude::*;

fn naive_dice(a: &[u64], b: &[u64]) -> f64 {
    let bit = |words: &[u64], i: usize| words[i / 64] >> (i % 64) & 1 == 1;
    let (mut both, mut total) = (0, 0);
    for i in 0..a.len() * 64 {
        both += usize::from(bit(a, i) && bit(b, i));
        total += usize::from(bit(a, i)) + usize::from(bit(b, i));
    }
    if total == 0 {
        0.0
    } else {
        2.0 * both as f64 / total as f64
    }
}

proptest! {
    #[test]
    fn dice_equals_the_bit_by_bit_count(
        rows in (0_usize..20).prop_flat_map(|n| (
            proptest::collection::vec(any::<u64>(), n),
            proptest::collection::vec(any::<u64>(), n),
        )),
    ) {
        prop_assert!((dice(&rows.0, &rows.1) - naive_dice(&rows.0, &rows.1)).abs() < 1e-12);
    }
}

#[test]
fn equal_filters_are_alike_and_disjoint_ones_are_not() {
    assert!((dice(&[5, 9], &[5, 9]) - 1.0).abs() < 1e-12);
    assert!(dice(&[0b01], &[0b10]).abs() < 1e-12);
    assert!(dice(&[0], &[0]).abs() < 1e-12);
}

/// Filters of any fill, empty and full ones among them, each third one much like another.
fn filters(words: usize) -> impl Strategy<Value = Vec<Vec<u64>>> {
    let filter = (
        0_u8..6,
        proptest::collection::vec(any::<(u64, u64)>(), words),
    );
    let filter = filter.prop_map(|(fill, words)| {
        let thin = |(a, b): (u64, u64)| match fill {
            0 => 0,
            1 => a & b,
            2 => a | b,
            3 => u64::MAX,
            _ => a,
        };
        words.into_iter().map(thin).collect::<Vec<u64>>()
    });
    proptest::collection::vec(filter, 0..40).prop_map(|mut filters| {
        for index in (2..filters.len()).step_by(3) {
            let mut like = filters[index - 2].clone();
            like[0] ^= filters[index][0] & 0x11;
            filters[index] = like;
        }
        filters
    })
}

/// Scans by tiles of a few rows, and gives (query, row, similarity) over all.
fn scanned(plan: &Plan, queries: &[Vec<u64>], rows: &[Vec<u64>]) -> Vec<(u32, u32, f64)> {
    let laid_out = Queries::new(plan, &queries.concat());
    let mut all = Vec::new();
    for (index, some) in rows.chunks(13).enumerate() {
        let mut found = Vec::new();
        let tile = Tile::new(plan, &some.concat());
        assert_eq!(tile.len(), some.len());
        scan(plan, &laid_out, &tile, &mut found);
        assert!(found.is_sorted(), "query by query, rows ascending");
        let place = |it: &Match| (it.query, it.row + index as u32 * 13, it.similarity());
        all.extend(found.iter().map(place));
    }
    all.sort_by_key(|it| (it.0, it.1));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// One suite for every path: each finds exactly what the naive count finds.
    #[test]
    fn every_path_finds_the_pairs_that_reach_the_threshold_and_no_other(
        (words, queries, rows) in (1_usize..70).prop_flat_map(|words| {
            (Just(words), filters(words), filters(words))
        }),
        threshold in prop_oneof![0.01_f64..1.0, Just(1.0), Just(0.5), Just(0.8)],
    ) {
        let mut expected = Vec::new();
        for (query, a) in queries.iter().enumerate() {
            for (row, b) in rows.iter().enumerate() {
                let similarity = dice(a, b);
                if similarity >= threshold {
                    expected.push((query as u32, row as u32, similarity));
                }
            }
        }
        for path in Path::available() {
            let (a, b) = (queries.concat(), rows.concat());
            let plan = Plan::new(path, words, threshold, &a, &b).expect("a plan");
            let found = scanned(&plan, &queries, &rows);
            prop_assert_eq!(&found, &expected, "path {}", path.name());
        }
    }
}

#[test]
fn paths_that_this_processor_lacks_are_named() {
    for name in Path::NAMES {
        match Path::detect(name) {
            Some(path) => assert_eq!(path.name(), name),
            None => println!("skipped: this processor has no {name}"),
        }
    }
    assert_eq!(Path::detect("portable").map(Path::name), Some("portable"));
}

#[test]
fn a_plan_needs_a_similarity_and_filters() {
    let path = Path::detect("portable").expect("always");
    for threshold in [0.0, -0.1, 1.01, f64::NAN] {
        let refused = Plan::new(path, 1, threshold, &[], &[]);
        assert_eq!(refused.err(), Some(PlanError::Threshold));
    }
    let refused = Plan::new(path, 0, 0.8, &[], &[]);
    assert_eq!(refused.err(), Some(PlanError::Words));
}

#[test]
fn a_prefix_is_shorter_where_it_tells_enough() {
    let path = Path::detect("portable").expect("always");
    let mut state = 1_u64;
    let mut word = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state ^ (state >> 31)
    };
    let unlike: Vec<u64> = (0..64 * 16).map(|_| word() & word()).collect();
    let strict = Plan::new(path, 16, 0.9, &unlike, &unlike).expect("a plan");
    assert!(strict.prefix() < 16, "prefix {}", strict.prefix());
    let alike = vec![3_u64; 64 * 16];
    let loose = Plan::new(path, 16, 0.1, &alike, &alike).expect("a plan");
    assert!(loose.prefix() <= 16);
    assert!(strict.prefix() > 1, "prefix {}", strict.prefix());
}

#[test]
#[should_panic(expected = "laid out for the plan")]
fn a_tile_of_another_plan_is_not_scanned() {
    let path = Path::detect("portable").expect("always");
    let plan = |threshold| Plan::new(path, 1, threshold, &[], &[]).expect("a plan");
    let (one, other) = (plan(0.9), plan(0.8));
    scan(
        &one,
        &Queries::new(&one, &[1]),
        &Tile::new(&other, &[1]),
        &mut Vec::new(),
    );
}
