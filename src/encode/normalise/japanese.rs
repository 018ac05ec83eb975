//! Attributes of a Japanese record.

use std::borrow::Cow;

use super::address::parse_address;
use super::common_names::{is_common_given_kana, is_common_given_kanji, is_most_common_given_kana};
use super::insurance::{
    care_insured, insured_branch, insured_part, insured_person, parse_insurer_number,
};
use super::kana::{is_kana_name, strict_key_k1};
use super::latin::{is_latin_name, latin_word, sorted_tokens};
use super::name::{PersonName, WrittenName, kana_name, kanji_name, sorted_characters};
use super::place::{MunicipalityError, parse_municipality, parse_phone, parse_postcode};
use super::{Note, Rule, fill_postcode};
use crate::encode::field::{Field, FieldValues};
use crate::encode::identity::Identity;
use crate::terms::Attribute;

/// Fills what Japanese fields give.
pub(super) fn fill(fields: &FieldValues<'_>, notes: &mut Vec<Note>, identity: &mut Identity) {
    fill_names(fields, notes, identity);
    fill_insurance(fields, notes, identity);
    fill_place(fields, notes, identity);
}

/// Kana and kanji names, each from its own fields; foreigners' names in Latin letters stand in the
/// kanji fields; receipts put the reading there where the kanji lie outside JIS X 0208.
fn fill_names(fields: &FieldValues<'_>, notes: &mut Vec<Note>, identity: &mut Identity) {
    let written_kana = WrittenName {
        surname: fields.get(Field::SurnameKana),
        given: fields.get(Field::GivenKana),
        whole: fields.get(Field::NameKana),
    };
    let written_kanji = WrittenName {
        surname: fields.get(Field::SurnameKanji),
        given: fields.get(Field::GivenKanji),
        whole: fields.get(Field::NameKanji),
    };
    let mut kana = kana_name(written_kana).unwrap_or_else(|| {
        notes.push(Note {
            field: kana_field(fields),
            rule: Rule::NotKana,
        });
        PersonName::default()
    });
    if !written_kanji.is_blank() {
        let script = script_of(written_kanji);
        if script == Script::Latin {
            fill_latin(written_kanji, identity);
        } else if script == Script::Kana {
            notes.push(Note {
                field: kanji_field(fields),
                rule: Rule::KanaInKanji,
            });
            if kana.is_empty() {
                kana = kana_name(written_kanji).unwrap_or_default();
            }
        } else {
            let kanji = kanji_name(written_kanji);
            // A given name officially written in kana is its own reading.
            if kana.given.is_empty()
                && kana.whole() == ["", ""]
                && is_kana_name(&strict_key_k1(&kanji.given))
            {
                let given_only = WrittenName {
                    given: &kanji.given,
                    ..WrittenName::default()
                };
                let read = kana_name(given_only).unwrap_or_default().given;
                kana.given = Cow::Owned(read.into_owned());
            }
            if !is_common_given_kanji(&kanji.given) {
                identity.set(Attribute::RareGivenKanji, &kanji.given);
            }
            identity.set(Attribute::SurnameKanji, &kanji.surname);
            identity.set(Attribute::GivenKanji, &kanji.given);
            identity.set_parts(Attribute::NameKanji, &kanji.whole());
        }
    }
    let characters = sorted_characters(kana.whole());
    identity.set_characters(Attribute::NameCharacters, &characters);
    if !is_common_given_kana(&kana.given) {
        identity.set(Attribute::RareGivenKana, &kana.given);
    }
    let by_frequency = if is_most_common_given_kana(&kana.given) {
        Attribute::MostCommonGivenKana
    } else {
        Attribute::UncommonGivenKana
    };
    identity.set(by_frequency, &kana.given);
    identity.set(Attribute::SurnameKana, &kana.surname);
    identity.set(Attribute::GivenKana, &kana.given);
    identity.set_parts(Attribute::NameKana, &kana.whole());
}

/// What the kanji fields hold.
#[derive(PartialEq, Eq)]
enum Script {
    Kanji,
    Kana,
    Latin,
}

fn script_of(written: WrittenName<'_>) -> Script {
    let texts = [written.surname, written.given, written.whole];
    let has_kanji = |text: &str| text.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'));
    if texts.into_iter().any(has_kanji) {
        return Script::Kanji;
    }
    let together = written.joined();
    if is_latin_name(&together) {
        Script::Latin
    } else if is_kana_name(&strict_key_k1(&together)) {
        Script::Kana
    } else {
        Script::Kanji
    }
}

fn fill_latin(written: WrittenName<'_>, identity: &mut Identity) {
    let tokens = sorted_tokens(&[written.surname, written.given, written.whole]);
    // The name as it is written: what sources without kana have of a foreigner.
    identity.set(Attribute::NameKanji, tokens.replace(' ', ""));
    identity.set(Attribute::NameTokens, tokens);
    let split = if written.surname.is_empty() && written.given.is_empty() {
        PersonName::from_whole(written.whole)
    } else {
        PersonName::from_parts(written.surname.into(), written.given.into())
    };
    identity.set(Attribute::Surname, latin_word(&split.surname));
    identity.set(Attribute::Given, latin_word(&split.given));
}

fn kana_field(fields: &FieldValues<'_>) -> Field {
    if fields.get(Field::NameKana).is_empty() {
        Field::SurnameKana
    } else {
        Field::NameKana
    }
}

fn kanji_field(fields: &FieldValues<'_>) -> Field {
    if fields.get(Field::NameKanji).is_empty() {
        Field::SurnameKanji
    } else {
        Field::NameKanji
    }
}

fn fill_insurance(fields: &FieldValues<'_>, notes: &mut Vec<Note>, identity: &mut Identity) {
    let written = fields.get(Field::InsurerNo);
    if written.is_empty() {
        return;
    }
    let Some(insurer) = parse_insurer_number(written) else {
        notes.push(Note {
            field: Field::InsurerNo,
            rule: Rule::Digits,
        });
        return;
    };
    if !insurer.check_digit_holds {
        notes.push(Note {
            field: Field::InsurerNo,
            rule: Rule::InsurerCheckDigit,
        });
    }
    let symbol = insured_part(fields.get(Field::InsurerSymbol));
    let number = insured_part(fields.get(Field::InsuredNumber));
    let branch = insured_part(fields.get(Field::InsuredBranch));
    if let Some(person) = insured_person(&insurer, &symbol, &number) {
        identity.set_parts(Attribute::InsuredPerson, &person);
        if let Some(with_branch) = insured_branch(person, &branch) {
            identity.set_parts(Attribute::InsuredBranch, &with_branch);
        }
    } else if !number.is_empty() {
        notes.push(Note {
            field: Field::InsurerSymbol,
            rule: Rule::SymbolMissing,
        });
    }
}

fn fill_place(fields: &FieldValues<'_>, notes: &mut Vec<Note>, identity: &mut Identity) {
    let mut note_digits = |field: Field| {
        let rule = Rule::Digits;
        notes.push(Note { field, rule });
        Cow::Borrowed("")
    };
    let mut phone = Cow::Borrowed(fields.get(Field::Phone));
    if !phone.is_empty() {
        phone = parse_phone(fields.get(Field::Phone)).unwrap_or_else(|| note_digits(Field::Phone));
    }
    let mut postcode = Cow::Borrowed(fields.get(Field::Postcode));
    if !postcode.is_empty() {
        postcode = parse_postcode(fields.get(Field::Postcode))
            .unwrap_or_else(|| note_digits(Field::Postcode));
    }
    identity.set(Attribute::Phone, phone);
    fill_postcode(&postcode, identity);

    let written = fields.get(Field::Municipality);
    if !written.is_empty() {
        match parse_municipality(written) {
            Ok(code) => {
                if let Some(key) = care_insured(&code, fields.get(Field::CareInsuredNo)) {
                    identity.set(Attribute::CareInsured, key);
                }
                identity.set(Attribute::Municipality, code);
            }
            Err(MunicipalityError::Form) => {
                notes.push(Note {
                    field: Field::Municipality,
                    rule: Rule::Digits,
                });
            }
            Err(MunicipalityError::CheckDigit) => {
                let rule = Rule::MunicipalityCheckDigit;
                notes.push(Note {
                    field: Field::Municipality,
                    rule,
                });
            }
        }
    }
    let address = parse_address(fields.get(Field::Address));
    identity.set(Attribute::AddressTown, address.town());
    identity.set(Attribute::AddressBlock, &address.block);
}
