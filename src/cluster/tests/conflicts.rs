//! Each rule of the life course, once broken and once just kept.

use super::*;
use crate::terms::SourceCheck;

/// An event of a kind in a year at a source; rows of a test have no tag in common.
fn event(kind: EventKind, year: u16, source: u16, key: u64) -> Person {
    Person {
        kind: Some(kind),
        year,
        source,
        key,
        ..Person::default()
    }
}

/// Whether two rows that a strong link joins are one, and the reason if they are not.
fn joined(a: Person, b: Person) -> Result<(), &'static str> {
    let found = solve(
        &table(&[a, b]),
        evidence(&[link(0, 1, 20.0)], &[]),
        &rules(),
    );
    match reasons(&found).first() {
        None => Ok(()),
        Some((reason, _)) => Err(reason),
    }
}

#[test]
fn nobody_is_born_or_dies_twice() {
    for (kind, reason) in [
        (EventKind::Birth, "two_births"),
        (EventKind::Death, "two_deaths"),
    ] {
        let pair = |year, source| joined(event(kind, 2001, 0, 0), event(kind, year, source, 1));
        assert_eq!(pair(2001, 0), Err(reason));
        assert_eq!(pair(2002, 1), Err(reason));
        assert_eq!(pair(2001, 1), Ok(()), "two sources report one event");
        // Filed again at the same source: the same name and birth date, which twins do not share.
        let filed = |year, name: u64, key| Person {
            tags: vec![("name+birth", name)],
            ..event(kind, year, 0, key)
        };
        assert_eq!(joined(filed(2001, 7, 0), filed(2001, 7, 1)), Ok(()));
        assert_eq!(joined(filed(2001, 7, 0), filed(2001, 8, 1)), Err(reason));
        assert_eq!(joined(filed(2001, 7, 0), filed(2002, 7, 1)), Err(reason));
        let unstated = joined(event(kind, 0, 0, 0), event(kind, 0, 1, 1));
        assert_eq!(unstated, Err(reason));
    }
}

#[test]
fn nothing_happens_after_death_or_before_birth() {
    let after = |year| {
        let death = event(EventKind::Death, 2005, 0, 0);
        joined(death, event(EventKind::Claim, year, 1, 1))
    };
    assert_eq!(after(2004), Ok(()));
    assert_eq!(after(2006), Ok(()), "bills come late");
    assert_eq!(after(2007), Err("after_death"));
    assert_eq!(after(0), Ok(()), "not stated");
    let before = |year| {
        let birth = event(EventKind::Birth, 2005, 0, 1);
        joined(event(EventKind::Hospital, year, 1, 0), birth)
    };
    assert_eq!(before(2004), Ok(()), "filed in the year after");
    assert_eq!(before(2003), Err("before_birth"));
}

#[test]
fn rules_hold_between_clusters_and_not_only_between_linked_rows() {
    let rows = [
        event(EventKind::Death, 2001, 0, 0),
        event(EventKind::Hospital, 2000, 1, 1),
        event(EventKind::Death, 2003, 0, 2),
    ];
    let links = [link(0, 1, 12.0), link(1, 2, 9.0)];
    let found = solve(&table(&rows), evidence(&links, &[]), &rules());
    assert_eq!(clusters(&found), [vec![0, 1], vec![2]]);
    assert_eq!(reasons(&found), [("two_deaths", 1)]);
    assert_eq!(found.refused_merges(), 1, "one link of two pairs is half");
}

#[test]
fn one_insured_number_with_two_branches_is_two_people() {
    let person = |branch: Option<u64>, key| Person {
        key,
        tags: [("insured+birth+sex", 7)]
            .into_iter()
            .chain(branch.map(|branch| ("insured+branch+birth", branch)))
            .collect(),
        ..Person::default()
    };
    assert_eq!(joined(person(Some(1), 0), person(Some(1), 1)), Ok(()));
    assert_eq!(joined(person(Some(1), 0), person(None, 1)), Ok(()));
    assert_eq!(
        joined(person(Some(1), 0), person(Some(2), 1)),
        Err("branch")
    );
}

/// Two rows of one given name at two sources each; names and the second's surname tag as given.
fn twins(names: [u64; 4], surname: u64, kanji: Option<u64>) -> Vec<(&'static str, u64)> {
    let person = |row: usize| Person {
        source: row as u16,
        key: row as u64,
        tags: [
            ("given+birth+sex", names[row]),
            ("surname+birth+sex", if row < 2 { 50 } else { surname }),
        ]
        .into_iter()
        .chain(kanji.map(|kanji| ("kanji_given+birth+sex", kanji)))
        .collect(),
        ..Person::default()
    };
    let mut links = vec![link(0, 1, 20.0), link(2, 3, 20.0)];
    links.extend([(0, 2), (0, 3), (1, 2), (1, 3)].map(|(a, b)| link(a, b, 5.0)));
    let people: Vec<Person> = (0..4).map(person).collect();
    reasons(&solve(&table(&people), evidence(&links, &[]), &rules()))
}

#[test]
fn two_given_names_that_two_sources_tell_each_are_twins() {
    assert_eq!(twins([1, 1, 2, 2], 50, None), [("twins", 4)]);
    assert_eq!(twins([1, 1, 1, 1], 50, None), []);
    assert_eq!(twins([1, 1, 2, 3], 50, None), [], "a misread name");
    assert_eq!(twins([1, 1, 2, 2], 60, None), [], "another date of birth");
    assert_eq!(twins([1, 1, 2, 2], 50, Some(9)), [], "two readings of one");
}

#[test]
fn dates_at_odds_take_evidence_away() {
    let mut rules = rules();
    rules.link_bits = 2.0;
    let solve = |bits, flags| {
        let person = |key, flags| Person {
            key,
            flags,
            ..Person::default()
        };
        let table = table(&[person(0, flags), person(1, 0)]);
        reasons(&solve(&table, evidence(&[link(0, 1, bits)], &[]), &rules))
    };
    let age = SourceCheck::AgeWindow.bit();
    assert_eq!(solve(4.0, 0), []);
    assert_eq!(solve(4.0, age), [("source_check", 1)]);
    assert_eq!(solve(5.5, age), []);
    assert_eq!(
        solve(5.5, age | SourceCheck::SeniorInsurer.bit()),
        [("source_check", 1)]
    );
    let placeholder = SourceCheck::PlaceholderGiven.bit();
    assert_eq!(solve(4.0, placeholder), [], "no rule is broken");
}

#[test]
fn verdicts_go_before_links_and_apart_before_together() {
    let verdict = |a, b, same| Verdict {
        pair: CandidatePair::new(a, b),
        same,
    };
    let links = [link(0, 1, 20.0), link(2, 3, 20.0)];
    let solve = |verdicts: &[Verdict]| solve(&plain(4), evidence(&links, verdicts), &rules());
    let found = solve(&[verdict(0, 1, false), verdict(1, 2, true)]);
    assert_eq!(clusters(&found), [vec![0], vec![1, 2, 3]]);
    assert_eq!(reasons(&found), [("cannot_link", 1)]);
    // 0 and 2 are one by way of 1, and are not: one verdict is left out, whatever their order.
    let mut verdicts = [
        verdict(0, 1, true),
        verdict(1, 2, true),
        verdict(0, 2, false),
    ];
    let found = solve(&verdicts);
    assert_eq!(found.contradictory_verdicts(), 1);
    verdicts.reverse();
    assert!(solve(&verdicts) == found);
    let both = solve(&[verdict(0, 1, true), verdict(0, 1, false)]);
    assert_eq!(clusters(&both), [vec![0], vec![1], vec![2, 3]]);
    assert_eq!(both.contradictory_verdicts(), 1);
}

#[test]
fn trial_merges_tell_how_much_the_rules_see() {
    // 400 places; at each two people of one date of birth and sex, of whom both died at every other.
    let mut people = Vec::new();
    for place in 0..400_u64 {
        for one in 0..2 {
            people.push(Person {
                kind: Some(if place % 2 == 0 {
                    EventKind::Death
                } else {
                    EventKind::Claim
                }),
                key: place * 2 + one,
                tags: vec![
                    ("postcode+birth+sex", place + 1),
                    ("given+birth+sex", 1000 + place * 2 + one),
                ],
                ..Person::default()
            });
        }
    }
    let table = table(&people);
    let rules = rules();
    // Of eight false links two join people who both died.
    let false_links = [0, 2, 1, 3, 5, 7, 9, 11].map(|place| link(place * 2, place * 2 + 1, 9.0));
    let clusters = solve(&table, evidence(&false_links, &[]), &rules);
    assert_eq!(clusters.refused_merges(), 2);
    let found = false_merges(&table, &clusters, &rules).expect("places tell");
    assert_eq!((found.trial_merges, found.trial_refusals), (394, 200));
    assert!((found.false_merges - 1.94).abs() < 1e-9, "{found:?}");
    assert!(found.low == 0.0 && found.high > 4.0);
}
