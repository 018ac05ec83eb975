//! What a source checked on a record in the clear and tells by one bit each: rules that only
//! birth date, event date and name together can answer, so that none of them has to travel.

use serde::{Deserialize, Serialize};

/// A rule that a source checks. A set bit says that the rule is broken (or, for
/// [`SourceCheck::PlaceholderGiven`], that it applies). Bits that are not listed mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum SourceCheck {
    /// The age at the event lies outside what the kind of event allows, a year of slack included:
    /// checkups of children up to 20, of adults from 15, long-term care from 40, anything up to 120.
    AgeWindow = 0,
    /// The event lies before the birth date.
    BeforeBirth = 1,
    /// The given name stands for a newborn without one (ベビー, 新生児); it is taken as missing.
    PlaceholderGiven = 2,
    /// The insurer is that of people of 75 and over (number 39…) and the person is younger than 65,
    /// or it is another and the person is 77 or older.
    SeniorInsurer = 3,
}

impl SourceCheck {
    /// All rules, in order of their bit.
    pub const ALL: [Self; 4] = [
        Self::AgeWindow,
        Self::BeforeBirth,
        Self::PlaceholderGiven,
        Self::SeniorInsurer,
    ];

    /// The rule's bit in [`RecordEncoding::flags`](super::RecordEncoding::flags).
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether the bit of this rule is set.
    #[must_use]
    pub const fn is_in(self, flags: u32) -> bool {
        flags & self.bit() != 0
    }
}
