//! The process that is killed: submits for two sources at once, and writes audit events beside it,
//! telling each step on standard output.

use std::collections::BTreeMap;
use std::path::Path;

use musubi::store::{KeyProvider, Store, StoreKey};
use musubi::terms::{RecordEncoding, SourceId, SubmissionHeader};

use crate::world;

/// Environment: where the store is.
pub const STORE: &str = "MUSUBI_KILL_STORE";
/// Environment: the first request number of each source.
pub const NEXT: &str = "MUSUBI_KILL_NEXT";
/// Sources that submit side by side.
pub const SOURCES: u64 = 2;

/// Source, number.
pub type Request = (u64, u64);

pub fn key() -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7; 32]))
}

pub fn source(number: u64) -> SourceId {
    world::source(&format!("source_{number}"))
}

pub fn header((source, request): Request) -> SubmissionHeader {
    world::header(&format!("source_{source}"), request as u32)
}

/// Records of a request: two of its own, three that replace those of requests before.
pub fn records((source, request): Request) -> Vec<RecordEncoding> {
    let person = source << 32 | request << 8;
    (0..5)
        .map(|index| {
            let label = match index {
                0 | 1 => format!("own-{request}-{index}"),
                _ => format!("shared-{index}"),
            };
            let mut record = world::record(&label, person | index);
            record.version = request as u32;
            record
        })
        .collect()
}

fn submit(store: &Store, request: Request) {
    let (source, number) = request;
    println!("kill: begin {source} {number}");
    let mut writer = store
        .begin_submission(&header(request))
        .unwrap_or_else(|error| panic!("{error}"));
    for record in records(request) {
        writer.append(&record).expect("appended");
        println!("kill: appended {source} {number}");
    }
    println!("kill: committing {source} {number}");
    let receipt = writer.commit(BTreeMap::new()).expect("committed");
    let json = serde_json::to_string(&receipt).expect("JSON");
    println!("kill: done {source} {number} {json}");
}

/// Does nothing unless the environment names a store.
#[test]
fn works_until_it_is_killed() {
    let Ok(directory) = std::env::var(STORE) else {
        return;
    };
    let next = std::env::var(NEXT).expect("the first numbers");
    let next: Vec<u64> = next
        .split(' ')
        .map(|it| it.parse().expect("number"))
        .collect();
    let store = Store::open(Path::new(&directory), &key()).expect("opens");
    (store.set_profile(&world::profile(), &header((0, 1)).epoch)).expect("profile");
    std::thread::scope(|scope| {
        for (source, first) in (0..).zip(next) {
            let store = &store;
            scope.spawn(move || {
                for number in first..first + 10_000 {
                    submit(store, (source, number));
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..10_000 {
                let position = store.append_audit("{}").expect("appended");
                println!("kill: audited {}", position.sequence);
            }
        });
    });
}
