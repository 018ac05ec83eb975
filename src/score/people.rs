//! How many people are behind the entities? A count that is corrected for both errors of linkage.
//!
//! Call a *piece* the records that one person has in one entity. If person *p* lies in *kₚ* entities
//! and entity *e* holds *pₑ* people, then Σkₚ = Σpₑ counts the pieces, and
//!
//! people = entities − Σ(kₚ − 1) + Σ(pₑ − 1) = entities − excess + hidden,
//!
//! exactly. The two sums are what is estimated; Ding and Fienberg 1994 correct a capture–recapture
//! count for both errors in the same way.
//!
//! * *Excess* from tracers. What a person has at one source is mostly tied, whatever else fails, so
//!   records are counted by source: a person of *s* (entity, source) pairs in *k* entities needed
//!   *s* − 1 ties and *k* − 1 of them are missing. The missing share *q* of all tracers gives
//!   (S − pieces)·q/(1 − q) for the people, of whom S such pairs are seen. Without tracers, the
//!   model says how many of the pairs between entities are one person.
//! * *Hidden* from the ties that made the entities: each is false with the probability that the model
//!   gives it, times the factor by which decoys find more or fewer false links than the model does.
//!   Where a source holds people twice, the model's own range bounds what decoys say from above.
//!
//! The interval of the count joins those of its parts by squares of their half-widths (MOVER: Zou
//! and Donner 2008), which keeps them lopsided.

use super::precision::{ErrorEstimates, MODEL_FACTOR, Z, model_range, poisson};
use crate::terms::methods::Interval;
use crate::terms::people::CountedPeople;

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimated {
    /// The estimate.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// How the records of one invented person came out, or those of all people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Pairs of entity and source that hold a record: S.
    pub seats: u64,
    /// Entities that hold a record.
    pub entities: u64,
}

/// Share of the ties that tracers needed and did not get; `None` if they needed none.
///
/// `needed`: ties that the people need, about. The interval is one for the share among them, who are
/// as much a sample as the tracers.
#[must_use]
pub fn missed_ties(tracers: &[Pieces], needed: f64) -> Option<Estimated> {
    let ties = |person: &Pieces| person.seats.saturating_sub(1) as f64;
    let missed = |person: &Pieces| person.entities.saturating_sub(1) as f64;
    let all: f64 = tracers.iter().map(ties).sum();
    if all < 1.0 {
        return None;
    }
    let lost: f64 = tracers.iter().map(missed).sum();
    let share = lost / all;
    // Ties of one person fail together: the count varies more than a Poisson count does.
    let squares = tracers
        .iter()
        .map(|person| (missed(person) - share * ties(person)).powi(2));
    let dispersion = if lost > 0.0 {
        (squares.sum::<f64>() / lost).max(1.0)
    } else {
        1.0
    };
    let both = 1.0 + all / needed.max(1.0);
    let range = poisson(lost, Z * (dispersion * both).sqrt());
    Some(Estimated {
        value: share,
        interval: Interval {
            low: range.low / all,
            high: (range.high / all).min(1.0),
        },
    })
}

/// Entities too many among the people, by the share of ties that tracers miss. `hidden`: people in
/// entities of others.
#[must_use]
pub fn excess_by_tracers(people: Pieces, hidden: f64, missed: Estimated) -> Estimated {
    let pieces = people.entities as f64 + hidden;
    let made = (people.seats as f64 - pieces).max(0.0);
    // No more than all entities but one can be too many.
    let most = (pieces - 1.0).max(0.0);
    let excess = |share: f64| (made * share / (1.0 - share).max(1e-9)).min(most);
    Estimated {
        value: excess(missed.value),
        interval: Interval {
            low: excess(missed.interval.low),
            high: excess(missed.interval.high),
        },
    }
}

/// Entities too many by the model: `expected` pairs of entities that were compared and are one.
///
/// Nothing tells of the pairs that were not compared, so that the upper end is a limit and no estimate:
/// any of the `alone`, entities of a single record, may belong to another.
#[must_use]
pub fn excess_by_model(expected: f64, alone: u64, entities: u64) -> Estimated {
    let most = entities.saturating_sub(1) as f64;
    let likely = poisson(expected * MODEL_FACTOR, Z).high;
    Estimated {
        value: expected.min(most),
        interval: Interval {
            low: poisson(expected / MODEL_FACTOR, Z).low.min(most),
            high: likely.max(alone as f64).min(most),
        },
    }
}

/// People who lie hidden in entities of others. `expected_false`: of the ties that made the entities,
/// how many the model expects to be false; `ties`: how many there are.
#[must_use]
pub fn hidden_people(expected_false: f64, ties: u64, errors: &ErrorEstimates) -> Estimated {
    let stated = errors.at_upper();
    let by_model = errors.model_false_links;
    // Plain decoys take what a source holds twice for errors. The model knows better, unless decoys
    // that are corrected for repeats say that it does not.
    let model = model_range(by_model, stated.links as f64);
    let Interval { low, high } = match stated.false_interval {
        decoys if decoys.low > model.high => decoys,
        decoys => Interval {
            low: decoys.low,
            high: decoys.high.min(model.high).max(decoys.low),
        },
    };
    // False ties for each false link.
    let share = if by_model > 1e-6 {
        expected_false / by_model
    } else {
        1.0
    };
    let limit = ties as f64;
    let (low, high) = ((share * low).min(limit), (share * high).min(limit));
    Estimated {
        value: expected_false.clamp(low, high),
        // Whole people: what is hidden is no mean.
        interval: Interval {
            low: poisson(low, Z).low,
            high: poisson(high, Z).high.min(limit),
        },
    }
}

/// How a part of the records shares in the two corrections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Entities with a record of the part.
    pub entities: u64,
    /// How many of the excess entities it counts twice, 0 to 1.
    pub excess_share: f64,
    /// How many of the hidden people it does not count, 0 to 1.
    pub hidden_share: f64,
}

impl Part {
    /// All records.
    #[must_use]
    pub fn whole(entities: u64) -> Self {
        Self {
            entities,
            excess_share: 1.0,
            hidden_share: 1.0,
        }
    }

    /// People of the part: entities − share of the excess + share of the hidden, and its interval.
    /// Shares below 0 are those of an overlap, which missed links make smaller.
    #[must_use]
    pub fn people(&self, excess: Estimated, hidden: Estimated) -> CountedPeople {
        let entities = self.entities as f64;
        let people = entities - self.excess_share * excess.value + self.hidden_share * hidden.value;
        let (mut below, mut above) = (0.0, 0.0);
        for (weight, part) in [(-self.excess_share, excess), (self.hidden_share, hidden)] {
            let down = weight * (part.value - part.interval.low);
            let up = weight * (part.interval.high - part.value);
            let (down, up) = if weight < 0.0 {
                (-up, -down)
            } else {
                (down, up)
            };
            below += down * down;
            above += up * up;
            // Which entities a part shares in is chance as well.
            let drawn = Z * Z * weight.abs() * (1.0 - weight.abs()).max(0.0) * part.value;
            below += drawn;
            above += drawn;
        }
        let floor = if self.entities > 0 { 1.0 } else { 0.0 };
        CountedPeople {
            entities: self.entities,
            people: people.max(floor),
            interval: Interval {
                low: (people - below.sqrt()).max(floor),
                high: (people + above.sqrt()).max(floor),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimated(value: f64, low: f64, high: f64) -> Estimated {
        Estimated {
            value,
            interval: Interval { low, high },
        }
    }

    #[test]
    fn a_known_share_of_missed_ties_gives_the_people() {
        // 1,000 people at 3 sources each; one tie in ten is missing: 2,000 ties, 200 missing.
        let people = Pieces {
            seats: 3_000,
            entities: 1_200,
        };
        let excess = excess_by_tracers(people, 0.0, estimated(0.1, 0.08, 0.12));
        assert!((excess.value - 200.0).abs() < 1e-9);
        let counted = Part::whole(1_200).people(excess, estimated(0.0, 0.0, 0.0));
        assert!((counted.people - 1_000.0).abs() < 1e-9);
        assert!(counted.interval.low < 960.0 && counted.interval.high > 1_040.0);
        // 50 of the people lie hidden: 1,150 entities hold the 1,200 pieces.
        let fewer = Pieces {
            seats: 3_000,
            entities: 1_150,
        };
        let excess = excess_by_tracers(fewer, 50.0, estimated(0.1, 0.1, 0.1));
        let counted = Part::whole(1_150).people(excess, estimated(50.0, 40.0, 70.0));
        assert!((counted.people - 1_000.0).abs() < 1e-9);
        assert!((counted.interval.low - 990.0).abs() < 1e-9, "lopsided");
        assert!((counted.interval.high - 1_020.0).abs() < 1e-9, "lopsided");
    }

    #[test]
    fn nothing_missed_is_not_certainty_and_no_tracers_is_no_estimate() {
        assert_eq!(missed_ties(&[], 100.0), None);
        let alone = Pieces {
            seats: 1,
            entities: 1,
        };
        assert_eq!(missed_ties(&[alone], 100.0), None);
        let whole = Pieces {
            seats: 3,
            entities: 1,
        };
        let found = missed_ties(&[whole; 50], 1e6).expect("ties were needed");
        assert!(found.value == 0.0 && found.interval.low == 0.0);
        // 0 of 100: the Poisson bound is 3.7 of 100.
        assert!((0.03..0.045).contains(&found.interval.high));
        let few = missed_ties(&[whole; 50], 100.0).expect("ties were needed");
        assert!(few.interval.high > found.interval.high, "people vary too");
    }

    #[test]
    fn ties_that_fail_together_widen_the_interval() {
        let whole = Pieces {
            seats: 5,
            entities: 1,
        };
        let (one, all) = (
            Pieces {
                entities: 2,
                ..whole
            },
            Pieces {
                entities: 5,
                ..whole
            },
        );
        let width = |bad: Pieces, count: usize| {
            let people: Vec<Pieces> = (0..400)
                .map(|i| if i < count { bad } else { whole })
                .collect();
            let found = missed_ties(&people, 1e6).expect("ties were needed");
            assert!((found.value - 0.05).abs() < 1e-9);
            found.interval.high - found.interval.low
        };
        assert!(width(all, 20) > 1.5 * width(one, 80));
    }

    #[test]
    fn without_tracers_whoever_has_one_record_may_be_another() {
        let found = excess_by_model(2.0, 300, 1_000);
        assert!(found.value == 2.0 && found.interval.high == 300.0);
        let likely = excess_by_model(100.0, 3, 1_000).interval;
        assert!(likely.low < 20.0 && likely.high > 500.0);
        assert_eq!(excess_by_model(5.0, 1, 1).interval.high, 0.0);
    }

    #[test]
    fn an_overlap_grows_by_what_links_miss() {
        let overlap = Part {
            entities: 100,
            excess_share: -0.5,
            hidden_share: 0.1,
        };
        let counted = overlap.people(estimated(20.0, 10.0, 40.0), estimated(0.0, 0.0, 0.0));
        assert!((counted.people - 110.0).abs() < 1e-9);
        assert!(counted.interval.low < 105.1 && counted.interval.high > 119.9);
        let nobody = Part::whole(0).people(estimated(0.0, 0.0, 0.0), estimated(0.0, 0.0, 0.0));
        assert_eq!(nobody, CountedPeople::default());
    }
}
