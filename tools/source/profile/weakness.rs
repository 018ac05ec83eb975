//! Weak choices of a linkage profile, in words.

use crate::terms::profile::{Grams, LinkageProfile};
use crate::terms::{Attribute, AttributeSet};

use super::degree::{DEGREE_STRONG, DEGREE_WARN};

/// Bits below which a filter tells little, and random agreement is high.
const BITS_FEW: u32 = 512;
/// People that degrees are reckoned for: a region.
const POPULATION: f64 = 1_000_000.0;

/// What is weak in a profile; nothing for a sound one.
pub(super) fn weaknesses(profile: &LinkageProfile) -> Vec<String> {
    let mut found = Vec::new();
    let whole_record = profile.filters.len() == 1;
    for filter in &profile.filters {
        let name = &filter.name;
        if filter.salt.is_empty() {
            found.push(format!(
                "filter {name} is not salted: all people can be compared with all, and graph matching \
                 against a list of names finds nearly everybody"
            ));
            if !whole_record && filter.features.len() == 1 {
                found.push(format!(
                    "filter {name} holds one field alone: its values can be read off by how frequent they are"
                ));
            }
        } else if filter.salt.len() == 1 {
            found.push(format!(
                "filter {name} is salted by {} alone: many people share a salt",
                filter.salt[0].name()
            ));
        }
        if filter.bits < BITS_FEW {
            found.push(format!(
                "filter {name} has {} bits: under {BITS_FEW} strangers look alike by chance",
                filter.bits
            ));
        }
        if !filter.balance {
            found.push(format!(
                "filter {name} is not balanced: its number of ones tells the length of the values"
            ));
        }
        if filter.flip == 0.0 {
            found.push(format!(
                "filter {name} flips no bits: within its salt it can be matched exactly"
            ));
        }
        if filter
            .features
            .iter()
            .any(|feature| feature.grams == Grams::Whole && filter.salt.is_empty())
        {
            found.push(format!(
                "filter {name} holds whole values without a salt: equal values give equal bits"
            ));
        }
    }
    for tag in &profile.tags {
        // A pair shares a tag if it shares a slot; one letter left out adds a few strangers more.
        let lists = tag.parts.iter();
        let chances = lists.map(|part| chance_of_strangers(&part.attributes));
        let Some(chance) = chances.sum::<Option<f64>>() else {
            continue;
        };
        let degree = chance * POPULATION;
        if degree > DEGREE_WARN {
            let strong = if degree > DEGREE_STRONG {
                "STRONG: "
            } else {
                ""
            };
            found.push(format!(
                "{strong}tag {} is shared with about {degree:.2} strangers in a million people; \
                 `profile degree` counts it on your own records",
                tag.name
            ));
        }
    }
    found
}

/// Chance that two strangers have the same values; `None` if it is not known for one of them.
/// Attributes that another one implies add nothing.
fn chance_of_strangers(attributes: &[Attribute]) -> Option<f64> {
    let mut chance = 1.0;
    for attribute in attributes {
        let others = attributes.iter().filter(|other| *other != attribute);
        let implied = others
            .map(|other| AttributeSet::closure(other.implies()))
            .any(|set| set.contains(*attribute));
        if !implied {
            chance *= chance_of(*attribute)?;
        }
    }
    Some(chance)
}

/// Sum of squared frequencies in Japan: of names after public frequency lists (surname kana .0022,
/// given names .003 to .01 a cohort), of dates and places by arithmetic. Households share more than
/// these tell: what is counted on records goes before.
fn chance_of(attribute: Attribute) -> Option<f64> {
    Some(match attribute {
        Attribute::SurnameKana | Attribute::SurnameKanji | Attribute::Surname => 0.0022,
        Attribute::GivenKana | Attribute::GivenKanji | Attribute::Given => 0.004,
        Attribute::NameKana
        | Attribute::NameKanji
        | Attribute::NameCharacters
        | Attribute::NameTokens => 0.0022 * 0.004,
        Attribute::BirthDate => 1.0 / 29_000.0,
        Attribute::BirthYear => 1.0 / 80.0,
        Attribute::BirthMonthDay => 1.0 / 365.0,
        Attribute::BirthYearMonth => 1.0 / 960.0,
        Attribute::BirthYearDay => 1.0 / 2_440.0,
        Attribute::Sex => 0.5,
        Attribute::Postcode | Attribute::AddressTown => 0.0005,
        Attribute::Postcode5 => 0.002,
        Attribute::Postcode3 | Attribute::Municipality | Attribute::AddressBlock => 0.01,
        Attribute::InsuredPerson => 2e-6,
        Attribute::InsuredBranch
        | Attribute::CareInsured
        | Attribute::PatientNumber
        | Attribute::Phone => 2e-7,
        _ => return None,
    })
}
