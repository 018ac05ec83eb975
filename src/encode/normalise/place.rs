//! Postcodes, municipality codes and phone numbers.

use std::borrow::Cow;

use super::text::{clean, digits_only};

/// A Japanese postcode: seven digits. `None` for anything else; the old codes of three and five
/// digits numbered other areas.
#[must_use]
pub fn parse_postcode(text: &str) -> Option<Cow<'_, str>> {
    let is_postcode = |digits: &Cow<'_, str>| digits.len() == 7;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(text)).filter(is_postcode);
    }
    let cleaned = clean(text);
    let digits = digits_only(cleaned.trim_start_matches('〒')).filter(is_postcode)?;
    Some(Cow::Owned(digits.into_owned()))
}

/// A postcode of another country: letters and digits, capitals, no spaces.
#[must_use]
pub fn latin_postcode(text: &str) -> String {
    let cleaned = clean(text);
    let kept = cleaned.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// Why a text is no municipality code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MunicipalityError {
    /// Not five or six digits beginning with a prefecture.
    #[error("a municipality code is 5 or 6 digits and begins with a prefecture, 01 to 47")]
    Form,
    /// The sixth digit is not the check digit of the others: one of them was mistyped.
    #[error("the sixth digit of a municipality code is its check digit")]
    CheckDigit,
}

/// A municipality code (JIS X 0402): five digits, without the check digit. A code that lost its
/// leading zero in a spreadsheet gets it back.
///
/// # Errors
/// [`MunicipalityError`], with the rule.
pub fn parse_municipality(text: &str) -> Result<String, MunicipalityError> {
    let digits = digits_only(text).ok_or(MunicipalityError::Form)?;
    let code = match digits.len() {
        4 => Cow::Owned(format!("0{digits}")),
        5 | 6 => digits,
        _ => return Err(MunicipalityError::Form),
    };
    if !("01"..="47").contains(&&code[..2]) {
        return Err(MunicipalityError::Form);
    }
    if code.len() == 6 && municipality_check_digit(&code[..5]) != code.as_bytes()[5] - b'0' {
        return Err(MunicipalityError::CheckDigit);
    }
    Ok(code[..5].to_owned())
}

/// Weights 6 to 2, modulus 11.
fn municipality_check_digit(digits: &str) -> u8 {
    let weighted = digits.bytes().zip((2..=6).rev());
    let sum: u8 = weighted.map(|(byte, weight)| (byte - b'0') * weight).sum();
    (11 - sum % 11) % 10
}

/// Codes of the cities that have wards. A ward's code follows its city's.
const WARD_CITIES: [&str; 20] = [
    "01100", "04100", "11100", "12100", "14100", "14130", "14150", "15100", "22100", "22130",
    "23100", "26100", "27100", "27140", "28100", "33100", "34100", "40100", "40130", "43100",
];

/// The code of the city that a ward belongs to; any other code as it is. The special wards of
/// Tokyo are municipalities of their own.
#[must_use]
pub fn city_of_ward(municipality: &str) -> &str {
    let is_ward = municipality.len() == 5
        && municipality.as_bytes()[2] == b'1'
        && !municipality.starts_with("13");
    if !is_ward {
        return municipality;
    }
    let city = WARD_CITIES
        .iter()
        .rev()
        .find(|city| **city <= municipality && city[..2] == municipality[..2]);
    city.copied().unwrap_or(municipality)
}

/// A Japanese phone number: 10 or 11 digits beginning with 0 (`+81` is that 0). `None` for
/// anything else.
#[must_use]
pub fn parse_phone(text: &str) -> Option<Cow<'_, str>> {
    let usable = |digits: &Cow<'_, str>| matches!(digits.len(), 10 | 11) && digits.starts_with('0');
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(text)).filter(usable);
    }
    let cleaned = clean(text).replace(['(', ')', '.', '/'], "");
    let national = match cleaned.strip_prefix("+81") {
        Some(rest) => format!("0{}", rest.trim_start_matches(['-', ' ', '0'])),
        None => cleaned,
    };
    let digits = digits_only(&national).filter(usable)?;
    Some(Cow::Owned(digits.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_and_phones_are_digits() {
        for written in ["5700002", "570-0002", "〒５７０－０００２", "570 0002"] {
            assert_eq!(
                parse_postcode(written).as_deref(),
                Some("5700002"),
                "{written}"
            );
        }
        for written in ["570", "57000", "57000021", "570000a", ""] {
            assert!(parse_postcode(written).is_none(), "{written}");
        }
        for written in [
            "090-1234-5678",
            "+81 90 1234 5678",
            "+81(0)90-1234-5678",
            "０９０１２３４５６７８",
        ] {
            assert_eq!(
                parse_phone(written).as_deref(),
                Some("09012345678"),
                "{written}"
            );
        }
        for written in ["1234-5678", "119", "9012345678", "0901234567890"] {
            assert!(parse_phone(written).is_none(), "{written}");
        }
        assert_eq!(latin_postcode("tq13 8df"), "TQ138DF");
    }

    #[test]
    fn municipality_codes_are_checked() {
        for (written, code) in [
            ("131016", "13101"),
            ("271004", "27100"),
            ("472018", "47201"),
            ("1100", "01100"),
        ] {
            assert_eq!(parse_municipality(written).as_deref(), Ok(code));
        }
        assert_eq!(
            parse_municipality("131017"),
            Err(MunicipalityError::CheckDigit)
        );
        for bad in ["", "131", "1310161", "99101", "00101"] {
            assert_eq!(
                parse_municipality(bad),
                Err(MunicipalityError::Form),
                "{bad}"
            );
        }
    }
}
