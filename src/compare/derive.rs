//! From the tags that agree and differ to the attributes that agree and differ.
//!
//! A slot that binds attributes as they are agrees exactly if all of them do. So every attribute of
//! an agreeing slot agrees; and if all attributes of a differing slot but one are known to agree,
//! that one differs. Slots with one character left out never tell that an attribute agrees or
//! differs: a shared one tells that the rest of the tag agrees and this attribute is *near*. A shared
//! tag with buckets tells that the rest agrees, and of its attribute only that the *bucket* does; if the
//! rest agrees and the tag differs, so does the attribute. What no
//! rule reaches is unknown, and carries no evidence. Where a tag pads records that lack an attribute,
//! a difference tells nothing.

use std::ops::Range;

use crate::terms::profile::LinkageProfile;
use crate::terms::{Attribute, AttributeSet, CandidatePair, RecordTable};

/// What is known about the attributes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct KnownAttributes {
    pub(super) agree: AttributeSet,
    pub(super) differ: AttributeSet,
    /// Equal or one character apart, as a shared variant shows.
    pub(super) near: AttributeSet,
    /// More than one character apart, as far as the slots show.
    pub(super) far: AttributeSet,
    /// Tags that agree in the bucket of an attribute of which nothing else is known: bit *i* is tag *i*.
    pub(super) buckets: u64,
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

/// One slot that binds a list of attributes as they are, or one of them as a bucket.
struct Conjunction {
    slot: usize,
    attributes: Vec<Attribute>,
    /// The tag and its attribute in buckets.
    bucketed: Option<(usize, Attribute)>,
    agrees: AttributeSet,
    /// Whether a difference tells something.
    tells_difference: bool,
}

/// A tag with variants that lack one character.
struct NearRule {
    slots: Range<usize>,
    /// The attribute that the variants shorten.
    attribute: Attribute,
    /// What else the tag binds, and all that it implies.
    others: AttributeSet,
}

pub(super) struct Derivation {
    conjunctions: Vec<Conjunction>,
    near: Vec<NearRule>,
}

impl Derivation {
    pub(super) fn new(profile: &LinkageProfile) -> Self {
        let layout = profile.layout();
        let (mut conjunctions, mut near) = (Vec::new(), Vec::new());
        for (index, tag) in profile.tags.iter().enumerate() {
            let slots = layout.tag_range(index);
            let parts = slots.clone().zip(&tag.parts);
            conjunctions.extend(parts.map(|(slot, part)| Conjunction {
                slot,
                attributes: part.attributes.clone(),
                bucketed: tag.buckets.map(|buckets| (index, buckets.attribute)),
                agrees: part.agrees,
                tells_difference: !tag.pad,
            }));
            if let Some(deletions) = tag.deletions {
                let mut others = tag.attributes();
                others.retain(|other| *other != deletions.attribute);
                near.push(NearRule {
                    slots,
                    attribute: deletions.attribute,
                    others: AttributeSet::closure(&others),
                });
            }
        }
        Self { conjunctions, near }
    }

    pub(super) fn derive(&self, table: &RecordTable, pair: CandidatePair) -> KnownAttributes {
        let (a, b) = (table.tags(pair.a), table.tags(pair.b));
        let mut known = KnownAttributes::default();
        for Conjunction { slot, agrees, .. } in &self.conjunctions {
            if a[*slot] != 0 && a[*slot] == b[*slot] {
                known.agree = known.agree.union(*agrees);
            }
        }
        let mut shared = 0_u64;
        for (index, rule) in self.near.iter().enumerate() {
            let (one, two) = (&a[rule.slots.clone()], &b[rule.slots.clone()]);
            if one[0] != 0 && two[0] != 0 && share_a_value(one, two) {
                shared |= 1 << index;
                known.agree = known.agree.union(rule.others);
                known.near.insert(rule.attribute);
            }
        }
        for (whole, parts) in WHOLES {
            if parts.iter().all(|part| known.agree.contains(*part)) {
                known.agree.insert(*whole);
            }
        }
        for Conjunction {
            slot, attributes, ..
        } in self.conjunctions.iter().filter(|one| one.tells_difference)
        {
            if a[*slot] == 0 || b[*slot] == 0 || a[*slot] == b[*slot] {
                continue;
            }
            let mut open = attributes
                .iter()
                .filter(|part| !known.agree.contains(**part));
            if let (Some(only), None) = (open.next(), open.next()) {
                known.differ.insert(*only);
            }
        }
        for (index, rule) in self.near.iter().enumerate() {
            let first = rule.slots.start;
            let asked = a[first] != 0 && b[first] != 0 && known.agree.contains_all(rule.others);
            if asked && shared & (1 << index) == 0 {
                known.far.insert(rule.attribute);
            }
        }
        known.buckets = self.mere_buckets(&known, a, b);
        known
    }

    /// The tags that agree in the bucket of an attribute of which nothing else is known.
    fn mere_buckets(&self, known: &KnownAttributes, a: &[u64], b: &[u64]) -> u64 {
        let told = known.agree.union(known.near).union(known.differ);
        let agree = |slot: usize| a[slot] != 0 && a[slot] == b[slot];
        let shared = self.conjunctions.iter().filter(|one| agree(one.slot));
        let mere = shared
            .filter_map(|one| one.bucketed)
            .filter(|(_, attribute)| !tells_of(told, *attribute));
        mere.fold(0, |tags, (tag, _)| tags | 1 << tag)
    }
}

/// Whether a set has an attribute, or one that it implies: of a rare given name, the given name.
fn tells_of(set: AttributeSet, attribute: Attribute) -> bool {
    let mut implied = attribute.implies().iter();
    set.contains(attribute) || implied.any(|one| set.contains(*one))
}

/// Whether two tags have a value in common, in whatever slots.
pub(super) fn share_a_value(a: &[u64], b: &[u64]) -> bool {
    a.iter().any(|value| b.contains(value))
}
