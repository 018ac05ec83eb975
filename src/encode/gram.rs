//! Cuts a value into grams: the pieces that a filter counts as common or not.

use zeroize::Zeroize;

use super::identity::UNKNOWN;
use crate::terms::profile::Grams;

/// Padding of bigrams at both ends. No normalised value holds it.
pub(super) const PAD: char = '\0';

/// The grams of one value, in a buffer that is used again for the next value.
///
/// # Privacy
/// Plaintext: no `Debug`, wiped on drop.
pub(super) struct GramBuffer {
    text: String,
    /// Start and end in `text`, and occurrence.
    pieces: Vec<(usize, usize, u32)>,
}

impl Drop for GramBuffer {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl GramBuffer {
    /// An empty buffer with room for long values, so that growing leaves no copies behind.
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(512),
            pieces: Vec::with_capacity(64),
        }
    }

    /// Replaces the content by the grams of this value. Grams that hold [`UNKNOWN`] are dropped.
    pub(super) fn cut(&mut self, grams: Grams, value: &str) {
        self.text.clear();
        self.pieces.clear();
        match grams {
            Grams::Bigrams => self.bigrams(value),
            Grams::Unigrams => {
                for character in value.chars() {
                    self.push(&[character]);
                }
            }
            Grams::Whole => self.push_text(value),
            Grams::Prefixes => self.prefixes(value),
            Grams::DateParts => self.date_parts(value),
        }
    }

    /// Each gram with its occurrence: 0 for the first of its text, 1 for the second, and so on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.pieces
            .iter()
            .map(|&(start, end, occurrence)| (&self.text[start..end], occurrence))
    }

    fn bigrams(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        let mut previous = PAD;
        for character in value.chars() {
            self.push(&[previous, character]);
            previous = character;
        }
        self.push(&[previous, PAD]);
    }

    /// The first 3 and 5 characters, where there are more, and all of them.
    fn prefixes(&mut self, value: &str) {
        for length in [3, 5] {
            if let Some((end, _)) = value.char_indices().nth(length) {
                self.push_text(&value[..end]);
            }
        }
        self.push_text(value);
    }

    /// Year, month, day and their pairs, each marked with what it is. A value that has not eight
    /// characters has no parts.
    fn date_parts(&mut self, value: &str) {
        let mut characters = [PAD; 8];
        let mut length = 0;
        for character in value.chars() {
            if length == 8 {
                return;
            }
            characters[length] = character;
            length += 1;
        }
        if length != 8 {
            return;
        }
        let [y1, y2, y3, y4, m1, m2, d1, d2] = characters;
        self.push(&['y', y1, y2, y3, y4]);
        self.push(&['m', m1, m2]);
        self.push(&['d', d1, d2]);
        self.push(&['y', 'm', y1, y2, y3, y4, m1, m2]);
        self.push(&['m', 'd', m1, m2, d1, d2]);
        self.push(&['y', 'd', y1, y2, y3, y4, d1, d2]);
    }

    fn push(&mut self, characters: &[char]) {
        if characters.contains(&UNKNOWN) {
            return;
        }
        let start = self.text.len();
        self.text.extend(characters);
        self.number(start);
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() || text.contains(UNKNOWN) {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.number(start);
    }

    /// Records the gram from `start` to the end of the text, with its occurrence.
    fn number(&mut self, start: usize) {
        let end = self.text.len();
        let gram = &self.text[start..end];
        let earlier = self.pieces.iter();
        let occurrence = earlier
            .filter(|(s, e, _)| &self.text[*s..*e] == gram)
            .count();
        // A value is a field of a person: far fewer than 2³² grams.
        self.pieces.push((start, end, occurrence as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(grams: Grams, value: &str) -> Vec<String> {
        let mut buffer = GramBuffer::new();
        buffer.cut(Grams::Whole, "left over from the value before");
        buffer.cut(grams, value);
        let shown = buffer
            .iter()
            .map(|(gram, occurrence)| format!("{}{occurrence}", gram.replace(PAD, "_")));
        shown.collect()
    }

    #[test]
    fn bigrams_are_padded_and_numbered() {
        assert_eq!(
            cut(Grams::Bigrams, "サトウ"),
            ["_サ0", "サト0", "トウ0", "ウ_0"]
        );
        assert_eq!(
            cut(Grams::Bigrams, "ササササ"),
            ["_サ0", "ササ0", "ササ1", "ササ2", "サ_0"]
        );
        assert_eq!(cut(Grams::Bigrams, "イ"), ["_イ0", "イ_0"]);
        assert!(cut(Grams::Bigrams, "").is_empty());
    }

    #[test]
    fn grams_with_an_unknown_character_are_dropped() {
        assert_eq!(
            cut(Grams::Bigrams, "ア\u{FFFD}ウエ"),
            ["_ア0", "ウエ0", "エ_0"]
        );
        assert_eq!(cut(Grams::Unigrams, "渡\u{FFFD}"), ["渡0"]);
        assert!(cut(Grams::Whole, "1\u{FFFD}").is_empty());
        assert_eq!(cut(Grams::Prefixes, "123\u{FFFD}567"), ["1230"]);
        assert_eq!(
            cut(Grams::DateParts, "197003\u{FFFD}\u{FFFD}"),
            ["y19700", "m030", "ym1970030"]
        );
    }

    #[test]
    fn unigrams_are_numbered_by_occurrence() {
        assert_eq!(cut(Grams::Unigrams, "佐々佐"), ["佐0", "々0", "佐1"]);
    }

    #[test]
    fn prefixes_are_of_three_five_and_all() {
        assert_eq!(
            cut(Grams::Prefixes, "1234567"),
            ["1230", "123450", "12345670"]
        );
        assert_eq!(cut(Grams::Prefixes, "12345"), ["1230", "123450"]);
        assert_eq!(cut(Grams::Prefixes, "123"), ["1230"]);
        assert!(cut(Grams::Prefixes, "").is_empty());
    }

    #[test]
    fn a_date_has_three_parts_and_three_pairs() {
        assert_eq!(
            cut(Grams::DateParts, "19850203"),
            [
                "y19850",
                "m020",
                "d030",
                "ym1985020",
                "md02030",
                "yd1985030"
            ]
        );
        assert!(cut(Grams::DateParts, "1985").is_empty());
        assert!(cut(Grams::DateParts, "198502031").is_empty());
    }
}
