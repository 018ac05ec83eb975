//! A partition of rows into clusters, in two flat arrays.

use crate::terms::RowIndex;

/// Rows in clusters: every row is in exactly one. Clusters are ordered by their first row, rows of
/// each ascending.
///
/// # Shape
/// 8 bytes a row at most, whatever the number of clusters.
#[derive(Clone, PartialEq, Eq)]
pub struct Partition {
    rows: Vec<RowIndex>,
    /// First row of each cluster, and the number of rows at the end.
    starts: Vec<u32>,
}

impl Partition {
    /// The partition in which `label[row]` is the smallest row of the row's cluster.
    pub(super) fn of_labels(labels: &[RowIndex]) -> Self {
        let mut starts: Vec<u32> = Vec::new();
        let mut place = vec![0_u32; labels.len()];
        for (row, label) in (0_u32..).zip(labels) {
            if *label == row {
                place[row as usize] = starts.len() as u32;
                starts.push(0);
            }
        }
        for label in labels {
            starts[place[*label as usize] as usize] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            (*start, total) = (total, total + *start);
        }
        let mut next = starts.clone();
        starts.push(total);
        let mut rows = vec![0; labels.len()];
        for (row, label) in (0_u32..).zip(labels) {
            let next = &mut next[place[*label as usize] as usize];
            rows[*next as usize] = row;
            *next += 1;
        }
        Self { rows, starts }
    }

    /// Number of clusters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no cluster.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows of a cluster, ascending.
    ///
    /// # Panics
    /// If there is no such cluster.
    #[must_use]
    pub fn cluster(&self, index: usize) -> &[RowIndex] {
        &self.rows[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    /// All clusters, by first row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[RowIndex]> {
        (0..self.len()).map(|index| self.cluster(index))
    }

    /// The cluster of each row.
    #[must_use]
    pub fn cluster_of_rows(&self) -> Vec<u32> {
        let mut cluster_of = vec![0; self.rows.len()];
        for (index, rows) in (0_u32..).zip(self.iter()) {
            rows.iter()
                .for_each(|row| cluster_of[*row as usize] = index);
        }
        cluster_of
    }
}
