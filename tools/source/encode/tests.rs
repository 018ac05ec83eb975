use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tempfile::TempDir;

use super::batch::BATCH_RECORDS;
use super::*;
use crate::encode::file::EncodingReader;
use crate::terms::RecordEncoding;

/// A profile with a filter, flips and tags.
const SALTED_FILTER: &str = include_str!("../../../tests/vectors/profiles/salted-filter.toml");

const MAP: &str = r#"
record_ref = "id"
kind = "hospital"
locale = "jp"
[fields]
surname_kana = "sei"
given_kana = "mei"
birth_date = "born"
sex = "sex"
postcode = "zip"
"#;

/// A folder with map, keys and a CSV.
struct Bench {
    dir: TempDir,
    options: EncodeOptions,
}

impl Bench {
    fn new(csv: &str) -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("in.csv"), csv).expect("written");
        fs::write(at("map.toml"), MAP).expect("written");
        LinkageSecret::from_bytes([7; 32])
            .write_new(&at("linkage.key"))
            .expect("written");
        SourceSecret::from_bytes([8; 32])
            .write_new(&at("source.key"))
            .expect("written");
        let options = EncodeOptions {
            clkhash_secret: None,
            input: at("in.csv"),
            output: at("out.mse"),
            format: OutputFormat::Mse,
            map: at("map.toml"),
            source: SourceId::new("hospital_a").expect("valid"),
            profile: LinkageProfile::parse(SALTED_FILTER).expect("valid"),
            linkage_secret: at("linkage.key"),
            source_secret: Some(at("source.key")),
            epoch: "1".into(),
            tracers: 0,
        };
        Self { dir, options }
    }

    fn encode(&self) -> Result<EncodeReport, EncodeError> {
        encode_source(&self.options, &|_, _| {})
    }

    /// The message of a refusal, after which no encoding file, whole or partial, is left.
    fn refused(&self) -> String {
        let error = self.encode().expect_err("refused").to_string();
        let left = fs::read_dir(self.dir.path()).expect("listed");
        let left = left.map(|entry| entry.expect("entry").file_name());
        let mse = left.filter(|name| name.to_string_lossy().contains(".mse"));
        assert_eq!(mse.count(), 0, "something is left after: {error}");
        error
    }
}

fn read(path: &Path) -> Vec<RecordEncoding> {
    let reader = EncodingReader::open(path).expect("opened");
    reader.map(|item| item.expect("whole")).collect()
}

fn rows(count: usize) -> String {
    let row = |i: usize| {
        let (month, day) = (1 + i % 12, 1 + i % 28);
        format!(
            "R{i},サトウ,ハナコ,19{:02}{month:02}{day:02},2,9800011\n",
            i % 100
        )
    };
    let rows: String = (0..count).map(row).collect();
    format!("id,sei,mei,born,sex,zip\n{rows}")
}

#[test]
fn a_csv_of_encodings_has_a_column_for_each_filter_and_tag() {
    let csv = "id,sei,mei,born,sex,zip\n\"R,1\",サトウ,ハナコ,19500101,2,9800011\nR2,スズキ,イチロウ,19500101,,\n";
    let mut bench = Bench::new(csv);
    let whole = bench.encode().expect("encoded");
    let encodings = read(&whole.output);
    bench.options.output = bench.dir.path().join("out.csv");
    bench.options.format = OutputFormat::Csv;
    let report = bench.encode().expect("encoded");
    let text = fs::read_to_string(&report.output).expect("read");
    assert_eq!((report.records, report.bytes), (2, text.len() as u64));
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let layout = bench.options.profile.layout();
    let columns = layout.filter_count() + layout.tag_slots();
    let header = rows.headers().expect("a header").clone();
    assert_eq!((&header[0], &header[1]), ("id", "e0"));
    assert_eq!(header.len(), 1 + columns);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(&rows[0][0], "R,1");
    let filter: Vec<u8> = encodings[0].filters[layout.filter_range(0)]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    assert_eq!(rows[0][1], HEXLOWER.encode(&filter));
    let tags = 1 + layout.filter_count();
    assert_eq!(rows[0][tags], format!("{:016x}", encodings[0].tags[0]));
    // No sex: no salt, and no tag that binds it.
    assert_eq!((&rows[1][1], &rows[1][tags]), ("", ""));
    assert!(!text.contains("サトウ") && !text.contains("9800011"));
}

#[test]
fn records_keep_their_order_over_batches_and_encode_the_same_again() {
    let count = BATCH_RECORDS * 2 + 17;
    let bench = Bench::new(&rows(count));
    let report = bench.encode().expect("encoded");
    assert_eq!(report.records, count as u64);
    assert_eq!(report.read.records, count as u64);
    let first = read(&report.output);
    for (index, encoding) in first.iter().enumerate() {
        assert!(
            encoding.record_ref.as_str() == format!("R{index}"),
            "{index}"
        );
        assert!(encoding.check(&bench.options.profile.layout()).is_ok());
    }
    bench.encode().expect("encoded again");
    assert!(
        first == read(&report.output),
        "the same input, the same encodings"
    );
    assert_eq!(report.fill.filters[0].records, count as u64);
    assert!((report.fill.filters[0].mean_fill - 0.5).abs() < 0.01);
}

#[test]
fn tracers_are_marked_repeated_and_in_no_count() {
    let mut bench = Bench::new(&rows(200));
    bench.options.tracers = 50;
    let report = bench.encode().expect("encoded");
    assert_eq!((report.records, report.tracers), (250, 50));
    assert_eq!((report.read.records, report.fill.records), (200, 200));
    let first = read(&report.output);
    let number = |encoding: &RecordEncoding| {
        crate::terms::tracer_number(&encoding.record_ref, encoding.flags)
    };
    let planted: Vec<u32> = first.iter().filter_map(number).collect();
    assert_eq!(planted, (0..50).collect::<Vec<_>>());
    bench.encode().expect("encoded again");
    assert!(first == read(&report.output), "the same tracers");

    // Another source with the same linkage secret: most planted pairs share a tag, none with a
    // tracer of another number.
    bench.options.source = SourceId::new("hospital_b").expect("valid");
    let other = read(&bench.encode().expect("encoded").output);
    let layout = bench.options.profile.layout();
    let shares = |a: &RecordEncoding, b: &RecordEncoding| {
        (0..layout.tag_count()).any(|tag| {
            let range = layout.tag_range(tag);
            a.tags[range.start] != 0 && a.tags[range.start] == b.tags[range.start]
        })
    };
    let found = (0..50).filter(|i| shares(&first[*i], &other[*i])).count();
    assert!(found >= 45, "{found} of 50 planted pairs share a tag");
    assert!(!shares(&first[0], &other[1]) && !shares(&first[2], &other[7]));

    // A file must not use a tracer's record ref.
    let csv = rows(1).replace("R0", "musubi-tracer-000003");
    bench.options.tracers = 10;
    fs::write(
        &bench.options.input,
        csv + "R2,サトウ,ハナコ,19850203,2,9800011\n",
    )
    .expect("written");
    let report = bench.encode().expect("encoded");
    assert_eq!((report.records, report.read.records), (11, 1));
}

#[test]
fn signs_of_a_wrong_map_are_told_in_words() {
    let born = rows(300).replace(",2,", ",Q,");
    let report = Bench::new(&born).encode().expect("encoded");
    let told = report.risks.join("\n");
    assert!(told.contains("sex: unknown_code in 100.0 %"), "{told}");
    let row = |i: usize| format!("R{i},サトウ,ハナコ,19850101,2,9800011\n");
    let rows: String = (0..200).map(row).collect();
    let report = Bench::new(&format!("id,sei,mei,born,sex,zip\n{rows}")).encode();
    let told = report.expect("encoded").risks.join("\n");
    assert!(told.contains("1 January"), "{told}");
    let report = Bench::new(&self::rows(300)).encode().expect("encoded");
    let expected = report
        .risks
        .iter()
        .filter(|risk| !risk.contains("1 January"));
    assert_eq!(expected.count(), 0, "{:?}", report.risks);
}

#[test]
fn a_further_name_shares_tags_with_whoever_writes_it_and_with_its_own_record() {
    let mut bench = Bench::new(
        "id,kanji,kana,born,sex,alias,yomi\n\
         P1,GARCIA MARIA,ガルシア マリア,19880108,2,山田 マリア,ヤマダ マリア\n\
         Q1,山田 マリア,ヤマダ マリア,S63.1.8,2,,\n",
    );
    let map = "record_ref='id'\nlocale='jp'\n[fields]\nname_kanji='kanji'\nname_kana='kana'\n\
        birth_date='born'\nsex='sex'\nalias_kanji='alias'\nalias_kana='yomi'\n";
    fs::write(&bench.options.map, map).expect("written");
    bench.options.profile = LinkageProfile::built_in("jp-standard").expect("built in");
    let report = bench.encode().expect("encoded");
    assert_eq!((report.records, report.read.aliases), (3, 1));
    let encodings = read(&report.output);
    let refs = encodings
        .iter()
        .map(|one| one.record_ref.as_str().to_owned());
    assert_eq!(refs.collect::<Vec<_>>(), ["P1", "P1#2", "Q1"]);
    let layout = bench.options.profile.layout();
    let shared = |a: usize, b: usize| -> Vec<&str> {
        let tags = bench.options.profile.tags.iter().enumerate();
        let same = tags.filter(|(tag, _)| {
            let range = layout.tag_range(*tag);
            encodings[a].tags[range.start] != 0
                && encodings[a].tags[range.start] == encodings[b].tags[range.start]
        });
        same.map(|(_, tag)| tag.name.as_str()).collect()
    };
    assert!(shared(0, 1).contains(&"patient+birth"));
    assert!(!shared(0, 1).contains(&"name+birth"));
    let by_name = shared(1, 2);
    assert!(by_name.contains(&"name+birth") && by_name.contains(&"kanji+birth"));
    assert!(
        shared(0, 2).is_empty(),
        "the legal name alone finds nobody here"
    );
}

#[test]
fn versions_and_flags_come_from_columns() {
    let csv = "id,sei,mei,born,sex,zip,rev,bad\n\
               A1,サトウ,ハナコ,19850101,2,9800011,7,1280\n\
               A2,スズキ,タロウ,S65.1.2,1,9800012,,\n\
               A3,スズキ,タロウ,19700102,1,9800012,0,\n\
               A4,スズキ,タロウ,19700102,1,9800012,1,2147483648\n";
    let bench = Bench::new(csv);
    let columns = "version_column = \"rev\"\nflags_column = \"bad\"\n";
    fs::write(&bench.options.map, format!("{columns}{MAP}")).expect("written");
    let report = bench.encode().expect("encoded");
    let told = |path: &Path| -> Vec<(u32, u32)> {
        read(path).iter().map(|e| (e.version, e.flags)).collect()
    };
    assert_eq!(told(&report.output), [(7, 1280), (1, 0)]);
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["read"]["refused"]["version"], 1, "{json}");
    assert_eq!(json["read"]["refused"]["flags"], 1, "{json}");
    fs::write(
        &bench.options.map,
        format!("send_flags = true\n{columns}{MAP}"),
    )
    .expect("written");
    let report = bench.encode().expect("encoded");
    assert_eq!(told(&report.output), [(7, 1280 | 1 << 24), (1, 1 << 25)]);
}

#[test]
fn progress_ends_at_the_whole_file_and_never_goes_back() {
    let bench = Bench::new(&rows(BATCH_RECORDS + 1));
    let seen = std::cell::RefCell::new(Vec::new());
    encode_source(&bench.options, &|done, total| {
        seen.borrow_mut().push((done, total))
    })
    .expect("encoded");
    let seen = seen.into_inner();
    let bytes = fs::metadata(&bench.options.input).expect("there").len();
    assert_eq!(seen.last(), Some(&(bytes, bytes)));
    assert!(seen.is_sorted(), "{seen:?}");
}

#[test]
fn a_bad_record_is_counted_by_reason_and_the_rest_goes_on() {
    let bench = Bench::new(
        "id,sei,mei,born,sex,zip\n\
         A1,サトウ,ハナコ,19850203,2,9800011\n\
         A1,スズキ,タロウ,19700101,1,9800012\n\
         A2,,,,,\n\
         A3,スズキ,タロウ,19850230,1,9800012\n\
         A4,ヤマダ,ジロウ,19700101,1,9800013\n",
    );
    let report = bench.encode().expect("encoded");
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["read"]["refused"]["duplicate_record_ref"], 1, "{json}");
    assert_eq!(json["read"]["refused"]["no_identity"], 1, "{json}");
    assert_eq!(
        json["read"]["notes"]["birth_date: impossible_date"], 1,
        "{json}"
    );
    let text = json.to_string();
    for value in ["サトウ", "スズキ", "19850230", "9800012", "A1"] {
        assert!(!text.contains(value), "the report tells a value");
    }
    // Without a birth date, sex and a name alone make no tag of this profile.
    assert_eq!((report.records, report.empty), (2, 1));
}

#[test]
fn a_file_without_records_is_refused() {
    let error = Bench::new("id,sei,mei,born,sex,zip\n").refused();
    assert!(
        error.contains("in.csv") && error.contains("no record"),
        "{error}"
    );
    let bad = "id,sei,mei,born,sex,zip\n,秘密,,,,\nA2,,,秘密,,\nA3,,,,2,\n";
    let error = Bench::new(bad).refused();
    for part in [
        "record_ref 1 (first at line 2)",
        "no_identity 1 (first at line 3)",
        "nothing that the profile can use 1",
        "birth_date: unknown_form 1 (first at line 3)",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("秘密"), "{error}");
    // Without a header the first line holds values: they are not told.
    let error = Bench::new("A1,秘密,ハナコ,19500101,2,9800011\n").refused();
    assert!(error.contains("none of the map's columns"), "{error}");
    assert!(!error.contains("秘密") && !error.contains("A1"), "{error}");
    let error = Bench::new("").refused();
    assert!(
        error.contains("in.csv") && error.contains("empty"),
        "{error}"
    );
}

#[test]
fn a_missing_column_is_named_with_the_ones_there_are() {
    let error = Bench::new("id,sei,mei,geboren,sex,zip\nA1,x,y,z,1,2\n").refused();
    for part in ["in.csv", "\"born\"", "birth_date", "geboren"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_wrong_charset_is_refused_with_its_line_even_in_a_late_batch() {
    let bench = Bench::new("");
    let mut bytes = rows(BATCH_RECORDS + 100).into_bytes();
    bytes.extend(b"B1,\x83\x54,\x83\x6e,19850203,2,9800011\n");
    fs::write(&bench.options.input, bytes).expect("written");
    let error = bench.refused();
    let line = format!("line {}", BATCH_RECORDS + 102);
    for part in ["in.csv", &line, "UTF-8"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn wrong_maps_keys_and_profiles_are_refused_with_what_to_do() {
    let mut bench = Bench::new(&rows(3));
    bench.options.source_secret = None;
    assert!(bench.refused().contains("source key"));

    let mut bench = Bench::new(&rows(3));
    bench.options.linkage_secret = bench.dir.path().join("source.key");
    assert!(bench.refused().contains("musubi-linkage-secret-v1"));

    let mut bench = Bench::new(&rows(3));
    bench.options.linkage_secret = PathBuf::from("no-such.key");
    assert!(bench.refused().contains("no-such.key"));

    let mut bench = Bench::new(&rows(3));
    bench.options.epoch = "2026 / 1".into();
    assert!(bench.refused().contains("epoch"));

    let bench = Bench::new(&rows(3));
    fs::write(&bench.options.map, MAP.replace("sex =", "gender =")).expect("written");
    let error = bench.refused();
    assert!(
        error.contains("map.toml") && error.contains("gender"),
        "{error}"
    );

    let mut bench = Bench::new(&rows(3));
    bench.options.input = bench.dir.path().join("no-such.csv");
    assert!(bench.refused().contains("no-such.csv"));

    let mut bench = Bench::new(&rows(3));
    bench.options.output = bench.options.input.clone();
    assert!(bench.refused().contains("is the input"));
    assert_eq!(
        fs::read_to_string(&bench.options.input).expect("unharmed"),
        rows(3)
    );
}

#[test]
fn a_refusal_leaves_an_older_encoding_file_as_it_was() {
    let bench = Bench::new(&rows(3));
    bench.encode().expect("encoded");
    let before = fs::read(&bench.options.output).expect("bytes");
    fs::write(&bench.options.input, "id,sei\n").expect("written");
    bench.encode().expect_err("refused");
    assert_eq!(fs::read(&bench.options.output).expect("bytes"), before);
}
