//! Which records are one entity? Links → clusters, and clusters → lasting IDs.
//!
//! Every connected component of links is solved on its own, from scratch, in an order that depends
//! only on the links' weights and the rows' keys. So the partition is a function of rows, links,
//! verdicts and rules: the order in which records arrived does not matter, and a component that
//! nothing touched has the solution that it had.
//!
//! # Memory
//! Besides table and links: 28 bytes a row and 4 bytes a link, and what the largest component takes.

mod component;
mod components;
mod identity;
mod judge;
mod oversize;
mod partition;
mod rules;
mod ties;
mod violation;

pub use components::component_count;
pub use identity::inherit;
pub use partition::Partition;
pub use rules::ClusterRules;
pub use ties::false_ties;
pub use violation::false_merges;

use rayon::prelude::*;

use self::component::{Problem, Solver};
use self::components::Components;
use self::judge::Judge;
use self::oversize::Oversize;
use crate::terms::{
    CandidatePair, Link, LinkSetAside, OversizeReport, RecordTable, RowIndex, SetAsideCount,
    SetAsideReason, Verdict,
};

/// Rows that one task solves, at least.
const TASK_ROWS: usize = 1 << 14;

/// What ties rows together and what keeps them apart.
#[derive(Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Pairs above the upper cut: they propose merges.
    pub links: &'a [Link],
    /// Pairs below it that are still more likely one person than not. They propose nothing, but
    /// count beside links when two clusters are asked for the support of their cross pairs.
    pub supporting: &'a [Link],
    /// What people decided.
    pub verdicts: &'a [Verdict],
}

/// What clustering found.
#[derive(Clone, PartialEq)]
pub struct Clusters {
    /// The rows in clusters.
    pub partition: Partition,
    /// Smallest row of the component of each row.
    component_of: Vec<RowIndex>,
    tally: Tally,
}

/// What was noticed on the way. Each thing names a row, so that it is known whose component it is.
#[derive(Clone, Default, PartialEq)]
struct Tally {
    /// Links between different clusters, by pair.
    set_aside: Vec<LinkSetAside>,
    /// Pairs of clusters, by first rows, that evidence would merge and a life course forbids.
    refused: Vec<CandidatePair>,
    /// Verdicts that two rows are one which others forbid.
    contradictory: Vec<CandidatePair>,
    oversize: Vec<Oversize>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.set_aside.extend(other.set_aside);
        self.refused.extend(other.refused);
        self.contradictory.extend(other.contradictory);
        self.oversize.extend(other.oversize);
    }

    fn retain(&mut self, keep: impl Fn(RowIndex) -> bool) {
        self.set_aside.retain(|link| keep(link.pair.a));
        self.refused.retain(|pair| keep(pair.a));
        self.contradictory.retain(|pair| keep(pair.a));
        self.oversize.retain(|found| keep(found.first));
    }

    fn sort(&mut self) {
        (self.set_aside).par_sort_unstable_by_key(|link| link.pair);
        self.refused.sort_unstable();
        self.contradictory.sort_unstable();
        self.oversize.sort_unstable_by_key(|found| found.first);
    }
}

impl Clusters {
    /// Links between different clusters, each with the reason. Those of a life course wait for
    /// people to look at.
    #[must_use]
    pub fn set_aside(&self) -> &[LinkSetAside] {
        &self.tally.set_aside
    }

    /// Links set aside by reason, in order of reasons; only reasons that occurred.
    #[must_use]
    pub fn set_aside_counts(&self) -> Vec<SetAsideCount> {
        let count = |reason| SetAsideCount {
            reason,
            links: (self.tally.set_aside.iter())
                .filter(|link| link.reason == reason)
                .count() as u64,
        };
        let counts = SetAsideReason::ALL.map(count);
        counts.into_iter().filter(|count| count.links > 0).collect()
    }

    /// Merges that evidence asked for and a life course refused.
    #[must_use]
    pub fn refused_merges(&self) -> u64 {
        self.tally.refused.len() as u64
    }

    /// Verdicts that two rows are one person which could not be carried out, because others say of
    /// rows that they would join that these are not.
    #[must_use]
    pub fn contradictory_verdicts(&self) -> u64 {
        self.tally.contradictory.len() as u64
    }

    /// Components that were too large.
    #[must_use]
    pub fn oversize(&self) -> OversizeReport {
        let found = &self.tally.oversize;
        OversizeReport {
            components: found.len() as u64,
            rows: found.iter().map(|one| one.rows).sum(),
            largest_rows: found.iter().map(|one| one.rows).max().unwrap_or(0),
            cut_bits: found.iter().fold(0.0, |cut, one| one.cut_bits.max(cut)),
            undivided: found.iter().map(|one| one.undivided).sum(),
        }
    }
}

/// Pairs of rows that links connect over others, but that were never compared themselves.
///
/// Blocking misses pairs; a cluster needs to know about all of its own. `compared` is ascending.
/// Only components are looked at for whose rows `wanted` holds.
/// Components with more than `rows_max` rows are left as they are: their number of pairs has no
/// useful bound.
#[must_use]
pub fn uncompared(
    row_count: usize,
    links: &[Link],
    compared: &[CandidatePair],
    rows_max: usize,
    wanted: &(dyn Fn(&[RowIndex]) -> bool + Sync),
) -> Vec<CandidatePair> {
    let evidence = Evidence {
        links,
        ..Evidence::default()
    };
    let components = Components::new(row_count, evidence);
    (0..components.len())
        .into_par_iter()
        .map(|component| components.rows(component))
        .filter(|rows| rows.len() <= rows_max && wanted(rows))
        .flat_map_iter(|rows| {
            let pairs = rows.iter().enumerate().flat_map(move |(index, a)| {
                rows[index + 1..].iter().map(|b| CandidatePair::new(*a, *b))
            });
            pairs.filter(|pair| compared.binary_search(pair).is_err())
        })
        .collect()
}

/// Groups rows into clusters.
#[must_use]
pub fn solve(table: &RecordTable, evidence: Evidence<'_>, rules: &ClusterRules) -> Clusters {
    solve_where(table, evidence, rules, &|_| None)
}

/// Groups rows into clusters when few of them changed: the same as [`solve`], and faster.
///
/// Rows keep their numbers: new ones come at the end, a row that is gone has no link any more.
/// `touched` names all rows that are new, changed or gone, and the ends of all links, supporting pairs and
/// verdicts that are.
#[must_use]
pub fn solve_again(
    table: &RecordTable,
    evidence: Evidence<'_>,
    rules: &ClusterRules,
    before: &Clusters,
    touched: &[RowIndex],
) -> Clusters {
    let known = before.component_of.len();
    // A component that lost a row may have fallen apart: all that it held is solved again.
    let mut dirty = vec![false; table.len()];
    for row in touched {
        dirty[*row as usize] = true;
        if (*row as usize) < known {
            dirty[before.component_of[*row as usize] as usize] = true;
        }
    }
    let cluster_of = before.partition.cluster_of_rows();
    let clean = |row: RowIndex| {
        (row as usize) < known
            && !dirty[row as usize]
            && !dirty[before.component_of[row as usize] as usize]
    };
    let label = |row: RowIndex| {
        clean(row).then(|| before.partition.cluster(cluster_of[row as usize] as usize)[0])
    };
    let mut again = solve_where(table, evidence, rules, &label);
    let mut kept = before.tally.clone();
    let untouched: Vec<bool> = (0..known as RowIndex)
        .map(|row| clean(again.component_of[row as usize]) && clean(row))
        .collect();
    kept.retain(|row| untouched[row as usize]);
    again.tally.add(kept);
    again.tally.sort();
    again
}

/// Solves every component of which some row has no known label; labels are smallest rows.
fn solve_where(
    table: &RecordTable,
    evidence: Evidence<'_>,
    rules: &ClusterRules,
    known_label: &(dyn Fn(RowIndex) -> Option<RowIndex> + Sync),
) -> Clusters {
    let components = Components::new(table.len(), evidence);
    let judge = Judge { table, rules };
    let mut solved = vec![0; components.all_rows().len()];
    let tallies: Vec<Tally> = tasks(&components, &mut solved)
        .into_par_iter()
        .map(|(range, mut labels)| {
            let mut solver = Solver::default();
            let (mut own_links, mut own_supporting) = (Vec::new(), Vec::new());
            let mut tally = Tally::default();
            for component in range {
                let rows = components.rows(component);
                let (own, rest) = labels.split_at_mut(rows.len());
                labels = rest;
                if rows.iter().all(|row| known_label(*row).is_some()) {
                    let known = rows.iter().filter_map(|row| known_label(*row));
                    own.iter_mut().zip(known).for_each(|(own, it)| *own = it);
                    continue;
                }
                own_links.clear();
                let numbers = components.links(component).iter();
                own_links.extend(numbers.map(|number| evidence.links[*number as usize]));
                own_supporting.clear();
                let numbers = components.supporting(component).iter();
                own_supporting
                    .extend(numbers.map(|number| evidence.supporting[*number as usize].pair));
                let problem = Problem {
                    rows,
                    links: &own_links,
                    supporting: &own_supporting,
                    verdicts: components.verdicts(component),
                };
                solver.solve(&judge, &problem, own, &mut tally);
            }
            tally
        })
        .collect();
    let mut labels: Vec<RowIndex> = (0..table.len() as RowIndex).collect();
    let mut component_of = labels.clone();
    for component in 0..components.len() {
        let rows = components.rows(component);
        (rows.iter()).for_each(|row| component_of[*row as usize] = rows[0]);
    }
    for (row, label) in components.all_rows().iter().zip(solved) {
        labels[*row as usize] = label;
    }
    drop(components);
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|other| tally.add(other));
    tally.sort();
    Clusters {
        partition: Partition::of_labels(&labels),
        component_of,
        tally,
    }
}

/// Runs of components with some thousand rows together, each with its part of `labels`.
fn tasks<'a>(
    components: &Components,
    mut labels: &'a mut [RowIndex],
) -> Vec<(std::ops::Range<usize>, &'a mut [RowIndex])> {
    let mut tasks = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for component in 0..components.len() {
        rows += components.rows(component).len();
        if rows >= TASK_ROWS || component + 1 == components.len() {
            let (own, rest) = labels.split_at_mut(rows);
            tasks.push((start..component + 1, own));
            labels = rest;
            (start, rows) = (component + 1, 0);
        }
    }
    tasks
}

#[cfg(test)]
mod tests;
