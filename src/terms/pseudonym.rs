//! The form of a pseudonym: 28 characters, as in `1Q8F…7`.
//!
//! | characters | content |
//! |---|---|
//! | 1 | version: how often the project's pseudonyms were issued, base 32, from 1 |
//! | 26 | 130 bits: two zero bits and 128 bits of the keyed function, highest first |
//! | 1 | check character over the 27 before it |
//!
//! Characters are Crockford's base 32: digits and capital letters without I, L, O and U. As elements of the field of 32
//! (x⁵ + x² + 1, primitive element α = 2) all 28, each times the power of α that counts the characters after it, sum to
//! zero. The powers differ, as α has order 31: every wrong character is found, and every swap of two.

use serde::{Deserialize, Serialize};

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a pseudonym.
const LENGTH: usize = 28;
/// Most versions of one project: one character.
const VERSION_MAX: u8 = 31;

/// How often the pseudonyms of a project were issued: 1 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PseudonymVersion(u8);

impl PseudonymVersion {
    /// Issued once.
    pub const FIRST: Self = Self(1);

    /// Issued once more; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0 + 1).ok()
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for PseudonymVersion {
    type Error = PseudonymError;

    fn try_from(number: u8) -> Result<Self, PseudonymError> {
        if (1..=VERSION_MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(PseudonymError::Form)
        }
    }
}

impl From<PseudonymVersion> for u8 {
    fn from(version: PseudonymVersion) -> Self {
        version.0
    }
}

/// What one project calls one entity. Tells nothing about the entity, or about its pseudonym in another project.
///
/// # Privacy
/// It stands for a person: no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym {
    version: PseudonymVersion,
    bits: u128,
}

/// Why a text is not a pseudonym. Carries the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PseudonymError {
    /// Not 28 characters of the alphabet.
    #[error(
        "a pseudonym is 28 characters of 0-9 and A-Z without I, L, O and U, before its check character"
    )]
    Form,
    /// A typing error.
    #[error("the check character does not fit: the pseudonym is mistyped")]
    Check,
}

impl Pseudonym {
    /// `bits`: of the keyed function.
    #[must_use]
    pub fn new(version: PseudonymVersion, bits: u128) -> Self {
        Self { version, bits }
    }

    /// The version of its project that it was issued under.
    #[must_use]
    pub fn version(self) -> PseudonymVersion {
        self.version
    }

    /// Writes its 28 characters.
    #[must_use]
    pub fn to_text(self) -> [u8; LENGTH] {
        let mut text = [0; LENGTH];
        text[0] = DIGITS[usize::from(self.version.0)];
        for (index, character) in text[1..LENGTH - 1].iter_mut().enumerate() {
            let digit = self.bits >> (5 * (25 - index)) & 31;
            *character = DIGITS[digit as usize];
        }
        let values = text[..LENGTH - 1].iter().filter_map(|one| value_of(*one));
        text[LENGTH - 1] = DIGITS[usize::from(times_alpha(sum(values)))];
        text
    }

    /// Reads a pseudonym; small letters count as capitals.
    ///
    /// # Errors
    /// [`PseudonymError`]
    pub fn parse(text: &str) -> Result<Self, PseudonymError> {
        let text = text.to_ascii_uppercase();
        let text: &[u8; LENGTH] = text
            .as_bytes()
            .try_into()
            .map_err(|_| PseudonymError::Form)?;
        let mut values = [0; LENGTH];
        for (value, character) in values.iter_mut().zip(text) {
            *value = value_of(*character).ok_or(PseudonymError::Form)?;
        }
        // 26 characters hold two bits more than there are.
        if values[1] >= 8 {
            return Err(PseudonymError::Form);
        }
        if sum(values.into_iter()) != 0 {
            return Err(PseudonymError::Check);
        }
        let digits = &values[1..LENGTH - 1];
        let bits = (digits.iter()).fold(0, |bits: u128, value| bits << 5 | u128::from(*value));
        Ok(Self::new(values[0].try_into()?, bits))
    }
}

/// The value of a character, 0 to 31.
fn value_of(character: u8) -> Option<u8> {
    // There are 32 places.
    DIGITS
        .iter()
        .position(|known| *known == character)
        .map(|place| place as u8)
}

/// The sum of the values, each times the power of α that counts the values after it.
fn sum(values: impl Iterator<Item = u8>) -> u8 {
    values.fold(0, |sum, value| times_alpha(sum) ^ value)
}

/// The product with α.
fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        shifted ^ 0b10_0101
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(pseudonym: Pseudonym) -> String {
        String::from_utf8(pseudonym.to_text().to_vec()).expect("ASCII")
    }

    #[test]
    fn alpha_has_order_31() {
        let mut power = 1;
        let powers: std::collections::BTreeSet<u8> = (0..31)
            .map(|_| {
                power = times_alpha(power);
                power
            })
            .collect();
        assert_eq!((powers.len(), power), (31, 1));
    }

    #[test]
    fn the_form_is_frozen() {
        let one = Pseudonym::new(PseudonymVersion::FIRST, 0);
        assert_eq!(text(one), "100000000000000000000000000B");
        let last = Pseudonym::new(PseudonymVersion(VERSION_MAX), u128::MAX);
        assert_eq!(text(last), "Z7ZZZZZZZZZZZZZZZZZZZZZZZZZB");
        for version in [0, 32] {
            assert_eq!(
                PseudonymVersion::try_from(version),
                Err(PseudonymError::Form)
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(version in 1..=VERSION_MAX, bits: u128) {
            let pseudonym = Pseudonym::new(PseudonymVersion(version), bits);
            prop_assert!(Pseudonym::parse(&text(pseudonym)) == Ok(pseudonym));
            prop_assert!(Pseudonym::parse(&text(pseudonym).to_lowercase()) == Ok(pseudonym));
        }

        #[test]
        fn one_wrong_character_or_a_swap_of_two_is_found(
            bits: u128, place in 0..LENGTH, other in 0..LENGTH, digit in 0..32_usize,
        ) {
            let good = Pseudonym::new(PseudonymVersion(3), bits).to_text();
            let mut wrong = good;
            wrong[place] = DIGITS[digit];
            let mut swapped = good;
            swapped.swap(place, other);
            for bad in [wrong, swapped] {
                let text = std::str::from_utf8(&bad).expect("ASCII");
                prop_assert!(bad == good || Pseudonym::parse(text).is_err());
            }
        }

        #[test]
        fn nothing_else_is_read(text in ".{0,40}") {
            if let Ok(pseudonym) = Pseudonym::parse(&text) {
                prop_assert!(text.eq_ignore_ascii_case(std::str::from_utf8(&pseudonym.to_text()).expect("ASCII")));
            }
        }
    }
}
