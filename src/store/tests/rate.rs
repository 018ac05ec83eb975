//! How fast the store takes records in, by hand: `cargo test store::tests::rate -- --ignored`.

use std::time::Instant;

use super::*;

#[test]
#[ignore = "a measurement"]
fn ingest_rate_of_the_store_alone() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path());
    let records: Vec<_> = (0..100_000)
        .map(|number| encoding(&format!("HA{number:08}"), 1, number))
        .collect();
    for request in ["new", "repeated"] {
        let start = Instant::now();
        let mut writer = store
            .begin_submission(&header("a", request))
            .expect("begun");
        for record in &records {
            writer.append(record).expect("appended");
        }
        let appended = start.elapsed();
        writer.commit(BTreeMap::new()).expect("committed");
        let all = start.elapsed();
        eprintln!(
            "{request}: append {appended:?}, all {all:?}, {:.0} records/s",
            1e5 / all.as_secs_f64()
        );
    }
    let start = Instant::now();
    assert_eq!(store.load_table().expect("table").table.len(), 100_000);
    eprintln!("load_table {:?}", start.elapsed());
    drop(store);
    let start = Instant::now();
    let store = Store::open(directory.path()).expect("open");
    eprintln!("open {:?}", start.elapsed());
    let start = Instant::now();
    store.rebuild_index().expect("rebuilt");
    eprintln!("rebuild_index {:?}", start.elapsed());
}
