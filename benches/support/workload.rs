//! The reference workload: made-up people through the encoder into a store on disk, and one record
//! in a hundred held back as the increment of a month.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use musubi::encode::file::{EncodingReader, EncodingWriter};
use musubi::encode::key::{LinkageSecret, SourceSecret};
use musubi::encode::sources::SourceList;
use musubi::store::{BeginSubmissionError, KeyProvider, Store, StoreKey};
use musubi::terms::{RecordEncoding, SourceId, SubmissionHeader};
use musubi::tools::source::encode::{EncodeOptions, OutputFormat, encode_source};
use musubi::tools::synth::{self, SynthOptions};

/// Share of events that reach their source: four records of a person, where all of them were six.
const COVERAGE: f64 = 0.7;
/// Records of a submission.
const OF_SUBMISSION: u64 = 500_000;
/// One record in so many is held back.
const HELD_BACK: u64 = 100;
const EPOCH: &str = "1";

/// What to make.
pub struct Workload {
    pub persons: u32,
    pub seed: u64,
}

/// A key for a store that is thrown away.
pub fn key() -> KeyProvider {
    KeyProvider::Key(StoreKey::from_bytes([7; 32]))
}

impl Workload {
    /// Makes `people` (CSV with truth), `store` and `increment` in the folder.
    pub fn build(&self, folder: &Path) {
        let people = folder.join("people");
        let start = Instant::now();
        let options = SynthOptions {
            persons: self.persons,
            seed: self.seed,
            coverage: COVERAGE,
            ..SynthOptions::default()
        };
        let made = synth::generate(&options, &people, &|_, _| {}).expect("people are made");
        eprintln!(
            "{} records made in {:.0} s",
            made.records,
            start.elapsed().as_secs_f64()
        );
        let secret = folder.join("linkage.key");
        let made = LinkageSecret::generate().expect("a secret");
        made.write_new(&secret).expect("a key file");
        let store = Store::open(&folder.join("store"), &key()).expect("a store");
        store
            .set_profile(&crate::support::profile(), EPOCH)
            .expect("bound");
        fs::create_dir_all(folder.join("increment")).expect("a folder");
        let listed = SourceList::read(&people.join("sources.toml")).expect("sources");
        for source in &listed.sources {
            let start = Instant::now();
            let input = people.join(&source.file);
            let options = EncodeOptions {
                clkhash_secret: None,
                input,
                output: folder.join(format!("{}.mse", source.name)),
                format: OutputFormat::Mse,
                map: people.join(&source.map),
                source: source.name.clone(),
                profile: crate::support::profile(),
                linkage_secret: secret.clone(),
                source_secret: Some(source_secret(folder, &source.name)),
                epoch: EPOCH.into(),
                tracers: 0,
            };
            let encoded = encode_source(&options, &|_, _| {}).expect("encoded");
            let encode_s = start.elapsed().as_secs_f64();
            let start = Instant::now();
            take_in(&store, &source.name, &options.output, Some(folder));
            fs::remove_file(&options.output).expect("removed");
            eprintln!(
                "{:<20} {:>9} records, encoded in {encode_s:.0} s, taken in in {:.0} s",
                source.name.as_str(),
                encoded.records,
                start.elapsed().as_secs_f64()
            );
        }
    }
}

fn source_secret(folder: &Path, source: &SourceId) -> std::path::PathBuf {
    let path = folder.join(format!("source-{source}.key"));
    let made = SourceSecret::generate().expect("a secret");
    made.write_new(&path).expect("a key file");
    path
}

/// Takes an encoding file into the store. With `held_back`, one record in a hundred goes into a file
/// of the folder `increment` there.
fn take_in(store: &Store, source: &SourceId, file: &Path, held_back: Option<&Path>) -> u64 {
    let reader = EncodingReader::open(file).expect("an encoding file");
    let mut later = held_back.map(|folder| {
        let path = folder.join("increment").join(format!("{source}.mse"));
        EncodingWriter::create(&path, reader.header()).expect("an encoding file")
    });
    let mut records = reader.enumerate().filter_map(|(number, record)| {
        let record = record.expect("a whole file");
        match &mut later {
            Some(later) if number as u64 % HELD_BACK == HELD_BACK - 1 => {
                later.append(&record).expect("written");
                None
            }
            _ => Some(record),
        }
    });
    let mut taken = 0;
    let part = if held_back.is_some() {
        "first"
    } else {
        "later"
    };
    loop {
        let request_id = format!("{source}-{part}-{taken}");
        let of_submission = submit(store, source, request_id, &mut records);
        taken += of_submission;
        if of_submission < OF_SUBMISSION {
            break;
        }
    }
    drop(records);
    if let Some(later) = later {
        later.finish().expect("written");
    }
    taken
}

fn submit(
    store: &Store,
    source: &SourceId,
    request_id: String,
    records: &mut impl Iterator<Item = RecordEncoding>,
) -> u64 {
    let header = SubmissionHeader {
        source: source.clone(),
        profile: crate::support::profile().fingerprint(),
        epoch: EPOCH.into(),
        request_id,
    };
    let mut writer = match store.begin_submission(&header) {
        Ok(writer) => writer,
        Err(BeginSubmissionError::AlreadyDone(_)) => return 0,
        Err(error) => panic!("{error}"),
    };
    let mut taken = 0;
    for record in records.take(OF_SUBMISSION as usize) {
        writer.append(&record).expect("appended");
        taken += 1;
    }
    writer.commit(BTreeMap::new()).expect("committed");
    taken
}

/// Takes in what was held back; gives the number of records, 0 if they are there already.
pub fn take_increment(store: &Store, folder: &Path) -> u64 {
    let listed = fs::read_dir(folder.join("increment")).expect("a folder");
    let files = listed.map(|entry| entry.expect("listed").path());
    let taken = files.map(|file| {
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let source = SourceId::new(stem.expect("a name")).expect("a source");
        take_in(store, &source, &file, None)
    });
    taken.sum()
}

/// Makes the next read come from the disk, with `dd`, which can ask for that without being root.
pub fn drop_page_cache(directory: &Path) {
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let input = format!("if={}", path.display());
                let dropped = Command::new("dd")
                    .args([&input, "iflag=nocache", "count=0", "status=none"])
                    .status();
                if !dropped.is_ok_and(|status| status.success()) {
                    println!("{}: still in the page cache", path.display());
                }
            }
        }
    }
}
