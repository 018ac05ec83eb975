//! A run over new records ends where a run over all records ends.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::job::pipeline::Done;
use crate::store::{KeyProvider, Store, StoreKey};
use crate::terms::{
    Attribute, EventKind, Link, RecordEncoding, RecordRef, SourceId, SubmissionHeader,
};

fn profile() -> LinkageProfile {
    LinkageProfile::built_in("jp-standard").expect("built in")
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish() | 1
}

/// What a record says: surname, given name, birth date, sex, place, insurance.
type Facts = [u64; 6];

/// The value of an attribute; those that no fact tells are absent.
fn value(facts: &Facts, attribute: Attribute) -> Option<u64> {
    let [surname, given, birth, sex, place, insured] = *facts;
    Some(match attribute {
        Attribute::SurnameKana | Attribute::SurnameKanji => surname,
        Attribute::GivenKana | Attribute::GivenKanji => given,
        Attribute::NameKana | Attribute::NameKanji | Attribute::NameCharacters => {
            hash((surname, given))
        }
        Attribute::BirthDate => birth,
        Attribute::BirthYear => birth / 400,
        Attribute::BirthMonthDay => birth % 400,
        Attribute::BirthYearMonth => birth / 30,
        Attribute::BirthYearDay => hash((birth / 400, birth % 30)),
        Attribute::Sex => sex,
        Attribute::Postcode | Attribute::AddressTown => place,
        Attribute::Postcode5 | Attribute::Municipality => place / 4,
        Attribute::InsuredPerson => insured,
        _ => return None,
    })
}

fn encode(profile: &LinkageProfile, facts: &Facts, label: &str, version: u32) -> RecordEncoding {
    let layout = profile.layout();
    let (mut tags, mut presence) = (vec![0; layout.tag_slots()], 0);
    for (index, tag) in profile.tags.iter().enumerate() {
        let parts: Option<Vec<u64>> = (tag.parts.iter().enumerate())
            .map(|(number, part)| {
                let values = part.attributes.iter().map(|of| value(facts, *of));
                let values: Option<Vec<u64>> = values.collect();
                Some(hash((index, number, values?)))
            })
            .collect();
        let Some(parts) = parts else { continue };
        for (slot, place) in layout.tag_range(index).enumerate() {
            // Variants with a character left out: shared by given names close to each other.
            let variant = hash((index, slot, facts[0], facts[1] / 8, &facts[2..]));
            tags[place] = parts.get(slot).copied().unwrap_or(variant);
        }
        presence |= layout.tag_bit(index);
    }
    RecordEncoding {
        record_ref: RecordRef::new(label).expect("a good label"),
        version,
        kind: EventKind::Hospital,
        year: 2020,
        flags: 0,
        presence,
        filters: vec![0; layout.filter_words()],
        tags,
    }
}

/// Records of some people, by source; some facts of a record are wrong.
fn population(seed: u64) -> Vec<(usize, RecordEncoding)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let profile = profile();
    let most: Facts = [40, 160, 2_000, 2, 40, 300];
    let mut records = Vec::new();
    for _ in 0..150 {
        let person = most.map(|below| random.random_range(0..below));
        for _ in 0..random.random_range(1..6) {
            let wrong = |(fact, below): (u64, u64)| match random.random_bool(0.06) {
                true => random.random_range(0..below),
                false => fact,
            };
            let facts: Vec<u64> = person.into_iter().zip(most).map(wrong).collect();
            let facts: Facts = facts.try_into().expect("as many facts");
            let label = format!("R{:05}", records.len());
            let source = random.random_range(0..3);
            records.push((source, encode(&profile, &facts, &label, 1)));
        }
    }
    records
}

fn submit(store: &Store, request: &str, records: &[(usize, RecordEncoding)]) {
    for number in 0..3 {
        let header = SubmissionHeader {
            source: SourceId::new(format!("source_{number}")).expect("a good name"),
            profile: profile().fingerprint(),
            epoch: "1".into(),
            request_id: request.into(),
        };
        let begun = store.begin_submission(&header);
        let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
        for (_, encoding) in records.iter().filter(|(source, _)| *source == number) {
            writer.append(encoding).expect("appended");
        }
        writer.commit(BTreeMap::new()).expect("committed");
    }
}

fn run(store: &Store, number: u128, kept: Option<Linked>) -> Done {
    let done = Pipeline::new(store, &|_, _| ()).run(
        RunId::from_u128(number),
        ThresholdPolicy::Precision,
        kept,
    );
    done.unwrap_or_else(|error| panic!("{error}"))
}

/// All records at once, with the model and the cuts of another run.
fn at_once(store: &Store, other: &Linked) -> Linked {
    let loaded = store.load_table().expect("loaded");
    let profile = profile();
    let outlook = other.outlook.clone();
    let found = block::candidates(&loaded.table, &outlook.plan, &|_| ());
    let comparer = Comparer::new(&profile, &loaded.table);
    let vectors = scoring::compare(&comparer, &found.pairs, &|_| ());
    let known = &other.scored;
    let sources = loaded.sources.len();
    let mut scored = Scored::new(known.estimate.clone(), known.choice.clone(), sources);
    scored.add(&loaded.table, &found.pairs, &vectors);
    let pairs = &found.pairs;
    let completed = complete(&comparer, &loaded, &mut scored, pairs, &[], None, &|_| ());
    let rules = rules(&profile, &scored);
    let clusters = cluster::solve(&loaded.table, evidence(&scored), &rules);
    Linked {
        model_rows: loaded.table.len(),
        audit: other.audit,
        loaded,
        outlook,
        found,
        completed,
        scored,
        clusters,
        new_rows: None,
    }
}

fn sorted(links: &[Link]) -> Vec<(CandidatePair, u64)> {
    let mut links: Vec<_> = (links.iter())
        .map(|link| (link.pair, link.weight.0.to_bits()))
        .collect();
    links.sort_unstable();
    links
}

fn open(folder: &tempfile::TempDir) -> Store {
    let key = KeyProvider::Key(StoreKey::from_bytes([7; 32]));
    let store = Store::open(folder.path(), &key).expect("opens");
    store.set_profile(&profile(), "1").expect("bound");
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn new_records_are_linked_as_if_all_had_come_at_once(seed in 0_u64..10_000) {
        let records = population(seed);
        let folder = tempfile::tempdir().expect("folder");
        let store = open(&folder);
        let (first, second) = (records.len() * 92 / 100, records.len() * 96 / 100);
        submit(&store, "first", &records[..first]);
        let mut done = run(&store, 1, None);
        prop_assert_eq!(done.report.blocking.new_rows, None);
        for (number, new) in [(2, first..second), (3, second..records.len())] {
            submit(&store, &number.to_string(), &records[new.clone()]);
            done = run(&store, number, Some(done.linked));
            prop_assert_eq!(done.report.blocking.new_rows, Some(new.len() as u64));
        }
        let grown = &done.linked;
        let whole = at_once(&store, grown);
        prop_assert!(grown.found.pairs == whole.found.pairs);
        prop_assert!(grown.completed == whole.completed);
        prop_assert!(sorted(&grown.scored.links) == sorted(&whole.scored.links));
        prop_assert!(sorted(&grown.scored.supporting) == sorted(&whole.scored.supporting));
        prop_assert!(grown.scored.counts.same_pairs(&whole.scored.counts));
        prop_assert!(grown.clusters == whole.clusters);
        let published = store.published().expect("published");
        prop_assert_eq!(published.len(), records.len());
        prop_assert_eq!(published.entity_count(), whole.clusters.partition.len() as u64);
    }
}

#[test]
fn a_replaced_record_or_many_new_ones_make_a_run_over_all() {
    let records = population(3);
    let folder = tempfile::tempdir().expect("folder");
    let store = open(&folder);
    let half = records.len() / 2;
    submit(&store, "first", &records[..half]);
    let done = run(&store, 1, None);
    submit(&store, "second", &records[half..]);
    let done = run(&store, 2, Some(done.linked));
    assert_eq!(done.report.blocking.new_rows, None, "too many");

    let done = run(&store, 3, Some(done.linked));
    assert_eq!(done.report.blocking.new_rows, Some(0), "nothing changed");
    let mut newer = records[0].clone();
    newer.1.version = 2;
    newer.1.tags[0] ^= 2;
    submit(&store, "third", &[newer]);
    let done = run(&store, 4, Some(done.linked));
    assert_eq!(done.report.blocking.new_rows, None, "one was replaced");
    assert_eq!(done.report.records, records.len() as u64);
    let cuts = ThresholdPolicy::Given(crate::terms::Thresholds {
        upper_bits: 5.0,
        lower_bits: 0.0,
    });
    let given = Pipeline::new(&store, &|_, _| ()).run(RunId::from_u128(5), cuts, Some(done.linked));
    let given = given.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(given.report.blocking.new_rows, None, "other cuts");
}
