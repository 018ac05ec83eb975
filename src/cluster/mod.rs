//! Which records are one entity? Links → clusters, and clusters → lasting IDs.
//!
//! Every connected component of links is solved on its own, from scratch, in an order that depends
//! only on the links' weights and the rows' keys. So the partition is a function of rows and
//! links: the order in which records arrived does not matter.

mod component;
mod identity;

pub use identity::inherit;

use rayon::prelude::*;

use crate::terms::{CandidatePair, EventKind, Link, RecordTable, RowIndex};

/// What a cluster may be.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRules {
    /// Two clusters merge only if at least this share of their comparable cross pairs are links or
    /// supporting pairs.
    pub support_min: f64,
    /// Kinds of event that happen once in a life: a cluster holds at most one record of each.
    pub once: Vec<EventKind>,
    /// Presence bits that decide what is comparable: two rows are, if they share at least half of
    /// the bits that the poorer of them has.
    pub comparable_mask: u64,
}

/// What clustering found.
pub struct Clusters {
    /// Rows of each cluster, ascending; every row of the table is in exactly one. Ordered by
    /// first row.
    pub clusters: Vec<Vec<RowIndex>>,
    /// Links between different clusters: set aside for a rule or for too little support.
    pub links_set_aside: u64,
}

/// Pairs of rows that links connect over others, but that were never compared themselves.
///
/// Blocking misses pairs; a cluster needs to know about all of its own. `compared` is ascending.
/// Components with more than `rows_max` rows are left as they are: their number of pairs has no
/// useful bound.
#[must_use]
pub fn uncompared(
    row_count: usize,
    links: &[Link],
    compared: &[CandidatePair],
    rows_max: usize,
) -> Vec<CandidatePair> {
    let components = component::components(row_count, links, &[]);
    components
        .par_iter()
        .filter(|component| component.rows.len() <= rows_max)
        .flat_map_iter(|component| {
            let rows = &component.rows;
            let pairs = rows.iter().enumerate().flat_map(move |(index, a)| {
                rows[index + 1..].iter().map(|b| CandidatePair::new(*a, *b))
            });
            pairs.filter(|pair| compared.binary_search(pair).is_err())
        })
        .collect()
}

/// Groups rows into clusters.
///
/// `links` propose merges and support them; `supporting` pairs, weaker ones, only support.
#[must_use]
pub fn solve(
    table: &RecordTable,
    links: &[Link],
    supporting: &[Link],
    rules: &ClusterRules,
) -> Clusters {
    let components = component::components(table.len(), links, supporting);
    let solved: Vec<Vec<Vec<RowIndex>>> = components
        .par_iter()
        .map(|component| component::solve(table, component, rules))
        .collect();
    let mut clusters: Vec<Vec<RowIndex>> = solved.into_iter().flatten().collect();
    clusters.par_sort_unstable_by_key(|rows| rows[0]);

    let mut cluster_of = vec![0_u32; table.len()];
    for (index, rows) in clusters.iter().enumerate() {
        rows.iter()
            .for_each(|row| cluster_of[*row as usize] = index as u32);
    }
    let apart = |link: &&Link| cluster_of[link.pair.a as usize] != cluster_of[link.pair.b as usize];
    Clusters {
        links_set_aside: links.iter().filter(apart).count() as u64,
        clusters,
    }
}

#[cfg(test)]
mod tests;
