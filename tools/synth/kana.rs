//! Katakana as systems store it: half-width, without small letters, with a slip of the keyboard.

use rand::Rng;

/// Half-width spelling of U+30A1 to U+30F6, in order.
const HALF: &str = "ｧ ｱ ｨ ｲ ｩ ｳ ｪ ｴ ｫ ｵ ｶ ｶﾞ ｷ ｷﾞ ｸ ｸﾞ ｹ ｹﾞ ｺ ｺﾞ ｻ ｻﾞ ｼ ｼﾞ ｽ ｽﾞ ｾ ｾﾞ ｿ ｿﾞ ﾀ ﾀﾞ ﾁ ﾁﾞ ｯ ﾂ ﾂﾞ ﾃ ﾃﾞ ﾄ ﾄﾞ ﾅ ﾆ ﾇ ﾈ ﾉ \
ﾊ ﾊﾞ ﾊﾟ ﾋ ﾋﾞ ﾋﾟ ﾌ ﾌﾞ ﾌﾟ ﾍ ﾍﾞ ﾍﾟ ﾎ ﾎﾞ ﾎﾟ ﾏ ﾐ ﾑ ﾒ ﾓ ｬ ﾔ ｭ ﾕ ｮ ﾖ ﾗ ﾘ ﾙ ﾚ ﾛ ﾜ ﾜ ｲ ｴ ｦ ﾝ ｳﾞ ｶ ｹ";

/// Pairs that ears and eyes confuse: voiced and plain, ヅ/ズ, ヂ/ジ, ソ/ン, ヲ/オ, small and large.
const CONFUSED: &str = "カガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボハパズヅジヂソンシツヲオャヤュユョヨッツクワヌスロコエイオウ";

/// The table of half-width spellings, split once.
pub struct HalfWidth {
    spelled: Vec<&'static str>,
}

impl HalfWidth {
    /// Splits the table.
    #[must_use]
    pub fn new() -> Self {
        Self {
            spelled: HALF.split(' ').collect(),
        }
    }

    /// Appends the text in half-width kana; other characters stay.
    pub fn write(&self, text: &str, out: &mut String) {
        for letter in text.chars() {
            let offset = u32::from(letter).wrapping_sub(0x30A1) as usize;
            match (self.spelled.get(offset), letter) {
                (Some(spelled), _) => out.push_str(spelled),
                (None, 'ー') => out.push('ｰ'),
                (None, other) => out.push(other),
            }
        }
    }
}

impl Default for HalfWidth {
    fn default() -> Self {
        Self::new()
    }
}

/// Spells small letters large: `シュン` becomes `シユン`, as old systems store it.
pub fn enlarge(text: &mut String) {
    let large = |letter: char| match letter {
        'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
            char::from_u32(u32::from(letter) + 1).unwrap_or(letter)
        }
        other => other,
    };
    *text = text.chars().map(large).collect();
}

/// Makes one slip in a reading: six in ten a confused letter, else one left out, doubled, or
/// exchanged with its neighbour. Never empties the text. Tells whether it differs now.
pub fn mistype(text: &mut String, rng: &mut impl Rng) -> bool {
    let mut letters: Vec<char> = text.chars().collect();
    let Some(last) = letters.len().checked_sub(1) else {
        return false;
    };
    let at = rng.random_range(0..=last);
    match rng.random_range(0..20) {
        0..12 => letters[at] = confused(letters[at], rng),
        12..15 if last > 0 => {
            letters.remove(at);
        }
        15..18 if last > 0 => letters.swap(at, if at == last { at - 1 } else { at + 1 }),
        _ => letters.insert(at, letters[at]),
    }
    let slip: String = letters.into_iter().collect();
    let differs = slip != *text;
    *text = slip;
    differs
}

fn confused(letter: char, rng: &mut impl Rng) -> char {
    let mut others = Vec::new();
    let mut pairs = CONFUSED.chars();
    while let (Some(one), Some(other)) = (pairs.next(), pairs.next()) {
        if one == letter {
            others.push(other);
        } else if other == letter {
            others.push(one);
        }
    }
    if others.is_empty() {
        return 'ン';
    }
    others[rng.random_range(0..others.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_width_covers_every_katakana() {
        let table = HalfWidth::new();
        assert_eq!(table.spelled.len(), 0x30F6 - 0x30A1 + 1);
        let mut out = String::new();
        table.write("ガギャッポヴァー ヲンa", &mut out);
        assert_eq!(out, "ｶﾞｷﾞｬｯﾎﾟｳﾞｧｰ ｦﾝa");
    }

    #[test]
    fn large_letters_replace_small_ones() {
        let mut name = "ジュンッ".to_owned();
        enlarge(&mut name);
        assert_eq!(name, "ジユンツ");
    }
}
