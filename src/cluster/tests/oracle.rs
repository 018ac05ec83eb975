//! The same partition by the most naive means: whole lists, nothing kept from try to try.

use proptest::prelude::*;

use super::*;

/// Average-link merging from the strongest link down, until nothing merges.
fn naive(count: u32, links: &[(u32, u32, f64)]) -> Vec<Vec<u32>> {
    let mut clusters: Vec<Vec<u32>> = (0..count).map(|row| vec![row]).collect();
    let mut order = links.to_vec();
    let key = |row: u32| u64::from(row).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    order.sort_by(|x, y| {
        let keys = |(a, b, _): &(u32, u32, f64)| (key(*a).min(key(*b)), key(*a).max(key(*b)));
        y.2.total_cmp(&x.2).then(keys(x).cmp(&keys(y)))
    });
    loop {
        let before = clusters.len();
        for (a, b, _) in &order {
            let at = |row: u32| clusters.iter().position(|rows| rows.contains(&row));
            let (Some(a), Some(b)) = (at(*a), at(*b)) else {
                unreachable!("every row is in a cluster")
            };
            let linked = |x: u32, y: u32| {
                let same = |(a, b, _): &&(u32, u32, f64)| (*a, *b) == (x.min(y), x.max(y));
                links.iter().any(|link| same(&link))
            };
            let pairs = clusters[a]
                .iter()
                .flat_map(|x| clusters[b].iter().map(move |y| (x, y)));
            let support = pairs.filter(|(x, y)| linked(**x, **y)).count();
            if a != b && support * 2 >= clusters[a].len() * clusters[b].len() {
                let gone = clusters.remove(a.max(b));
                clusters[a.min(b)].extend(gone);
            }
        }
        if clusters.len() == before {
            break;
        }
    }
    clusters.iter_mut().for_each(|rows| rows.sort_unstable());
    clusters.sort();
    clusters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn clusters_are_those_of_the_naive_algorithm(
        edges in prop::collection::btree_map((0_u32..14, 0_u32..14), 0_u8..8, 0..60),
    ) {
        let links: Vec<(u32, u32, f64)> = (edges.iter())
            .filter(|((a, b), _)| a < b)
            .map(|((a, b), bits)| (*a, *b, f64::from(*bits)))
            .collect();
        let given: Vec<Link> = links.iter().map(|(a, b, bits)| link(*a, *b, *bits)).collect();
        let found = solve(&plain(14), &given, &[], &rules());
        prop_assert_eq!(clusters(&found), naive(14, &links));
    }
}
