//! A store, people with encoded records, and what linkage makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use musubi::encode::{Encoder, LinkageSecret, SourceSecret};
use musubi::job::JobRunner;
use musubi::store::{KeyProvider, Published, Store, StoreKey};
use musubi::terms::run::{Run, RunReport, RunState, ThresholdPolicy};
use musubi::terms::{
    EntityId, LinkageProfile, Receipt, RecordEncoding, SourceId, SubmissionHeader,
};
use musubi::tools::synth::SynthOptions;
use musubi::tools::synth::calendar::Day;
use musubi::tools::synth::sample::sample;

/// An encoded record, whose it is and the day of its event.
pub struct Made {
    pub source: SourceId,
    pub day: Day,
    pub person: u32,
    pub encoding: RecordEncoding,
}

pub fn profile(name: &str) -> LinkageProfile {
    LinkageProfile::built_in(name).expect("built in")
}

/// Records of invented people, by day of their events.
pub fn population(profile: &LinkageProfile, persons: u32, seed: u64) -> Vec<Made> {
    let options = SynthOptions {
        persons,
        seed,
        ..SynthOptions::default()
    };
    let linkage = LinkageSecret::from_bytes([7; 32]);
    let own = SourceSecret::from_bytes([8; 32]);
    let encoder = Encoder::new(profile, &linkage, Some(&own), "1").expect("an encoder");
    let mut made = Vec::new();
    for source in sample(&options).expect("people").sources {
        for (record, truth) in source.records.iter().zip(&source.truth) {
            let encoding = encoder.encode(record);
            if encoding.presence != 0 {
                made.push(Made {
                    source: source.name.clone(),
                    day: truth.day,
                    person: truth.person,
                    encoding,
                });
            }
        }
    }
    made.sort_by_key(|one| one.day);
    made
}

pub fn open(directory: &Path, profile: &LinkageProfile) -> Store {
    let key = KeyProvider::Key(StoreKey::from_bytes([9; 32]));
    let store = Store::open(directory, &key).expect("opens");
    store.set_profile(profile, "1").expect("bound");
    store
}

/// Submits records, each source's in one submission; gives the receipts.
pub fn submit<'a>(
    store: &Store,
    request: &str,
    records: impl IntoIterator<Item = &'a Made>,
) -> Vec<Receipt> {
    let (profile, epoch) = store.profile().expect("bound");
    let mut of_source: BTreeMap<&SourceId, Vec<&RecordEncoding>> = BTreeMap::new();
    for one in records {
        of_source
            .entry(&one.source)
            .or_default()
            .push(&one.encoding);
    }
    let submitted = of_source.into_iter().map(|(source, encodings)| {
        let header = SubmissionHeader {
            source: source.clone(),
            profile: profile.fingerprint(),
            epoch: epoch.to_string(),
            request_id: request.into(),
        };
        let begun = store.begin_submission(&header);
        let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
        for encoding in encodings {
            writer.append(encoding).expect("appended");
        }
        writer.commit(BTreeMap::new()).expect("committed")
    });
    submitted.collect()
}

/// Runs linkage to its end, going on from the run before if the server may.
pub fn link_on(runner: &JobRunner, policy: impl Into<ThresholdPolicy>) -> RunReport {
    let id = runner.start(policy).expect("started");
    loop {
        let run: Run = runner.run(id).expect("known");
        match run.state {
            RunState::Succeeded => return run.report.expect("a report"),
            RunState::Failed => panic!("{:?}", run.failure),
            RunState::Queued | RunState::Running => std::thread::yield_now(),
        }
    }
}

/// Runs linkage over all records, as a server does that was just started.
pub fn link(store: &Store, policy: impl Into<ThresholdPolicy>) -> RunReport {
    link_on(&JobRunner::new(store.clone()).expect("a runner"), policy)
}

/// The records of each entity, without the IDs, in one text.
pub fn partition(published: &Published) -> String {
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

pub fn published(store: &Store) -> Published {
    store.published().expect("published")
}

pub fn ids(published: &Published) -> BTreeSet<EntityId> {
    published.iter().map(|(_, _, entity)| entity).collect()
}

/// The model and the cuts of a run, to the last bit.
pub fn policy_of(report: &RunReport) -> (String, u64, u64) {
    let sheet = report.methods.as_ref().expect("a sheet");
    let cuts = report.thresholds;
    (
        sheet.model_fingerprint.clone(),
        cuts.upper_bits.to_bits(),
        cuts.lower_bits.to_bits(),
    )
}
