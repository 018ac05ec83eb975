//! A register that grows: months of records one after the other, another source, the same again.
//! People stay who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use musubi::encode::{Encoder, LinkageSecret, SourceSecret};
use musubi::job::JobRunner;
use musubi::store::{KeyProvider, Published, Store, StoreKey};
use musubi::terms::methods::Interval;
use musubi::terms::people::PeopleBasis;
use musubi::terms::run::{Run, RunState};
use musubi::terms::{
    EntityId, IdState, LinkageProfile, RecordEncoding, RecordFlag, RecordRef, SourceId,
    SubmissionHeader, TRACER_PREFIX, Thresholds,
};
use musubi::tools::synth::SynthOptions;
use musubi::tools::synth::sample::sample;

/// An encoded record, whose it is and the day of its event.
struct Made {
    source: SourceId,
    day: i64,
    person: u32,
    encoding: RecordEncoding,
}

/// Records of invented people, by day of their events.
fn population(persons: u32, seed: u64) -> Vec<Made> {
    let options = SynthOptions {
        persons,
        seed,
        ..SynthOptions::default()
    };
    let linkage = LinkageSecret::from_bytes([7; 32]);
    let own = SourceSecret::from_bytes([8; 32]);
    let encoder = Encoder::new(&profile(), &linkage, Some(&own), "1").expect("an encoder");
    let mut made = Vec::new();
    for source in sample(&options).expect("people").sources {
        for (record, truth) in source.records.iter().zip(&source.truth) {
            let encoding = encoder.encode(record);
            if encoding.presence != 0 {
                made.push(Made {
                    source: source.name.clone(),
                    day: i64::from(truth.day.0),
                    person: truth.person,
                    encoding,
                });
            }
        }
    }
    made.sort_by_key(|one| one.day);
    made
}

fn profile() -> LinkageProfile {
    LinkageProfile::built_in("jp-fields").expect("built in")
}

fn open(directory: &Path) -> Store {
    let key = KeyProvider::Key(StoreKey::from_bytes([9; 32]));
    let store = Store::open(directory, &key).expect("opens");
    store.set_profile(&profile(), "1").expect("bound");
    store
}

/// Submits records, each source's in one submission.
fn submit(store: &Store, request: &str, records: &[&Made]) {
    let mut of_source: BTreeMap<&SourceId, Vec<&RecordEncoding>> = BTreeMap::new();
    for one in records {
        of_source
            .entry(&one.source)
            .or_default()
            .push(&one.encoding);
    }
    for (source, encodings) in of_source {
        let header = SubmissionHeader {
            source: source.clone(),
            profile: profile().fingerprint(),
            epoch: "1".into(),
            request_id: request.into(),
        };
        let begun = store.begin_submission(&header);
        let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
        for encoding in encodings {
            writer.append(encoding).expect("appended");
        }
        writer.commit(BTreeMap::new()).expect("committed");
    }
}

/// Runs linkage to its end.
fn link(store: &Store, thresholds: Option<Thresholds>) -> Run {
    let runner = JobRunner::new(store.clone()).expect("a runner");
    let id = runner.start(thresholds).expect("started");
    loop {
        let run = runner.run(id).expect("known");
        match run.state {
            RunState::Succeeded => return run,
            RunState::Failed => panic!("{:?}", run.failure),
            RunState::Queued | RunState::Running => std::thread::yield_now(),
        }
    }
}

/// The records of each entity, without the IDs, in one text.
fn partition(published: &Published) -> String {
    let mut entities: BTreeMap<EntityId, Vec<String>> = BTreeMap::new();
    for (source, record_ref, entity) in published.iter() {
        let name = format!("{source}/{}", record_ref.as_str());
        entities.entry(entity).or_default().push(name);
    }
    let mut lines: Vec<String> = (entities.values())
        .map(|records| records.join(" "))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn ids(published: &Published) -> BTreeSet<EntityId> {
    published.iter().map(|(_, _, entity)| entity).collect()
}

#[test]
fn two_years_in_monthly_batches_end_where_one_run_ends() {
    let records = population(1_000, 41);
    let folder = tempfile::tempdir().expect("folder");
    let grown = open(&folder.path().join("grown"));
    let size = records.len().div_ceil(24);
    for (month, batch) in records.chunks(size).enumerate() {
        let batch: Vec<&Made> = batch.iter().collect();
        submit(&grown, &format!("month {month}"), &batch);
        if month % 8 == 7 {
            link(&grown, None);
        }
    }
    let run = link(&grown, None);
    let at_once = open(&folder.path().join("at_once"));
    let all: Vec<&Made> = records.iter().rev().collect();
    submit(&at_once, "all", &all);
    let other = link(&at_once, None);
    let report = |run: Run| run.report.expect("a report");
    let (run, other) = (report(run), report(other));
    assert_eq!(run.thresholds, other.thresholds);
    assert_eq!(run.clustering.set_aside, other.clustering.set_aside);
    let published = |store: &Store| store.published().expect("published");
    assert!(
        partition(&published(&grown)) == partition(&published(&at_once)),
        "batches change who is one person"
    );
}

#[test]
fn another_source_leaves_ids_as_they_are() {
    let records = population(2_000, 42);
    let folder = tempfile::tempdir().expect("folder");
    let store = open(&folder.path().join("store"));
    let (later, first): (Vec<&Made>, Vec<&Made>) =
        (records.iter()).partition(|one| one.source.as_str() == "hosp_b");
    assert!(!later.is_empty());
    submit(&store, "first", &first);
    let run = link(&store, None);
    let mut issued = ids(&store.published().expect("published"));
    // The policy stays as it is.
    let cuts = Some(run.report.expect("a report").thresholds);

    submit(&store, "again", &first);
    let again = link(&store, cuts)
        .report
        .expect("a report")
        .clustering
        .churn;
    assert_eq!(
        (again.created, again.merged, again.split, again.retired),
        (0, 0, 0, 0),
        "the same records change nothing"
    );

    submit(&store, "later", &later);
    let churn = link(&store, cuts)
        .report
        .expect("a report")
        .clustering
        .churn;
    println!(
        "another source: {churn:?}, {:.2} of 1,000",
        churn.per_thousand()
    );
    assert!(churn.created > 0);
    assert!(churn.per_thousand() <= 5.0, "{churn:?}");

    let published = store.published().expect("published");
    let now = ids(&published);
    issued.extend(&now);
    for id in issued {
        let holders = match published.id_state(id, None) {
            Some(IdState::Current) => vec![id],
            Some(IdState::Merged(into)) => vec![into],
            Some(IdState::Split(parts)) => parts,
            _ => panic!("an ID is lost"),
        };
        assert!(holders.iter().all(|holder| now.contains(holder)));
    }
}

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
    let mut records = population(600, 43);
    let real = records.len() as u64;
    let folder = tempfile::tempdir().expect("folder");
    let without = open(&folder.path().join("without"));
    submit(&without, "all", &records.iter().collect::<Vec<_>>());
    let expected = link(&without, None).report.expect("a report");
    assert_eq!(expected.methods.expect("a sheet").tracers, None);

    let tracers = tracers_like(&records, 100);
    let planted = tracers.len() as u64;
    assert!(planted > 150, "{planted} tracers");
    records.extend(tracers);
    let with = open(&folder.path().join("with"));
    submit(&with, "all", &records.iter().collect::<Vec<_>>());
    let cuts = Some(expected.thresholds);
    let report = link(&with, cuts).report.expect("a report");
    assert_eq!(report.records, real, "tracers are not counted");
    let counted: u64 = report.sources.iter().map(|source| source.records).sum();
    assert_eq!(counted, real);
    let published = with.published().expect("published");
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
    let recall = sheet.tracers.expect("planted");
    println!("recall on tracers {recall:?}");
    assert!(recall.pairs > 100 && recall.people > 50);
    assert!(recall.recall > 0.9 && recall.recall <= recall.interval.high);
}
