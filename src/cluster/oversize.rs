//! Components too large to be one person: their cut is raised step by step until they fall apart.
//!
//! Near percolation a few false links tie thousands of people together. No rule of one person helps
//! there, so weak links are left out, and the report says so: nothing is cut silently.

use super::ClusterRules;
use super::component::Edge;
use super::components::{join, root};
use crate::terms::RowIndex;

/// Bits by which the cut is raised at a time.
const STEP_BITS: f64 = 1.0;

/// Which edges of a component are in force: those from the cut of their part up.
pub(super) struct Cut {
    /// One for all positions, or one for each.
    bits: Vec<f64>,
}

impl From<f64> for Cut {
    fn from(bits: f64) -> Self {
        Self { bits: vec![bits] }
    }
}

impl Cut {
    /// Whether an edge is in force.
    pub(super) fn holds(&self, edge: &Edge) -> bool {
        let [a, b] = [edge.a, edge.b].map(|end| match &self.bits[..] {
            [all] => *all,
            each => each[end as usize],
        });
        edge.bits >= a.max(b)
    }
}

/// A component that was divided.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Oversize {
    /// Its first row.
    pub(super) first: RowIndex,
    pub(super) rows: u64,
    /// The highest cut of one of its parts, bits.
    pub(super) cut_bits: f64,
    /// Rows of parts that no cut divides.
    pub(super) undivided: u64,
}

/// Raises the cut of a component's parts until each has at most `rules.rows_max` rows. A part that
/// stays too large up to its strongest links is kept whole.
pub(super) fn divide(
    all_rows: &[RowIndex],
    rules: &ClusterRules,
    edges: &[Edge],
) -> (Cut, Oversize) {
    let rows = all_rows.len();
    let mut found = Oversize {
        first: all_rows[0],
        rows: rows as u64,
        cut_bits: rules.link_bits,
        undivided: 0,
    };
    let mut bits = vec![rules.link_bits; rows];
    let mut cut = rules.link_bits;
    loop {
        // Parts at this cut; a position is done if its part is small enough.
        let mut parent: Vec<u32> = (0..rows as u32).collect();
        let in_force = |edge: &&Edge, bits: &[f64]| {
            edge.bits >= bits[edge.a as usize].max(bits[edge.b as usize])
        };
        for edge in edges.iter().filter(|edge| in_force(edge, &bits)) {
            join(&mut parent, edge.a, edge.b);
        }
        let mut sizes = vec![0_usize; rows];
        for position in 0..rows as u32 {
            sizes[root(&mut parent, position) as usize] += 1;
        }
        let mut strongest = vec![f64::NEG_INFINITY; rows];
        let mut weakest = f64::INFINITY;
        for edge in edges.iter().filter(|edge| in_force(edge, &bits)) {
            let part = root(&mut parent, edge.a) as usize;
            if sizes[part] > rules.rows_max {
                strongest[part] = strongest[part].max(edge.bits);
                weakest = weakest.min(edge.bits);
            }
        }
        if weakest == f64::INFINITY {
            break;
        }
        // Steps at which no edge goes are passed over.
        cut = (cut + STEP_BITS).max(weakest.floor() + STEP_BITS);
        let mut raised = false;
        for position in 0..rows as u32 {
            let part = root(&mut parent, position) as usize;
            if sizes[part] > rules.rows_max && strongest[part] >= cut {
                bits[position as usize] = cut;
                raised = true;
            }
        }
        let stuck = |part: &usize| sizes[*part] > rules.rows_max && strongest[*part] < cut;
        let whole = (0..rows).filter(stuck);
        let whole: usize = whole.map(|part| sizes[part]).sum();
        if !raised {
            found.undivided = whole as u64;
            break;
        }
        found.cut_bits = cut;
    }
    (Cut { bits }, found)
}
