//! What is special about a record, one bit each. The flags go into `truth.csv` and to whoever
//! measures quality by stratum; a record itself never carries them.
//!
//! Bits 1 to 4096 mean what they mean in the public set `jp_small`.

/// The surname's kanji differ from the register's.
pub const SURNAME_KANJI: u32 = 1;
/// The given name's kanji differ, or are replaced by kana.
pub const GIVEN_KANJI: u32 = 1 << 1;
/// A slip in the surname's reading.
pub const SURNAME_KANA: u32 = 1 << 2;
/// A slip in the given name's reading, or a part of it left out.
pub const GIVEN_KANA: u32 = 1 << 3;
/// A wrong date of birth.
pub const BIRTH_DATE: u32 = 1 << 4;
/// The wrong sex.
pub const SEX: u32 = 1 << 5;
/// The address before the last move.
pub const OLD_ADDRESS: u32 = 1 << 6;
/// The surname before the last change.
pub const OLD_NAME: u32 = 1 << 7;
/// Surname and given name in each other's place.
pub const SWAPPED: u32 = 1 << 8;
/// No address where the source has a column for it.
pub const NO_ADDRESS: u32 = 1 << 9;
/// Another reading of the given name's kanji.
pub const MISREAD: u32 = 1 << 10;
/// A foreigner under the alias.
pub const ALIAS: u32 = 1 << 11;
/// A rare kanji as `■` or `?`.
pub const UNKNOWN_CHARACTER: u32 = 1 << 12;
/// A variant kanji for the common one, or the reverse (髙/高).
pub const VARIANT: u32 = 1 << 13;
/// No date of birth.
pub const NO_BIRTH_DATE: u32 = 1 << 14;
/// No sex.
pub const NO_SEX: u32 = 1 << 15;
/// No reading: the name in kanji only.
pub const KANJI_ONLY: u32 = 1 << 16;
/// No kanji: the reading only.
pub const KANA_ONLY: u32 = 1 << 17;
/// A second record of the same event in the same source.
pub const DUPLICATE: u32 = 1 << 18;
/// About a tracer: planted, not of the population.
pub const TRACER: u32 = 1 << 19;
/// Small kana stored large: a habit of the system, no error.
pub const LARGE_KANA: u32 = 1 << 20;

/// Flags that say that something is wrong with a name, the date of birth or the sex.
pub const ERRORS: u32 = SURNAME_KANJI
    | GIVEN_KANJI
    | SURNAME_KANA
    | GIVEN_KANA
    | BIRTH_DATE
    | SEX
    | OLD_NAME
    | SWAPPED
    | MISREAD
    | ALIAS
    | UNKNOWN_CHARACTER
    | VARIANT
    | NO_BIRTH_DATE
    | NO_SEX;
