//! Attributes: the normalised, comparable pieces of an identity that recipes are written in.
//!
//! A source's *fields* (columns) are normalised into attributes; filters and tags are made of
//! attributes; from the tags that agree the server derives which attributes agree. The server
//! knows attribute names only, never values.

use serde::{Deserialize, Serialize};

macro_rules! attributes {
    ($($variant:ident $name:literal $doc:literal [$($implied:ident)*];)*) => {
        /// A normalised piece of identity. The text form (in profiles) is the snake_case name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Attribute {
            $(#[doc = $doc] $variant,)*
        }

        impl Attribute {
            /// All attributes, in order of their code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used in profiles and in key derivation. Never change one: it would change
            /// every encoding.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Attributes that are equal whenever this one is (coarser parts of the same fact).
            #[must_use]
            pub fn implies(self) -> &'static [Self] {
                match self { $(Self::$variant => &[$(Self::$implied),*],)* }
            }
        }
    };
}

attributes! {
    SurnameKana "surname_kana" "Surname, kana fold key K2." [];
    GivenKana "given_kana" "Given name, kana fold key K2." [];
    SurnameKanji "surname_kanji" "Surname in kanji, variants folded." [];
    GivenKanji "given_kanji" "Given name in kanji, variants folded." [];
    NameKana "name_kana" "Whole name in kana, K2, without the split." [SurnameKana GivenKana];
    NameKanji "name_kanji" "Whole name in kanji, without the split." [SurnameKanji GivenKanji];
    NameCharacters "name_characters" "Characters of the whole kana name, sorted: blind to swapped name fields." [SurnameKana GivenKana];
    Surname "surname" "Surname in Latin letters." [];
    Given "given" "Given name in Latin letters." [];
    NameTokens "name_tokens" "All Latin name parts, sorted: blind to their order." [Surname Given];
    BirthDate "birth_date" "Full date of birth, yyyymmdd." [BirthYear BirthMonthDay BirthYearMonth BirthYearDay];
    BirthYear "birth_year" "Year of birth." [];
    BirthMonthDay "birth_month_day" "Month and day of birth." [];
    BirthYearMonth "birth_year_month" "Year and month of birth." [BirthYear];
    BirthYearDay "birth_year_day" "Year and day of birth." [BirthYear];
    Sex "sex" "Sex as recorded: 1 male, 2 female." [];
    Postcode "postcode" "Postcode, as long as it is." [Postcode5 Postcode3];
    Postcode5 "postcode5" "First five characters of the postcode." [Postcode3];
    Postcode3 "postcode3" "First three characters of the postcode." [];
    Municipality "municipality" "Municipality code, five digits, without the check digit." [];
    AddressTown "address_town" "Address down to the town, normalised." [];
    AddressBlock "address_block" "Block numbers of the address, hyphenated." [];
    Phone "phone" "Phone number, digits." [];
    InsuredPerson "insured_person" "Insurer number, symbol and number, without branch: a household's number." [];
    InsuredBranch "insured_branch" "Insurer number, symbol, number and branch." [InsuredPerson];
    CareInsured "care_insured" "Long-term care insured number with its municipality." [];
    PatientNumber "patient_number" "The source's own patient number, bound to the source." [];
    StreetNumber "street_number" "House number." [];
    Street "street" "Street name." [];
    Suburb "suburb" "Suburb or town name." [];
    Region "region" "State or region." [];
    NationalId "national_id" "A national number, as in Western evaluation sets." [];
    BirthPlace "birth_place" "Place of birth." [];
    Occupation "occupation" "Occupation." [];
    RareGivenKana "rare_given_kana" "Given name, kana fold key K2, if its reading is not a common one." [GivenKana];
    RareGivenKanji "rare_given_kanji" "Given name in kanji, variants folded, if it is not a common one." [GivenKanji];
    UncommonGivenKana "uncommon_given_kana" "Given name, kana fold key K2, if its reading is not one of the most common." [GivenKana];
    MostCommonGivenKana "most_common_given_kana" "Given name, kana fold key K2, if its reading is one of the most common." [GivenKana];
}

/// A set of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttributeSet(u64);

impl AttributeSet {
    /// The set of these attributes and all that they imply.
    #[must_use]
    pub fn closure(attributes: &[Attribute]) -> Self {
        let mut set = Self::default();
        for attribute in attributes {
            set.insert(*attribute);
            set = set.union(Self::closure(attribute.implies()));
        }
        set
    }

    /// Adds one.
    pub fn insert(&mut self, attribute: Attribute) {
        self.0 |= 1 << attribute as u8;
    }

    /// Takes one out.
    pub fn remove(&mut self, attribute: Attribute) {
        self.0 &= !(1 << attribute as u8);
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, attribute: Attribute) -> bool {
        self.0 & (1 << attribute as u8) != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is also here.
    #[must_use]
    pub fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How many.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serde_names() {
        for attribute in Attribute::ALL {
            let json = serde_json::to_string(attribute).expect("unit variants serialise");
            assert_eq!(json, format!("\"{}\"", attribute.name()));
        }
        assert!(Attribute::ALL.len() <= 64, "AttributeSet has 64 bits");
    }

    #[test]
    fn closure_follows_implications_to_the_end() {
        let set = AttributeSet::closure(&[Attribute::BirthDate, Attribute::Postcode]);
        for implied in [
            Attribute::BirthYear,
            Attribute::BirthMonthDay,
            Attribute::Postcode3,
        ] {
            assert!(set.contains(implied));
        }
        assert!(!set.contains(Attribute::Sex));
        assert!(set.contains_all(AttributeSet::closure(&[Attribute::BirthYearMonth])));
    }
}
