//! A register that grows: months of records one after the other, another source, the same again.
//! People stay who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use musubi::encode::{Encoder, LinkageSecret, SourceSecret};
use musubi::job::JobRunner;
use musubi::store::{KeyProvider, Published, Store, StoreKey};
use musubi::terms::run::{Run, RunState};
use musubi::terms::{
    EntityId, IdState, LinkageProfile, RecordEncoding, SourceId, SubmissionHeader, Thresholds,
};
use musubi::tools::synth::SynthOptions;
use musubi::tools::synth::sample::sample;

/// An encoded record, whose it is and the day of its event.
struct Made {
    source: SourceId,
    day: i64,
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
