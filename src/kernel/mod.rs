//! Counts common bits of many filters at once. Plain slices in, counts out.
//!
//! The only room where `unsafe` may be allowed; what is here so far needs none.

/// Number of set bits.
#[must_use]
pub fn ones(filter: &[u64]) -> u32 {
    filter.iter().map(|word| word.count_ones()).sum()
}

/// Number of bits set in both.
///
/// # Shape
/// `a` and `b`: `[words]`, of equal length; words past the shorter one are not counted.
#[must_use]
pub fn common_ones(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(x, y)| (x & y).count_ones()).sum()
}

/// Sørensen–Dice similarity, `2·|a ∧ b| / (|a| + |b|)`, in `[0, 1]`.
///
/// Two empty filters give 0: absence of data is not agreement.
///
/// # Source
/// Dice 1945; for Bloom filters Schnell, Bachteler, Reiher 2009.
#[must_use]
pub fn dice(a: &[u64], b: &[u64]) -> f64 {
    let total = ones(a) + ones(b);
    if total == 0 {
        return 0.0;
    }
    f64::from(2 * common_ones(a, b)) / f64::from(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive_dice(a: &[u64], b: &[u64]) -> f64 {
        let bit = |words: &[u64], i: usize| words[i / 64] >> (i % 64) & 1 == 1;
        let (mut both, mut total) = (0, 0);
        for i in 0..a.len() * 64 {
            both += usize::from(bit(a, i) && bit(b, i));
            total += usize::from(bit(a, i)) + usize::from(bit(b, i));
        }
        if total == 0 {
            0.0
        } else {
            2.0 * both as f64 / total as f64
        }
    }

    proptest! {
        #[test]
        fn dice_equals_the_bit_by_bit_count(
            rows in (0_usize..20).prop_flat_map(|n| (
                proptest::collection::vec(any::<u64>(), n),
                proptest::collection::vec(any::<u64>(), n),
            )),
        ) {
            prop_assert!((dice(&rows.0, &rows.1) - naive_dice(&rows.0, &rows.1)).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_filters_are_alike_and_disjoint_ones_are_not() {
        assert!((dice(&[5, 9], &[5, 9]) - 1.0).abs() < 1e-12);
        assert!(dice(&[0b01], &[0b10]).abs() < 1e-12);
        assert!(dice(&[0], &[0]).abs() < 1e-12);
    }
}
