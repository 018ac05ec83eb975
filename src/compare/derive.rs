//! From the tags that agree and differ to the attributes that agree and differ.
//!
//! A tag agrees exactly if all its attributes do. So every attribute of an agreeing tag agrees;
//! and if all attributes of a differing tag but one are known to agree, that one differs. What
//! neither rule reaches is unknown, and carries no evidence.

use crate::terms::profile::TagRecipe;
use crate::terms::{Attribute, AttributeSet, CandidatePair, RecordTable};

/// What is known about the attributes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct KnownAttributes {
    pub(super) agree: AttributeSet,
    pub(super) differ: AttributeSet,
}

/// Wholes that agree when all their parts agree.
const WHOLES: &[(Attribute, &[Attribute])] = &[
    (
        Attribute::NameKana,
        &[Attribute::SurnameKana, Attribute::GivenKana],
    ),
    (
        Attribute::NameCharacters,
        &[Attribute::SurnameKana, Attribute::GivenKana],
    ),
    (
        Attribute::NameKanji,
        &[Attribute::SurnameKanji, Attribute::GivenKanji],
    ),
    (
        Attribute::NameTokens,
        &[Attribute::Surname, Attribute::Given],
    ),
    (
        Attribute::BirthDate,
        &[Attribute::BirthYear, Attribute::BirthMonthDay],
    ),
];

pub(super) struct Derivation {
    /// For each tag: its attributes as written, and what agrees when it agrees.
    tags: Vec<(Vec<Attribute>, AttributeSet)>,
}

impl Derivation {
    pub(super) fn new(recipes: &[TagRecipe]) -> Self {
        let tags = recipes
            .iter()
            .map(|tag| (tag.attributes.clone(), tag.agrees))
            .collect();
        Self { tags }
    }

    pub(super) fn derive(&self, table: &RecordTable, pair: CandidatePair) -> KnownAttributes {
        let (a, b) = (table.tags(pair.a), table.tags(pair.b));
        let mut known = KnownAttributes::default();
        for (tag, (_, agrees)) in self.tags.iter().enumerate() {
            if a[tag] != 0 && a[tag] == b[tag] {
                known.agree = known.agree.union(*agrees);
            }
        }
        for (whole, parts) in WHOLES {
            if parts.iter().all(|part| known.agree.contains(*part)) {
                known.agree.insert(*whole);
            }
        }
        for (tag, (attributes, _)) in self.tags.iter().enumerate() {
            if a[tag] == 0 || b[tag] == 0 || a[tag] == b[tag] {
                continue;
            }
            let mut open = attributes
                .iter()
                .filter(|part| !known.agree.contains(**part));
            if let (Some(only), None) = (open.next(), open.next()) {
                known.differ.insert(*only);
            }
        }
        known
    }
}
