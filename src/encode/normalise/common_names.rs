//! Which given names are common.
//!
//! A tag that binds a given name, a birth date and a sex links people through a new surname and a move.
//! It is safe to send only where few people share the name. So such tags bind names that are not on a
//! list: *rare* ones are not among some 2,200 common readings, *uncommon* ones are not among the 710 most
//! common. The lists were written from general knowledge of Japanese names; they hold names only, no
//! person's data. They are part of the encoding: sources that are to be linked use the same lists, and
//! with them the same version of musubi.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::kana::fold_key_k2;
use super::kanji::canonical_kanji;

static KANA: LazyLock<HashSet<String>> =
    LazyLock::new(|| names(include_str!("common_given_kana.txt"), fold_key_k2));
static MOST_COMMON_KANA: LazyLock<HashSet<String>> =
    LazyLock::new(|| names(include_str!("most_common_given_kana.txt"), fold_key_k2));
static KANJI: LazyLock<HashSet<String>> = LazyLock::new(|| {
    names(include_str!("common_given_kanji.txt"), |name| {
        name.chars().map(canonical_kanji).collect()
    })
});

/// Whether a given name, as fold key K2, is read like many others.
#[must_use]
pub fn is_common_given_kana(k2: &str) -> bool {
    KANA.contains(k2)
}

/// Whether a given name, as fold key K2, is one of the most common readings.
#[must_use]
pub fn is_most_common_given_kana(k2: &str) -> bool {
    MOST_COMMON_KANA.contains(k2)
}

/// Whether a given name in kanji, variants folded, is written like many others.
#[must_use]
pub fn is_common_given_kanji(folded: &str) -> bool {
    KANJI.contains(folded)
}

fn names(text: &str, fold: fn(&str) -> String) -> HashSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_folded_as_the_attributes_are() {
        for common in ["ヨシコ", "シユン", "ユウタ"] {
            assert!(is_common_given_kana(common), "{common}");
        }
        assert!(!is_common_given_kana("シュン"), "small kana are folded");
        assert!(!is_common_given_kana("レイチエル") && !is_common_given_kana(""));
        assert!(is_most_common_given_kana("ヨウコ") && is_most_common_given_kana("シヨウタ"));
        assert!(is_common_given_kana("アキナ") && !is_most_common_given_kana("アキナ"));
        for common in ["恵子", "健一", "真美"] {
            assert!(is_common_given_kanji(common), "{common}");
        }
        assert!(!is_common_given_kanji("結珠") && !is_common_given_kanji(""));
    }

    #[test]
    fn lists_hold_names_only() {
        assert!((1_000..3_000).contains(&KANA.len()), "{}", KANA.len());
        assert!((200..2_000).contains(&KANJI.len()), "{}", KANJI.len());
        assert!((500..1_000).contains(&MOST_COMMON_KANA.len()));
        for name in KANA.iter().chain(MOST_COMMON_KANA.iter()) {
            assert!(name.chars().all(super::super::kana::is_kana), "{name}");
        }
    }
}
