//! Health insurance as cards and claims show it: insurer number with its check digit, symbol, number,
//! branch. A household shares symbol and number; the branch tells its members apart.

use std::fmt::Write as _;

use rand::Rng;

/// Symbol of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// No symbol: the old-old, and some societies.
    None,
    /// Digits only.
    Digits(u32),
    /// `健` and digits, as societies print it.
    Society(u32),
    /// The municipality's number and a hyphen.
    Municipal(u32),
}

/// What a card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// Eight digits with check digit; leading zeros are part of it.
    pub insurer: u32,
    /// Symbol.
    pub symbol: Symbol,
    /// Number of the household, or of the person from 75.
    pub number: u32,
    /// Branch: position in the household.
    pub branch: u8,
}

/// How the head of a household is insured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Through an employer.
    Employed(Cover),
    /// By the municipality of residence (kokuho); follows the home.
    Municipal,
}

/// Completes seven digits with the check digit: weights 2, 1, 2, … from the right, sum of the
/// digits of the products, ten minus its last digit. The rule of Japanese insurer numbers.
#[must_use]
pub fn with_check_digit(seven: u32) -> u32 {
    let mut rest = seven;
    let mut sum = 0;
    let mut weight = 2;
    while rest > 0 {
        let product = rest % 10 * weight;
        sum += product / 10 + product % 10;
        weight = 3 - weight;
        rest /= 10;
    }
    seven * 10 + (10 - sum % 10) % 10
}

/// Spreads an index over `[0, range)`, so that neighbours do not get neighbouring numbers.
pub(super) fn spread(index: u32, salt: u32, range: u32) -> u32 {
    let mixed = (u64::from(index) << 32 | u64::from(salt)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as u32 % range
}

/// A number of its own for each index below `range`, in no visible order: multiplication by a
/// constant that has no factor in common with any power of ten or with 7, shifted by the salt.
pub(super) fn own_number(index: u64, salt: u64, range: u64) -> u64 {
    (index * 57_885_161 + salt * 7_919) % range
}

/// Insurance of the municipality: `00`, prefecture, municipality. Below 9.8 million households no
/// two share a number.
#[must_use]
pub fn municipal_cover(municipality: u32, household: u32, position: u8) -> Cover {
    let number = own_number(u64::from(household), u64::from(municipality), 9_800_000);
    Cover {
        insurer: with_check_digit(municipality),
        symbol: Symbol::Municipal(municipality % 1000),
        number: 100_000 + number as u32,
        branch: position,
    }
}

/// Insurance from 75: `39`, prefecture, municipality; a number of one's own.
#[must_use]
pub fn elder_cover(municipality: u32, person: u32) -> Cover {
    let prefecture = u64::from(municipality / 1000);
    let number = own_number(u64::from(person), prefecture, 89_000_000);
    Cover {
        insurer: with_check_digit(3_900_000 + municipality),
        symbol: Symbol::None,
        number: 10_000_000 + number as u32,
        branch: 0,
    }
}

/// Employers and the insurers that they belong to.
pub struct Employers {
    employers: Vec<(u32, Symbol)>,
    /// Numbers that an employer hands out.
    numbers: u32,
}

/// Number of employers of a small population; larger ones have one per [`PEOPLE_PER_EMPLOYER`]. With
/// the skew below the largest of 1,200 insures about one household in fifteen.
const EMPLOYERS: u32 = 1_200;
const PEOPLE_PER_EMPLOYER: u32 = 50;
/// Number of insurance societies (prefix 06).
const SOCIETIES: u32 = 120;
/// Share of employers in the national association for small firms (prefix 01).
const ASSOCIATION_SHARE: f64 = 0.6;

impl Employers {
    /// Draws the employers of a population of `persons`.
    pub fn new(persons: u32, rng: &mut impl Rng) -> Self {
        let count = EMPLOYERS.max(persons / PEOPLE_PER_EMPLOYER);
        let prefectures = [25, 26, 27, 27, 28, 29, 30];
        let make = |index: u32, rng: &mut _| {
            let prefecture = prefectures[spread(index, 1, 7) as usize];
            let seven = if Rng::random_bool(rng, ASSOCIATION_SHARE) {
                100_000 + prefecture * 1_000 + 1
            } else {
                let society = spread(index, 2, SOCIETIES);
                600_000 + prefectures[society as usize % 7] * 1_000 + 100 + society * 7
            };
            let symbol = match Rng::random_range(rng, 0..20_u32) {
                0 => Symbol::None,
                1..=4 => Symbol::Society(Rng::random_range(rng, 20..1_000)),
                5 => Symbol::Digits(Rng::random_range(rng, 100..10_000)),
                _ => Symbol::Digits(Rng::random_range(rng, 10_000..100_000)),
            };
            (with_check_digit(seven), symbol)
        };
        Self {
            employers: (0..count).map(|index| make(index, rng)).collect(),
            numbers: 10_000.max(persons / 10),
        }
    }

    /// A job: two in three households are insured through an employer, large ones more often.
    pub fn job(&self, rng: &mut impl Rng) -> Job {
        if !rng.random_bool(0.66) {
            return Job::Municipal;
        }
        let skewed = rng.random::<f64>().powi(3) * self.employers.len() as f64;
        let (insurer, symbol) = self.employers[skewed as usize % self.employers.len()];
        let number = rng.random_range(1..self.numbers);
        Job::Employed(Cover {
            insurer,
            symbol,
            number,
            branch: 0,
        })
    }
}

impl Cover {
    /// Appends the insurer number; some systems lose its leading zero.
    pub fn write_insurer(&self, lose_zero: bool, out: &mut String) {
        let width = if lose_zero && self.insurer < 10_000_000 {
            7
        } else {
            8
        };
        write!(out, "{:0width$}", self.insurer).expect("a String takes everything");
    }

    /// Appends the symbol.
    pub fn write_symbol(&self, out: &mut String) {
        let written = match self.symbol {
            Symbol::None => Ok(()),
            Symbol::Digits(digits) => write!(out, "{digits}"),
            Symbol::Society(digits) => write!(out, "健{digits}"),
            Symbol::Municipal(digits) => write!(out, "{digits}-"),
        };
        written.expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digit_of_a_published_number() {
        // The national association's Tokyo branch: 01130012.
        assert_eq!(with_check_digit(113_001), 1_130_012);
    }

    #[test]
    fn a_household_shares_its_number_and_a_mover_gets_another() {
        let head = municipal_cover(27_127, 5, 0);
        let child = municipal_cover(27_127, 5, 2);
        assert_eq!((head.insurer, head.number), (child.insurer, child.number));
        assert_ne!(head.branch, child.branch);
        assert_ne!(head.number, municipal_cover(28_201, 5, 0).number);
    }
}
