//! One connected component: greedy average-link merging under rules.

use std::collections::HashMap;

use super::judge::{Fact, Judge};
use super::{Tally, oversize};
use crate::terms::{CandidatePair, Link, LinkSetAside, RowIndex, SetAsideReason, Verdict};

/// A component's rows and links, in positions of its rows.
pub(super) struct Problem<'a> {
    /// Rows, ascending.
    pub(super) rows: &'a [RowIndex],
    /// Links between them, in any order.
    pub(super) links: &'a [Link],
    /// Verdicts on pairs of them, in any order, each with the component's number.
    pub(super) verdicts: &'a [(u32, Verdict)],
}

/// A link with its ends as positions.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) a: u32,
    pub(super) b: u32,
    /// What counts: the weight less what source checks take off.
    pub(super) bits: f64,
    keys: (u64, u64),
    link: Link,
}

/// No further member.
const NONE: u32 = u32::MAX;

/// Memory of a solver, used again for the next component.
#[derive(Default)]
pub(super) struct Solver {
    facts: Vec<Fact>,
    edges: Vec<Edge>,
    /// Edges still in force, strongest first, each with the time of its last try.
    open: Vec<(u32, u32)>,
    /// Neighbours of a position: `neighbours[starts[p]..starts[p + 1]]`.
    starts: Vec<u32>,
    neighbours: Vec<u32>,
    cluster_of: Vec<u32>,
    /// Next member of the cluster of a position; the list begins with the cluster's number.
    next: Vec<u32>,
    last: Vec<u32>,
    size: Vec<u32>,
    /// Time of the last change of each cluster.
    changed: Vec<u32>,
    /// Pairs that must not be one, as positions.
    apart: Vec<(u32, u32)>,
    left: Vec<Fact>,
    right: Vec<Fact>,
}

impl Solver {
    /// Merges the rows of a component into clusters: `labels[i]` becomes the smallest row of the
    /// cluster of `rows[i]`.
    ///
    /// Verdicts go first, then links from the strongest down, ties broken by the rows' keys. A link
    /// merges the two clusters that it joins if no rule forbids it and enough of their comparable
    /// cross pairs are links. Passes repeat until nothing merges: a link refused early may have
    /// support later.
    pub(super) fn solve(
        &mut self,
        judge: &Judge<'_>,
        problem: &Problem<'_>,
        labels: &mut [RowIndex],
        tally: &mut Tally,
    ) {
        self.load(judge, problem);
        self.decree(judge, problem, tally);
        let kept = if problem.rows.len() > judge.rules.rows_max {
            let (cut, found) = oversize::divide(problem.rows, judge.rules, &self.edges);
            tally.oversize.push(found);
            cut
        } else {
            judge.rules.link_bits.into()
        };
        self.connect(&kept);
        self.merge_all(judge);
        for (position, label) in labels.iter_mut().enumerate() {
            let mut first = u32::MAX;
            let mut member = self.cluster_of[position];
            while member != NONE {
                first = first.min(member);
                member = self.next[member as usize];
            }
            *label = problem.rows[first as usize];
        }
        self.set_aside(judge, &kept, tally);
    }

    fn load(&mut self, judge: &Judge<'_>, problem: &Problem<'_>) {
        let rows = problem.rows;
        let position = |row: RowIndex| {
            let found = rows.binary_search(&row);
            found.expect("a component's links join its rows") as u32
        };
        self.facts.clear();
        self.facts.extend(rows.iter().map(|row| judge.fact(*row)));
        self.edges.clear();
        self.edges.extend(problem.links.iter().map(|link| {
            let (a, b) = (position(link.pair.a), position(link.pair.b));
            let keys = (judge.table.key(link.pair.a), judge.table.key(link.pair.b));
            let broken = self.facts[a as usize].broken + self.facts[b as usize].broken;
            Edge {
                a,
                b,
                bits: link.weight.0 - f64::from(broken) * judge.rules.penalty_bits,
                keys: (keys.0.min(keys.1), keys.0.max(keys.1)),
                link: *link,
            }
        }));
        self.edges.sort_unstable_by(|x, y| {
            let order = y.bits.total_cmp(&x.bits);
            order.then_with(|| x.keys.cmp(&y.keys))
        });
        let count = rows.len() as u32;
        self.cluster_of.clear();
        self.cluster_of.extend(0..count);
        self.last.clear();
        self.last.extend(0..count);
        for (list, value) in [
            (&mut self.next, NONE),
            (&mut self.size, 1),
            (&mut self.changed, 0),
        ] {
            list.clear();
            list.resize(rows.len(), value);
        }
        self.apart.clear();
        let verdicts = problem.verdicts.iter().map(|(_, verdict)| verdict);
        let apart = verdicts.filter(|verdict| !verdict.same);
        let ends = |verdict: &Verdict| (position(verdict.pair.a), position(verdict.pair.b));
        self.apart.extend(apart.map(ends));
    }

    /// Carries out the verdicts that two rows are one. One that would join what another verdict
    /// keeps apart is left: apart goes first.
    fn decree(&mut self, judge: &Judge<'_>, problem: &Problem<'_>, tally: &mut Tally) {
        let verdicts = problem.verdicts.iter().map(|(_, verdict)| *verdict);
        let mut same: Vec<Verdict> = verdicts.filter(|verdict| verdict.same).collect();
        let keys = |verdict: &Verdict| {
            let (a, b) = (verdict.pair.a, verdict.pair.b);
            let (a, b) = (judge.table.key(a), judge.table.key(b));
            (a.min(b), a.max(b))
        };
        same.sort_unstable_by_key(keys);
        for verdict in same {
            let cluster = |row: RowIndex| {
                let position = problem.rows.binary_search(&row);
                self.cluster_of[position.expect("a component holds its verdicts' rows")]
            };
            let (a, b) = (cluster(verdict.pair.a), cluster(verdict.pair.b));
            if a == b {
                continue;
            }
            if self.must_stay_apart(a, b) {
                tally.contradictory.push(verdict.pair);
            } else {
                self.merge(a, b, 0);
            }
        }
    }

    /// Neighbours of each position, by the edges in force.
    fn connect(&mut self, kept: &oversize::Cut) {
        let count = self.facts.len();
        self.starts.clear();
        self.starts.resize(count + 1, 0);
        self.open.clear();
        for (number, edge) in (0_u32..).zip(&self.edges) {
            if kept.holds(edge) {
                self.open.push((number, 0));
                self.starts[edge.a as usize + 1] += 1;
                self.starts[edge.b as usize + 1] += 1;
            }
        }
        for position in 0..count {
            self.starts[position + 1] += self.starts[position];
        }
        self.neighbours.clear();
        self.neighbours.resize(2 * self.open.len(), 0);
        for (number, _) in self.open.iter().rev() {
            let edge = self.edges[*number as usize];
            for (from, to) in [(edge.a, edge.b), (edge.b, edge.a)] {
                // Filled from the end of each list down; `starts` is put right below.
                self.starts[from as usize + 1] -= 1;
                let at = self.starts[from as usize + 1];
                self.neighbours[at as usize] = to;
            }
        }
        // Each `starts[p + 1]` now is where the list of `p` begins.
        self.starts.remove(0);
        self.starts.push(self.neighbours.len() as u32);
    }

    fn merge_all(&mut self, judge: &Judge<'_>) {
        let mut time = 0;
        let mut open = std::mem::take(&mut self.open);
        loop {
            let mut merged = false;
            open.retain_mut(|(number, tried)| {
                let edge = self.edges[*number as usize];
                let a = self.cluster_of[edge.a as usize];
                let b = self.cluster_of[edge.b as usize];
                if a == b {
                    return false;
                }
                time += 1;
                let last_change = self.changed[a as usize].max(self.changed[b as usize]);
                if *tried > last_change {
                    return true;
                }
                *tried = time;
                self.gather(a, b);
                if self.must_stay_apart(a, b)
                    || judge.conflict(&self.left, &self.right).is_some()
                    || !self.has_support(judge, a, b)
                {
                    return true;
                }
                self.merge(a, b, time);
                merged = true;
                false
            });
            if !merged {
                break;
            }
        }
        self.open = open;
    }

    /// Members of two clusters into `left` and `right`.
    fn gather(&mut self, a: u32, b: u32) {
        for (list, cluster) in [(&mut self.left, a), (&mut self.right, b)] {
            list.clear();
            let mut member = cluster;
            while member != NONE {
                list.push(self.facts[member as usize]);
                member = self.next[member as usize];
            }
        }
    }

    fn must_stay_apart(&self, a: u32, b: u32) -> bool {
        self.apart.iter().any(|(x, y)| {
            let ends = (self.cluster_of[*x as usize], self.cluster_of[*y as usize]);
            ends == (a, b) || ends == (b, a)
        })
    }

    /// Whether enough of the comparable pairs between two gathered clusters are links.
    fn has_support(&self, judge: &Judge<'_>, a: u32, b: u32) -> bool {
        let (mut member, other) = if self.size[a as usize] <= self.size[b as usize] {
            (a, b)
        } else {
            (b, a)
        };
        let mut linked = 0;
        while member != NONE {
            let position = member as usize;
            let range = self.starts[position] as usize..self.starts[position + 1] as usize;
            let beyond = |to: &&u32| self.cluster_of[**to as usize] == other;
            linked += self.neighbours[range].iter().filter(beyond).count();
            member = self.next[position];
        }
        let comparable = judge.comparable(&self.left, &self.right);
        linked as f64 >= judge.rules.support_min * comparable as f64
    }

    /// Adds the members of one cluster to the larger other.
    fn merge(&mut self, a: u32, b: u32, time: u32) {
        let larger_first = self.size[a as usize] >= self.size[b as usize];
        let (kept, gone) = if larger_first { (a, b) } else { (b, a) };
        let mut member = gone;
        while member != NONE {
            self.cluster_of[member as usize] = kept;
            member = self.next[member as usize];
        }
        let end = self.last[kept as usize];
        self.next[end as usize] = gone;
        self.last[kept as usize] = self.last[gone as usize];
        self.size[kept as usize] += self.size[gone as usize];
        self.changed[kept as usize] = time;
    }

    /// Says of each link between different clusters why it joins nothing.
    fn set_aside(&mut self, judge: &Judge<'_>, kept: &oversize::Cut, tally: &mut Tally) {
        let mut known: HashMap<(u32, u32), SetAsideReason> = HashMap::new();
        for number in 0..self.edges.len() {
            let edge = self.edges[number];
            let a = self.cluster_of[edge.a as usize];
            let b = self.cluster_of[edge.b as usize];
            if a == b {
                continue;
            }
            let pair = (a.min(b), a.max(b));
            let between = match known.get(&pair) {
                Some(reason) => *reason,
                None => {
                    let reason = self.reason(judge, pair, tally);
                    known.insert(pair, reason);
                    reason
                }
            };
            let weak = between == SetAsideReason::Support && !kept.holds(&edge);
            let reason = match (weak, edge.bits < judge.rules.link_bits) {
                (true, true) => SetAsideReason::SourceCheck,
                (true, false) => SetAsideReason::Oversize,
                (false, _) => between,
            };
            tally.set_aside.push(LinkSetAside {
                pair: edge.link.pair,
                weight: edge.link.weight,
                reason,
            });
        }
    }

    /// Why two clusters of the finished component are two.
    fn reason(
        &mut self,
        judge: &Judge<'_>,
        (a, b): (u32, u32),
        tally: &mut Tally,
    ) -> SetAsideReason {
        if self.must_stay_apart(a, b) {
            return SetAsideReason::CannotLink;
        }
        self.gather(a, b);
        match judge.conflict(&self.left, &self.right) {
            Some(reason) => {
                if self.has_support(judge, a, b) {
                    let first = |side: &[Fact]| side.iter().map(|fact| fact.row).min();
                    let pair = first(&self.left).zip(first(&self.right));
                    tally
                        .refused
                        .extend(pair.map(|(a, b)| CandidatePair::new(a, b)));
                }
                reason
            }
            None => SetAsideReason::Support,
        }
    }
}
