use proptest::prelude::*;

use super::*;
use crate::encode::reader::tests::read;
use crate::encode::reader::{ReadReport, Row};
use crate::terms::Attribute;

fn map() -> MapFile {
    MapFile::parse("locale = 'jp'\n[file]\nform = 'hl7v2'\n").expect("a map")
}

fn refused(report: &ReadReport) -> Vec<(&str, &[u64])> {
    let lines = report.first_lines.iter();
    lines
        .map(|(name, lines)| (name.as_str(), lines.as_slice()))
        .collect()
}

#[test]
fn what_cannot_be_read_is_refused_by_line_and_rule() {
    let lines = [
        "FHS|^~\\&|batch",
        "MSH|^~\\&|A|||||||1",
        "PID|||1||||19500101",
        "MSH|^~\\&|A|||||||2",
        "PID|||2||秘密^^||19500101",
        "Z 1|x",
        "MSH|^~\\&|A|||||||3",
        "PV1|1",
        "MSH|^~\\&|A|||||||4|P|2.5||||||EBCDIC",
        "PID|||4||||19500101",
        "MSH|^~\\&|A|||||||5",
        "PID|||5||||19500101",
        "PID|||6||||19500101",
        "MSH|^~\\&|A|||||||6",
        "PID|||||||19500101",
    ];
    let (rows, report) = read(lines.join("\r").as_bytes(), &map()).expect("read");
    assert_eq!((rows.len(), report.records), (6, 1));
    assert_eq!(
        refused(&report),
        [
            ("birth_date: placeholder_date", &[2][..]),
            ("message_charset", &[9]),
            ("no_pid", &[7]),
            ("record_ref", &[14]),
            ("segment", &[6, 13]),
        ]
    );
    let json = serde_json::to_string(&report).expect("serialises");
    assert!(!json.contains("秘密"), "{json}");
}

#[test]
fn what_is_no_hl7_ends_the_reading() {
    for (bytes, rule) in [
        ("", "begins with an MSH"),
        ("PID|||1", "begins with an MSH"),
        ("MSH|^^~&", "other five separators"),
    ] {
        let Err(error) = read(bytes.as_bytes(), &map()) else {
            panic!("{bytes:?} is read")
        };
        let message = error.to_string();
        assert!(
            message.contains(rule) && message.contains("line 1"),
            "{message}"
        );
    }
}

#[test]
fn bytes_that_are_not_of_the_declared_charset_are_refused() {
    let mut bytes = b"MSH|^~\\&|A|||||||1|P|2.5||||||UNICODE UTF-8\rPID|||1||".to_vec();
    bytes.extend([0x8D, 0xB2, 0x93, 0xA1, 0x5E, b'\r']);
    let (_, report) = read(&bytes, &map()).expect("read");
    assert_eq!(refused(&report), [("message_charset", &[2][..])]);
}

#[test]
fn names_without_type_codes_are_told_apart_by_their_letters() {
    for (names, kanji, kana) in [
        ("サトウ^ハナ~佐藤^花", Some("佐藤花"), Some("サトウハナ")),
        ("佐藤^花~ｻﾄｳ^ﾊﾅ", Some("佐藤花"), Some("サトウハナ")),
        ("佐藤　花", Some("佐藤花"), None),
        ("旧姓^花^^^^^M^I~佐藤^花^^^^^L^I", Some("佐藤花"), None),
        ("SATO^HANA^^^^^L^A~佐藤^花^^^^^L^I", Some("佐藤花"), None),
        ("\"\"", None, None),
    ] {
        let text = format!("\u{B}MSH|^~\\&|A\rPID|||1||{names}||195001\r\u{1C}\r");
        let (rows, _) = read(text.as_bytes(), &map()).expect("read");
        let Row::Record(record) = &rows[0] else {
            panic!("refused")
        };
        let get = |attribute| record.identity.get(attribute);
        assert_eq!(get(Attribute::NameKanji), kanji, "{names}");
        assert_eq!(get(Attribute::NameKana), kana, "{names}");
        assert_eq!(get(Attribute::BirthYearMonth), Some("195001"));
    }
}

#[test]
fn separators_are_those_of_the_message_and_jis_roman_has_its_own_signs() {
    let own = "MSH#*!?+#A\nPID###7*x##佐藤?T?*花*****L*I!サトウ*ハナ*****L*P##19500102";
    let (rows, _) = read(own.as_bytes(), &map()).expect("read");
    let Row::Record(record) = &rows[0] else {
        panic!("refused")
    };
    assert_eq!(record.record_ref.as_str(), "7");
    assert_eq!(record.identity.get(Attribute::NameKana), Some("サトウハナ"));

    let mut jis = b"MSH|^~\\&|A|||||||1|P|2.5||||||~ISOIR87\rPID|||1||\x1B$B".to_vec();
    // 佐藤 in JIS X 0208, then JIS X 0201 for the separators.
    jis.extend([0x3A, 0x34, 0x46, 0x23]);
    jis.extend(b"\x1B(J^\x1B$B\x32\x56\x1B(J^^^^^L^I~\x1B$B%5%H%&\x1B(J^\x1B$B%O%J\x1B(J^^^^^L^P||19500102\r");
    let (rows, _) = read(&jis, &map()).expect("read");
    let Row::Record(record) = &rows[0] else {
        panic!("refused")
    };
    assert_eq!(record.identity.get(Attribute::NameKanji), Some("佐藤花"));
    assert_eq!(record.identity.get(Attribute::NameKana), Some("サトウハナ"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &map());
        let mut message = b"MSH|^~\\&|A|||||||1|P|2.5||||||~ISO IR87\rPID|||1||".to_vec();
        message.extend(&bytes);
        let _ = read(&message, &map());
    }

    #[test]
    fn arbitrary_segments_do_not_panic(text in r"(MSH\|\^~\\&\||PID\||IN1\||\r|\n|\||\^|~|\\|&|あ|ア|a|1){0,60}") {
        let _ = read(text.as_bytes(), &map());
    }
}
