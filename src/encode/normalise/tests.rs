//! The public vectors row by row, and properties over arbitrary text.

use proptest::prelude::*;

use super::address::parse_address;
use super::date::parse_birth_date;
use super::insurance::{canonical_insured, parse_insurer_number};
use super::kana::{fold_key_k2, is_kana_name, long_vowel_key_k3, strict_key_k1, unvoiced_key_k4};
use super::latin::latin_tokens;
use super::name::PersonName;
use super::place::{parse_municipality, parse_phone};
use super::text::{clean, clean_name};
use super::{Locale, normalise};
use crate::encode::field::{Field, FieldValues};
use crate::encode::identity::UNKNOWN;
use crate::terms::{Attribute, SourceId};

const VECTORS: &str = include_str!("../../../tests/vectors/normalise/jp_normalisation.tsv");

#[test]
fn every_vector_holds() {
    let mut rows = 0;
    for line in VECTORS.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [field, input, rule, expected] = columns[..4] else {
            panic!("four columns: {line}")
        };
        rows += 1;
        let input = spelled(input);
        let expected = spelled(expected);
        assert_eq!(apply(field, rule, &input), expected, "{line}");
    }
    assert_eq!(rows, 51, "rows read");
}

/// `神(U+FA19)` and `葛(U+845B)+U+E0100` as the characters that they name.
pub(in crate::encode) fn spelled(text: &str) -> String {
    let named = |code: &str| {
        let code = u32::from_str_radix(code, 16).expect("hexadecimal");
        char::from_u32(code).expect("a character")
    };
    let Some((_, rest)) = text.split_once("(U+") else {
        return text.to_owned();
    };
    let (code, rest) = rest.split_once(')').expect("closed");
    let mut out = String::from(named(code));
    if let Some(code) = rest.strip_prefix("+U+") {
        out.push(named(code));
    }
    out
}

fn apply(field: &str, rule: &str, input: &str) -> String {
    match (field, rule) {
        ("kana", "K1") => strict_key_k1(input).replace(' ', "|").replace(UNKNOWN, "?"),
        ("kana", "K2") => fold_key_k2(&strict_key_k1(input)),
        ("kana", "K3") => long_vowel_key_k3(&strict_key_k1(input)),
        ("kana", "K4") => unvoiced_key_k4(&strict_key_k1(input)),
        ("name", "parts") => {
            let name = PersonName::from_whole(&strict_key_k1(input));
            [name.surname, name.given].join(",")
        }
        ("name", "latin") => latin_tokens(input).join(","),
        ("kanji", "canon" | "nfc" | "strip-ivs") => clean_name(input).into_owned(),
        ("kanji", "field-move") => {
            let moved = attributes(&[(Field::NameKanji, input)]);
            let whole = moved.iter().any(|(name, _)| *name == Attribute::NameKana);
            let kanji = moved.iter().any(|(name, _)| *name == Attribute::NameKanji);
            assert!(!kanji);
            if whole {
                "kana field".into()
            } else {
                String::new()
            }
        }
        ("dob", "era") => date(input),
        ("dob", "partial") => {
            let date = parse_birth_date(input).expect("read");
            assert!(date.month.is_none() && date.day.is_none());
            format!("year {}, month/day missing", date.year)
        }
        ("insurer", "check" | "pad") => {
            let insurer = parse_insurer_number(input).expect("digits");
            let valid = if insurer.check_digit_holds {
                "valid"
            } else {
                "invalid"
            };
            if rule == "pad" {
                format!("{} {valid}", insurer.number)
            } else {
                valid.into()
            }
        }
        ("insured", "canon") if input.contains(':') => {
            let parts: Vec<String> = input.split(':').map(canonical_insured).collect();
            parts.join("|")
        }
        ("insured", "canon") => {
            let parts: Vec<String> = input.split('/').map(canonical_insured).collect();
            parts.join(" / ")
        }
        ("muni", "check") => format!("{} valid", parse_municipality(input).expect("a code")),
        ("addr", "canon") => {
            let address = parse_address(input);
            format!("{}{}|{}", address.prefecture, address.place, address.block)
        }
        ("phone", "canon") => parse_phone(input).expect("a number").into_owned(),
        _ => panic!("no rule {rule} for {field}"),
    }
}

fn date(input: &str) -> String {
    let date = parse_birth_date(input).expect("read");
    let (month, day) = (date.month.expect("month"), date.day.expect("day"));
    let flag = if date.out_of_era {
        " + flag out-of-era"
    } else {
        ""
    };
    format!("{:04}-{month:02}-{day:02}{flag}", date.year)
}

fn attributes(fields: &[(Field, &str)]) -> Vec<(Attribute, String)> {
    let mut values = FieldValues::default();
    for (field, text) in fields {
        values.set(*field, text);
    }
    let source = SourceId::new("hosp_a").expect("a name");
    let identity = normalise(&values, Locale::Jp, &source, &mut Vec::new());
    let all = Attribute::ALL.iter();
    all.filter_map(|a| identity.get(*a).map(|value| (*a, value.to_owned())))
        .collect()
}

fn attribute(fields: &[(Field, &str)], wanted: Attribute) -> Option<String> {
    let found = attributes(fields)
        .into_iter()
        .find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value)
}

#[test]
fn more_written_forms_of_dates() {
    for (written, expected) in [
        ("昭和二十四年五月二十二日", "1949-05-22"),
        ("一九四九年五月二二日", "1949-05-22"),
        ("昭24.5.22", "1949-05-22"),
        ("s240522", "1949-05-22"),
        ("Ｓ２４．５．２２", "1949-05-22"),
        ("1949/5/22", "1949-05-22"),
        ("1949-05-22T00:00:00", "1949-05-22"),
        ("1949/05/22 0:00", "1949-05-22"),
        ("19490522.0", "1949-05-22"),
        ("3240522.0", "1949-05-22"),
        ("令和元年5月1日", "2019-05-01"),
        ("R1/5/1", "2019-05-01"),
        ("H02.05.07", "1990-05-07"),
        ("2000-02-29", "2000-02-29"),
        ("平成元年1月3日", "1989-01-03 + flag out-of-era"),
    ] {
        assert_eq!(date(written), expected, "{written}");
    }
    for bad in ["1900-02-29", "1981-01-81", "S24.13.1", "20230431"] {
        assert!(
            parse_birth_date(bad) == Err(super::date::DateError::Impossible),
            "{bad}"
        );
    }
    for bad in [
        "",
        "4-50611",
        "T-4.2.25",
        "-1630-01-0",
        "490522",
        "0001",
        "昭和",
        "?",
    ] {
        assert!(
            parse_birth_date(bad) == Err(super::date::DateError::Form),
            "{bad}"
        );
    }
}

#[test]
fn more_written_forms_of_addresses() {
    for (written, town, block) in [
        ("大阪府柏原市今町四丁目６番１８号", "柏原市今町", "4-6-18"),
        ("柏原市今町4丁目6-18 ハイツ桜403", "柏原市今町", "4-6-18"),
        ("兵庫県豊岡市日高町道場２番地３", "豊岡市日高町道場", "2-3"),
        ("兵庫県豊岡市日高町道場2番地の3", "豊岡市日高町道場", "2-3"),
        ("大阪府大阪市此花区西九条2-15-13", "此花区西九条", "2-15-13"),
        ("此花区西九条二丁目十五番十三号", "此花区西九条", "2-15-13"),
        ("京都府相楽郡笠置町有市10-5", "笠置町有市", "10-5"),
        ("福島県郡山市旭が丘５の29", "郡山市旭ケ丘", "5-29"),
        ("郡山市旭ヶ丘5-29-3-405", "郡山市旭ケ丘", "5-29-3"),
        ("三重県四日市市八丁目1", "四日市市八丁目", "1"),
        ("神戸市北区", "北区", ""),
        ("", "", ""),
    ] {
        let address = parse_address(written);
        assert_eq!(
            (address.town(), address.block.as_str()),
            (town, block),
            "{written}"
        );
    }
}

#[test]
fn names_fill_what_they_can() {
    use Attribute as A;
    let whole = [
        (Field::NameKana, "ﾅｶﾑﾗ ｺｳｷﾁ"),
        (Field::NameKanji, "中村孝吉"),
    ];
    assert_eq!(
        attribute(&whole, A::SurnameKana).as_deref(),
        Some("ナカムラ")
    );
    assert_eq!(
        attribute(&whole, A::NameKana).as_deref(),
        Some("ナカムラコウキチ")
    );
    assert_eq!(attribute(&whole, A::NameKanji).as_deref(), Some("中村孝吉"));
    assert_eq!(attribute(&whole, A::SurnameKanji), None);

    let swapped = [
        (Field::SurnameKana, "コウキチ"),
        (Field::GivenKana, "ナカムラ"),
    ];
    assert_eq!(
        attribute(&swapped, A::NameCharacters),
        attribute(&whole, A::NameCharacters)
    );

    let foreign = [
        (Field::SurnameKanji, "BÙI"),
        (Field::GivenKanji, "THU TUAN"),
        (Field::SurnameKana, "ブイ"),
        (Field::GivenKana, "トゥ トゥアン"),
    ];
    assert_eq!(
        attribute(&foreign, A::NameTokens).as_deref(),
        Some("BUI THU TUAN")
    );
    assert_eq!(attribute(&foreign, A::Given).as_deref(), Some("THUTUAN"));
    // A register that does not split, and writes the parts in another order.
    let registered = [(Field::NameKanji, "Thu Tuan  Bui")];
    assert_eq!(
        attribute(&registered, A::NameKanji),
        attribute(&foreign, A::NameKanji)
    );
    assert_eq!(
        attribute(&foreign, A::NameKanji).as_deref(),
        Some("BUITHUTUAN")
    );
    assert_eq!(
        attribute(&foreign, A::GivenKana).as_deref(),
        Some("トウトウアン")
    );
    assert_eq!(attribute(&foreign, A::SurnameKanji), None);

    let given_in_kana = [(Field::SurnameKanji, "峰岸"), (Field::GivenKanji, "みき")];
    assert_eq!(
        attribute(&given_in_kana, A::GivenKana).as_deref(),
        Some("ミキ")
    );
    assert_eq!(
        attribute(&given_in_kana, A::GivenKanji).as_deref(),
        Some("みき")
    );

    let not_kana = [(Field::NameKana, "田中 タロウ")];
    assert!(attributes(&not_kana).is_empty());
    let gaiji = [(Field::NameKanji, "■田　脩")];
    assert_eq!(
        attribute(&gaiji, A::SurnameKanji),
        Some(format!("{UNKNOWN}田"))
    );
}

#[test]
fn insured_keys_need_their_parts() {
    use Attribute as A;
    let mut fields = vec![
        (Field::InsurerNo, "138016"),
        (Field::InsurerSymbol, "健８４６"),
        (Field::InsuredNumber, "00-56"),
    ];
    assert_eq!(
        attribute(&fields, A::InsuredPerson).as_deref(),
        Some("00138016|健846|0056")
    );
    assert_eq!(attribute(&fields, A::InsuredBranch), None);
    fields.push((Field::InsuredBranch, "00"));
    assert_eq!(
        attribute(&fields, A::InsuredBranch).as_deref(),
        Some("00138016|健846|0056|00")
    );
    assert!(attributes(&fields[1..]).is_empty());

    let care = [
        (Field::CareInsuredNo, "0872839838"),
        (Field::Municipality, "27127"),
    ];
    assert_eq!(
        attribute(&care, A::CareInsured).as_deref(),
        Some("27100|0872839838")
    );
    assert!(attributes(&care[..1]).is_empty());
}

#[test]
fn parts_of_dates_and_postcodes_are_derived() {
    use Attribute as A;
    let fields = [
        (Field::BirthDate, "S24.5.22"),
        (Field::Postcode, "〒570-0002"),
    ];
    for (attribute_, expected) in [
        (A::BirthDate, "19490522"),
        (A::BirthYear, "1949"),
        (A::BirthMonthDay, "0522"),
        (A::BirthYearMonth, "194905"),
        (A::BirthYearDay, "194922"),
        (A::Postcode, "5700002"),
        (A::Postcode5, "57000"),
        (A::Postcode3, "570"),
    ] {
        assert_eq!(attribute(&fields, attribute_).as_deref(), Some(expected));
    }
    let partial = attributes(&[(Field::BirthDate, "19490000")]);
    assert!(partial == [(A::BirthYear, "1949".to_owned())]);
}

/// Text as it might stand in a file, with the characters that the rules look for made likely.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ぁ-んァ-ヶｦ-ﾟー－‐゛゜ヽヾ・　 ●?髙﨑邉𠮷a-zA-ZÀ-ỹ'-]{0,24}",
        "[明治大正昭和平成令MTSHR元年月日0-9０-９一二十./\\- 不詳]{0,14}",
        "[東京都大阪府市区町村郡丁目番地号の条字0-9０-９一二八十－ー\\- ヶが]{0,24}",
    ]
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in text()) {
        let folds: [fn(&str) -> String; 4] = [
            |text| clean(text).into_owned(),
            |text| clean_name(text).into_owned(),
            |text| strict_key_k1(text).into_owned(),
            canonical_insured,
        ];
        for fold in folds {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }
        let k1 = strict_key_k1(&text);
        for fold in [fold_key_k2, long_vowel_key_k3, unvoiced_key_k4] {
            let once = fold(&k1);
            prop_assert_eq!(fold(&once), once.clone());
        }
        let tokens = latin_tokens(&text).join(" ");
        prop_assert_eq!(latin_tokens(&tokens).join(" "), tokens.clone());
    }

    #[test]
    fn no_text_panics_in_any_field(texts in prop::collection::vec(text(), Field::ALL.len())) {
        let source = SourceId::new("s").expect("a name");
        for locale in [Locale::Jp, Locale::Latin] {
            let mut values = FieldValues::default();
            for (field, text) in Field::ALL.iter().zip(&texts) {
                values.set(*field, text);
            }
            let identity = normalise(&values, locale, &source, &mut Vec::new());
            if let Some(kana) = identity.known(Attribute::NameKana) {
                prop_assert!(is_kana_name(kana));
            }
        }
    }

    #[test]
    fn every_calendar_day_reads_the_same_in_all_its_forms(
        year in 1949_u16..1988, month in 1_u8..=12, day in 1_u8..=28,
    ) {
        let era_year = year - 1925;
        let expected = format!("{year:04}-{month:02}-{day:02}");
        for written in [
            format!("{year}/{month}/{day}"),
            format!("{year:04}{month:02}{day:02}"),
            format!("3{era_year:02}{month:02}{day:02}"),
            format!("S{era_year}.{month}.{day}"),
            format!("昭和{era_year}年{month}月{day}日"),
        ] {
            prop_assert_eq!(date(&written), expected.clone());
        }
    }
}
