//! Health insurance and long-term care numbers: one spelling of each key.
//!
//! Two official forms of one insured person's key differ in width, hyphens and how an absent
//! branch is written. All are folded to one before hashing, where a single sign would part them.

use std::borrow::Cow;

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
    /// Whether the insurer numbers its insured within a symbol (the workplace), so that a number
    /// without it would join strangers. So do employees' insurers; residents' insurers may have no
    /// symbols, those of 75 and over (39) have none. Told by the first two of eight digits, hence
    /// only if all eight were written.
    pub needs_symbol: bool,
}

/// Reads an insurer number: 1 to 8 digits, padded to 8 (padding keeps the check digit valid).
/// `None` if it holds anything else.
#[must_use]
pub fn parse_insurer_number(text: &str) -> Option<InsurerNumber> {
    let digits = digits_only(text).filter(|digits| digits.len() <= INSURER_DIGITS)?;
    if digits.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let mut number = String::with_capacity(INSURER_DIGITS);
    number.push_str(&"00000000"[digits.len()..]);
    number.push_str(&digits);
    let check_digit_holds = check_digit(&number[..7]) == number.as_bytes()[7] - b'0';
    let law_is_written = digits.len() == INSURER_DIGITS;
    let needs_symbol = law_is_written && EMPLOYEES_INSURANCE.contains(&&number[..2]);
    Some(InsurerNumber {
        number,
        check_digit_holds,
        needs_symbol,
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
    insured_part(text).into_owned()
}

/// As [`canonical_insured`]: a text in canonical form stays where it is.
#[must_use]
pub fn insured_part(text: &str) -> Cow<'_, str> {
    let number = clean_number(text);
    if number.bytes().any(|byte| byte == b'|') {
        Cow::Owned(number.replace('|', ""))
    } else {
        number
    }
}

/// Laws that an employees' insurer may stand under: the first two digits of its number.
const EMPLOYEES_INSURANCE: [&str; 16] = [
    "01", "02", "03", "04", "05", "06", "07", "31", "32", "33", "34", "63", "72", "73", "74", "75",
];

/// The key of a household in pieces: `insurer|symbol|number`. `None` without the number, or without
/// the symbol where the number means nothing without it.
#[must_use]
pub fn insured_person<'a>(
    insurer: &'a InsurerNumber,
    symbol: &'a str,
    number: &'a str,
) -> Option<[&'a str; 5]> {
    let ambiguous = symbol.is_empty() && insurer.needs_symbol;
    let usable = !number.is_empty() && !ambiguous;
    usable.then_some([&insurer.number, "|", symbol, "|", number])
}

/// The key of one insured person in pieces: the household's with a branch. A missing branch is not `00`:
/// without one there is no such key.
#[must_use]
pub fn insured_branch<'a>(
    [insurer, bar, symbol, _, number]: [&'a str; 5],
    branch: &'a str,
) -> Option<[&'a str; 7]> {
    (!branch.is_empty()).then_some([insurer, bar, symbol, bar, number, bar, branch])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_its_symbol_is_no_key_where_symbols_are_used() {
        for (insurer, symbol, number, usable) in [
            ("06269752", "", "5738", false),
            ("06269752", "57689", "5738", true),
            ("39280217", "", "55882273", true),
            ("138016", "", "55882273", true),
            ("138016", "1", "", false),
        ] {
            let parsed = parse_insurer_number(insurer).expect("digits");
            let key = insured_person(&parsed, symbol, number);
            assert_eq!(key.is_some(), usable, "{insurer}");
        }
    }

    #[test]
    fn any_one_wrong_digit_breaks_the_check() {
        let good = "33120015";
        for at in 0..8 {
            for digit in '0'..='9' {
                let mut changed: Vec<char> = good.chars().collect();
                changed[at] = digit;
                let changed: String = changed.into_iter().collect();
                let insurer = parse_insurer_number(&changed).expect("digits");
                assert_eq!(insurer.check_digit_holds, changed == good);
            }
        }
        for bad in ["", "0", "00000000", "123456789", "12a4"] {
            assert!(parse_insurer_number(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn wards_count_as_their_city() {
        for (municipality, expected) in [
            ("27127", "27100|7"),
            ("27142", "27140|7"),
            ("13104", "13104|7"),
            ("25208", "25208|7"),
        ] {
            assert_eq!(care_insured(municipality, "7").as_deref(), Some(expected));
        }
    }
}
