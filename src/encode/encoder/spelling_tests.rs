//! Two spellings of one identity give equal encodings, whichever fields differ in spelling.

use proptest::prelude::*;

use super::*;
use crate::encode::field::{Field, FieldValues};
use crate::encode::normalise::tests::spelled;
use crate::encode::normalise::{Locale, normalise};
use crate::terms::{EventKind, RecordRef, SourceId};

const VECTORS: &str = include_str!("../../../tests/vectors/normalise/jp_normalisation.tsv");

/// Pairs of texts that mean the same in one field, from the public table.
fn pairs(field: &str, rules: &[&str]) -> Vec<(String, String)> {
    let rows = VECTORS.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let (of, input, rule) = (columns.next()?, columns.next()?, columns.next()?);
        let expected = spelled(columns.next()?);
        (of == field && rules.contains(&rule)).then(|| (spelled(input), expected))
    });
    let usable = rows.filter(|(_, expected)| !expected.contains(['?', '+']));
    usable
        .map(|(input, expected)| {
            let same = expected.replace("|", if field == "kana" { " " } else { "" });
            let same = same.trim_end_matches(" valid").to_owned();
            (input, same)
        })
        .collect()
}

fn pick(field: &str, rules: &[&str]) -> impl Strategy<Value = (String, String)> {
    let pairs = pairs(field, rules);
    assert!(!pairs.is_empty(), "the table has rows of {field}");
    prop::sample::select(pairs)
}

fn record(fields: &[(Field, &str)]) -> SourceRecord {
    let mut values = FieldValues::default();
    for (field, text) in fields {
        values.set(*field, text);
    }
    let source = SourceId::new("hosp_a").expect("a name");
    SourceRecord {
        record_ref: RecordRef::new("R1").expect("a label"),
        version: 1,
        kind: EventKind::Hospital,
        year: 0,
        flags: 0,
        identity: normalise(&values, Locale::Jp, &source, &mut Vec::new()),
    }
}

proptest! {
    #[test]
    fn two_spellings_of_one_identity_give_equal_grams_and_tags(
        kana in pick("kana", &["K1", "K2"]),
        kanji in pick("kanji", &["canon", "nfc", "strip-ivs"]),
        born in pick("dob", &["era"]),
        insurer in pick("insurer", &["pad"]),
        city in pick("muni", &["check"]),
        address in pick("addr", &["canon"]),
        phone in pick("phone", &["canon"]),
        swap in any::<[bool; 7]>(),
    ) {
        let both = [&kana, &kanji, &born, &insurer, &city, &address, &phone];
        let of = [
            Field::NameKana, Field::NameKanji, Field::BirthDate, Field::InsurerNo,
            Field::Municipality, Field::Address, Field::Phone,
        ];
        let mut one = vec![(Field::Sex, "男"), (Field::InsuredNumber, "１２－３４")];
        let mut other = vec![(Field::Sex, "1"), (Field::InsuredNumber, "1234")];
        for ((field, (left, right)), swap) in of.into_iter().zip(both).zip(swap) {
            let (left, right) = if swap { (right, left) } else { (left, right) };
            one.push((field, left));
            other.push((field, right));
        }
        for name in ["jp-standard", "jp-national", "jp-fields"] {
            let profile = LinkageProfile::built_in(name).expect("built in");
            let linkage = LinkageSecret::from_bytes([7; 32]);
            let source = SourceSecret::from_bytes([8; 32]);
            let encoder = Encoder::new(&profile, &linkage, Some(&source), "1").expect("made");
            let (one, other) = (encoder.encode(&record(&one)), encoder.encode(&record(&other)));
            prop_assert!(one.presence != 0);
            prop_assert!(one == other, "{name}: {:x} {:x}", one.presence, other.presence);
        }
    }
}
