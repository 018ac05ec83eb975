//! Which links hold the entities together? A false one among them hides a person.
//!
//! An entity of *n* rows is held by *n* − 1 ties: the strongest links that join its rows, a maximum
//! spanning tree. A link beside them confirms what is joined already, so that counting links would
//! count one false merge many times.

use rayon::prelude::*;

use super::Partition;
use super::components::{join, root};
use crate::terms::{Link, RowIndex};

/// Links of so many bits are right but for one in a million: their order does not matter.
const SURE_BITS: f64 = 20.0;

/// How many ties hold the clusters, and how many of them the links' weights expect to be false. `counts`
/// says which rows are counted; a cluster is counted as a whole or not at all.
#[must_use]
pub fn false_ties(
    partition: &Partition,
    links: &[Link],
    counts: &(dyn Fn(RowIndex) -> bool + Sync),
) -> (u64, f64) {
    let cluster_of = partition.cluster_of_rows();
    let ties = |link: &&Link| {
        let (a, b) = (link.pair.a, link.pair.b);
        cluster_of[a as usize] == cluster_of[b as usize] && counts(a)
    };
    let mut parent: Vec<RowIndex> = (0..cluster_of.len() as RowIndex).collect();
    let (mut count, mut wrong) = (0, 0.0);
    let mut take = |link: &Link| {
        let (a, b) = (link.pair.a, link.pair.b);
        if root(&mut parent, a) != root(&mut parent, b) {
            join(&mut parent, a, b);
            count += 1;
            wrong += 1.0 - link.weight.probability();
        }
    };
    let sure = links.iter().filter(|link| link.weight.0 >= SURE_BITS);
    sure.filter(ties).for_each(&mut take);
    let rest = links.par_iter().filter(|link| link.weight.0 < SURE_BITS);
    let mut rest: Vec<&Link> = rest.filter(ties).collect();
    // Ties of equal weight count alike, whichever is taken.
    rest.par_sort_unstable_by(|x, y| y.weight.0.total_cmp(&x.weight.0));
    rest.into_iter().for_each(take);
    (count, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{CandidatePair, MatchWeight};

    #[test]
    fn the_strongest_links_of_an_entity_are_its_ties() {
        let link = |a, b, bits| Link {
            pair: CandidatePair::new(a, b),
            weight: MatchWeight(bits),
        };
        // Rows 0, 1, 2 are one entity, 3 and 4 another, 5 a third that is not counted, with 6.
        let partition = Partition::of_labels(&[0, 0, 0, 3, 3, 5, 5]);
        let links = [
            link(0, 1, 30.0),
            link(0, 2, 1.0),
            link(1, 2, 3.0),
            link(3, 4, 0.0),
            link(2, 3, 0.5),
            link(5, 6, 0.0),
        ];
        let (ties, wrong) = false_ties(&partition, &links, &|row| row < 5);
        assert_eq!(ties, 3);
        // Odds of 8 to 1 and of 1 to 1; the one of 30 bits is sure.
        assert!((wrong - (1.0 / 9.0 + 0.5)).abs() < 1e-6, "{wrong}");
    }
}
