//! How long does a store take to start, to remake its index, and to hand everything out?
//! `benches/README.md` says how to read it.

mod support;
#[expect(dead_code, reason = "the store is filled with random records")]
#[path = "support/workload.rs"]
mod workload;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use musubi::store::Store;
use musubi::terms::{EntityId, RunId, SourceId, SubmissionHeader};
use support::{Arguments, RecordMaker};

/// Beyond, no table is loaded: it would be in memory as a whole.
const TABLE_RECORDS_MAX: u64 = 2_000_000;

fn main() {
    let arguments = Arguments::of_process();
    let records = arguments.number("--records", 1_000_000);
    let (folder, _kept) = support::folder(&arguments);
    let directory = folder.join("store");
    let load = support::load();
    let mut row = vec![("records", records.to_string())];
    let mut note = |name, start: Instant| {
        let seconds = format!("{:.2}", start.elapsed().as_secs_f64());
        println!("{name:<24} {seconds:>16}");
        row.push((name, seconds));
    };

    let start = Instant::now();
    build(&directory, records);
    note("build_s", start);

    workload::drop_page_cache(&directory);
    let start = Instant::now();
    let store = Store::open(&directory, &workload::key()).expect("the store opens");
    note("open_cold_s", start);
    drop(store);
    let start = Instant::now();
    let store = Store::open(&directory, &workload::key()).expect("the store opens");
    note("open_warm_s", start);

    let before = store.digest().expect("a digest");
    drop(store);
    std::fs::remove_dir_all(directory.join("index")).expect("the index is removed");
    let start = Instant::now();
    let store =
        Store::open(&directory, &workload::key()).expect("the store opens without an index");
    note("open_without_index_s", start);
    let start = Instant::now();
    store.rebuild_index().expect("rebuilt");
    note("rebuild_index_s", start);
    let start = Instant::now();
    let after = store.digest().expect("a digest");
    note("digest_s", start);
    assert!(before == after, "the rebuilt index is not the same");

    if records <= TABLE_RECORDS_MAX {
        publish(&store, records, &mut note);
    }
    drop(store);

    let (sync_p50, sync_p99) = support::fdatasync_ms(&folder);
    row.push(("fdatasync_p50_ms", format!("{sync_p50:.3}")));
    row.push(("fdatasync_p99_ms", format!("{sync_p99:.3}")));
    let (resident, peak) = support::resident_mib(std::process::id());
    row.push(("rss_end_mib", format!("{resident:.0}")));
    row.push(("rss_peak_mib", format!("{peak:.0}")));
    row.push(("load_before", format!("{load:.2}")));
    support::record(&arguments, "store", &row);
}

/// Loads the table and publishes made-up entities.
fn publish(store: &Store, records: u64, note: &mut impl FnMut(&'static str, Instant)) {
    let start = Instant::now();
    let table = store.load_table().expect("a table");
    note("load_table_s", start);
    let start = Instant::now();
    let entities: Vec<EntityId> = (0..table.refs.len() as u128)
        .map(|row| EntityId::from_u128(row / 2 + 1))
        .collect();
    let run = RunId::from_u128(1);
    store.publish(run, &table, &entities).expect("published");
    note("publish_s", start);
    let start = Instant::now();
    let exported = store.published().expect("published").iter().count();
    note("export_s", start);
    assert_eq!(exported as u64, records);
}

/// Makes a store of records of ten sources, 100,000 records a submission.
fn build(directory: &Path, records: u64) {
    const OF_SUBMISSION: u64 = 100_000;
    let store = Store::open(directory, &workload::key()).expect("the store opens");
    let profile = support::profile();
    store.set_profile(&profile, "1").expect("bound");
    for number in 0..records.div_ceil(OF_SUBMISSION) {
        let source = SourceId::new(format!("source_{}", number % 10)).expect("a good name");
        let header = SubmissionHeader {
            source: source.clone(),
            profile: profile.fingerprint(),
            epoch: "1".into(),
            request_id: number.to_string(),
        };
        let mut maker = RecordMaker::new(&source, number);
        let begun = store.begin_submission(&header);
        let mut writer = begun.unwrap_or_else(|error| panic!("{error}"));
        for record in number * OF_SUBMISSION..((number + 1) * OF_SUBMISSION).min(records) {
            writer.append(&maker.make(record)).expect("appended");
        }
        writer.commit(BTreeMap::new()).expect("committed");
        if number % 10 == 9 {
            let (resident, _) = support::resident_mib(std::process::id());
            println!(
                "{} records, {resident:.0} MiB",
                (number + 1) * OF_SUBMISSION
            );
        }
    }
}
