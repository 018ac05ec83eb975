//! The methods sheet of a run: what was estimated, from how much, how surely, and with which
//! fallbacks. Everything a statistician asks before believing a linkage.
//!
//! Counts and probabilities only; nothing here names a record, an entity or a person.

use serde::{Deserialize, Serialize};

use super::SourceId;
use super::people::PeopleCount;

/// A range that holds the truth 19 times in 20, as far as its assumptions go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How one comparison's m and u came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonMethod {
    /// Name in the profile.
    pub name: String,
    /// Pairs of one person that m was counted on, by the evidence of the other comparisons.
    pub m_pairs: f64,
    /// Random pairs that u was counted on; 0: u is the profile's.
    pub u_pairs: f64,
    /// Interval of m, one per level.
    pub m: Vec<Interval>,
    /// Interval of u, one per level; empty if u is the profile's.
    pub u: Vec<Interval>,
}

/// An alternative to one person, and how common it is taken to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlternativeMethod {
    /// Name in the profile.
    pub name: String,
    /// Pairs of records of such people for each pair of one person's.
    pub share: f64,
    /// Counted on the data; else the profile's.
    pub counted: bool,
}

/// What the error estimates rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstimateBasis {
    /// On decoys: pairs inside sources that hold hardly anyone twice are false. Independent of the
    /// model.
    Decoys,
    /// On the model's own expectation, within a factor: no independent evidence was at hand.
    Model,
}

/// What a cut on the match weight would do, estimated without truth. About links between records
/// of different sources, or of all links if there is one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutEstimate {
    /// The cut, bits.
    pub cut_bits: f64,
    /// Links at or above it.
    pub links: u64,
    /// False links among them.
    pub false_links: f64,
    /// Interval of the false links.
    pub false_interval: Interval,
    /// Share of links that are right.
    pub precision: f64,
    /// Interval of the precision.
    pub precision_interval: Interval,
    /// Expected right links as a share of those among all candidates. Pairs that blocking missed are
    /// not in it: it says too much of recall.
    pub relative_recall: f64,
    /// False links per 1,000 people found.
    pub false_links_per_1000: f64,
}

/// Recall measured on tracers: invented people whom the sources planted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TracerRecall {
    /// Invented people with two records or more.
    pub people: u64,
    /// Pairs of their records.
    pub pairs: u64,
    /// Share of these pairs in one entity.
    pub recall: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The methods sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodsSheet {
    /// SHA-256 of the model's figures and of the profile, in hexadecimal: two runs with the same one
    /// weighed every pair alike.
    pub model_fingerprint: String,
    /// SHA-256 of the linkage profile, in hexadecimal.
    pub profile_fingerprint: String,
    /// One per comparison.
    pub comparisons: Vec<ComparisonMethod>,
    /// Who else two alike records may be.
    pub alternatives: Vec<AlternativeMethod>,
    /// What the estimates rest on.
    pub basis: EstimateBasis,
    /// Sources whose inner pairs served as decoys.
    pub decoy_sources: Vec<SourceId>,
    /// Estimates by cut, lowest first; the upper threshold is one of them.
    pub cuts: Vec<CutEstimate>,
    /// 1 / (mean entity size × false links per record): below 2, entities begin to run together
    /// into giants. `None`: no false link is expected.
    pub percolation_margin: Option<f64>,
    /// Recall on tracers; `None` if none were planted.
    #[serde(default)]
    pub tracers: Option<TracerRecall>,
    /// How many people there are; `None` in runs from before they were counted.
    #[serde(default)]
    pub people: Option<PeopleCount>,
    /// Fallbacks taken, in words.
    pub fallbacks: Vec<String>,
}

impl MethodsSheet {
    /// The estimate at a cut, such as the upper threshold in force.
    #[must_use]
    pub fn at(&self, cut_bits: f64) -> Option<&CutEstimate> {
        let mut cuts = self.cuts.iter();
        cuts.find(|cut| (cut.cut_bits - cut_bits).abs() < 1e-9)
    }
}
