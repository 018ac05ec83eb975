//! From TOML to a checked [`LinkageProfile`]: every rule that a profile must keep is here.

use serde::Deserialize;

use super::{
    Comparison, Evidence, EvidenceGroup, Feature, FilterRecipe, Layout, LinkageProfile, Rung,
    TagRecipe, Twins,
};
use crate::terms::{Attribute, AttributeSet, COMPARISONS_MAX};

/// Why a profile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not TOML, or a key that does not exist.
    #[error("the linkage profile is not valid: {detail}")]
    Syntax {
        /// What the TOML reader says, with line and column.
        detail: String,
    },
    /// A rule is broken.
    #[error("the linkage profile is not valid: {place}: {rule}")]
    Rule {
        /// Which table and entry.
        place: String,
        /// The rule, in words.
        rule: &'static str,
    },
    /// No profile of that name comes with musubi.
    #[error(
        "there is no linkage profile '{name}'; the ones that come with musubi are {known}, or give a file"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    version: u32,
    summary: String,
    warning: Option<String>,
    #[serde(default)]
    filter: Vec<RawFilter>,
    #[serde(default)]
    tag: Vec<RawTag>,
    #[serde(default)]
    comparison: Vec<RawComparison>,
    #[serde(default)]
    group: Vec<EvidenceGroup>,
    twins: Option<RawTwins>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTwins {
    share: f64,
    same_sex: f64,
    given: String,
    sex: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFilter {
    name: String,
    bits: u32,
    features: Vec<Feature>,
    #[serde(default)]
    salt: Vec<Attribute>,
    #[serde(default)]
    balance: bool,
    #[serde(default)]
    flip: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTag {
    name: String,
    attributes: Vec<Attribute>,
    #[serde(default)]
    block: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComparison {
    name: String,
    rungs: Vec<RawRung>,
    group: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRung {
    attribute: Option<Attribute>,
    tag: Option<String>,
    filter: Option<String>,
    at_least: Option<f64>,
    #[serde(default)]
    given: Vec<Attribute>,
    m: f64,
    u: Option<f64>,
}

fn rule(holds: bool, place: &str, rule: &'static str) -> Result<(), ProfileError> {
    if holds {
        Ok(())
    } else {
        Err(ProfileError::Rule {
            place: place.into(),
            rule,
        })
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), ProfileError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let good = !name.is_empty() && name.len() <= 63 && !name.chars().any(char::is_whitespace);
        rule(
            good,
            &format!("{what} '{name}'"),
            "a name is 1 to 63 characters without spaces",
        )?;
        rule(
            seen.insert(name),
            &format!("{what} '{name}'"),
            "the name is used twice",
        )?;
    }
    Ok(())
}

pub(super) fn parse(text: &str) -> Result<LinkageProfile, ProfileError> {
    let raw: RawProfile = toml::from_str(text).map_err(|error| ProfileError::Syntax {
        detail: error.to_string(),
    })?;
    unique(std::iter::once(raw.name.as_str()), "profile")?;
    unique(raw.filter.iter().map(|f| f.name.as_str()), "filter")?;
    unique(raw.tag.iter().map(|t| t.name.as_str()), "tag")?;
    unique(raw.comparison.iter().map(|c| c.name.as_str()), "comparison")?;
    unique(raw.group.iter().map(|g| g.name.as_str()), "group")?;
    let parts = raw.filter.len() + raw.tag.len();
    rule(
        (1..=Layout::PARTS_MAX).contains(&parts),
        "profile",
        "a profile has 1 to 64 filters and tags together",
    )?;
    rule(
        (1..=COMPARISONS_MAX).contains(&raw.comparison.len()),
        "profile",
        "a profile has 1 to 16 comparisons",
    )?;
    rule(
        raw.group.len() <= COMPARISONS_MAX,
        "profile",
        "a profile has at most 16 groups",
    )?;
    rule(
        raw.tag.iter().any(|t| t.block),
        "profile",
        "at least one tag has `block = true`",
    )?;

    let filters = raw
        .filter
        .into_iter()
        .map(filter)
        .collect::<Result<Vec<_>, _>>()?;
    let tags = raw
        .tag
        .into_iter()
        .map(tag)
        .collect::<Result<Vec<_>, _>>()?;
    let mut comparisons = Vec::new();
    for raw_comparison in raw.comparison {
        comparisons.push(comparison(raw_comparison, &filters, &tags, &raw.group)?);
    }
    for group in &raw.group {
        let place = format!("group '{}'", group.name);
        rule(
            group.cap_bits.is_finite() && group.cap_bits > 0.0,
            &place,
            "cap_bits is above 0",
        )?;
    }
    let twins = raw
        .twins
        .map(|raw_twins| twins(&raw_twins, &comparisons))
        .transpose()?;
    Ok(LinkageProfile {
        name: raw.name,
        version: raw.version,
        summary: raw.summary,
        warning: raw.warning,
        filters,
        tags,
        comparisons,
        twins,
        groups: raw.group,
        text: text.into(),
    })
}

fn filter(raw: RawFilter) -> Result<FilterRecipe, ProfileError> {
    let place = format!("filter '{}'", raw.name);
    rule(
        raw.bits >= 64 && raw.bits <= 8192 && raw.bits.is_multiple_of(64),
        &place,
        "bits is a multiple of 64 between 64 and 8192",
    )?;
    rule(
        !raw.features.is_empty(),
        &place,
        "a filter has at least one feature",
    )?;
    let good = raw
        .features
        .iter()
        .all(|f| (1..=64).contains(&f.bits_per_gram));
    rule(good, &place, "bits_per_gram is 1 to 64")?;
    rule(
        raw.flip >= 0.0 && raw.flip <= 0.4,
        &place,
        "flip is between 0 and 0.4",
    )?;
    rule(
        !raw.balance || raw.bits.is_multiple_of(128),
        &place,
        "a balanced filter has a multiple of 128 bits",
    )?;
    Ok(FilterRecipe {
        name: raw.name,
        bits: raw.bits,
        features: raw.features,
        salt: raw.salt,
        balance: raw.balance,
        flip: raw.flip,
    })
}

fn tag(raw: RawTag) -> Result<TagRecipe, ProfileError> {
    let place = format!("tag '{}'", raw.name);
    rule(
        !raw.attributes.is_empty(),
        &place,
        "a tag has at least one attribute",
    )?;
    let agrees = AttributeSet::closure(&raw.attributes);
    Ok(TagRecipe {
        name: raw.name,
        attributes: raw.attributes,
        agrees,
        block: raw.block,
    })
}

fn twins(raw: &RawTwins, comparisons: &[Comparison]) -> Result<Twins, ProfileError> {
    let share = |p: f64| p > 0.0 && p < 1.0;
    rule(
        share(raw.share) && share(raw.same_sex),
        "twins",
        "share and same_sex are between 0 and 1",
    )?;
    let find = |name: &str| {
        comparisons
            .iter()
            .position(|comparison| comparison.name == name)
    };
    match (find(&raw.given), find(&raw.sex)) {
        (Some(given), Some(sex)) => Ok(Twins {
            share: raw.share,
            same_sex: raw.same_sex,
            given,
            sex,
        }),
        _ => Err(ProfileError::Rule {
            place: "twins".into(),
            rule: "`given` and `sex` name comparisons",
        }),
    }
}

fn comparison(
    raw: RawComparison,
    filters: &[FilterRecipe],
    tags: &[TagRecipe],
    groups: &[EvidenceGroup],
) -> Result<Comparison, ProfileError> {
    let place = format!("comparison '{}'", raw.name);
    rule(
        (1..=6).contains(&raw.rungs.len()),
        &place,
        "a comparison has 1 to 6 rungs",
    )?;
    let group = match &raw.group {
        None => None,
        Some(name) => {
            let index = groups.iter().position(|group| group.name == *name);
            rule(index.is_some(), &place, "the group does not exist")?;
            index
        }
    };
    let rungs = raw
        .rungs
        .into_iter()
        .map(|raw_rung| rung(raw_rung, &place, filters, tags))
        .collect::<Result<Vec<_>, _>>()?;
    let m_sum: f64 = rungs.iter().map(|rung| rung.m).sum();
    let u_sum: f64 = rungs.iter().filter_map(|rung| rung.u).sum();
    rule(
        m_sum < 1.0 && u_sum < 1.0,
        &place,
        "the rungs' m, and their u, sum to less than 1",
    )?;
    Ok(Comparison {
        name: raw.name,
        rungs,
        group,
    })
}

fn rung(
    raw: RawRung,
    place: &str,
    filters: &[FilterRecipe],
    tags: &[TagRecipe],
) -> Result<Rung, ProfileError> {
    let probability = |p: f64| p > 0.0 && p < 1.0;
    rule(probability(raw.m), place, "m is between 0 and 1")?;
    rule(raw.u.is_none_or(probability), place, "u is between 0 and 1")?;
    let mut given = AttributeSet::closure(&raw.given);
    let evidence = match (raw.attribute, raw.tag, raw.filter, raw.at_least) {
        (Some(attribute), None, None, None) => {
            let bound = tags.iter().any(|tag| tag.agrees.contains(attribute));
            rule(
                bound,
                place,
                "no tag of the profile tells about this attribute",
            )?;
            rule(
                raw.u.is_some(),
                place,
                "a rung on an attribute states its u: it cannot be measured",
            )?;
            Evidence::Attribute(attribute)
        }
        (None, Some(name), None, None) => {
            let index = tags.iter().position(|tag| tag.name == name);
            rule(
                index.is_some(),
                place,
                "a rung names a tag that does not exist",
            )?;
            Evidence::Tag(index.unwrap_or_default())
        }
        (None, None, Some(name), Some(at_least)) => {
            let index = filters.iter().position(|filter| filter.name == name);
            rule(
                index.is_some(),
                place,
                "a rung names a filter that does not exist",
            )?;
            rule(
                (0.0..=1.0).contains(&at_least),
                place,
                "at_least is between 0 and 1",
            )?;
            let index = index.unwrap_or_default();
            given = given.union(AttributeSet::closure(&filters[index].salt));
            Evidence::Filter { index, at_least }
        }
        _ => {
            rule(
                false,
                place,
                "a rung has `attribute`, or `tag`, or `filter` with `at_least`",
            )?;
            Evidence::Tag(0)
        }
    };
    let measurable = given.is_empty() || raw.u.is_some();
    rule(
        measurable,
        place,
        "a rung that needs given attributes states its u: it cannot be measured",
    )?;
    Ok(Rung {
        evidence,
        given,
        m: raw.m,
        u: raw.u,
    })
}
