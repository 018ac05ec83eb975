//! What a cluster may be: support, and which tags tell households and twins apart.

use crate::terms::profile::{Evidence, LinkageProfile};
use crate::terms::{Attribute, AttributeSet};

/// Two clusters merge if at least this share of their comparable cross pairs are links.
const SUPPORT_MIN: f64 = 0.5;
/// The same where only tags are compared. A tag binds many facts, and two rows of one person differ in
/// it for one of them: that most cross pairs share no tag hardly speaks against a merge.
const SUPPORT_MIN_TAGS: f64 = 0.1;
/// Bits taken off the links of a row whose source found its dates or insurer to be at odds.
const PENALTY_BITS: f64 = 3.0;
/// Components with more rows are divided.
const ROWS_MAX: usize = 500;

/// A tag of an insured number, and one of the number with its branch that binds nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BranchTags {
    pub(super) person: usize,
    pub(super) branch: usize,
}

/// What a cluster may be.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRules {
    /// Two clusters merge only if at least this share of their comparable cross pairs are links.
    pub support_min: f64,
    /// Presence bits that decide what is comparable: two rows are, if they share at least half of
    /// the bits that the poorer of them has.
    pub comparable_mask: u64,
    /// Evidence from which on a pair is a link, bits.
    pub link_bits: f64,
    /// Taken off the links of a row for each rule that its source found broken, bits.
    pub penalty_bits: f64,
    /// Components with more rows are divided by raising their cut.
    pub rows_max: usize,
    pub(super) branch: Option<BranchTags>,
    /// Tags of a given name that are equal for life: at most one in kana and one in kanji.
    pub(super) given: Vec<usize>,
    /// Tags that agree only if date of birth and sex do.
    pub(super) birth_and_sex: Vec<usize>,
    /// Tags that agree only if date of birth and whole name do: whoever shares one of them was born, or
    /// died, once.
    pub(super) named_birth: Vec<usize>,
    /// Those of `birth_and_sex` that tell neither name nor number: strangers share them.
    pub(super) neighbours: Vec<usize>,
}

impl ClusterRules {
    /// The rules under a profile; `link_bits` is the cut from which on pairs are links.
    #[must_use]
    pub fn of(profile: &LinkageProfile, link_bits: f64) -> Self {
        let layout = profile.layout();
        let blocking = (0..profile.tags.len()).filter(|tag| profile.tags[*tag].block);
        let tags: Vec<Vec<Attribute>> = (profile.tags.iter())
            .map(
                |tag| match (&tag.deletions, &tag.buckets, tag.parts.len()) {
                    (None, None, 1) => tag.parts[0].attributes.clone(),
                    _ => Vec::new(),
                },
            )
            .collect();
        let born = [Attribute::BirthDate, Attribute::Sex];
        let tells_birth = |attributes: &Vec<Attribute>| {
            AttributeSet::closure(attributes).contains_all(AttributeSet::closure(&born))
        };
        let names = [
            [Attribute::SurnameKana, Attribute::GivenKana],
            [Attribute::SurnameKanji, Attribute::GivenKanji],
            [Attribute::Surname, Attribute::Given],
        ];
        let tells_named_birth = |attributes: &Vec<Attribute>| {
            let told = AttributeSet::closure(attributes);
            let whole = |name: &[Attribute; 2]| name.iter().all(|part| told.contains(*part));
            told.contains(Attribute::BirthDate) && names.iter().any(whole)
        };
        let where_only = |attributes: &Vec<Attribute>| {
            attributes.iter().all(|attribute| {
                matches!(
                    attribute,
                    Attribute::BirthDate
                        | Attribute::Sex
                        | Attribute::Postcode
                        | Attribute::Municipality
                        | Attribute::AddressTown
                )
            })
        };
        let numbered = |wanted: &dyn Fn(&Vec<Attribute>) -> bool| -> Vec<usize> {
            (0..tags.len()).filter(|tag| wanted(&tags[*tag])).collect()
        };
        let given_of = |name: Attribute| {
            let only = |attributes: &Vec<Attribute>| {
                attributes.contains(&name)
                    && (attributes.iter()).all(|one| *one == name || born.contains(one))
            };
            tags.iter().position(only)
        };
        let given = [Attribute::GivenKana, Attribute::GivenKanji];
        Self {
            support_min: match compares_filters(profile) {
                true => SUPPORT_MIN,
                false => SUPPORT_MIN_TAGS,
            },
            comparable_mask: blocking.fold(0, |mask, tag| mask | layout.tag_bit(tag)),
            link_bits,
            penalty_bits: PENALTY_BITS,
            rows_max: ROWS_MAX,
            branch: branch_tags(&tags),
            given: given.into_iter().filter_map(given_of).collect(),
            birth_and_sex: numbered(&tells_birth),
            named_birth: numbered(&tells_named_birth),
            neighbours: numbered(&|tag| tells_birth(tag) && where_only(tag)),
        }
    }
}

/// Whether some comparison looks at a filter, which tells how far two values are apart.
fn compares_filters(profile: &LinkageProfile) -> bool {
    let rungs = profile.comparisons.iter().flat_map(|one| &one.rungs);
    let mut evidence = rungs.map(|rung| &rung.evidence);
    evidence.any(|evidence| matches!(evidence, Evidence::Filter { .. }))
}

/// The pair of tags of which the one agrees and the other differs only if the branch differs.
fn branch_tags(tags: &[Vec<Attribute>]) -> Option<BranchTags> {
    let branch = (tags.iter()).position(|tag| tag.contains(&Attribute::InsuredBranch))?;
    let beside = |attribute: &&Attribute| **attribute != Attribute::InsuredBranch;
    let serves = |tag: &usize| {
        let attributes = &tags[*tag];
        attributes.contains(&Attribute::InsuredPerson)
            && (tags[branch].iter().filter(beside)).all(|one| attributes.contains(one))
    };
    // The fewer facts it binds, the more rows of one number share it.
    let person = (0..tags.len()).filter(serves);
    let person = person.min_by_key(|tag| tags[*tag].len())?;
    Some(BranchTags { person, branch })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_which_tags_tell_what() {
        let rules = |profile: LinkageProfile| {
            let names = |tags: &[usize]| -> Vec<String> {
                tags.iter()
                    .map(|tag| profile.tags[*tag].name.clone())
                    .collect()
            };
            let rules = ClusterRules::of(&profile, 0.0);
            let branch: Vec<usize> = (rules.branch.iter())
                .flat_map(|tags| [tags.person, tags.branch])
                .collect();
            [&branch[..], &rules.given, &rules.neighbours].map(names)
        };
        let built_in = |name| LinkageProfile::built_in(name).expect("built in");
        let text = include_str!("../../tests/vectors/profiles/salted-filter.toml");
        let [branch, given, neighbours] = rules(LinkageProfile::parse(text).expect("valid"));
        assert_eq!(branch, ["insured+birth+sex", "insured+branch+birth"]);
        assert_eq!(given, ["given+birth+sex", "kanji_given+birth+sex"]);
        assert_eq!(neighbours.len(), 3, "{neighbours:?}");
        let [branch, given, neighbours] = rules(built_in("jp-fields"));
        assert_eq!(branch, ["insured_person", "insured_branch"]);
        assert_eq!(given, ["given+birth+sex", "kanji_given+birth+sex"]);
        assert_eq!(neighbours, ["birth+sex"]);
        for name in ["jp-standard", "jp-national"] {
            let [branch, given, neighbours] = rules(built_in(name));
            assert!(
                branch.is_empty(),
                "{name}: numbers are bound to given names"
            );
            assert!(given.is_empty(), "{name}: no tag of the given name lasts");
            assert!(neighbours.is_empty(), "{name}: places are bound to names");
            let support = ClusterRules::of(&built_in(name), 0.0).support_min;
            assert!(support < SUPPORT_MIN, "{name}: tags alone are compared");
            let rules = ClusterRules::of(&built_in(name), 0.0);
            let profile = built_in(name);
            let named = rules.named_birth.iter();
            let named: Vec<&str> = named.map(|tag| profile.tags[*tag].name.as_str()).collect();
            // The whole kana name is in buckets in jp-national: two people may share its tag.
            let expected = ["name+birth", "kanji+birth"]
                .map(|tag| tag != "name+birth" || name == "jp-standard");
            let found = ["name+birth", "kanji+birth"].map(|tag| named.contains(&tag));
            assert_eq!(found, expected, "{name}: {named:?}");
        }
    }
}
