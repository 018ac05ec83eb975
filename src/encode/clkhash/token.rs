//! From a value to its tokens.

use zeroize::Zeroizing;

use super::ClkValueError;
use super::value::integer;

/// How values are compared, and so cut into tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    /// Runs of `n` characters, the value padded with `n − 1` blanks at both ends.
    Ngram {
        /// How many characters.
        n: usize,
        /// Whether a token begins with its position, from 1, and a blank.
        positional: bool,
    },
    /// The value as one token.
    Exact,
    /// The neighbours of a number on a grid (Vatsalan and Christen 2016).
    Numeric {
        /// Distance of neighbouring grid points, in units of the last fractional digit, after
        /// numbers are multiplied by twice the resolution.
        interval: i128,
        /// Neighbours on each side.
        resolution: i128,
        /// Digits after the point that count.
        fractional_precision: u32,
    },
}

/// Tokens in the clear, wiped on drop.
pub(super) type Tokens = Vec<Zeroizing<String>>;

impl Comparison {
    /// The tokens of a value. An empty value has none.
    pub(super) fn tokens(&self, value: &str) -> Result<Tokens, ClkValueError> {
        if value.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Ngram { n, positional } => Ok(ngrams(value, *n, *positional)),
            Self::Exact => Ok(vec![Zeroizing::new(value.to_owned())]),
            Self::Numeric {
                interval,
                resolution,
                fractional_precision,
            } => {
                let scaled = scaled(value, *fractional_precision).ok_or(ClkValueError)?;
                let point = scaled.checked_mul(2 * resolution).ok_or(ClkValueError)?;
                let rest = point.rem_euclid(*interval);
                let nearest = if rest * 2 < *interval {
                    point - rest
                } else {
                    point - rest + interval
                };
                let neighbours = -resolution..=*resolution;
                Ok(neighbours
                    .map(|step| Zeroizing::new((nearest + step * interval).to_string()))
                    .collect())
            }
        }
    }
}

fn ngrams(value: &str, n: usize, positional: bool) -> Tokens {
    let pad = n.saturating_sub(1);
    let blanks = std::iter::repeat_n(' ', pad);
    let characters = blanks.clone().chain(value.chars()).chain(blanks);
    let characters = Zeroizing::new(characters.collect::<Vec<char>>());
    if characters.len() < n {
        return Vec::new();
    }
    let starts = 0..=characters.len() - n;
    starts
        .map(|start| {
            let gram = characters[start..start + n].iter();
            if positional {
                let mut token = format!("{} ", start + 1);
                token.extend(gram);
                Zeroizing::new(token)
            } else {
                Zeroizing::new(gram.collect())
            }
        })
        .collect()
}

/// A number as an integer in units of the last digit that counts: an integer exactly, a decimal
/// rounded half to even, or cut off where no digit after the point counts.
fn scaled(value: &str, digits: u32) -> Option<i128> {
    let unit = 10_i128.checked_pow(digits)?;
    if let Some(whole) = integer(value) {
        return whole.parse::<i128>().ok()?.checked_mul(unit);
    }
    let decimal: f64 = value.trim().parse().ok()?;
    let exact = if digits == 0 {
        decimal.trunc()
    } else {
        (decimal * unit as f64).round_ties_even()
    };
    // Beyond 2¹²⁰ a float has no such digits.
    (exact.is_finite() && exact.abs() < 2_f64.powi(120)).then_some(exact as i128)
}
