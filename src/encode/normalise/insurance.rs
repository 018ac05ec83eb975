//! Health insurance and long-term care numbers: one spelling of each key.
//!
//! Two official forms of one insured person's key differ in width, hyphens and how an absent
//! branch is written. All are folded to one before hashing, where a single sign would part them.

use super::place::city_of_ward;
use super::text::{clean_number, digits_only};

/// Digits of an insurer number.
const INSURER_DIGITS: usize = 8;

/// An insurer number in canonical form.
#[derive(Clone, PartialEq, Eq)]
pub struct InsurerNumber {
    /// Eight digits, short ones (national health insurance) padded with zeros on the left.
    pub number: String,
    /// Whether the last digit is the check digit of the others. Numbers that fail are used all the
    /// same: both records of a person often carry the same misprint, and a false one seldom agrees.
    pub check_digit_holds: bool,
}

/// Reads an insurer number: 1 to 8 digits, padded to 8 (padding keeps the check digit valid).
/// `None` if it holds anything else.
#[must_use]
pub fn parse_insurer_number(text: &str) -> Option<InsurerNumber> {
    let digits = digits_only(text).filter(|digits| digits.len() <= INSURER_DIGITS)?;
    if digits.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let number = format!("{digits:0>INSURER_DIGITS$}");
    let check_digit_holds = check_digit(&number[..7]) == number.as_bytes()[7] - b'0';
    Some(InsurerNumber {
        number,
        check_digit_holds,
    })
}

/// The check digit of an insurer number: weights 2, 1, 2, … from the right, digits of the products
/// added, the difference to the next ten.
fn check_digit(digits: &str) -> u8 {
    let mut sum = 0;
    for (index, byte) in digits.bytes().rev().enumerate() {
        let product = (byte - b'0') * if index % 2 == 0 { 2 } else { 1 };
        sum += product / 10 + product % 10;
    }
    (10 - sum % 10) % 10
}

/// A symbol, number or branch in canonical form: NFKC, no spaces or hyphens. Zeros are kept, as
/// `0056` and `56` may be two people; so are kanji (`健846`).
#[must_use]
pub fn canonical_insured(text: &str) -> String {
    clean_number(text).replace('|', "")
}

/// The key of a household: `insurer|symbol|number`. Needs insurer and number; the symbol may be
/// empty, as those of 75 and over have none.
#[must_use]
pub fn insured_person(insurer: &str, symbol: &str, number: &str) -> Option<String> {
    let both = !insurer.is_empty() && !number.is_empty();
    both.then(|| format!("{insurer}|{symbol}|{number}"))
}

/// The key of one insured person: the household's with a branch. A missing branch is not `00`:
/// without one there is no such key.
#[must_use]
pub fn insured_branch(insured_person: &str, branch: &str) -> Option<String> {
    (!branch.is_empty()).then(|| format!("{insured_person}|{branch}"))
}

/// The key of a person insured for long-term care: municipality and number. Municipalities number
/// on their own, so that the number alone would join strangers; wards count as their city, which
/// is the insurer. `None` without either.
#[must_use]
pub fn care_insured(municipality: &str, number: &str) -> Option<String> {
    let number = canonical_insured(number);
    let both = !municipality.is_empty() && !number.is_empty();
    both.then(|| format!("{}|{number}", city_of_ward(municipality)))
}
