use std::fs;
use std::path::Path;

use super::*;
use crate::encode::key::SecretFingerprint;
use crate::terms::profile::LinkageProfile;
use crate::terms::{EventKind, RecordEncoding, RecordRef, SourceId};

fn header() -> EncodingHeader {
    let profile = LinkageProfile::built_in("jp-standard").expect("built in");
    let source = SourceId::new("hospital_a").expect("valid");
    EncodingHeader::new(
        &profile,
        "1",
        &source,
        SecretFingerprint([9; 8]),
        1_800_000_000,
    )
}

fn encoding(header: &EncodingHeader, number: u64) -> RecordEncoding {
    let words = header.filter_words() as u64;
    let tags = header.tag_slots as u64;
    RecordEncoding {
        record_ref: RecordRef::new(&format!("カルテ{number}")).expect("valid"),
        version: 1 + number as u32,
        kind: EventKind::Claim,
        year: 2021,
        flags: 3,
        presence: u64::MAX,
        filters: (0..words).map(|w| w.wrapping_mul(number + 7)).collect(),
        tags: (0..tags).map(|t| t + number).collect(),
    }
}

fn write(path: &Path, records: u64) -> WrittenFile {
    let header = header();
    let mut writer = EncodingWriter::create(path, &header).expect("created");
    for number in 0..records {
        writer.append(&encoding(&header, number)).expect("appended");
    }
    writer.finish().expect("finished")
}

/// Reads to the end; the number of records, or the problem and the records before it.
fn read(bytes: &[u8]) -> Result<u64, (FileProblem, u64)> {
    let mut reader =
        EncodingReader::new(Path::new("test.mse"), bytes).map_err(|e| (e.problem, 0))?;
    let mut records = 0;
    for item in reader.by_ref() {
        item.map_err(|e| (e.problem, records))?;
        records += 1;
    }
    assert_eq!(reader.records(), records);
    Ok(records)
}

fn small_file(records: u64) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("a.mse");
    write(&path, records);
    fs::read(path).expect("bytes")
}

#[test]
fn a_file_round_trips_over_several_frames() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("a.mse");
    let records = FRAME_RECORDS_MAX as u64 + 3;
    let written = write(&path, records);
    assert_eq!(written.records, records);
    assert_eq!(written.bytes, fs::metadata(&path).expect("there").len());
    assert!(!dir.path().join("a.mse.partial").exists());
    let mut reader = EncodingReader::open(&path).expect("opened");
    assert_eq!(*reader.header(), header());
    for number in 0..records {
        let read = reader.next().expect("one more").expect("whole");
        assert!(read == encoding(&header(), number), "record {number}");
    }
    assert!(reader.next().is_none());
    assert_eq!(reader.position(), written.bytes);
}

#[test]
fn a_file_without_records_is_a_file() {
    assert_eq!(read(&small_file(0)).ok(), Some(0));
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let bytes = small_file(3);
    assert_eq!(read(&bytes).ok(), Some(3));
    for length in 0..bytes.len() {
        let (problem, before) = read(&bytes[..length]).expect_err("cut short");
        let FileProblem::Truncated { records } = problem else {
            panic!("cut at {length}: {problem}");
        };
        assert_eq!(records, before, "cut at {length}");
    }
}

#[test]
fn a_file_altered_in_any_byte_is_refused() {
    let bytes = small_file(2);
    for index in 0..bytes.len() {
        for flip in [1, 0x80] {
            let mut altered = bytes.clone();
            altered[index] ^= flip;
            assert!(read(&altered).is_err(), "byte {index}");
        }
    }
}

#[test]
fn a_file_that_goes_on_is_refused() {
    let mut bytes = small_file(2);
    bytes.push(0);
    let (problem, _) = read(&bytes).expect_err("longer");
    assert!(
        matches!(problem, FileProblem::Trailing { records: 2 }),
        "{problem}"
    );
}

#[test]
fn frames_cut_out_are_noticed() {
    let whole = small_file(2);
    let none = small_file(0);
    let trailer = 1 + 8 + 32;
    // The header and trailer of one, without the frame between.
    let cut = [
        &none[..none.len() - trailer],
        &whole[whole.len() - trailer..],
    ]
    .concat();
    let (problem, _) = read(&cut).expect_err("frame missing");
    assert!(matches!(problem, FileProblem::Altered { .. }), "{problem}");
}

#[test]
fn a_foreign_or_newer_file_is_told_apart() {
    let (problem, _) = read(b"surname,given\nx,y\n").expect_err("a CSV");
    assert!(matches!(problem, FileProblem::Magic), "{problem}");
    let mut newer = small_file(1);
    newer[7] = b'2';
    let (problem, _) = read(&newer).expect_err("newer");
    assert!(problem.to_string().contains("version '2'"), "{problem}");
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("a.mse");
    let header = header();
    let mut writer = EncodingWriter::create(&path, &header).expect("created");
    writer.append(&encoding(&header, 1)).expect("appended");
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
}

#[test]
fn an_encoding_of_another_shape_is_refused() {
    let dir = tempfile::tempdir().expect("directory");
    let header = header();
    let mut writer = EncodingWriter::create(&dir.path().join("a.mse"), &header).expect("created");
    let mut encoding = encoding(&header, 1);
    encoding.tags.pop();
    let error = writer.append(&encoding).expect_err("refused").to_string();
    assert!(error.starts_with("record 1 "), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("a.mse");
    write(&path, 1);
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Written when version 1 was fixed: a later reader must still read it.
#[test]
fn the_frozen_file_of_version_1_is_read() {
    let frozen = include_bytes!("../../../tests/vectors/encode/v1/three-records.mse");
    let reader = EncodingReader::new(Path::new("frozen.mse"), &frozen[..]).expect("opened");
    let header = reader.header().clone();
    assert_eq!(
        (header.profile.as_str(), header.epoch.as_str()),
        ("jp-standard", "1")
    );
    assert_eq!(header.source.as_str(), "hospital_a");
    assert_eq!((header.filter_words(), header.tags.len()), (16, 16));
    let mut records = 0;
    for (number, item) in (0..).zip(reader) {
        assert!(
            item.expect("whole") == encoding(&header, number),
            "record {number}"
        );
        records += 1;
    }
    assert_eq!(records, 3);
}
