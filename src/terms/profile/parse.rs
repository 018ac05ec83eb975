//! From TOML to a checked [`LinkageProfile`]: every rule that a profile must keep is here.

use serde::Deserialize;

use super::alternative::{RawAlternative, alternatives};
use super::rung::{RawComparison, comparisons};
use super::{
    Buckets, ClkhashRecipe, Deletions, Feature, FilterRecipe, Layout, LinkageProfile, Suite,
    TagPart, TagRecipe,
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
    suite: Suite,
    clkhash: Option<RawClkhash>,
    #[serde(default)]
    filter: Vec<RawFilter>,
    #[serde(default)]
    tag: Vec<RawTag>,
    #[serde(default)]
    comparison: Vec<RawComparison>,
    #[serde(default)]
    alternative: Vec<RawAlternative>,
    #[serde(default)]
    event: RawEvent,
}

/// What an encoding tells of the event in clear, beside its kind.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    #[serde(default)]
    year: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClkhash {
    /// Name of the filter.
    filter: String,
    schema: String,
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
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    parts: Vec<Vec<Attribute>>,
    one_deletion: Option<Attribute>,
    slots: Option<u32>,
    bucketed: Option<Attribute>,
    buckets: Option<u32>,
    #[serde(default)]
    pad: bool,
    #[serde(default)]
    block: bool,
}

pub(super) fn rule(holds: bool, place: &str, rule: &'static str) -> Result<(), ProfileError> {
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
    unique(
        raw.alternative.iter().map(|a| a.name.as_str()),
        "alternative",
    )?;
    let clkhash = raw
        .clkhash
        .map(|raw_clkhash| (raw_clkhash.filter, raw_clkhash.schema));
    let parts = raw.filter.len() + raw.tag.len() + usize::from(clkhash.is_some());
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
        clkhash.is_some() || raw.tag.iter().any(|t| t.block),
        "profile",
        "at least one tag has `block = true`",
    )?;
    rule(
        clkhash.is_none() || raw.filter.is_empty() && raw.tag.is_empty(),
        "clkhash",
        "a profile with [clkhash] has no other filter and no tag",
    )?;

    let mut filters = raw
        .filter
        .into_iter()
        .map(filter)
        .collect::<Result<Vec<_>, _>>()?;
    let clkhash = match clkhash {
        None => None,
        Some((name, schema)) => {
            filters.push(clkhash_filter(name, &schema)?);
            Some(ClkhashRecipe { schema })
        }
    };
    let tags = raw
        .tag
        .into_iter()
        .map(tag)
        .collect::<Result<Vec<_>, _>>()?;
    let comparisons = comparisons(raw.comparison, &filters, &tags)?;
    let alternatives = alternatives(raw.alternative, &comparisons)?;
    Ok(LinkageProfile {
        name: raw.name,
        version: raw.version,
        summary: raw.summary,
        warning: raw.warning,
        suite: raw.suite,
        clkhash,
        event_year: raw.event.year,
        filters,
        tags,
        comparisons,
        alternatives,
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

/// The filter of a clkhash schema. The schema's other rules are the encoder's to check: a server
/// need not know them.
fn clkhash_filter(name: String, schema: &str) -> Result<FilterRecipe, ProfileError> {
    unique(std::iter::once(name.as_str()), "clkhash.filter")?;
    let json: serde_json::Value =
        serde_json::from_str(schema).map_err(|error| ProfileError::Syntax {
            detail: format!("clkhash.schema: {error}"),
        })?;
    let bits = json["clkConfig"]["l"].as_u64().unwrap_or(0);
    rule(
        (1..=8192).contains(&bits),
        "clkhash.schema",
        "clkConfig.l is 1 to 8192",
    )?;
    Ok(FilterRecipe {
        name,
        // At most 8192 by the rule above.
        bits: (bits as u32).next_multiple_of(64),
        features: Vec::new(),
        salt: Vec::new(),
        balance: false,
        flip: 0.0,
    })
}

/// Most slots of one tag.
const SLOTS_MAX: u32 = 32;

fn tag(raw: RawTag) -> Result<TagRecipe, ProfileError> {
    let place = format!("tag '{}'", raw.name);
    rule(
        raw.attributes.is_empty() != raw.parts.is_empty(),
        &place,
        "a tag has `attributes`, or `parts`: lists of attributes",
    )?;
    let mut lists = raw.parts;
    if lists.is_empty() {
        lists.push(raw.attributes);
    }
    rule(
        lists.len() <= SLOTS_MAX as usize && lists.iter().all(|list| !list.is_empty()),
        &place,
        "a tag has 1 to 32 lists, each with at least one attribute",
    )?;
    let deletions = match (raw.one_deletion, raw.slots) {
        (None, None) => None,
        (Some(attribute), Some(slots)) => {
            rule(
                lists.len() == 1 && lists[0].contains(&attribute),
                &place,
                "`one_deletion` is one of the `attributes`",
            )?;
            rule(
                (2..=SLOTS_MAX).contains(&slots),
                &place,
                "slots is 2 to 32: the whole value and its variants",
            )?;
            Some(Deletions {
                attribute,
                slots: slots - 1,
            })
        }
        _ => {
            let rule = "`slots` and `one_deletion` go together";
            return Err(ProfileError::Rule { place, rule });
        }
    };
    let buckets = buckets(raw.bucketed, raw.buckets, &lists, &place)?;
    rule(
        deletions.is_none() || buckets.is_none(),
        &place,
        "a tag has `one_deletion` or `bucketed`, not both",
    )?;
    let in_buckets = buckets.map(|buckets| buckets.attribute);
    let parts = lists.into_iter().map(|attributes| {
        let whole = attributes.iter().copied();
        let whole: Vec<Attribute> = whole.filter(|one| Some(*one) != in_buckets).collect();
        TagPart {
            agrees: AttributeSet::closure(&whole),
            attributes,
        }
    });
    Ok(TagRecipe {
        name: raw.name,
        parts: parts.collect(),
        deletions,
        buckets,
        pad: raw.pad,
        block: raw.block,
    })
}

/// Most buckets of a tag.
const BUCKETS_MAX: u32 = 1 << 24;

fn buckets(
    bucketed: Option<Attribute>,
    count: Option<u32>,
    lists: &[Vec<Attribute>],
    place: &str,
) -> Result<Option<Buckets>, ProfileError> {
    let (attribute, count) = match (bucketed, count) {
        (None, None) => return Ok(None),
        (Some(attribute), Some(count)) => (attribute, count),
        _ => {
            let rule = "`bucketed` and `buckets` go together";
            return Err(ProfileError::Rule {
                place: place.into(),
                rule,
            });
        }
    };
    rule(
        lists.len() == 1 && lists[0].len() > 1 && lists[0].contains(&attribute),
        place,
        "`bucketed` is one of the `attributes`, of which there are two or more",
    )?;
    rule(
        (2..=BUCKETS_MAX).contains(&count),
        place,
        "buckets is 2 to 16777216",
    )?;
    Ok(Some(Buckets { attribute, count }))
}
