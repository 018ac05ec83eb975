//! Sex as recorded, as one code.

use super::text::clean;

/// Why a text is no sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sex is 1 or 2, M or F, male or female, 男 or 女")]
pub struct SexError;

/// `Some("1")` for male and `Some("2")` for female, the codes of receipts; `None` where the source
/// says that it does not know or does not ask (0, 9, 不明): that is missing, and agrees with all.
///
/// # Errors
/// [`SexError`] if the code is not known.
pub fn parse_sex(text: &str) -> Result<Option<&'static str>, SexError> {
    match text {
        "1" | "M" | "男" => return Ok(Some("1")),
        "2" | "F" | "女" => return Ok(Some("2")),
        _ => {}
    }
    match clean(text).to_lowercase().as_str() {
        "1" | "1.0" | "m" | "male" | "男" | "男性" | "男子" | "オトコ" | "おとこ" => {
            Ok(Some("1"))
        }
        "2" | "2.0" | "f" | "female" | "女" | "女性" | "女子" | "オンナ" | "おんな" => {
            Ok(Some("2"))
        }
        "" | "0" | "0.0" | "3" | "9.0" | "9" | "u" | "unknown" | "other" | "不明" | "不詳"
        | "その他" => Ok(None),
        _ => Err(SexError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_all_sources_agree() {
        for male in ["1", "１", "1.0", "M", "m", "男", "男性", "Male"] {
            assert_eq!(parse_sex(male), Ok(Some("1")), "{male}");
        }
        for female in ["2", "2.0", "F", "女", "女性", "female"] {
            assert_eq!(parse_sex(female), Ok(Some("2")), "{female}");
        }
        for unknown in ["", "9", "不明"] {
            assert_eq!(parse_sex(unknown), Ok(None), "{unknown}");
        }
        assert_eq!(parse_sex("t2227949966"), Err(SexError));
    }
}
