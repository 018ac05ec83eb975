//! Recall from tracers: invented people whom the sources planted among their records, with errors
//! like those of real ones. It is the only estimate of recall that does not flatter.

use super::precision::Z;
use super::wilson;
use crate::terms::methods::Interval;

/// What the linkage made of one tracer person's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracerPairs {
    /// Pairs of the person's records.
    pub planted: u64,
    /// Of these, pairs in one entity.
    pub found: u64,
}

/// Share of tracer pairs that were found, and its interval; `None` without any pair.
///
/// Pairs of one person stand or fall together, so people are what is drawn: the interval is that
/// of a ratio of sums over people. Where people hardly differ (all found, or few people) it is too
/// narrow, and Wilson's interval over people stands in if it is wider.
#[must_use]
pub fn tracer_recall(people: &[TracerPairs]) -> Option<(f64, Interval)> {
    let planted: u64 = people.iter().map(|person| person.planted).sum();
    let found: u64 = people.iter().map(|person| person.found).sum();
    if planted == 0 {
        return None;
    }
    let recall = found as f64 / planted as f64;
    let drawn = people.iter().filter(|person| person.planted > 0).count() as f64;
    let squares = people
        .iter()
        .map(|person| (person.found as f64 - recall * person.planted as f64).powi(2))
        .sum::<f64>();
    let spread = (squares * drawn / (drawn - 1.0).max(1.0)).sqrt() / planted as f64;
    let by_people = wilson(recall, drawn);
    let (low, high) = (recall - Z * spread, recall + Z * spread);
    let interval = match high - low < by_people.high - by_people.low {
        true => by_people,
        false => Interval {
            low: low.max(0.0),
            high: high.min(1.0),
        },
    };
    Some((recall, interval))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_interval_of_tracer_recall_holds_the_truth_in_95_of_100_sets() {
        let seed = 20_261_122;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // People of 2 to 6 records; each record falls off its person's entity by chance.
        let person = |random: &mut ChaCha8Rng, loss: f64| {
            let records = random.random_range(2..=6_u64);
            let lost = (0..records).filter(|_| random.random_bool(loss)).count() as u64;
            let pairs = |n: u64| n * n.saturating_sub(1) / 2;
            TracerPairs {
                planted: pairs(records),
                found: pairs(records - lost),
            }
        };
        let (mut held, sets) = (0, 400);
        for set in 0..sets {
            let loss: f64 = [0.005, 0.03, 0.1, 0.3][set % 4];
            // Expected pairs kept are (1 − loss)² of those planted.
            let truth = (1.0 - loss).powi(2);
            let people: Vec<_> = (0..300).map(|_| person(&mut random, loss)).collect();
            let (_, interval) = tracer_recall(&people).expect("pairs were planted");
            held += usize::from(interval.low <= truth && truth <= interval.high);
        }
        assert!(held * 100 >= sets * 95, "{held} of {sets}, seed {seed}");
    }

    #[test]
    fn nothing_planted_is_no_recall_and_all_found_is_not_certainty() {
        assert_eq!(tracer_recall(&[]), None);
        let single = TracerPairs {
            planted: 0,
            found: 0,
        };
        assert_eq!(tracer_recall(&[single]), None);
        let all = [TracerPairs {
            planted: 3,
            found: 3,
        }; 50];
        let (recall, interval) = tracer_recall(&all).expect("pairs were planted");
        assert!((recall - 1.0).abs() < 1e-12);
        assert!(
            interval.low > 0.9 && interval.low < 0.95,
            "{}",
            interval.low
        );
    }
}
