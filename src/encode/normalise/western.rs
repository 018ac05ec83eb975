//! Attributes of a record in Latin letters.

use super::fill_postcode;
use super::latin::{latin_word, sorted_tokens};
use super::place::latin_postcode;
use crate::encode::field::{Field, FieldValues};
use crate::encode::identity::Identity;
use crate::terms::Attribute;

/// Fields that are one word whatever their spaces, and the attributes they make.
const WORDS: [(Field, Attribute); 9] = [
    (Field::Surname, Attribute::Surname),
    (Field::Given, Attribute::Given),
    (Field::StreetNumber, Attribute::StreetNumber),
    (Field::Street, Attribute::Street),
    (Field::Suburb, Attribute::Suburb),
    (Field::Region, Attribute::Region),
    (Field::NationalId, Attribute::NationalId),
    (Field::BirthPlace, Attribute::BirthPlace),
    (Field::Occupation, Attribute::Occupation),
];

/// Fills what Latin fields give. The parts of the name come from surname and given name; the whole
/// name, which often holds titles, only where one of those is missing.
pub(super) fn fill(fields: &FieldValues<'_>, identity: &mut Identity) {
    for (field, attribute) in WORDS {
        let written = fields.get(field);
        if !written.is_empty() {
            identity.set(attribute, latin_word(written));
        }
    }
    let surname = fields.get(Field::Surname);
    let given = fields.get(Field::Given);
    let tokens = if surname.is_empty() || given.is_empty() {
        sorted_tokens(&[fields.get(Field::FullName)])
    } else {
        sorted_tokens(&[surname, given])
    };
    identity.set(Attribute::NameTokens, tokens);
    fill_postcode(&latin_postcode(fields.get(Field::Postcode)), identity);
}
