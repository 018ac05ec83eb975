use proptest::prelude::*;

use super::*;
use crate::encode::reader::tests::read;
use crate::encode::reader::{ReadReport, Row};
use crate::terms::Attribute;

fn map() -> MapFile {
    MapFile::parse("locale = 'jp'\n[file]\nform = 'uke'\n").expect("a map")
}

fn read_text(text: &str) -> Result<(Vec<Row>, ReadReport), ReadError> {
    let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(text);
    assert!(!unmappable);
    read(&bytes, &map())
}

#[test]
fn what_cannot_be_read_is_refused_by_line_and_rule() {
    let text = "IR,2,13,1,1234567,,A,202507\r\n\
                HO,06130017,1,2\r\n\
                RE,1,1112,202506,秘密\r\n\
                HO,06130017,1,2\r\n\
                RE,2,1112,202506,佐藤　花,2,19500102\r\n\
                HO,06130017\r\n\
                RE,3,1112,202506,佐藤　花,2,19500102\r\n\
                RE,3,1112,202506,佐藤　花,2,19500102\r\n\
                RE,,1112,202506,佐藤　花,2,19500102\r\n\u{1A}";
    let (rows, report) = read_text(text).expect("read");
    assert_eq!((rows.len(), report.records), (6, 1));
    let lines: Vec<(&str, &[u64])> = report
        .first_lines
        .iter()
        .map(|(name, lines)| (name.as_str(), lines.as_slice()))
        .collect();
    assert_eq!(
        lines,
        [
            ("duplicate_record_ref", &[8][..]),
            ("receipt_items", &[3, 6]),
            ("receipt_order", &[2]),
            ("record_ref", &[9]),
        ]
    );
    let json = serde_json::to_string(&report).expect("serialises");
    assert!(!json.contains("秘密"), "{json}");
    let Some(Row::Record(record)) = rows.get(3) else {
        panic!("refused")
    };
    assert_eq!(record.record_ref.as_str(), "202507-2-3");
    assert_eq!(record.year, 2025);
}

#[test]
fn what_is_no_receipt_file_ends_the_reading() {
    for text in ["", "IR,1\r\n", "id,name\n1,2\n"] {
        let Err(error) = read_text(text) else {
            panic!("{text:?} is read")
        };
        assert!(error.to_string().contains("at least one RE record"));
    }
    let utf8 = "RE,1,1112,202506,佐藤花子佐藤花子,2,19500102\n".repeat(40);
    assert!(matches!(
        read(utf8.as_bytes(), &map()),
        Err(ReadError::Charset { .. })
    ));
}

#[test]
fn a_reading_in_the_kanji_item_is_a_reading() {
    let text = "RE,1,1112,50606,ハシゴダカ　イチロウ,1,3240522\r\n";
    let (rows, report) = read_text(text).expect("read");
    let Row::Record(record) = &rows[0] else {
        panic!("refused")
    };
    assert_eq!(
        record.identity.get(Attribute::NameKana),
        Some("ハシゴダカイチロウ")
    );
    assert_eq!(record.identity.get(Attribute::NameKanji), None);
    assert_eq!(record.identity.get(Attribute::BirthDate), Some("19490522"));
    assert_eq!(report.notes["name_kanji: kana_in_kanji"], 1);
    // Without an IR record the month of care stands in.
    assert_eq!(record.record_ref.as_str(), "202406--1");
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &map());
    }

    #[test]
    fn arbitrary_records_do_not_panic(text in r#"(RE|HO|SN|IR|KO|,|,,,,,|\r\n|\n|あ|1|50607|"){0,80}"#) {
        let _ = read_text(&text);
    }
}
