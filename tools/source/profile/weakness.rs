//! Weak choices of a linkage profile, in words.

use crate::terms::profile::{FilterRecipe, LinkageProfile};
use crate::terms::{Attribute, AttributeSet};

use super::degree::{DEGREE_STRONG, DEGREE_WARN};

/// Bits below which strangers' filters are much alike.
const BITS_FEW: u32 = 512;
/// People that degrees are reckoned for: a region.
const POPULATION: f64 = 1_000_000.0;

/// What is weak in a profile; nothing for a sound one.
pub(super) fn weaknesses(profile: &LinkageProfile) -> Vec<String> {
    let mut found = of_filters(profile);
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

/// Weak choices of filters, each with the filters that have it.
fn of_filters(profile: &LinkageProfile) -> Vec<String> {
    type Choice = (fn(&FilterRecipe) -> bool, &'static str, &'static str);
    let choices: [Choice; 6] = [
        (
            |filter| filter.salt.is_empty(),
            "not salted",
            "all people can be compared with all, and graph matching against a list of names finds nearly \
             everybody",
        ),
        (
            |filter| filter.salt.is_empty() && filter.features.len() == 1,
            "one field alone, not salted",
            "its values can be read off by how frequent they are",
        ),
        (
            |filter| filter.salt.len() == 1,
            "salted by one attribute alone",
            "many people share a salt",
        ),
        (
            |filter| filter.bits < BITS_FEW,
            "under 512 bits",
            "strangers look alike by chance",
        ),
        (
            |filter| !filter.balance,
            "not balanced",
            "the number of ones tells how long the values are",
        ),
        (
            |filter| filter.flip == 0.0,
            "no bits flipped",
            "equal values give equal bits",
        ),
    ];
    let mut found = Vec::new();
    for (is_weak, choice, reason) in choices {
        let weak = profile.filters.iter().filter(|filter| is_weak(filter));
        let names: Vec<&str> = weak.map(|filter| filter.name.as_str()).collect();
        if !names.is_empty() {
            found.push(format!("filter {} ({choice}): {reason}", names.join(", ")));
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
        Attribute::Phone => 1e-6,
        // Numbers of one person.
        Attribute::InsuredBranch | Attribute::CareInsured | Attribute::PatientNumber => 0.0,
        _ => return None,
    })
}
