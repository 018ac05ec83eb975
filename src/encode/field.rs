//! Fields: what a column of a source's file may hold.

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// What a column holds, as a map file names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = $doc] $variant,)*
        }

        impl Field {
            /// All fields.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used in map files and reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

fields! {
    SurnameKanji "surname_kanji" "Surname in kanji; foreigners' in Latin letters.";
    GivenKanji "given_kanji" "Given name in kanji; foreigners' in Latin letters.";
    NameKanji "name_kanji" "Whole name in kanji, in one column.";
    SurnameKana "surname_kana" "Surname in kana of any kind.";
    GivenKana "given_kana" "Given name in kana of any kind.";
    NameKana "name_kana" "Whole name in kana, in one column.";
    EventDate "event_date" "Date or month of the event that the record tells about.";
    BirthDate "birth_date" "Date of birth in any written form.";
    Sex "sex" "Sex as recorded.";
    Postcode "postcode" "Postcode.";
    Address "address" "Address in one column.";
    Municipality "municipality" "Municipality code of five or six digits.";
    Phone "phone" "Phone number.";
    InsurerNo "insurer_no" "Health insurer's number.";
    InsurerSymbol "insurer_symbol" "Symbol (記号) on the insurance card.";
    InsuredNumber "insured_number" "Number (番号) on the insurance card.";
    InsuredBranch "insured_branch" "Branch (枝番) of the number.";
    CareInsuredNo "care_insured_no" "Number of the insured in long-term care insurance.";
    PatientNumber "patient_number" "The source's own number of the person.";
    Surname "surname" "Surname in Latin letters.";
    Given "given" "Given names in Latin letters.";
    FullName "full_name" "Whole name in Latin letters, in one column.";
    StreetNumber "street_number" "House number.";
    Street "street" "Street name.";
    Suburb "suburb" "Suburb or town.";
    Region "region" "State or region.";
    NationalId "national_id" "A national number, as in Western evaluation sets.";
    BirthPlace "birth_place" "Place of birth.";
    Occupation "occupation" "Occupation.";
    AliasKanji "alias_kanji" "A further whole name in kanji or Latin letters: a foreigner's alias (通称) or legal name.";
    AliasKana "alias_kana" "The same in kana.";
}

/// One record's fields as read. Plaintext: no `Debug`.
#[derive(Default)]
pub struct FieldValues<'a>([&'a str; Field::ALL.len()]);

impl<'a> FieldValues<'a> {
    /// Sets a field's text.
    pub fn set(&mut self, field: Field, text: &'a str) {
        self.0[field as usize] = text.trim();
    }

    /// Sets a field's text, which has no surrounding spaces.
    pub(super) fn set_trimmed(&mut self, field: Field, text: &'a str) {
        self.0[field as usize] = text;
    }

    /// A field's text without surrounding spaces; empty if the source has no such column.
    #[must_use]
    pub fn get(&self, field: Field) -> &'a str {
        self.0[field as usize]
    }
}
