//! Maps that hold, and maps that are refused by rule.

use super::*;

const GOOD: &str = "record_ref = 'id'\nkind = 'hospital'\nlocale = 'jp'\n[file]\ncharset = 'cp932'\n[fields]\nsex = 'SEX'\n";

#[test]
fn a_map_says_how_a_file_is_read() {
    let map = MapFile::parse(GOOD).expect("good");
    assert_eq!(map.encoding().expect("known").name(), "Shift_JIS");
    assert_eq!(map.delimiter().expect("default"), b',');
    assert_eq!(map.kind, EventKind::Hospital);
    assert_eq!(map.fields[&Field::Sex], "SEX");
}

#[test]
fn a_wrong_map_is_refused_by_rule() {
    for (from, to, rule) in [
        ("cp932", "ebcdic", "file.charset"),
        ("charset = 'cp932'", "delimiter = ', '", "file.delimiter"),
        ("sex = 'SEX'", "", "[fields]"),
        ("sex = 'SEX'", "sex = ' '", "sex must name a column"),
        ("sex = 'SEX'", "seks = 'SEX'", "unknown variant"),
        ("kind = 'hospital'", "kind_column = 'k'", "[kinds]"),
        ("record_ref = 'id'", "", "record_ref"),
        ("[file]", "[file]\nform = 'hl7v2'", "[fields] goes with"),
        ("[file]", "[file]\ncoverage = 'c.ndjson'", "file.coverage"),
        ("[file]", "[file]\nform = 'xml'", "unknown variant"),
        (
            "locale = 'jp'",
            "locale = 'jp'\naliases = true",
            "alias_kanji",
        ),
        (
            "locale = 'jp'\n[file]\ncharset = 'cp932'\n[fields]",
            "locale = 'latin'\n[fields]\nalias_kana = 'a'",
            "locale = \"jp\"",
        ),
        (
            "locale = 'jp'",
            "locale = 'jp'\ncolour = 1",
            "unknown field",
        ),
    ] {
        let text = GOOD.replace(from, to);
        let error = MapFile::parse(&text).expect_err(to).to_string();
        assert!(error.contains(rule), "{to}: {error}");
    }
}

#[test]
fn forms_that_say_what_is_where_need_no_fields() {
    for (form, record_ref, charset) in [
        ("fhir", "id", "UTF-8"),
        ("hl7v2", "PID-3", "UTF-8"),
        ("uke", "RE-2", "Shift_JIS"),
    ] {
        let text = format!("locale = 'jp'\n[file]\nform = '{form}'\n");
        let map = MapFile::parse(&text).expect(form);
        assert_eq!(map.record_ref, record_ref);
        assert_eq!(map.encoding().expect("known").name(), charset);
    }
    for (form, key, rule) in [
        ("hl7v2", "record_ref = 'id'", "PID-3"),
        ("uke", "record_ref = 'HO-2'", "RE-2"),
        ("hl7v2", "record_ref = 'PID-0'", "PID-3"),
    ] {
        let text = format!("locale = 'jp'\n{key}\n[file]\nform = '{form}'\n");
        let error = MapFile::parse(&text).expect_err(key).to_string();
        assert!(error.contains(rule), "{error}");
    }
    let text = "locale = 'jp'\n[file]\nform = 'fhir'\ncharset = 'euc-jp'\n";
    assert!(matches!(MapFile::parse(text), Err(MapError::FhirCharset)));
}

#[test]
fn an_error_names_the_file() {
    let error = MapFile::read(Path::new("no/such.toml")).expect_err("missing");
    assert!(error.to_string().contains("such.toml"));
}
