//! Who else two alike records may be: the alternatives to one person, from TOML to checked values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Comparison;
use super::parse::{ProfileError, rule};

/// A kind of pair of different people who share facts, as twins and relatives do.
///
/// Random pairs do not show how common they are, and a shared household speaks for them as much as
/// for one person. So a pair is weighed against strangers and against each of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Unique name within the profile.
    pub name: String,
    /// How many pairs of records of such people there are for each pair of records of one person.
    pub share: f64,
    /// The share is counted on the data, and the one stated is the most; else it holds as stated.
    pub counted: bool,
    /// For each comparison of the profile: the probability that the two share the fact itself, and
    /// so agree as one person's records do. Otherwise they agree as strangers do.
    pub shared: Vec<f64>,
}

/// More alternatives than this have no use.
const ALTERNATIVES_MAX: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlternative {
    pub(super) name: String,
    share: f64,
    #[serde(default)]
    counted: bool,
    /// By name of the comparison; 0 where none is given.
    shared: BTreeMap<String, f64>,
}

/// Checks the alternatives against the profile's comparisons.
pub(super) fn alternatives(
    raw: Vec<RawAlternative>,
    comparisons: &[Comparison],
) -> Result<Vec<Alternative>, ProfileError> {
    rule(
        raw.len() <= ALTERNATIVES_MAX,
        "profile",
        "a profile has at most 4 alternatives",
    )?;
    raw.into_iter()
        .map(|raw| alternative(raw, comparisons))
        .collect()
}

fn alternative(
    raw: RawAlternative,
    comparisons: &[Comparison],
) -> Result<Alternative, ProfileError> {
    let place = format!("alternative '{}'", raw.name);
    rule(
        raw.share > 0.0 && raw.share <= 100.0,
        &place,
        "share is above 0 and at most 100",
    )?;
    let mut shared = vec![0.0; comparisons.len()];
    for (name, probability) in &raw.shared {
        let index = comparisons
            .iter()
            .position(|comparison| comparison.name == *name);
        rule(
            index.is_some(),
            &place,
            "`shared` names comparisons of the profile",
        )?;
        rule(
            (0.0..=1.0).contains(probability),
            &place,
            "what is shared is a probability, 0 to 1",
        )?;
        shared[index.unwrap_or_default()] = *probability;
    }
    Ok(Alternative {
        name: raw.name,
        share: raw.share,
        counted: raw.counted,
        shared,
    })
}
