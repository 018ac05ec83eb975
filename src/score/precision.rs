//! How many links are false? Estimated without truth, for every cut.
//!
//! A source that holds hardly anyone twice gives *decoys* for nothing: pairs of its own records are
//! pairs of different people. The rate at which they pass a cut, times the number of pairs between
//! sources, is the number of false links to expect there. It needs no model. What duplicates such a
//! source does hold pass every cut, so the plain figure says too much; taking off the rate at which
//! pairs pass a very high cut says too little. The stated interval spans both, with the chance of
//! small counts. Where most records are in sources with many repeats, decoys do not apply, and the
//! model's expectation stands in, within a factor that is stated.

use crate::terms::MatchWeight;
use crate::terms::methods::{CutEstimate, EstimateBasis, Interval};

/// Cuts of the table, bits above the upper threshold.
const CUT_OFFSETS: std::ops::RangeInclusive<i32> = -4..=12;

/// How many cuts.
const CUTS: usize = 17;

/// Place of the upper threshold among the cuts.
const UPPER: usize = 4;

/// A source with more repeats than this for each record gives no decoys.
const REPEATS_MAX: f64 = 0.10;

/// Decoys speak for a run only if the sources that give them hold this share of the records.
const DECOY_RECORDS_MIN: f64 = 0.5;

/// Two-sided 95 % of the normal distribution.
pub(super) const Z: f64 = 1.96;

/// The model's expectation of false links has been within this factor of the truth on the invented
/// and public sets on which it was tried.
pub(super) const MODEL_FACTOR: f64 = 5.0;

/// Pairs by cut: what the estimates are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkCounts {
    upper_bits: f64,
    /// Pairs between sources in each bin: from its cut up to the next.
    cross: [u64; CUTS],
    /// Pairs inside each source.
    within: Vec<[u64; CUTS]>,
    /// Expected right and wrong pairs in each bin, by the model.
    right: [f64; CUTS],
    wrong: [f64; CUTS],
    /// Expected right pairs below the lowest cut.
    right_below: f64,
}

impl LinkCounts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(upper_bits: f64, sources: usize) -> Self {
        Self {
            upper_bits,
            cross: [0; CUTS],
            within: vec![[0; CUTS]; sources],
            right: [0.0; CUTS],
            wrong: [0.0; CUTS],
            right_below: 0.0,
        }
    }

    /// Counts `pairs` pairs of one weight, between records of two sources.
    ///
    /// # Panics
    /// If a source is not below the number of sources.
    pub fn add(&mut self, weight: MatchWeight, sources: (u16, u16), pairs: u64) {
        let single = self.within.len() == 1;
        let crosses = sources.0 != sources.1 || single;
        let lowest = f64::from(*CUT_OFFSETS.start());
        let bin = (weight.0 - self.upper_bits - lowest).floor();
        let (right, count) = (weight.probability(), pairs as f64);
        if bin < 0.0 {
            if crosses {
                self.right_below += right * count;
            }
            return;
        }
        let bin = (bin as usize).min(CUTS - 1);
        if crosses {
            self.cross[bin] += pairs;
            self.right[bin] += right * count;
            self.wrong[bin] += (1.0 - right) * count;
        }
        if sources.0 == sources.1 {
            self.within[usize::from(sources.0)][bin] += pairs;
        }
    }

    /// Whether another count of the same cuts counts as many pairs everywhere.
    #[cfg(test)]
    pub(crate) fn same_pairs(&self, other: &Self) -> bool {
        self.cross == other.cross && self.within == other.within
    }

    /// Adds what another count of the same run found.
    pub fn merge(&mut self, other: &Self) {
        let add = |one: &mut [u64; CUTS], two: &[u64; CUTS]| {
            one.iter_mut().zip(two).for_each(|(x, y)| *x += y);
        };
        add(&mut self.cross, &other.cross);
        for (one, two) in self.within.iter_mut().zip(&other.within) {
            add(one, two);
        }
        for bin in 0..CUTS {
            self.right[bin] += other.right[bin];
            self.wrong[bin] += other.wrong[bin];
        }
        self.right_below += other.right_below;
    }
}

/// What the estimates say.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorEstimates {
    /// What they rest on.
    pub basis: EstimateBasis,
    /// Indices of the sources whose inner pairs were decoys.
    pub decoy_sources: Vec<usize>,
    /// By cut, lowest first.
    pub cuts: Vec<CutEstimate>,
    /// 1 / (mean entity size × false links per record); `None` without false links.
    pub percolation_margin: Option<f64>,
    /// False links at the upper threshold by the model alone.
    pub model_false_links: f64,
    /// Fallbacks, in words.
    pub fallbacks: Vec<String>,
}

impl ErrorEstimates {
    /// The estimate at the upper threshold.
    #[must_use]
    pub fn at_upper(&self) -> &CutEstimate {
        &self.cuts[UPPER]
    }
}

/// Estimates the errors at every cut.
///
/// `records`: records of each source; `entities`: people found.
#[must_use]
pub fn estimate_errors(counts: &LinkCounts, records: &[u64], entities: u64) -> ErrorEstimates {
    let decoys = Decoys::of(counts, records);
    let cumulated = |bins: &[u64; CUTS], cut: usize| bins[cut..].iter().sum::<u64>() as f64;
    let right_all = counts.right.iter().sum::<f64>() + counts.right_below;
    let mut cuts = Vec::with_capacity(CUTS);
    for (cut, offset) in CUT_OFFSETS.enumerate() {
        let links = cumulated(&counts.cross, cut);
        let (false_links, false_interval) = match &decoys {
            Some(decoys) => decoys.false_links(cut, links),
            None => by_model(counts.wrong[cut..].iter().sum(), links),
        };
        let right = |wrong: f64| {
            if links > 0.0 {
                1.0 - wrong / links
            } else {
                1.0
            }
        };
        let relative = counts.right[cut..].iter().sum::<f64>() / right_all;
        cuts.push(CutEstimate {
            cut_bits: counts.upper_bits + f64::from(offset),
            links: links as u64,
            false_links,
            false_interval,
            precision: right(false_links),
            precision_interval: Interval {
                low: if links > 0.0 {
                    right(false_interval.high)
                } else {
                    0.0
                },
                high: right(false_interval.low),
            },
            relative_recall: if right_all > 0.0 { relative } else { 1.0 },
            false_links_per_1000: false_links * 1000.0 / entities.max(1) as f64,
        });
    }
    let people = entities.max(1) as f64;
    let all: f64 = records.iter().sum::<u64>() as f64;
    let per_record = cuts[UPPER].false_links / all.max(1.0);
    let size = all / people;
    ErrorEstimates {
        basis: match decoys {
            Some(_) => EstimateBasis::Decoys,
            None => EstimateBasis::Model,
        },
        fallbacks: fallbacks(decoys.as_ref(), &cuts[UPPER]),
        decoy_sources: decoys.map(|decoys| decoys.sources).unwrap_or_default(),
        cuts,
        model_false_links: counts.wrong[UPPER..].iter().sum(),
        percolation_margin: (per_record > 0.0).then(|| 1.0 / (size * per_record)),
    }
}

fn fallbacks(decoys: Option<&Decoys>, at_upper: &CutEstimate) -> Vec<String> {
    let mut fallbacks = Vec::new();
    if decoys.is_none() {
        fallbacks.push(format!(
            "error estimates rest on the model alone, within a factor of {MODEL_FACTOR}: sources that hold \
             hardly anyone twice have less than half of the records, or there is one source"
        ));
    }
    let Interval { low, high } = at_upper.precision_interval;
    if decoys.is_some() && at_upper.links > 0 && low <= 0.0 && high >= 1.0 {
        fallbacks.push(
            "decoys leave the precision of links open: as many pairs inside sources are links as \
             between them, or there are too few to tell"
                .into(),
        );
    }
    if at_upper.links == 0 {
        fallbacks.push("there is no link between sources: its precision is not estimated".into());
    }
    fallbacks
}

/// The model's expectation and its range.
fn by_model(expected: f64, links: f64) -> (f64, Interval) {
    (expected.min(links), model_range(expected, links))
}

/// The model's expectation of false links within [`MODEL_FACTOR`] and the chance of small counts.
pub(super) fn model_range(expected: f64, links: f64) -> Interval {
    let expected = expected.min(links);
    Interval {
        // Whole links: what is counted in the end is no mean.
        low: poisson(expected / MODEL_FACTOR, Z).low.floor(),
        high: poisson(expected * MODEL_FACTOR, Z).high.ceil().min(links),
    }
}

/// Pairs inside sources with few repeats.
struct Decoys {
    sources: Vec<usize>,
    /// Decoys in each bin.
    within: [u64; CUTS],
    /// Pairs between sources for each decoy pair.
    ratio: f64,
    /// Duplicates inside those sources for each link between sources, as a very high cut shows.
    repeats: Interval,
}

impl Decoys {
    /// `None` if they would not speak for the run.
    fn of(counts: &LinkCounts, records: &[u64]) -> Option<Self> {
        let pairs = |n: u64| n as f64 * (n as f64 - 1.0).max(0.0) / 2.0;
        let all: u64 = records.iter().sum();
        let top = CUTS - 1;
        let few_repeats = |source: &usize| {
            let sure: u64 = counts.within[*source][UPPER + 8..].iter().sum();
            records[*source] >= 2 && sure as f64 <= REPEATS_MAX * records[*source] as f64
        };
        let sources: Vec<usize> = (0..records.len()).filter(few_repeats).collect();
        let held: u64 = sources.iter().map(|source| records[*source]).sum();
        let decoy_pairs: f64 = sources.iter().map(|source| pairs(records[*source])).sum();
        let cross_pairs = pairs(all) - records.iter().map(|n| pairs(*n)).sum::<f64>();
        let speaks = held as f64 >= DECOY_RECORDS_MIN * all as f64;
        if !speaks || records.len() < 2 || decoy_pairs < 1.0 || cross_pairs < 1.0 {
            return None;
        }
        let mut within = [0; CUTS];
        for source in &sources {
            for (sum, pairs) in within.iter_mut().zip(&counts.within[*source]) {
                *sum += pairs;
            }
        }
        let links = (counts.cross[top] as f64).max(1.0);
        let repeated = poisson(within[top] as f64, Z);
        Some(Self {
            sources,
            within,
            ratio: cross_pairs / decoy_pairs,
            repeats: Interval {
                low: within[top] as f64 / links,
                high: repeated.high / links,
            },
        })
    }

    /// False links between sources at a cut, and their interval.
    fn false_links(&self, cut: usize, links: f64) -> (f64, Interval) {
        let passing = self.within[cut..].iter().sum::<u64>() as f64;
        // The count of decoys varies, and so does the count of false links around its mean.
        let range = poisson(passing, Z * (1.0 + 1.0 / self.ratio).sqrt());
        let corrected = |passing: f64, repeats: f64| {
            let rest = 1.0 - self.ratio * repeats;
            if rest <= 0.0 {
                return 0.0;
            }
            let right = ((links - self.ratio * passing) / rest).clamp(0.0, links);
            (self.ratio * (passing - repeats * right)).clamp(0.0, links)
        };
        let interval = Interval {
            low: corrected(range.low, self.repeats.high),
            high: (self.ratio * range.high).min(links),
        };
        let plain = (self.ratio * passing).min(links);
        let middle = (plain + corrected(passing, self.repeats.low)) / 2.0;
        (middle.clamp(interval.low, interval.high), interval)
    }
}

/// Interval of a Poisson mean after a count (Wilson and Hilferty's cube; exact to a percent).
pub(super) fn poisson(count: f64, z: f64) -> Interval {
    let cube = |k: f64, z: f64| {
        k * (1.0 - 1.0 / (9.0 * k) + z / (3.0 * k.sqrt()))
            .max(0.0)
            .powi(3)
    };
    Interval {
        low: if count > 0.0 { cube(count, -z) } else { 0.0 },
        high: cube(count + 1.0, z),
    }
}

#[cfg(test)]
#[path = "precision_tests.rs"]
mod tests;
