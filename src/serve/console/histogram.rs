//! Geometry of the histogram of match weights: bars on a logarithmic scale, the two thresholds,
//! and the three regions between them.

use std::fmt::Write;

use super::format;
use crate::terms::Thresholds;
use crate::terms::run::WeightHistogram;

/// Size of the drawing, in its own units.
pub(super) const WIDTH: f64 = 1000.0;
/// See [`WIDTH`].
pub(super) const HEIGHT: f64 = 420.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 984.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 352.0;
/// Share of the width that stays free outside each threshold, for its label.
const MARGIN: f64 = 0.16;
/// A region narrower than this has no room for its name.
const NAME_WIDTH: f64 = 90.0;

/// A mark on an axis.
pub(super) struct Tick {
    /// Where, in units of the drawing.
    pub(super) at: String,
    /// What it says.
    pub(super) label: String,
}

/// A row of the histogram as a table.
pub(super) struct Bin {
    /// From, bits.
    pub(super) from: String,
    /// To, bits.
    pub(super) to: String,
    /// Pairs.
    pub(super) pairs: String,
}

/// Everything that the template draws, in units of the drawing.
pub(super) struct Chart {
    /// Outline of all bars.
    pub(super) bars: String,
    /// Where the lower threshold stands.
    pub(super) lower_x: String,
    /// Where the upper threshold stands.
    pub(super) upper_x: String,
    /// Middle of the review region, if its name fits in.
    pub(super) review_x: Option<String>,
    /// Width of the three regions: non-link, review, link.
    pub(super) widths: [String; 3],
    /// Marks of the weight axis.
    pub(super) x_ticks: Vec<Tick>,
    /// Marks of the count axis.
    pub(super) y_ticks: Vec<Tick>,
    /// The same as a table, bins without pairs left out.
    pub(super) bins: Vec<Bin>,
}

impl Chart {
    /// Lays the histogram out; `None` if it holds no pair.
    pub(super) fn new(histogram: &WeightHistogram, cuts: Thresholds) -> Option<Self> {
        let first = histogram.counts.iter().position(|count| *count > 0)?;
        let last = histogram.counts.iter().rposition(|count| *count > 0)?;
        let most = *histogram.counts.iter().max()?;
        let edge = |bin: usize| histogram.from_bits + histogram.bin_bits * bin as f64;
        let numbers = [
            edge(first),
            edge(last + 1),
            cuts.lower_bits,
            cuts.upper_bits,
        ];
        if histogram.bin_bits <= 0.0 || numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let (from, to) = range(edge(first), edge(last + 1), cuts);
        let x = |bits: f64| LEFT + (bits - from) / (to - from) * (RIGHT - LEFT);
        let top = (most as f64 + 1.0).log10().max(1.0);
        let y = |pairs: u64| BOTTOM - (pairs as f64 + 1.0).log10() / top * (BOTTOM - TOP);

        let mut bars = String::new();
        let mut bins = Vec::new();
        for (bin, pairs) in histogram.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (left, right) = (x(edge(bin)), x(edge(bin + 1)));
            let gap = if right - left > 4.0 { 0.75 } else { 0.0 };
            let (left, right) = (left + gap, right - gap);
            // Writing to a String cannot fail.
            let _ = write!(
                bars,
                "M{left:.2} {BOTTOM}V{:.2}H{right:.2}V{BOTTOM}Z",
                y(*pairs)
            );
            bins.push(Bin {
                from: format::bits(edge(bin)),
                to: format::bits(edge(bin + 1)),
                pairs: format::count(*pairs),
            });
        }
        let (lower, upper) = (x(cuts.lower_bits), x(cuts.upper_bits));
        let units = |value: f64| format!("{value:.2}");
        Some(Self {
            bars,
            lower_x: units(lower),
            upper_x: units(upper),
            review_x: (upper - lower >= NAME_WIDTH).then(|| units((lower + upper) / 2.0)),
            widths: [
                units(lower - LEFT),
                units(upper - lower),
                units(RIGHT - upper),
            ],
            x_ticks: weight_ticks(from, to)
                .map(|bits| Tick {
                    at: units(x(bits)),
                    label: format::bits(bits).replace(".0", ""),
                })
                .collect(),
            y_ticks: (0..=top.floor() as u32)
                .map(|power| Tick {
                    at: units(y(10_u64.pow(power))),
                    label: format::count(10_u64.pow(power)),
                })
                .collect(),
            bins,
        })
    }
}

/// From where to where the axis goes: all pairs, both thresholds, and room for their labels.
fn range(first: f64, last: f64, cuts: Thresholds) -> (f64, f64) {
    let low = first.min(cuts.lower_bits);
    let high = last.max(cuts.upper_bits);
    let room = ((high - low) * MARGIN).max(2.0);
    (
        low.min(cuts.lower_bits - room),
        high.max(cuts.upper_bits + room),
    )
}

/// Round weights, about ten of them.
fn weight_ticks(from: f64, to: f64) -> impl Iterator<Item = f64> {
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
    let fits = |step: &&f64| (to - from) / **step <= 12.0;
    let step = steps
        .iter()
        .find(fits)
        .copied()
        .unwrap_or((to - from) / 10.0);
    let first = (from / step).ceil() as i64;
    let last = (to / step).floor() as i64;
    (first..=last).map(move |tick| tick as f64 * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[u64]) -> WeightHistogram {
        WeightHistogram {
            from_bits: -10.0,
            bin_bits: 1.0,
            counts: counts.to_vec(),
        }
    }

    const CUTS: Thresholds = Thresholds {
        upper_bits: 4.5,
        lower_bits: -2.0,
    };

    #[test]
    fn nothing_to_draw_is_no_chart() {
        assert!(Chart::new(&histogram(&[]), CUTS).is_none());
        assert!(Chart::new(&histogram(&[0, 0]), CUTS).is_none());
    }

    #[test]
    fn bars_start_at_the_ground_and_the_thresholds_are_in_order() {
        let counts: Vec<u64> = (0..30).map(|bin| bin * bin).collect();
        let chart = Chart::new(&histogram(&counts), CUTS).expect("chart");
        assert_eq!(
            chart.bars.matches('M').count(),
            29,
            "the empty bin has no bar"
        );
        assert_eq!(chart.bins.len(), 29);
        let number = |text: &str| text.parse::<f64>().expect("number");
        let (lower, upper) = (number(&chart.lower_x), number(&chart.upper_x));
        assert!(LEFT < lower && lower < upper && upper < RIGHT);
        let sum: f64 = chart.widths.iter().map(|width| number(width)).sum();
        assert!((sum - (RIGHT - LEFT)).abs() < 0.1);
        assert!(chart.x_ticks.len() >= 4 && chart.x_ticks.len() <= 13);
    }

    #[test]
    fn thresholds_outside_all_pairs_and_equal_ones_are_drawn() {
        let cuts = Thresholds {
            upper_bits: 300.0,
            lower_bits: 300.0,
        };
        let chart = Chart::new(&histogram(&[5]), cuts).expect("chart");
        assert_eq!(chart.lower_x, chart.upper_x);
        assert!(chart.review_x.is_none());
    }

    #[test]
    fn a_histogram_that_is_no_numbers_is_not_drawn() {
        let mut broken = histogram(&[1, 2]);
        broken.from_bits = f64::NAN;
        assert!(Chart::new(&broken, CUTS).is_none());
    }
}
