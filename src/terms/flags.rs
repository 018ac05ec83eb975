//! Flags of a record: what its source tells about it beside its encoding. They travel in clear.

use super::RecordRef;

/// A flag with a meaning of its own. Bits 0 to 7 are [`SourceCheck`](super::SourceCheck)'s; bits 8 to
/// 23 the source's own, for rules that it checks before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum RecordFlag {
    /// The birth date is 1 January, which registers write for a date that is not known.
    PlaceholderBirthDate = 1 << 24,
    /// The era of the birth date had not begun or was over; the year was taken by arithmetic.
    OutOfEra = 1 << 25,
    /// The check digit of the insurer number is wrong.
    InsurerCheckDigit = 1 << 26,
    /// The record is of an invented person: it shows how many true pairs a run finds. It must never
    /// be counted as a person, nor leave the server.
    Tracer = 1 << 31,
}

impl RecordFlag {
    /// Bits that no source's column may hold.
    pub const SET_HERE: u32 = 0xFF00_00FF;

    /// The flag's bit.
    #[must_use]
    pub fn bit(self) -> u32 {
        self as u32
    }

    /// Whether a record's flags hold it.
    #[must_use]
    pub fn is_in(self, flags: u32) -> bool {
        flags & self.bit() != 0
    }
}

/// How the record refs of tracers begin; a number follows.
pub const TRACER_PREFIX: &str = "musubi-tracer-";

/// The number of the invented person that a record is of; `None` if it is of a real one. Records of
/// different sources with equal numbers are one person: the truth that recall is measured against.
#[must_use]
pub fn tracer_number(record_ref: &RecordRef, flags: u32) -> Option<u32> {
    if !RecordFlag::Tracer.is_in(flags) {
        return None;
    }
    let number = record_ref.as_str().strip_prefix(TRACER_PREFIX)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_flagged_record_is_a_tracer() {
        let label = |text: &str| RecordRef::new(text).expect("a label");
        let flag = RecordFlag::Tracer.bit();
        assert_eq!(
            tracer_number(&label("musubi-tracer-000017"), flag),
            Some(17)
        );
        assert_eq!(tracer_number(&label("musubi-tracer-000017"), 0), None);
        assert_eq!(tracer_number(&label("000017"), flag), None);
    }

    #[test]
    fn every_flag_has_a_bit_of_its_own_that_no_source_sets() {
        let flags = [
            RecordFlag::PlaceholderBirthDate,
            RecordFlag::OutOfEra,
            RecordFlag::InsurerCheckDigit,
            RecordFlag::Tracer,
        ];
        let all = flags.iter().fold(0, |all, flag| all | flag.bit());
        assert_eq!(all.count_ones() as usize, flags.len());
        assert_eq!(all & !RecordFlag::SET_HERE, 0);
        assert!(RecordFlag::Tracer.is_in(all) && !RecordFlag::Tracer.is_in(!all));
    }
}
