//! Weak choices of a linkage profile, in words.

use crate::terms::Attribute;
use crate::terms::profile::{FilterRecipe, LinkageProfile};

use super::degree::{DEGREE_STRONG, DEGREE_WARN, telling_degree};

/// Bits below which strangers' filters are much alike.
const BITS_FEW: u32 = 512;
/// People that degrees are reckoned for: a region.
const POPULATION: f64 = 1_000_000.0;

/// What is weak in a profile and what to do about it; nothing for a sound one.
pub(super) fn weaknesses(profile: &LinkageProfile) -> Vec<String> {
    let mut found = of_filters(profile);
    for tag in &profile.tags {
        // A pair shares a tag if it shares a slot; one letter left out adds a few strangers more.
        let lists = tag.parts.iter();
        let chances = lists.map(|part| chance_of_strangers(&part.attributes));
        let by_chance = tag.buckets.map_or(0.0, |buckets| {
            let others = tag.parts[0].attributes.iter().copied();
            let others: Vec<Attribute> = others.filter(|one| *one != buckets.attribute).collect();
            chance_of_strangers(&others) / f64::from(buckets.count)
        });
        let degree = telling_degree(chances.sum::<f64>() * POPULATION, by_chance * POPULATION);
        if degree > DEGREE_WARN {
            let strong = if degree > DEGREE_STRONG {
                "STRONG: "
            } else {
                ""
            };
            found.push(format!(
                "{strong}tag {}: in a million people a person shares it with about {} others, and who shares \
                 what with whom gives people away: bind one more attribute or drop it; `profile degree` \
                 counts it on your own records",
                tag.name,
                rounded(degree)
            ));
        }
        let mut attributes = tag.parts.iter().flat_map(|part| &part.attributes);
        if !tag.pad && attributes.any(|attribute| RARE.contains(attribute)) {
            found.push(format!(
                "tag {}: who has it depends on how common a name is, so that having it tells that: set pad = \
                 true",
                tag.name
            ));
        }
    }
    found
}

/// Attributes that only people with a rare, an uncommon or a common name have.
const RARE: [Attribute; 4] = [
    Attribute::RareGivenKana,
    Attribute::RareGivenKanji,
    Attribute::UncommonGivenKana,
    Attribute::MostCommonGivenKana,
];

/// A number of people in two digits, or whole from ten on.
fn rounded(people: f64) -> String {
    match people {
        10.0.. => format!("{people:.0}"),
        1.0.. => format!("{people:.1}"),
        _ => format!("{people:.2}"),
    }
}

/// Weak choices of filters, each with the filters that have it.
fn of_filters(profile: &LinkageProfile) -> Vec<String> {
    type Choice = (fn(&FilterRecipe) -> bool, &'static str, &'static str);
    let choices: [Choice; 6] = [
        (
            |filter| filter.salt.is_empty(),
            "not salted",
            "all people can be compared with all, and graph matching against a list of names finds nearly \
             everybody: set salt = [\"birth_date\", \"sex\"], or send tags only, as jp-national does",
        ),
        (
            |filter| filter.salt.is_empty() && filter.features.len() == 1,
            "one field alone, not salted",
            "its values can be read off by how frequent they are: put several fields into one filter",
        ),
        (
            |filter| filter.salt.len() == 1,
            "salted by one attribute alone",
            "many people share a salt and can be compared with each other: salt by one more attribute that \
             does not change",
        ),
        (
            |filter| filter.bits < BITS_FEW,
            "under 512 bits",
            "strangers look alike by chance: take 1,024",
        ),
        (
            |filter| !filter.balance,
            "not balanced",
            "the number of ones tells how long the values are: set balance = true",
        ),
        (
            |filter| filter.flip == 0.0,
            "no bits flipped",
            "equal values give equal bits: set flip = 0.2",
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

/// A fact about a person. Attributes that tell of the same one (a name in kana and in kanji, a postcode and
/// its municipality) are shared together, and not by chance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fact {
    Surname,
    Given,
    BirthYear,
    BirthMonth,
    BirthDay,
    Sex,
    Place,
    /// By its name alone, which other places have too.
    Street,
    House,
    Household,
    Phone,
    BirthPlace,
    Occupation,
    /// A number of one person.
    Person,
}

/// Chance that two strangers have the same values: of each fact as told by the attribute that fewest share.
fn chance_of_strangers(attributes: &[Attribute]) -> f64 {
    let mut least: Vec<(Fact, f64)> = Vec::new();
    for (fact, chance) in attributes.iter().flat_map(|attribute| facts(*attribute)) {
        match least.iter_mut().find(|(known, _)| known == fact) {
            Some((_, least)) => *least = least.min(*chance),
            None => least.push((*fact, *chance)),
        }
    }
    least.iter().map(|(_, chance)| chance).product()
}

/// What an attribute tells, with the sum of squared frequencies in Japan: of names after public frequency
/// lists (surname kana .0022, given names .003 to .01 a cohort), of rare given names as counted on invented
/// people (`musubi synth`, 3 million), of dates and places by arithmetic, of the rest by judgement.
/// Households share more than these tell: what is counted on records goes before.
fn facts(attribute: Attribute) -> &'static [(Fact, f64)] {
    const SURNAME: (Fact, f64) = (Fact::Surname, 0.0022);
    const GIVEN: (Fact, f64) = (Fact::Given, 0.004);
    const YEAR: (Fact, f64) = (Fact::BirthYear, 1.0 / 80.0);
    const MONTH: (Fact, f64) = (Fact::BirthMonth, 1.0 / 12.0);
    const DAY: (Fact, f64) = (Fact::BirthDay, 12.0 / 365.0);
    match attribute {
        Attribute::SurnameKana | Attribute::SurnameKanji | Attribute::Surname => &[SURNAME],
        Attribute::GivenKana | Attribute::GivenKanji | Attribute::Given => &[GIVEN],
        Attribute::RareGivenKana | Attribute::RareGivenKanji => &[(Fact::Given, 0.0005)],
        Attribute::UncommonGivenKana => &[(Fact::Given, 0.0035)],
        Attribute::MostCommonGivenKana => &[(Fact::Given, 0.0023)],
        Attribute::NameKana
        | Attribute::NameKanji
        | Attribute::NameCharacters
        | Attribute::NameTokens => &[SURNAME, GIVEN],
        Attribute::BirthDate => &[YEAR, MONTH, DAY],
        Attribute::BirthYear => &[YEAR],
        Attribute::BirthMonthDay => &[MONTH, DAY],
        Attribute::BirthYearMonth => &[YEAR, MONTH],
        Attribute::BirthYearDay => &[YEAR, DAY],
        Attribute::Sex => &[(Fact::Sex, 0.5)],
        Attribute::Postcode | Attribute::AddressTown => &[(Fact::Place, 0.0005)],
        Attribute::Street => &[(Fact::Street, 0.0005)],
        Attribute::Postcode5 | Attribute::Suburb => &[(Fact::Place, 0.002)],
        Attribute::Postcode3 | Attribute::Municipality => &[(Fact::Place, 0.01)],
        Attribute::Region => &[(Fact::Place, 0.2)],
        Attribute::AddressBlock | Attribute::StreetNumber => &[(Fact::House, 0.01)],
        Attribute::InsuredPerson => &[(Fact::Household, 2e-6)],
        Attribute::Phone => &[(Fact::Phone, 1e-6)],
        Attribute::BirthPlace => &[(Fact::BirthPlace, 0.05)],
        Attribute::Occupation => &[(Fact::Occupation, 0.02)],
        Attribute::InsuredBranch
        | Attribute::CareInsured
        | Attribute::PatientNumber
        | Attribute::NationalId => &[(Fact::Person, 0.0)],
    }
}
