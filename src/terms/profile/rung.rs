//! The comparisons of a profile, from TOML to checked ladders of rungs.

use serde::Deserialize;

use super::parse::{ProfileError, rule};
use super::{Comparison, Evidence, FilterRecipe, Rung, TagRecipe};
use crate::terms::{Attribute, AttributeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawComparison {
    pub(super) name: String,
    rungs: Vec<RawRung>,
    #[serde(default)]
    by_frequency: bool,
    /// Names of comparisons further up.
    #[serde(default)]
    u_among: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRung {
    attribute: Option<Attribute>,
    near: Option<Attribute>,
    bucket: Option<String>,
    tag: Option<String>,
    filter: Option<String>,
    at_least: Option<f64>,
    #[serde(default)]
    given: Vec<Attribute>,
    m: f64,
    u: Option<f64>,
    #[serde(default)]
    personal: bool,
    #[serde(default)]
    counted_elsewhere: bool,
}

/// Checks the comparisons, in their order.
pub(super) fn comparisons(
    raw: Vec<RawComparison>,
    filters: &[FilterRecipe],
    tags: &[TagRecipe],
) -> Result<Vec<Comparison>, ProfileError> {
    let mut checked: Vec<Comparison> = Vec::with_capacity(raw.len());
    let names: Vec<String> = raw
        .iter()
        .map(|comparison| comparison.name.clone())
        .collect();
    for raw_comparison in raw {
        checked.push(comparison(raw_comparison, filters, tags, &names)?);
    }
    Ok(checked)
}

fn comparison(
    raw: RawComparison,
    filters: &[FilterRecipe],
    tags: &[TagRecipe],
    names: &[String],
) -> Result<Comparison, ProfileError> {
    let place = format!("comparison '{}'", raw.name);
    rule(
        (1..=6).contains(&raw.rungs.len()),
        &place,
        "a comparison has 1 to 6 rungs",
    )?;
    let mut u_among = Vec::new();
    for name in &raw.u_among {
        let index = names.iter().position(|known| known == name);
        rule(
            index.is_some() && *name != raw.name,
            &place,
            "`u_among` names other comparisons of the profile",
        )?;
        u_among.extend(index);
    }
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
    let by_value = match rungs[0].evidence {
        Evidence::Tag(_) => true,
        Evidence::Filter { index, .. } => {
            filters[index].salt.is_empty() && filters[index].flip == 0.0
        }
        Evidence::Attribute(_) | Evidence::Near(_) | Evidence::Bucket(_) => false,
    };
    rule(
        !raw.by_frequency || by_value && rungs[0].u.is_none(),
        &place,
        "`by_frequency` needs a first rung on a tag or a plain filter, with u measured",
    )?;
    Ok(Comparison {
        name: raw.name,
        rungs,
        by_frequency: raw.by_frequency,
        u_among,
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
    let kinds = (raw.attribute, raw.near, raw.bucket, raw.tag, raw.filter);
    let evidence = match (kinds, raw.at_least) {
        ((Some(attribute), None, None, None, None), None) => {
            let bound = tags
                .iter()
                .flat_map(|tag| &tag.parts)
                .any(|part| part.agrees.contains(attribute));
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
        ((None, Some(attribute), None, None, None), None) => {
            let bound = tags
                .iter()
                .filter_map(|tag| tag.deletions)
                .any(|deletions| deletions.attribute == attribute);
            rule(
                bound,
                place,
                "`near` is an attribute that some tag has as `one_deletion`",
            )?;
            rule(
                raw.u.is_some(),
                place,
                "a rung on an attribute states its u: it cannot be measured",
            )?;
            Evidence::Near(attribute)
        }
        ((None, None, Some(name), None, None), None) => {
            let index = tag_named(&name, tags, place)?;
            rule(
                tags[index].buckets.is_some(),
                place,
                "`bucket` names a tag that has `bucketed`",
            )?;
            rule(
                raw.u.is_some(),
                place,
                "a rung on an attribute states its u: it cannot be measured",
            )?;
            Evidence::Bucket(index)
        }
        ((None, None, None, Some(name), None), None) => {
            Evidence::Tag(tag_named(&name, tags, place)?)
        }
        ((None, None, None, None, Some(name)), Some(at_least)) => {
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
                "a rung has `attribute`, or `near`, or `bucket`, or `tag`, or `filter` with `at_least`",
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
        personal: raw.personal,
        counted_elsewhere: raw.counted_elsewhere,
    })
}

fn tag_named(name: &str, tags: &[TagRecipe], place: &str) -> Result<usize, ProfileError> {
    let index = tags.iter().position(|tag| tag.name == name);
    rule(
        index.is_some(),
        place,
        "a rung names a tag that does not exist",
    )?;
    Ok(index.unwrap_or_default())
}
