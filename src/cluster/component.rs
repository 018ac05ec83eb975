//! One connected component: greedy average-link merging under rules.

use super::ClusterRules;
use crate::terms::{Link, RecordTable, RowIndex};

/// Rows that links connect, those links, and the supporting pairs among those rows.
pub(super) struct Component {
    pub(super) rows: Vec<RowIndex>,
    pub(super) links: Vec<Link>,
    pub(super) supporting: Vec<Link>,
}

/// Connected components of the rows `0..row_count` under the links; single rows included.
/// Supporting pairs connect nothing.
pub(super) fn components(row_count: usize, links: &[Link], supporting: &[Link]) -> Vec<Component> {
    let mut parent: Vec<u32> = (0..row_count as u32).collect();
    for link in links {
        let (a, b) = (
            root(&mut parent, link.pair.a),
            root(&mut parent, link.pair.b),
        );
        parent[a.max(b) as usize] = a.min(b);
    }
    let mut index_of = vec![u32::MAX; row_count];
    let mut components: Vec<Component> = Vec::new();
    for row in 0..row_count as u32 {
        let top = root(&mut parent, row) as usize;
        if index_of[top] == u32::MAX {
            index_of[top] = components.len() as u32;
            components.push(Component {
                rows: Vec::new(),
                links: Vec::new(),
                supporting: Vec::new(),
            });
        }
        components[index_of[top] as usize].rows.push(row);
    }
    for link in links {
        let top = root(&mut parent, link.pair.a) as usize;
        components[index_of[top] as usize].links.push(*link);
    }
    for pair in supporting {
        let (a, b) = (
            root(&mut parent, pair.pair.a),
            root(&mut parent, pair.pair.b),
        );
        if a == b {
            components[index_of[a as usize] as usize]
                .supporting
                .push(*pair);
        }
    }
    components
}

/// Root of a row, halving the path on the way.
fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        let above = parent[parent[row as usize] as usize];
        parent[row as usize] = above;
        row = above;
    }
    row
}

/// Merges the rows of a component into clusters; rows of each ascending.
///
/// Links are tried from the strongest down, ties broken by the rows' keys. A link merges the two
/// clusters that it joins if no rule forbids it and enough of their comparable cross pairs are
/// links or supporting pairs. Passes repeat until nothing merges: a link refused early may have support later.
pub(super) fn solve(
    table: &RecordTable,
    component: &Component,
    rules: &ClusterRules,
) -> Vec<Vec<RowIndex>> {
    let mut state = State::new(table, component, rules);
    let mut open = sorted(table, &component.links);
    loop {
        let mut merged = false;
        open.retain(|link| {
            let (a, b) = (state.cluster_at(link.pair.a), state.cluster_at(link.pair.b));
            if a == b {
                return false;
            }
            if state.may_merge(a, b) {
                state.merge(a, b);
                merged = true;
                return false;
            }
            true
        });
        if !merged {
            break;
        }
    }
    state.into_clusters()
}

fn sorted(table: &RecordTable, links: &[Link]) -> Vec<Link> {
    let mut sorted = links.to_vec();
    let keys = |link: &Link| {
        let (a, b) = (table.key(link.pair.a), table.key(link.pair.b));
        (a.min(b), a.max(b))
    };
    sorted.sort_by(|x, y| {
        y.weight
            .0
            .total_cmp(&x.weight.0)
            .then_with(|| keys(x).cmp(&keys(y)))
    });
    sorted
}

struct State<'a> {
    table: &'a RecordTable,
    rules: &'a ClusterRules,
    /// Rows of the component, ascending; everything below counts positions in it.
    rows: &'a [RowIndex],
    /// Linked rows of each row, and rows that support.
    neighbours: Vec<Vec<u32>>,
    /// Cluster of each row.
    cluster_of: Vec<u32>,
    /// Rows of each cluster; emptied when merged into another.
    members: Vec<Vec<u32>>,
}

impl<'a> State<'a> {
    fn new(table: &'a RecordTable, component: &'a Component, rules: &'a ClusterRules) -> Self {
        let rows = component.rows.as_slice();
        let mut state = Self {
            table,
            rules,
            rows,
            neighbours: vec![Vec::new(); rows.len()],
            cluster_of: (0..rows.len() as u32).collect(),
            members: (0..rows.len() as u32).map(|row| vec![row]).collect(),
        };
        for link in component.links.iter().chain(&component.supporting) {
            let (a, b) = (state.position(link.pair.a), state.position(link.pair.b));
            state.neighbours[a].push(b as u32);
            state.neighbours[b].push(a as u32);
        }
        state
    }

    fn position(&self, row: RowIndex) -> usize {
        self.rows
            .binary_search(&row)
            .expect("a component's links join its rows")
    }

    fn cluster_at(&self, row: RowIndex) -> u32 {
        self.cluster_of[self.position(row)]
    }

    fn may_merge(&self, a: u32, b: u32) -> bool {
        let (a_rows, b_rows) = (&self.members[a as usize], &self.members[b as usize]);
        for kind in &self.rules.once {
            let holds = |rows: &[u32]| rows.iter().any(|row| self.kind(*row) == *kind);
            if holds(a_rows) && holds(b_rows) {
                return false;
            }
        }
        let linked: usize = a_rows
            .iter()
            .flat_map(|row| &self.neighbours[*row as usize])
            .filter(|other| self.cluster_of[**other as usize] == b)
            .count();
        let comparable: usize = a_rows
            .iter()
            .map(|x| b_rows.iter().filter(|y| self.comparable(*x, **y)).count())
            .sum();
        linked as f64 >= self.rules.support_min * comparable as f64
    }

    fn kind(&self, position: u32) -> crate::terms::EventKind {
        self.table.kind(self.rows[position as usize])
    }

    /// Whether the two rows share at least half of what the poorer one has.
    fn comparable(&self, x: u32, y: u32) -> bool {
        let presence = |position: u32| {
            self.table.presence(self.rows[position as usize]) & self.rules.comparable_mask
        };
        let (x, y) = (presence(x), presence(y));
        let poorer = x.count_ones().min(y.count_ones());
        (x & y).count_ones() * 2 >= poorer.max(1)
    }

    fn merge(&mut self, a: u32, b: u32) {
        let larger_first = self.members[a as usize].len() >= self.members[b as usize].len();
        let (kept, gone) = if larger_first { (a, b) } else { (b, a) };
        let moved = std::mem::take(&mut self.members[gone as usize]);
        moved
            .iter()
            .for_each(|row| self.cluster_of[*row as usize] = kept);
        self.members[kept as usize].extend(moved);
    }

    fn into_clusters(self) -> Vec<Vec<RowIndex>> {
        let filled = self.members.into_iter().filter(|rows| !rows.is_empty());
        filled
            .map(|positions| {
                let mut rows: Vec<RowIndex> = positions
                    .into_iter()
                    .map(|position| self.rows[position as usize])
                    .collect();
                rows.sort_unstable();
                rows
            })
            .collect()
    }
}
