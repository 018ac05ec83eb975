//! The estimated model as rows of the page's table.

use super::format;
use super::page::BAR_WIDTH;
use super::text::Text;
use crate::terms::profile::{Comparison, Evidence, LinkageProfile};
use crate::terms::run::RunReport;

/// A weight of this size fills half of its bar, bits.
const WEIGHT_FULL: f64 = 20.0;

/// One agreement level.
pub(super) struct LevelRow {
    pub(super) name: String,
    pub(super) m: String,
    pub(super) u: String,
    pub(super) weight: String,
    /// Start and width of the bar around the middle.
    pub(super) bar: (String, String),
    pub(super) against: bool,
}

/// One comparison and its levels.
pub(super) struct ModelRow {
    pub(super) name: String,
    pub(super) first: LevelRow,
    pub(super) others: Vec<LevelRow>,
    pub(super) height: usize,
}

/// One row per level, by comparison.
pub(super) fn model(
    report: &RunReport,
    comparisons: &[Comparison],
    profile: Option<&LinkageProfile>,
    text: &'static Text,
) -> Vec<ModelRow> {
    let mut rows = Vec::new();
    for comparison in &report.comparisons {
        let recipe = comparisons
            .iter()
            .find(|recipe| recipe.name == comparison.name);
        let last = comparison.levels.len().saturating_sub(1);
        let mut levels = comparison.levels.iter().enumerate().map(|(index, level)| {
            let rung = recipe.and_then(|recipe| Some((recipe, recipe.rung_of_level(index)?)));
            let width = (level.weight_bits.abs() / WEIGHT_FULL).min(1.0) * BAR_WIDTH / 2.0;
            let against = level.weight_bits < 0.0;
            let start = if against {
                BAR_WIDTH / 2.0 - width
            } else {
                BAR_WIDTH / 2.0
            };
            LevelRow {
                name: match rung {
                    _ if index == last => text.disagree.into(),
                    Some((recipe, rung)) => {
                        let name = evidence(&recipe.rungs[rung].evidence, profile);
                        match recipe.by_frequency && rung == 0 {
                            true => {
                                format!("{name}, {}", [text.rare, text.usual, text.common][index])
                            }
                            false => name,
                        }
                    }
                    None => (index + 1).to_string(),
                },
                m: format::probability(level.m_probability),
                u: format::probability(level.u_probability),
                weight: format::bits(level.weight_bits),
                bar: (format!("{start:.1}"), format!("{width:.1}")),
                against,
            }
        });
        if let Some(first) = levels.next() {
            rows.push(ModelRow {
                name: comparison.name.clone(),
                first,
                others: levels.collect(),
                height: comparison.levels.len(),
            });
        }
    }
    rows
}

/// A rung in a few words: `birth_date`, `tag insured+name`, `names ≥ 0.60`.
fn evidence(evidence: &Evidence, profile: Option<&LinkageProfile>) -> String {
    let filter = |index: usize| profile.and_then(|profile| profile.filters.get(index));
    let tag = |index: usize| profile.and_then(|profile| profile.tags.get(index));
    match evidence {
        Evidence::Attribute(attribute) => attribute.name().into(),
        Evidence::Near(attribute) => format!("{}, one letter off", attribute.name()),
        Evidence::Bucket(index) => {
            tag(*index).map_or_else(String::new, |tag| format!("{}, one bucket", tag.name))
        }
        Evidence::Tag(index) => tag(*index).map_or_else(String::new, |tag| tag.name.clone()),
        Evidence::Filter { index, at_least } => {
            let name = filter(*index).map_or("", |filter| filter.name.as_str());
            format!("{name} ≥ {at_least:.2}")
        }
    }
}
