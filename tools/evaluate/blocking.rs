//! Quality of blocking: what it keeps of the pairs that belong together, and what it saves.

use serde::Serialize;

use super::{Truth, share};

/// Quality of a set of candidate pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BlockingQuality {
    /// Candidate pairs of records that the truth knows.
    pub candidate_pairs: u64,
    /// Pairs of records of one person.
    pub true_pairs: u64,
    /// Pairs that are both.
    pub correct_pairs: u64,
    /// Share of true pairs among which the candidates are; 1 if there is none.
    pub pair_completeness: f64,
    /// 1 − candidates / all pairs; 1 if there is no pair at all.
    pub reduction_ratio: f64,
}

/// Measures candidate pairs, each given once, as two (source, record ID). Pairs with a record that
/// the truth does not know are left out.
pub fn blocking<S: AsRef<str>>(
    pairs: impl Iterator<Item = [(S, S); 2]>,
    truth: &Truth,
) -> BlockingQuality {
    let person = |(source, record): &(S, S)| {
        let row = truth.row(source.as_ref(), record.as_ref());
        row.map(|(_, person)| person)
    };
    let (mut candidate_pairs, mut correct_pairs) = (0, 0);
    for [a, b] in pairs {
        if let (Some(a), Some(b)) = (person(&a), person(&b)) {
            candidate_pairs += 1;
            correct_pairs += u64::from(a == b);
        }
    }
    let mut sizes = vec![0_u64; truth.person_count() as usize];
    for person in truth.persons_of_rows() {
        sizes[*person as usize] += 1;
    }
    let true_pairs = sizes.iter().map(|n| n * n.saturating_sub(1) / 2).sum();
    let records = truth.record_count();
    let all_pairs = records * records.saturating_sub(1) / 2;
    BlockingQuality {
        candidate_pairs,
        true_pairs,
        correct_pairs,
        pair_completeness: share(correct_pairs, true_pairs),
        reduction_ratio: 1.0 - candidate_pairs as f64 / all_pairs.max(1) as f64,
    }
}
