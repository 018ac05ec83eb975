//! Days and Japanese eras. Lives and records are dated in whole days; a source spells a day in its
//! own way.

use std::fmt::Write as _;

/// A day, counted from 1900-01-01, which is day 0. Proleptic Gregorian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Mean length of a year in days.
pub const YEAR_DAYS: f64 = 365.2425;

/// First year that [`Day`] can express here.
const FIRST_YEAR: i32 = 1800;
/// Days from 1800-01-01 to 1900-01-01.
const OFFSET: i32 = 36_524;
/// Days before each month of a common year.
const BEFORE: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// An era.
struct Era {
    kanji: &'static str,
    letter: char,
    /// Its digit on claims.
    code: char,
    /// First day.
    since: (i32, i32, i32),
    /// The year before its year 1.
    base: i32,
}

const fn era(
    kanji: &'static str,
    letter: char,
    code: char,
    since: (i32, i32, i32),
    base: i32,
) -> Era {
    Era {
        kanji,
        letter,
        code,
        since,
        base,
    }
}

/// Eras, newest first.
const ERAS: [Era; 5] = [
    era("令和", 'R', '5', (2019, 5, 1), 2018),
    era("平成", 'H', '4', (1989, 1, 8), 1988),
    era("昭和", 'S', '3', (1926, 12, 25), 1925),
    era("大正", 'T', '2', (1912, 7, 30), 1911),
    era("明治", 'M', '1', (1868, 10, 23), 1867),
];

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1800-01-01 to the first of January of `year`.
fn before_year(year: i32) -> i32 {
    let last = year - 1;
    let leaps = |y: i32| y / 4 - y / 100 + y / 400;
    (year - FIRST_YEAR) * 365 + leaps(last) - leaps(FIRST_YEAR - 1)
}

/// Days in a month.
#[must_use]
pub fn month_days(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Day {
    /// The day of a date; the day of the month is cut to the length of the month.
    #[must_use]
    pub fn of(year: i32, month: i32, day: i32) -> Self {
        let month = month.clamp(1, 12);
        let day = day.clamp(1, month_days(year, month));
        let leap = i32::from(month > 2 && is_leap(year));
        Self(before_year(year) + BEFORE[month as usize - 1] + leap + day - 1 - OFFSET)
    }

    /// Year, month, day of the month.
    #[must_use]
    pub fn date(self) -> (i32, i32, i32) {
        let days = self.0 + OFFSET;
        let mut year = FIRST_YEAR + (f64::from(days) / YEAR_DAYS) as i32;
        while before_year(year) > days {
            year -= 1;
        }
        while before_year(year + 1) <= days {
            year += 1;
        }
        let mut rest = days - before_year(year);
        let mut month = 1;
        while rest >= month_days(year, month) {
            rest -= month_days(year, month);
            month += 1;
        }
        (year, month, rest + 1)
    }

    /// Year of the day.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().0
    }

    /// The day `years` later (or earlier), as a fraction of mean years.
    #[must_use]
    pub fn plus_years(self, years: f64) -> Self {
        Self(self.0 + (years * YEAR_DAYS) as i32)
    }

    /// Completed years of age at `at`; negative before birth.
    #[must_use]
    pub fn age_at(self, at: Self) -> i32 {
        let (born, now) = (self.date(), at.date());
        now.0 - born.0 - i32::from((now.1, now.2) < (born.1, born.2))
    }
}

/// How a source spells a date.
#[derive(Clone, Copy)]
pub enum DateStyle {
    /// `2014-10-19`
    Hyphens,
    /// `1956/11/26`
    Slashes,
    /// `20130319`
    Compact,
    /// `202107`
    YearMonth,
    /// `昭和47年10月3日`, the first year as `元年`.
    EraKanji,
    /// `H13.11.04`
    EraPadded,
    /// `T7.4.21`
    EraShort,
    /// `3180412`: the era as one digit, as on claims.
    EraCode,
}

impl DateStyle {
    /// Appends the day in this style.
    pub fn write(self, day: Day, out: &mut String) {
        let (year, month, date) = day.date();
        let Era {
            kanji,
            letter,
            code,
            base,
            ..
        } = era_of(year, month, date);
        let of_era = year - base;
        let written = match self {
            Self::Hyphens => write!(out, "{year:04}-{month:02}-{date:02}"),
            Self::Slashes => write!(out, "{year:04}/{month:02}/{date:02}"),
            Self::Compact => write!(out, "{year:04}{month:02}{date:02}"),
            Self::YearMonth => write!(out, "{year:04}{month:02}"),
            Self::EraKanji if of_era == 1 => write!(out, "{kanji}元年{month}月{date}日"),
            Self::EraKanji => write!(out, "{kanji}{of_era}年{month}月{date}日"),
            Self::EraPadded => write!(out, "{letter}{of_era:02}.{month:02}.{date:02}"),
            Self::EraShort => write!(out, "{letter}{of_era}.{month}.{date}"),
            Self::EraCode => write!(out, "{code}{of_era:02}{month:02}{date:02}"),
        };
        written.expect("writing to a String does not fail");
    }

    /// Whether the style counts years by era.
    #[must_use]
    pub fn is_era(self) -> bool {
        matches!(
            self,
            Self::EraKanji | Self::EraPadded | Self::EraShort | Self::EraCode
        )
    }
}

fn era_of(year: i32, month: i32, day: i32) -> &'static Era {
    let begun = |era: &&Era| (year, month, day) >= era.since;
    ERAS.iter().find(begun).unwrap_or(&ERAS[4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(style: DateStyle, day: Day) -> String {
        let mut out = String::new();
        style.write(day, &mut out);
        out
    }

    #[test]
    fn every_day_of_two_centuries_survives_the_round_trip() {
        let mut expected = Day::of(1868, 10, 23).0;
        for year in 1868..2060 {
            for month in 1..=12 {
                for day in 1..=month_days(year, month) {
                    if (year, month, day) < (1868, 10, 23) {
                        continue;
                    }
                    let made = Day::of(year, month, day);
                    assert_eq!((made.0, made.date()), (expected, (year, month, day)));
                    expected += 1;
                }
            }
        }
        assert_eq!(Day::of(1900, 1, 1).0, 0);
    }

    #[test]
    fn era_borders_fall_on_the_right_day() {
        for (date, text) in [
            ((1989, 1, 7), "昭和64年1月7日"),
            ((1989, 1, 8), "平成元年1月8日"),
            ((2019, 4, 30), "平成31年4月30日"),
            ((2019, 5, 1), "令和元年5月1日"),
            ((1926, 12, 24), "大正15年12月24日"),
            ((1912, 7, 29), "明治45年7月29日"),
        ] {
            let day = Day::of(date.0, date.1, date.2);
            assert_eq!(spelled(DateStyle::EraKanji, day), text);
        }
        let day = Day::of(1943, 4, 2);
        assert_eq!(spelled(DateStyle::EraCode, day), "3180402");
        assert_eq!(spelled(DateStyle::EraShort, day), "S18.4.2");
        assert_eq!(spelled(DateStyle::EraPadded, day), "S18.04.02");
    }
}
