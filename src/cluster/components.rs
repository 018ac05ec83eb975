//! Connected components of rows under links, in flat arrays: nothing is allocated for a component.

use super::Evidence;
use crate::terms::{CandidatePair, Link, RowIndex, Verdict};

/// Components of two rows or more, each with its links.
///
/// # Shape
/// 8 bytes a row and 4 bytes a link, besides the links themselves.
pub(super) struct Components {
    /// Rows by component, ascending in each; components by their first row.
    rows: Vec<RowIndex>,
    /// First of `rows` of each component, and the end.
    row_starts: Vec<u32>,
    /// Numbers of links by component, ascending in each.
    links: Vec<u32>,
    /// First of `links` of each component, and the end.
    link_starts: Vec<u32>,
    /// Numbers of supporting pairs within one component, by component, ascending in each.
    supporting: Vec<u32>,
    /// First of `supporting` of each component, and the end.
    supporting_starts: Vec<u32>,
    /// Verdicts on pairs within one component, with its number, ascending.
    verdicts: Vec<(u32, Verdict)>,
}

/// Not in a component of two rows or more.
const ALONE: u32 = u32::MAX;

impl Components {
    /// Components of the rows `0..row_count`. Verdicts that two rows are one connect like links;
    /// supporting pairs connect nothing.
    ///
    /// # Panics
    /// If there are 2³² links or supporting pairs.
    pub(super) fn new(row_count: usize, evidence: Evidence<'_>) -> Self {
        let Evidence {
            links,
            supporting,
            verdicts,
        } = evidence;
        assert!(
            links.len().max(supporting.len()) < u32::MAX as usize,
            "a run has fewer than 2^32 links"
        );
        let mut parent: Vec<u32> = (0..row_count as u32).collect();
        let same = verdicts.iter().filter(|verdict| verdict.same);
        let pairs = links.iter().map(|link| link.pair);
        for pair in pairs.chain(same.map(|verdict| verdict.pair)) {
            join(&mut parent, pair.a, pair.b);
        }
        // From here on `component[row]`: roots are the smallest rows, so they come first.
        let mut sizes = vec![0_u32; row_count];
        for row in 0..row_count as u32 {
            let top = root(&mut parent, row);
            parent[row as usize] = top;
            sizes[top as usize] += 1;
        }
        let mut row_starts = vec![0];
        let mut component = parent;
        for row in 0..row_count {
            let top = component[row] as usize;
            component[row] = if top != row {
                component[top]
            } else if sizes[row] < 2 {
                ALONE
            } else {
                let index = row_starts.len() as u32 - 1;
                row_starts.push(sizes[row]);
                index
            };
        }
        drop(sizes);
        add_up(&mut row_starts);
        let rows = grouped(&row_starts, component.iter().copied());
        let count = row_starts.len();
        let of_link = |link: &Link| component[link.pair.a as usize];
        let within = |pair: &Link| {
            let (a, b) = (pair.pair.a as usize, pair.pair.b as usize);
            if component[a] == component[b] {
                component[a]
            } else {
                ALONE
            }
        };
        let (link_starts, links) = by_component(count, links, &of_link);
        let (supporting_starts, supporting) = by_component(count, supporting, &within);
        let mut verdicts: Vec<(u32, Verdict)> = (verdicts.iter())
            .map(|verdict| (component[verdict.pair.a as usize], *verdict))
            .filter(|(of, verdict)| *of != ALONE && *of == component[verdict.pair.b as usize])
            .collect();
        verdicts.sort_unstable();
        Self {
            verdicts,
            rows,
            row_starts,
            links,
            link_starts,
            supporting,
            supporting_starts,
        }
    }

    /// Number of components.
    pub(super) fn len(&self) -> usize {
        self.row_starts.len() - 1
    }

    /// Rows of a component, ascending.
    pub(super) fn rows(&self, component: usize) -> &[RowIndex] {
        &self.rows[self.row_starts[component] as usize..self.row_starts[component + 1] as usize]
    }

    /// Rows of all components, one after the other.
    pub(super) fn all_rows(&self) -> &[RowIndex] {
        &self.rows
    }

    /// Verdicts on pairs of rows of a component, each with its number.
    pub(super) fn verdicts(&self, component: usize) -> &[(u32, Verdict)] {
        let of = component as u32;
        let start = self.verdicts.partition_point(|(other, _)| *other < of);
        let end = self.verdicts.partition_point(|(other, _)| *other <= of);
        &self.verdicts[start..end]
    }

    /// Numbers of the links of a component, ascending.
    pub(super) fn links(&self, component: usize) -> &[u32] {
        &self.links[self.link_starts[component] as usize..self.link_starts[component + 1] as usize]
    }

    /// Numbers of the supporting pairs within a component, ascending.
    pub(super) fn supporting(&self, component: usize) -> &[u32] {
        let starts = &self.supporting_starts[component..];
        &self.supporting[starts[0] as usize..starts[1] as usize]
    }
}

/// Starts of the components, and the numbers of the pairs by component.
fn by_component(
    starts: usize,
    pairs: &[Link],
    component_of: &dyn Fn(&Link) -> u32,
) -> (Vec<u32>, Vec<u32>) {
    let mut counts = vec![0; starts];
    for component in pairs.iter().map(component_of).filter(|of| *of != ALONE) {
        counts[component as usize + 1] += 1;
    }
    add_up(&mut counts);
    let numbers = grouped(&counts, pairs.iter().map(component_of));
    (counts, numbers)
}

/// Numbers `0, 1, 2 …` by the group that each belongs to; those of [`ALONE`] are left out.
fn grouped(starts: &[u32], groups: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut next = starts.to_vec();
    let end = starts[starts.len() - 1];
    let mut numbers = vec![0; end as usize];
    for (number, group) in (0_u32..).zip(groups) {
        if group != ALONE {
            let next = &mut next[group as usize];
            numbers[*next as usize] = number;
            *next += 1;
        }
    }
    numbers
}

/// Counts become sums of all counts so far.
fn add_up(counts: &mut [u32]) {
    let mut total = 0;
    for count in counts {
        total += *count;
        *count = total;
    }
}

/// How many groups `rows` rows fall into if these pairs are joined.
#[must_use]
pub fn component_count(rows: usize, pairs: impl Iterator<Item = CandidatePair>) -> usize {
    let mut parent: Vec<RowIndex> = (0..rows as RowIndex).collect();
    let mut count = rows;
    for CandidatePair { a, b } in pairs {
        if root(&mut parent, a) != root(&mut parent, b) {
            join(&mut parent, a, b);
            count -= 1;
        }
    }
    count
}

/// Puts two rows into one set; the smaller root stays.
pub(super) fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b) as usize] = a.min(b);
}

/// Root of a row, halving the path on the way.
pub(super) fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        let above = parent[parent[row as usize] as usize];
        parent[row as usize] = above;
        row = above;
    }
    row
}
