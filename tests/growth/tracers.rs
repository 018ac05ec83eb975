//! Invented people whom the sources plant: they measure recall, and are nobody.

use std::collections::{BTreeMap, BTreeSet};

use musubi::terms::methods::Interval;
use musubi::terms::people::PeopleBasis;
use musubi::terms::{RecordFlag, RecordRef, TRACER_PREFIX};

use crate::register::*;

/// Tracers that are copies of real records, so that nothing but their mark keeps them apart.
fn tracers_like(records: &[Made], people: usize) -> Vec<Made> {
    let mut number_of: BTreeMap<u32, usize> = BTreeMap::new();
    let mut planted = BTreeSet::new();
    let mut tracers = Vec::new();
    for record in records {
        let next = number_of.len();
        let number = *number_of.entry(record.person).or_insert(next);
        if number >= people || !planted.insert((&record.source, number)) {
            continue;
        }
        let mut encoding = record.encoding.clone();
        let label = format!("{TRACER_PREFIX}{number:06}");
        encoding.record_ref = RecordRef::new(&label).expect("a label");
        encoding.flags |= RecordFlag::Tracer.bit();
        tracers.push(Made {
            source: record.source.clone(),
            day: record.day,
            person: record.person,
            encoding,
        });
    }
    tracers
}

#[test]
fn tracers_measure_recall_and_are_nobody() {
    let profile = profile("jp-fields");
    let mut records = population(&profile, 600, 43);
    let real = records.len() as u64;
    let folder = tempfile::tempdir().expect("folder");
    let without = open(&folder.path().join("without"), &profile);
    submit(&without, "all", &records);
    let expected = link(&without, None);
    assert_eq!(expected.methods.expect("a sheet").tracers, None);

    let tracers = tracers_like(&records, 100);
    let planted = tracers.len() as u64;
    assert!(planted > 150, "{planted} tracers");
    records.extend(tracers);
    let with = open(&folder.path().join("with"), &profile);
    submit(&with, "all", &records);
    let cuts = Some(expected.thresholds);
    let report = link(&with, cuts);
    assert_eq!(report.records, real, "tracers are not counted");
    let counted: u64 = report.sources.iter().map(|source| source.records).sum();
    assert_eq!(counted, real);
    let published = published(&with);
    assert_eq!(published.len() as u64, real, "tracers are not published");
    assert_eq!(report.entities, ids(&published).len() as u64);
    let sheet = report.methods.expect("a sheet");
    let people: BTreeSet<u32> = (records[..real as usize].iter())
        .map(|record| record.person)
        .collect();
    let counted = sheet.people.expect("people are counted");
    println!("{} people, counted {:?}", people.len(), counted.all);
    assert_eq!(counted.basis, PeopleBasis::Tracers);
    assert_eq!(counted.all.entities, report.entities);
    let Interval { low, high } = counted.all.interval;
    assert!((low..=high).contains(&(people.len() as f64)));
    assert_eq!(counted.sources.len(), 9);
    assert!(!counted.years.is_empty() && !counted.overlaps.is_empty());
    let told: Vec<u64> = (counted.years.iter())
        .filter_map(|year| Some(year.counted?.entities))
        .collect();
    assert!(
        told.len() < counted.years.len(),
        "some years have few people"
    );
    assert!(told.iter().all(|entities| *entities >= 10));
    let recall = sheet.tracers.expect("planted");
    println!("recall on tracers {recall:?}");
    assert!(recall.pairs > 100 && recall.people > 50);
    assert!(recall.recall > 0.9 && recall.recall <= recall.interval.high);
}
