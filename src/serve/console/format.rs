//! Numbers and times as people read them.

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bits with a sign and one decimal: `+4.5`, `−1.0`, `0.0`.
pub(super) fn bits(value: f64) -> String {
    let text = format!("{:.1}", value.abs());
    if text == "0.0" {
        text
    } else if value < 0.0 {
        format!("−{text}")
    } else {
        format!("+{text}")
    }
}

/// A probability: four decimals where they say something, powers of ten below.
pub(super) fn probability(value: f64) -> String {
    if value == 0.0 || value >= 0.001 {
        return format!("{value:.4}");
    }
    let exponent = value.log10().floor();
    let digits = value / 10_f64.powf(exponent);
    let raised: String = format!("{}", -exponent)
        .chars()
        .map(|digit| match digit {
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            _ => '⁹',
        })
        .collect();
    format!("{digits:.1} × 10⁻{raised}")
}

/// A share as a percentage with one decimal; two where it would read as 100 %.
pub(super) fn percent(part: f64) -> String {
    if (0.9995..1.0).contains(&part) {
        format!("{:.2} %", (part * 10_000.0).floor() / 100.0)
    } else {
        format!("{:.1} %", part * 100.0)
    }
}

/// Seconds: `0.04 s`, `3.2 s`, `4 min 10 s`.
pub(super) fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{value:.2} s")
    } else if value < 120.0 {
        format!("{value:.1} s")
    } else {
        let whole = value.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// `2026-11-22 13:05 UTC`. Civil date from days by the usual reckoning in eras of 400 years,
/// years starting in March.
pub(super) fn time(unix_s: u64) -> String {
    let days = unix_s / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (unix_s / 3_600 % 24, unix_s / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(bits(4.5), "+4.5");
        assert_eq!(bits(-1.04), "−1.0");
        assert_eq!(bits(-0.01), "0.0");
        assert_eq!(probability(0.25), "0.2500");
        assert_eq!(probability(0.000_034), "3.4 × 10⁻⁵");
        assert_eq!(percent(0.5), "50.0 %");
        assert_eq!(percent(0.999_99), "99.99 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(seconds(0.041), "0.04 s");
        assert_eq!(seconds(250.0), "4 min 10 s");
    }

    #[test]
    fn times_are_civil_dates() {
        assert_eq!(time(0), "1970-01-01 00:00 UTC");
        assert_eq!(time(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(time(1_795_352_700), "2026-11-22 13:05 UTC");
    }
}
