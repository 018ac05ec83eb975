//! Numbers of people.

use super::run::RunError;
use crate::terms::EventKind;
use crate::terms::people::{CountedPeople, PeopleBasis, PeopleCount, PeopleGroup, PeopleOverlap};
use crate::wire::pb;

impl From<CountedPeople> for pb::CountedPeople {
    fn from(counted: CountedPeople) -> Self {
        Self {
            entity_count: counted.entities,
            person_count: counted.people,
            person_interval: Some(counted.interval.into()),
        }
    }
}

impl From<pb::CountedPeople> for CountedPeople {
    fn from(counted: pb::CountedPeople) -> Self {
        Self {
            entities: counted.entity_count,
            people: counted.person_count,
            interval: counted.person_interval.map(Into::into).unwrap_or_default(),
        }
    }
}

fn groups(groups: &[PeopleGroup]) -> Vec<pb::PeopleGroup> {
    let sent = groups.iter().map(|group| pb::PeopleGroup {
        name: group.name.clone(),
        counted: group.counted.map(Into::into),
    });
    sent.collect()
}

fn groups_from(groups: Vec<pb::PeopleGroup>) -> Vec<PeopleGroup> {
    let read = groups.into_iter().map(|group| PeopleGroup {
        name: group.name,
        counted: group.counted.map(Into::into),
    });
    read.collect()
}

impl From<&PeopleCount> for pb::PeopleCount {
    fn from(count: &PeopleCount) -> Self {
        let basis = match count.basis {
            PeopleBasis::Tracers => pb::PeopleBasis::Tracers,
            PeopleBasis::Model => pb::PeopleBasis::Model,
        };
        let overlaps = count.overlaps.iter().map(|overlap| pb::PeopleOverlap {
            first_kind: i32::from(overlap.kinds[0].code()),
            second_kind: i32::from(overlap.kinds[1].code()),
            counted: overlap.counted.map(Into::into),
        });
        Self {
            all: Some(count.all.into()),
            basis: basis.into(),
            excess_entity_count: count.excess_entities,
            excess_entity_interval: Some(count.excess_interval.into()),
            hidden_person_count: count.hidden_people,
            hidden_person_interval: Some(count.hidden_interval.into()),
            sources: groups(&count.sources),
            kinds: groups(&count.kinds),
            years: groups(&count.years),
            overlaps: overlaps.collect(),
        }
    }
}

impl TryFrom<pb::PeopleCount> for PeopleCount {
    type Error = RunError;

    /// Overlaps of kinds that this version does not know are left out.
    fn try_from(count: pb::PeopleCount) -> Result<Self, RunError> {
        let basis = match pb::PeopleBasis::try_from(count.basis) {
            Ok(pb::PeopleBasis::Tracers) => PeopleBasis::Tracers,
            Ok(pb::PeopleBasis::Model) => PeopleBasis::Model,
            Ok(pb::PeopleBasis::Unspecified) | Err(_) => return Err(RunError::Basis),
        };
        let kind = |code: i32| u8::try_from(code).ok().and_then(EventKind::from_code);
        let overlaps = count.overlaps.into_iter().filter_map(|overlap| {
            Some(PeopleOverlap {
                kinds: [kind(overlap.first_kind)?, kind(overlap.second_kind)?],
                counted: overlap.counted.map(Into::into),
            })
        });
        let interval = |interval: Option<pb::Interval>| interval.unwrap_or_default().into();
        Ok(Self {
            all: count.all.map(Into::into).unwrap_or_default(),
            basis,
            excess_entities: count.excess_entity_count,
            excess_interval: interval(count.excess_entity_interval),
            hidden_people: count.hidden_person_count,
            hidden_interval: interval(count.hidden_person_interval),
            sources: groups_from(count.sources),
            kinds: groups_from(count.kinds),
            years: groups_from(count.years),
            overlaps: overlaps.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::methods::Interval;

    #[test]
    fn counts_round_trip_and_an_unknown_basis_is_refused() {
        let counted = |entities| CountedPeople {
            entities,
            people: entities as f64 + 0.5,
            interval: Interval {
                low: 1.0,
                high: 9.0,
            },
        };
        let group = |name: &str, entities| PeopleGroup {
            name: name.into(),
            counted: counted(entities).unless_small(),
        };
        let count = PeopleCount {
            all: counted(10),
            basis: PeopleBasis::Tracers,
            excess_entities: 2.0,
            excess_interval: Interval {
                low: 1.5,
                high: 2.5,
            },
            hidden_people: 0.5,
            hidden_interval: Interval {
                low: 0.1,
                high: 0.9,
            },
            sources: vec![group("hosp_a", 30), group("ndb", 4)],
            kinds: vec![group("claim", 40)],
            years: vec![group("2019", 50)],
            overlaps: vec![PeopleOverlap {
                kinds: [EventKind::Hospital, EventKind::Claim],
                counted: Some(counted(20)),
            }],
        };
        let mut sent = pb::PeopleCount::from(&count);
        assert_eq!(PeopleCount::try_from(sent.clone()), Ok(count));
        sent.basis = 0;
        assert_eq!(PeopleCount::try_from(sent), Err(RunError::Basis));
    }
}
