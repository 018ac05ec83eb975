//! Files written by pyarrow (`tests/vectors/adapters/parquet/write.py`): every type of column.

use std::fs;
use std::path::{Path, PathBuf};

use crate::encode::map::MapFile;
use crate::encode::reader::{ReadError, ReadReport, Row, open_source};
use crate::encode::{Encoder, LinkageSecret, SourceSecret};
use crate::terms::{Attribute, LinkageProfile, RecordEncoding, SourceId};

fn vectors(form: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/vectors/adapters").join(form)
}

/// A map that takes the birth date from `column`.
fn born_in(column: &str) -> MapFile {
    let text = "record_ref = 'id'\nlocale = 'jp'\n[file]\nform = 'parquet'\n[fields]\n";
    MapFile::parse(&format!("{text}birth_date = '{column}'\n")).expect("a map")
}

/// The birth dates of all records, and what the reader counted.
fn birth_dates(path: &Path, map: &MapFile) -> Result<(Vec<String>, ReadReport), ReadError> {
    let source = SourceId::new("hosp_a").expect("a name");
    let mut reader = open_source(path, map, &source)?;
    let mut dates = Vec::new();
    for row in reader.by_ref() {
        if let Row::Record(record) = row? {
            let date = record.identity.get(Attribute::BirthDate);
            dates.push(date.unwrap_or("-").to_owned());
        }
    }
    Ok((dates, reader.report()))
}

fn refusal(file: &str, column: &str) -> String {
    let path = vectors("parquet").join(file);
    let error = birth_dates(&path, &born_in(column)).expect_err(column);
    let error = error.to_string();
    assert!(error.contains(file) && !error.contains("1949"), "{error}");
    error
}

#[test]
fn a_fact_reads_the_same_from_every_type_that_holds_it() {
    let path = vectors("parquet").join("types.parquet");
    for column in [
        "text", "whole", "date", "date64", "seconds", "millis", "micros", "nanos", "double",
        "decimal", "bytes",
    ] {
        let (dates, report) = birth_dates(&path, &born_in(column)).expect(column);
        assert_eq!(dates, ["19490522"], "{column}");
        // The other row has nothing there: null, or not a number.
        assert_eq!(report.refused.values().sum::<u64>(), 1, "{column}");
        assert!(report.notes.is_empty(), "{column}: {:?}", report.notes);
    }
    let (dates, _) = birth_dates(&path, &born_in("nothing")).expect("nulls");
    assert!(dates.is_empty());
}

#[test]
fn a_type_that_holds_no_one_fact_is_refused_by_column() {
    for (file, column, rule) in [
        ("types.parquet", "instant", "time zone"),
        ("int96.parquet", "seconds", "time zone"),
        ("types.parquet", "time", "text, numbers or dates"),
        ("types.parquet", "list", "one value a row"),
        ("types.parquet", "structure", "one value a row"),
        ("brotli.parquet", "text", "Snappy"),
    ] {
        let error = refusal(file, column);
        // All columns of a file are compressed alike: the first is named.
        let named = if rule == "Snappy" { "id" } else { column };
        assert!(error.contains(&format!("{named:?}")), "{error}");
        assert!(error.contains(rule), "{error}");
    }
    let error = refusal("types.parquet", "sjis");
    assert!(
        error.contains("line 1") && error.contains("UTF-8"),
        "{error}"
    );
    let error = refusal("types.parquet", "yomi");
    assert!(
        error.contains("\"yomi\"") && error.contains("birth_date"),
        "{error}"
    );
}

#[test]
fn the_encodings_are_those_of_a_csv_of_the_same_rows() {
    let profile = LinkageProfile::built_in("jp-standard").expect("built in");
    let secret = LinkageSecret::from_bytes([7; 32]);
    let source_secret = SourceSecret::from_bytes([8; 32]);
    let encoder =
        Encoder::new(&profile, &secret, Some(&source_secret), "1").expect("a good encoder");
    let encodings = |form: &str, file: &str| -> Vec<RecordEncoding> {
        let folder = vectors(form);
        let map = MapFile::read(&folder.join("map.toml")).expect("a map");
        let source = SourceId::new("hosp_a").expect("a name");
        let mut reader = open_source(&folder.join(file), &map, &source).expect("opened");
        let rows: Vec<Row> = reader.by_ref().map(|row| row.expect("read")).collect();
        let length = fs::metadata(folder.join(file)).expect("there").len();
        assert_eq!(reader.position(), length);
        let records = rows.iter().map(|row| match row {
            Row::Record(record) => encoder.encode(record),
            Row::Refused { line, .. } => panic!("row {line} is refused"),
        });
        records.collect()
    };
    let of_parquet = encodings("parquet", "people.parquet");
    assert_eq!(of_parquet.len(), 3);
    assert!(of_parquet == encodings("csv", "people.csv"));
}

#[test]
fn columns_are_kept_as_written_in_the_order_that_was_asked_for() {
    let folder = vectors("parquet");
    let map = MapFile::read(&folder.join("map.toml")).expect("a map");
    let source = SourceId::new("hosp_a").expect("a name");
    let path = folder.join("people.parquet");
    let mut reader = open_source(&path, &map, &source).expect("opened");
    let columns = ["sex", "dob", "sex"].map(str::to_owned);
    reader.keep_columns(&columns).expect("kept");
    let row = reader.next().expect("a row").expect("read");
    let Row::Record(record) = row else {
        panic!("refused")
    };
    assert_eq!(record.identity.columns(), ["2", "1949-05-22", "2"]);
    let error = reader.keep_columns(&["diagnoses".to_owned()]);
    let error = error.expect_err("a list").to_string();
    assert!(error.contains("diagnoses"), "{error}");
}

#[test]
fn a_broken_file_is_refused_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.parquet");
    let map = MapFile::read(&vectors("parquet").join("map.toml")).expect("a map");
    let whole = fs::read(vectors("parquet").join("people.parquet")).expect("read");
    fs::write(&path, &whole[..whole.len() - 9]).expect("cut");
    let error = birth_dates(&path, &map).expect_err("cut").to_string();
    assert!(
        error.contains("broken.parquet") && error.contains("footer"),
        "{error}"
    );
    for place in (4..whole.len()).step_by(17) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x15;
        fs::write(&path, bytes).expect("written");
        if let Err(error) = birth_dates(&path, &map) {
            assert!(error.to_string().contains("broken.parquet"), "{error}");
        }
    }
}
