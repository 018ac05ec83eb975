//! What two different persons share whose records were put together: says which evidence misled.

use serde::Serialize;

use crate::tools::evaluate::about::PersonMarks;

/// Kinds of false pair; the first that applies.
const KINDS: [&str; 7] = [
    "twins",
    "namesakes",
    "given_name_and_birth_date",
    "surname_and_birth_date",
    "birth_date",
    "names",
    "other",
];

/// False pairs of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FalsePairs {
    /// What the two persons share: being each other's twin; surname at birth, given name and date
    /// of birth; less of these.
    pub kind: &'static str,
    /// Pairs of records.
    pub pairs: u64,
}

/// Counts false pairs by kind.
#[derive(Default)]
pub(super) struct FalsePairCounts([u64; KINDS.len()]);

impl FalsePairCounts {
    pub(super) fn add(&mut self, a: PersonMarks, b: PersonMarks) {
        let same = |of: fn(PersonMarks) -> u64| of(a) != 0 && of(a) == of(b);
        let given = same(|marks| marks.given_name);
        let surname = same(|marks| marks.surname);
        let kind = match (same(|marks| marks.birth_date), given, surname) {
            _ if same(|marks| marks.twins) => 0,
            (true, true, true) => 1,
            (true, true, false) => 2,
            (true, false, true) => 3,
            (true, false, false) => 4,
            (false, true, true) => 5,
            _ => 6,
        };
        self.0[kind] += 1;
    }

    pub(super) fn into_list(self) -> Vec<FalsePairs> {
        let counted = KINDS.into_iter().zip(self.0);
        let counted = counted.filter(|(_, pairs)| *pairs > 0);
        counted
            .map(|(kind, pairs)| FalsePairs { kind, pairs })
            .collect()
    }
}
