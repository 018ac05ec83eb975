//! Layouts of the evaluation sets, line by line, and files that are not what their map says.

use std::fs;
use std::path::Path;

use std::collections::BTreeMap;

use super::*;
use crate::encode::SourceList;
use crate::terms::{Attribute, EventKind, SourceCheck};

/// Reads `bytes` as the file of a source.
pub(super) fn read(bytes: &[u8], map: &MapFile) -> Result<(Vec<Row>, ReadReport), ReadError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.csv");
    fs::write(&path, bytes).expect("written");
    let source = SourceId::new("hosp_a").expect("a name");
    let mut reader = open_source(&path, map, &source)?;
    let rows = reader.by_ref().collect::<Result<Vec<Row>, ReadError>>()?;
    Ok((rows, reader.report()))
}

/// Records of a fixture by record ref, each as its attributes.
fn people(form: &str, file: &str, map: &str) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/adapters")
        .join(form);
    let map = MapFile::read(&folder.join(map)).expect("a map");
    let source = SourceId::new("hosp_a").expect("a name");
    let reader = open_source(&folder.join(file), &map, &source).expect("opened");
    let mut people = BTreeMap::new();
    for row in reader {
        let Row::Record(record) = row.expect("read") else {
            panic!("{file}: a record is refused")
        };
        let names = Attribute::ALL.iter();
        let filled = names.filter_map(|attribute| {
            let value = record.identity.get(*attribute)?;
            Some((attribute.name(), value.to_owned()))
        });
        people.insert(record.record_ref.as_str().to_owned(), filled.collect());
    }
    people
}

#[test]
fn the_same_people_have_the_same_attributes_in_every_form() {
    let reference = people("csv", "people.csv", "map.toml");
    assert_eq!(reference.len(), 3);
    assert_eq!(reference["P1"]["insured_branch"], "06130017|健123|4567|02");
    let of_address: &[&str] = &[
        "postcode",
        "postcode5",
        "postcode3",
        "address_town",
        "address_block",
        "phone",
    ];
    for (form, file, map, refs, not_carried) in [
        (
            "fhir",
            "bundle.json",
            "map.toml",
            ["P1", "P2", "P3"],
            &[][..],
        ),
        ("fhir", "all.ndjson", "map.toml", ["P1", "P2", "P3"], &[]),
        (
            "fhir",
            "Patient.ndjson",
            "bulk.toml",
            ["P1", "P2", "P3"],
            &[],
        ),
        (
            "hl7v2",
            "iso2022jp.hl7",
            "map.toml",
            ["0001001", "0001002", "0001003"],
            &["insured_branch"],
        ),
        (
            "hl7v2",
            "utf8.hl7",
            "map.toml",
            ["0001001", "0001002", "0001003"],
            &["insured_branch"],
        ),
        (
            "hl7v2",
            "shift_jis.hl7",
            "shift_jis.toml",
            ["M1", "M2", "M3"],
            &["insured_branch"],
        ),
        (
            "uke",
            "RECEIPTC.UKE",
            "map.toml",
            ["202407-1-1", "202407-1-2", "202407-1-3"],
            of_address,
        ),
    ] {
        let found = people(form, file, map);
        assert_eq!(found.len(), 3, "{form} {file}");
        for (record_ref, mut expected) in refs.iter().zip(reference.values().cloned()) {
            expected.retain(|name, _| !not_carried.contains(name));
            let person = found.get(*record_ref).expect(record_ref);
            assert_eq!(person, &expected, "{form} {file} {record_ref}");
        }
    }
}

fn map_of(set: &str, name: &str) -> MapFile {
    let maps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/maps");
    MapFile::read(&maps.join(set).join(name)).expect("a map")
}

/// Attributes of the only record, as `name=value` in the order of their codes.
fn attributes(set: &str, map: &str, csv: &str) -> String {
    let (rows, report) = read(csv.as_bytes(), &map_of(set, map)).expect("read");
    assert_eq!(report.records, 1, "{map}: {report:?}");
    let Row::Record(record) = &rows[0] else {
        panic!("{map}: refused")
    };
    let names = Attribute::ALL.iter();
    let filled = names.filter_map(|attribute| {
        // Parts of dates and postcodes follow from the whole and have their own test.
        let derived = attribute.name().starts_with("birth_")
            && *attribute != Attribute::BirthDate
            && *attribute != Attribute::BirthPlace
            || matches!(
                attribute,
                Attribute::Postcode5
                    | Attribute::Postcode3
                    | Attribute::NameCharacters
                    | Attribute::RareGivenKana
                    | Attribute::RareGivenKanji
                    | Attribute::UncommonGivenKana
                    | Attribute::MostCommonGivenKana
            );
        let value = record.identity.get(*attribute).filter(|_| !derived)?;
        Some(format!("{}={value}", attribute.name()))
    });
    filled.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_map_and_list_parses() {
    let maps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/maps");
    for (set, sources) in [
        ("jp_small", 9),
        ("febrl4", 2),
        ("febrl3", 1),
        ("historical_50k", 1),
    ] {
        let list = SourceList::read(&maps.join(set).join("sources.toml")).expect(set);
        assert_eq!(list.sources.len(), sources, "{set}");
        for source in &list.sources {
            MapFile::read(&maps.join(set).join(&source.map)).expect(set);
        }
    }
}

#[test]
fn each_layout_gives_its_attributes() {
    for (map, csv, expected) in [
        (
            "birth_registry",
            "record_id,filing_date,surname,given,surname_kana,given_kana,birth_date,sex,father,mother,address,muni_code\n\
             B1,昭和47年10月10日,髙川,健,アサカワ,ケン,昭和47年10月3日,男,,,大阪府東大阪市足代新町四丁目１７番地１１,27227\n",
            "surname_kana=アサカワ given_kana=ケン surname_kanji=高川 given_kanji=健 name_kana=アサカワケン name_kanji=高川健 birth_date=19721003 sex=1 municipality=27227 address_town=東大阪市足代新町 address_block=4-17-11",
        ),
        (
            "child_checkup",
            "record_id,program,exam_date,name,name_kana,birth_date,sex,guardian,address,muni_code\n\
             C1,就学時健診,2008-02-27,■原　伊知郎,ハギワラ イチロウ,H13.11.04,M,,京都府京都市右京区西院東今田町22-1,26108\n",
            "surname_kana=ハギワラ given_kana=イチロウ surname_kanji=\u{FFFD}原 given_kanji=伊知郎 name_kana=ハギワライチロウ name_kanji=\u{FFFD}原伊知郎 birth_date=20011104 sex=1 municipality=26108 address_town=右京区西院東今田町 address_block=22-1",
        ),
        (
            "specific_checkup",
            "record_id,exam_date,name_kana,name,birth_date,sex,postcode,address,insurer_no,symbol,number,branch\n\
             S1,2019-07-20,ｶｸ ﾏｻﾄ,,1956/11/26,1,5610823,豊中市神州町42-15,06279188,健57953,3270,01\n",
            "surname_kana=カク given_kana=マサト name_kana=カクマサト birth_date=19561126 sex=1 postcode=5610823 address_town=豊中市神州町 address_block=42-15 insured_person=06279188|健57953|3270 insured_branch=06279188|健57953|3270|01",
        ),
        (
            "hosp_a",
            "record_id,patient_no,updated,surname,given,surname_kana,given_kana,birth_date,sex,postcode,address,phone,insurer_no,symbol,number\n\
             A1,00105026,2023-10-06,BUI,THU TUAN,ブイ,トゥ トゥアン,1964-03-10,F,,神戸市長田区宮丘町1-21-13,070-8381-3489,00281067,106-,122652\n",
            "surname_kana=ブイ given_kana=トウトウアン name_kana=ブイトウトウアン surname=BUI given=THUTUAN name_kanji=BUITHUTUAN name_tokens=BUI THU TUAN birth_date=19640310 sex=2 address_town=長田区宮丘町 address_block=1-21-13 phone=07083813489 insured_person=00281067|106|122652 patient_number=hosp_a|00105026",
        ),
        (
            "hosp_b",
            "record_id,patient_no,admission,name_kana,birth_date,sex,postcode\nB1,7,2024-01-05,ｺｼﾞﾏ ｱﾗﾀ,20130319,1,5630034\n",
            "surname_kana=コジマ given_kana=アラタ name_kana=コジマアラタ birth_date=20130319 sex=1 postcode=5630034 patient_number=hosp_a|7",
        ),
        (
            "hosp_c",
            "record_id,patient_no,visit_month,name,name_kana,birth_date,sex,postcode,address,insurer_no,symbol,number\n\
             C1,9,202008,井本亮祐,ｲﾓﾄ ﾘﾖｳｽｹ,3551003,1,,,00272023,202-,5693343\n",
            "surname_kana=イモト given_kana=リヨウスケ name_kana=イモトリヨウスケ name_kanji=井本亮祐 birth_date=19801003 sex=1 insured_person=00272023|202|5693343 patient_number=hosp_a|9",
        ),
        (
            "ltc",
            "record_id,certified,insured_no,surname,given,name_kana,birth_date,sex,address,muni_code\n\
             L1,平成20年7月7日,0872839838,矢澤,満治,ﾔｻﾞﾜ ﾐﾂﾊﾙ,T7.4.21,男,滋賀県栗東市下戸山２０番地５,25208\n",
            "surname_kana=ヤザワ given_kana=ミツハル surname_kanji=矢沢 given_kanji=満治 name_kana=ヤザワミツハル name_kanji=矢沢満治 birth_date=19180421 sex=1 municipality=25208 address_town=栗東市下戸山 address_block=20-5 care_insured=25208|0872839838",
        ),
        (
            "death_registry",
            "record_id,death_date,name,birth_date,sex,address,muni_code\nD1,令和2年4月13日,土井　ハル,大正元年12月5日,女,,27123\n",
            "surname_kanji=土井 given_kanji=ハル name_kanji=土井ハル given_kana=ハル birth_date=19121205 sex=2 municipality=27123",
        ),
        (
            "ndb",
            "record_id,claim_month,name_kana,birth_date,sex,insurer_no,symbol,number,branch\nN1,202107,ﾎ ｺﾞｯｸ ﾊ,19940721,1,39280217,,55882273,\n",
            "surname_kana=ホ given_kana=ゴツクハ name_kana=ホゴツクハ birth_date=19940721 sex=1 insured_person=39280217||55882273",
        ),
    ] {
        let mut sorted: Vec<String> = attributes("jp_small", &format!("{map}.toml"), csv)
            .split(' ')
            .map(str::to_owned)
            .collect();
        let mut wanted: Vec<String> = expected.split(' ').map(str::to_owned).collect();
        sorted.sort();
        wanted.sort();
        assert_eq!(sorted, wanted, "{map}");
    }
}

#[test]
fn western_layouts_give_their_attributes() {
    let febrl = "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id\n\
                 r-1, isabelle, o'neil smith, 23, gundulu place, currin ga, utakarra, 2193, wa, 19921119, 4314184\n";
    assert_eq!(
        attributes("febrl4", "febrl.toml", febrl),
        "surname=ONEILSMITH given=ISABELLE name_tokens=ISABELLE ONEIL SMITH birth_date=19921119 postcode=2193 \
         street_number=23 street=GUNDULUPLACE suburb=UTAKARRA region=WA national_id=4314184"
    );
    let historical = "unique_id,cluster,full_name,first_and_surname,first_name,surname,dob,birth_place,postcode_fake,gender,occupation\n\
                      Q1-1,Q1,\"tom, 1st baron\",tom,tom,,1630-08-81,west devon,tq13 8df,male,politician\n";
    assert_eq!(
        attributes("historical_50k", "historical_50k.toml", historical),
        "given=TOM name_tokens=1ST BARON TOM sex=1 postcode=TQ138DF birth_place=WESTDEVON occupation=POLITICIAN"
    );
}

const MAP: &str =
    "record_ref='id'\nkind='hospital'\nlocale='jp'\n[fields]\nname_kana='kana'\nbirth_date='dob'\n";

#[test]
fn rows_are_refused_and_counted_by_reason() {
    let map = MapFile::parse(MAP).expect("a map");
    let csv = "\u{FEFF}id,kana,dob\n1,ｻﾄｳ ﾊﾅ,S24.5.22\n1,ｽｽﾞｷ ｼﾞﾛｳ,S24.5.22\n,ｻﾄｳ,\n2,ｻﾄｳ\n3,,1949-02-30\n4,ｻﾄｳ,1949-02-30\n";
    let (rows, report) = read(csv.as_bytes(), &map).expect("read");
    assert_eq!(rows.len(), 6);
    assert_eq!(report.records, 2);
    for (reason, line) in [
        (RowRefusal::DuplicateRecordRef, 3),
        (RowRefusal::RecordRef, 4),
        (RowRefusal::ColumnCount, 5),
        (RowRefusal::NoIdentity, 6),
    ] {
        assert_eq!(report.refused[&reason], 1, "{reason:?}");
        assert_eq!(report.first_lines[reason.name()], [line], "{reason:?}");
    }
    let windows = csv.replace('\n', "\r\n");
    let (_, of_windows) = read(windows.as_bytes(), &map).expect("read");
    assert_eq!(of_windows, report);
    assert_eq!(report.notes["birth_date: impossible_date"], 2);
    assert_eq!(report.filled["name_kana"], 2);
    assert_eq!(report.filled["birth_date"], 1);
    let json = serde_json::to_string(&report).expect("serialises");
    assert!(json.contains("\"duplicate_record_ref\":1") && !json.contains("サトウ"));
}

#[test]
fn the_year_of_the_event_and_broken_rules_are_read() {
    let csv = "record_id,death_date,name,birth_date,sex,address,muni_code\n\
               D1,平成17年11月24日,片山　成樹,昭和21年5月31日,男,,\n\
               D2,昭和20年,片山　成樹,昭和21年5月31日,男,,\n\
               D3,いつか,片山　成樹,昭和21年5月31日,男,,\n";
    let map = map_of("jp_small", "death_registry.toml");
    let (rows, report) = read(csv.as_bytes(), &map).expect("read");
    let facts = rows.iter().map(|row| match row {
        Row::Record(record) => (record.year, record.flags),
        Row::Refused { .. } => panic!("refused"),
    });
    let before_birth = SourceCheck::BeforeBirth.bit();
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [(2005, 0), (1945, before_birth), (0, 0)]
    );
    assert_eq!(report.notes.len(), 1, "{report:?}");
}

#[test]
fn a_column_may_tell_the_kind() {
    let text = "kind_column='k'\n".to_owned() + MAP + "[kinds]\nD='death'\n";
    let map = MapFile::parse(&text).expect("a map");
    let (rows, _) = read("id,kana,dob,k\n1,ア,,D\n2,イ,,X\n".as_bytes(), &map).expect("read");
    let kinds: Vec<EventKind> = rows
        .iter()
        .map(|row| match row {
            Row::Record(record) => record.kind,
            Row::Refused { .. } => panic!("refused"),
        })
        .collect();
    assert_eq!(kinds, [EventKind::Death, EventKind::Hospital]);
}

#[test]
fn a_declared_charset_is_decoded_and_a_wrong_one_refused() {
    let japanese =
        MapFile::parse(&(MAP.to_owned() + "[file]\ncharset='windows-31j'\n")).expect("a map");
    let utf8 = MapFile::parse(MAP).expect("a map");
    let lines = "1,佐藤 花子,S24.5.22\n".repeat(200);
    let csv = format!("id,kana,dob\n0,ｻﾄｳ ﾊﾅｺ,S24.5.22\n{lines}");
    let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(&csv);
    assert!(!unmappable);
    let (_, report) = read(&bytes, &japanese).expect("read");
    assert_eq!(report.filled["name_kana"], 1);

    let Err(ReadError::Charset { line, charset, .. }) = read(&bytes, &utf8) else {
        panic!("Shift_JIS read as UTF-8")
    };
    assert_eq!((line, charset), (2, "UTF-8"));
    assert!(matches!(
        read(csv.as_bytes(), &japanese),
        Err(ReadError::Charset { .. })
    ));

    let mut gaiji = b"id,kana,dob\n0,".to_vec();
    gaiji.extend([0x83, 0x41, 0xFC, 0xFC, 0x83, 0x43]);
    gaiji.extend(b",\n");
    let (rows, _) = read(&gaiji, &japanese).expect("read");
    let Row::Record(record) = &rows[0] else {
        panic!("refused")
    };
    assert_eq!(
        record.identity.get(Attribute::NameKana),
        Some("ア\u{FFFD}イ")
    );
}

#[test]
fn a_file_that_is_not_what_its_map_says_ends_the_reading() {
    let map = MapFile::parse(MAP).expect("a map");
    assert!(matches!(read(b"", &map), Err(ReadError::Empty { .. })));
    let error = read(b"id,kana,geb\n1,a,b\n", &map)
        .err()
        .expect("no dob")
        .to_string();
    for part in ["rows.csv", "\"dob\"", "birth_date", "id, kana, geb"] {
        assert!(error.contains(part), "{error}");
    }
    let mut open_quote = b"id,kana,dob\n1,a,b\n2,\"a,b\n".to_vec();
    open_quote.resize(ROW_BYTES_MAX + 100, b'x');
    assert!(matches!(
        read(&open_quote, &map),
        Err(ReadError::Malformed { line: 3, .. })
    ));
    let source = SourceId::new("a").expect("a name");
    let missing = open_source(Path::new("no/such.csv"), &map, &source);
    assert!(matches!(missing, Err(ReadError::Io { .. })));
}
