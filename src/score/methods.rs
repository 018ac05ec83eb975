//! The methods sheet: the model as an artefact with a fingerprint, and how it came about.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::precision::Z;
use super::{AlternativeModel, ComparisonModel, ErrorEstimates, Estimate, Model};
use crate::terms::SourceId;
use crate::terms::methods::{AlternativeMethod, ComparisonMethod, Interval, MethodsSheet};
use crate::terms::profile::{Comparison, LinkageProfile};
use crate::terms::run::{ComparisonReport, LevelReport, RunReport};

/// Writes the methods sheet. `sources`: names by the index that the estimates use.
#[must_use]
pub fn methods_sheet(
    profile: &LinkageProfile,
    estimate: &Estimate,
    errors: ErrorEstimates,
    sources: &[SourceId],
) -> MethodsSheet {
    let model = &estimate.model;
    let counted = profile
        .comparisons
        .iter()
        .zip(&model.comparisons)
        .enumerate();
    let comparisons = counted
        .map(|(index, (comparison, figures))| {
            let (m_pairs, u_pairs) = (estimate.m_pairs[index], estimate.u_pairs[index]);
            ComparisonMethod {
                name: comparison.name.clone(),
                m_pairs,
                u_pairs,
                m: figures.m.iter().map(|m| wilson(*m, m_pairs)).collect(),
                u: match u_pairs > 0.0 {
                    true => figures.u.iter().map(|u| wilson(*u, u_pairs)).collect(),
                    false => Vec::new(),
                },
            }
        })
        .collect();
    let alternatives = profile.alternatives.iter().zip(&model.alternatives);
    let mut fallbacks = estimate.warnings.clone();
    fallbacks.extend(errors.fallbacks);
    MethodsSheet {
        model_fingerprint: fingerprint(profile, model),
        profile_fingerprint: profile.fingerprint().to_string(),
        comparisons,
        alternatives: alternatives
            .map(|(stated, estimated)| AlternativeMethod {
                name: stated.name.clone(),
                share: estimated.share,
                counted: stated.counted,
            })
            .collect(),
        basis: errors.basis,
        decoy_sources: errors
            .decoy_sources
            .iter()
            .map(|source| sources[*source].clone())
            .collect(),
        cuts: errors.cuts,
        percolation_margin: errors.percolation_margin,
        tracers: None,
        people: None,
        fallbacks,
    }
}

/// The model that a report tells, to weigh other pairs as that run did. `note`: what the sheets of runs
/// under it say about its origin.
///
/// `None`: the report has no methods sheet, is of another profile, or its figures do not give its
/// fingerprint.
#[must_use]
pub fn estimate_of(profile: &LinkageProfile, report: &RunReport, note: &str) -> Option<Estimate> {
    let sheet = report.methods.as_ref()?;
    let levels = |column: fn(&LevelReport) -> f64, comparison: &ComparisonReport| {
        comparison.levels.iter().map(column).collect()
    };
    let comparisons = report.comparisons.iter().map(|comparison| ComparisonModel {
        m: levels(|level| level.m_probability, comparison),
        u: levels(|level| level.u_probability, comparison),
    });
    let comparisons: Vec<ComparisonModel> = comparisons.collect();
    let wanted = profile.comparisons.iter().map(Comparison::levels);
    let alternatives = sheet.alternatives.iter();
    let mut model = Model {
        prior_probability: report.prior_probability,
        alternatives: alternatives
            .map(|known| AlternativeModel {
                share: known.share,
                u: Vec::new(),
            })
            .collect(),
        comparisons,
    };
    let fits = wanted.eq(model
        .comparisons
        .iter()
        .map(|comparison| comparison.m.len()))
        && model.alternatives.len() == profile.alternatives.len()
        && sheet.comparisons.len() == profile.comparisons.len()
        && fingerprint(profile, &model) == sheet.model_fingerprint;
    if !fits {
        return None;
    }
    model.derive_alternatives(profile);
    let counted = sheet.comparisons.iter();
    Some(Estimate {
        m_pairs: counted.clone().map(|method| method.m_pairs).collect(),
        u_pairs: counted.map(|method| method.u_pairs).collect(),
        warnings: vec![note.to_owned()],
        model,
    })
}

/// SHA-256 over the profile's fingerprint and every figure of the model, as 64-bit floats, little
/// end first.
fn fingerprint(profile: &LinkageProfile, model: &Model) -> String {
    let mut hash = Sha256::new();
    hash.update(profile.fingerprint().0);
    hash.update(model.prior_probability.to_le_bytes());
    let tables = model
        .comparisons
        .iter()
        .flat_map(|c| c.m.iter().chain(&c.u));
    let shares = model
        .alternatives
        .iter()
        .map(|alternative| &alternative.share);
    for figure in tables.chain(shares) {
        hash.update(figure.to_le_bytes());
    }
    let digest = hash.finalize();
    HEXLOWER.encode(&digest)
}

/// Wilson's interval of a proportion seen in so many pairs; 0 to 1 if there were none.
#[must_use]
pub fn wilson(proportion: f64, pairs: f64) -> Interval {
    if pairs < 1.0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let z2 = Z * Z;
    let middle = (proportion + z2 / (2.0 * pairs)) / (1.0 + z2 / pairs);
    let spread = (proportion * (1.0 - proportion) / pairs + z2 / (4.0 * pairs * pairs)).sqrt();
    let half = Z * spread / (1.0 + z2 / pairs);
    Interval {
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    }
}
