//! What leaves a source: the privacy-preserving form of one record.

use serde::{Deserialize, Serialize};

use super::RecordRef;
use super::profile::Layout;

/// What a record tells about: the kind of event in a life course. It travels in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EventKind {
    /// No kind was stated.
    Unspecified = 0,
    /// Birth notification.
    Birth = 1,
    /// Infant and child health checkup, school checkup.
    ChildCheckup = 2,
    /// Checkup of adults: workplace checkups, specific health checkups.
    AdultCheckup = 3,
    /// Hospital or clinic visit, admission, registration.
    Hospital = 4,
    /// Insurance claim.
    Claim = 5,
    /// Long-term care: certification or service.
    LongTermCare = 6,
    /// Death notification.
    Death = 7,
    /// Anything else, Western evaluation sets included.
    Other = 8,
}

impl EventKind {
    /// All kinds, in order of their code.
    pub const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::Birth,
        Self::ChildCheckup,
        Self::AdultCheckup,
        Self::Hospital,
        Self::Claim,
        Self::LongTermCare,
        Self::Death,
        Self::Other,
    ];

    /// The kind with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The code, as stored and sent.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The name, as in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Birth => "birth",
            Self::ChildCheckup => "child_checkup",
            Self::AdultCheckup => "adult_checkup",
            Self::Hospital => "hospital",
            Self::Claim => "claim",
            Self::LongTermCare => "long_term_care",
            Self::Death => "death",
            Self::Other => "other",
        }
    }
}

/// Most bytes that one encoding may take on the wire and on disk, whatever the profile.
pub const ENCODING_BYTES_MAX: usize = 16 * 1024;

/// Years that an event may lie in; year 0 is *not stated*.
pub const EVENT_YEARS: std::ops::RangeInclusive<u16> = 1868..=2199;

/// The encoding of one record: its filters and tags under one linkage profile.
///
/// # Shape
/// `filters`: [`Layout::filter_words`] words, filter after filter, bit *b* of a filter is bit
/// `b % 64` of its word `b / 64`. `tags`: [`Layout::tag_slots`] values, recipe after recipe.
/// `presence`: bit *i* is set if filter *i* was made, bit `filters + j` if tag *j* was made.
/// What is absent is all zero.
///
/// # Privacy
/// Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordEncoding {
    /// The source's label of the record.
    pub record_ref: RecordRef,
    /// Version of the record at the source, from 1; a higher one replaces a lower one.
    pub version: u32,
    /// Kind of event.
    pub kind: EventKind,
    /// Calendar year of the event, in [`EVENT_YEARS`], if the profile asks for it; 0 is not stated.
    pub year: u16,
    /// Rules that the source checked and found broken, by [`SourceCheck::bit`](super::SourceCheck);
    /// 0 is none.
    pub flags: u32,
    /// Which filters and tags are present.
    pub presence: u64,
    /// Filters, packed.
    pub filters: Vec<u64>,
    /// Keyed equality tags.
    pub tags: Vec<u64>,
}

/// Why an encoding does not have the shape that its profile demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The number of filter words is not the profile's.
    #[error("the filters do not have the length that the linkage profile gives")]
    FilterLength,
    /// The number of tags is not the profile's.
    #[error("the number of tags is not the one that the linkage profile gives")]
    TagCount,
    /// The presence mask names filters or tags that the profile does not have.
    #[error("the presence mask names filters or tags that the linkage profile does not have")]
    Presence,
    /// A filter or tag marked absent has bits, or one marked present has none.
    #[error("a filter or tag disagrees with the presence mask")]
    Absent,
    /// A year that the profile does not ask for, or far from any event.
    #[error("the event year is not asked for by the linkage profile, or is not 1868 to 2199")]
    Year,
    /// Version 0.
    #[error("record versions start at 1")]
    Version,
    /// No filter and no tag at all.
    #[error("the encoding is empty: no filter and no tag is present")]
    Empty,
}

impl RecordEncoding {
    /// Checks the shape against the layout of a profile.
    ///
    /// # Errors
    /// [`ShapeError`], the first rule that is broken.
    pub fn check(&self, layout: &Layout) -> Result<(), ShapeError> {
        if self.filters.len() != layout.filter_words() {
            return Err(ShapeError::FilterLength);
        }
        if self.tags.len() != layout.tag_slots() {
            return Err(ShapeError::TagCount);
        }
        if self.presence & !layout.presence_all() != 0 {
            return Err(ShapeError::Presence);
        }
        let year_may_stand = layout.event_year() && EVENT_YEARS.contains(&self.year);
        if self.year != 0 && !year_may_stand {
            return Err(ShapeError::Year);
        }
        if self.version == 0 {
            return Err(ShapeError::Version);
        }
        if self.presence == 0 {
            return Err(ShapeError::Empty);
        }
        for filter in 0..layout.filter_count() {
            let present = self.presence & layout.filter_bit(filter) != 0;
            let empty = self.filters[layout.filter_range(filter)]
                .iter()
                .all(|word| *word == 0);
            if present == empty {
                return Err(ShapeError::Absent);
            }
        }
        for tag in 0..layout.tag_count() {
            let present = self.presence & layout.tag_bit(tag) != 0;
            let slots = &self.tags[layout.tag_range(tag)];
            if slots.iter().any(|slot| (*slot == 0) == present) {
                return Err(ShapeError::Absent);
            }
        }
        Ok(())
    }

    /// BLAKE3 over everything but the version: equal content, equal hash.
    #[must_use]
    pub fn content_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/record-content");
        let label = self.record_ref.as_str().as_bytes();
        hasher
            .update(&(label.len() as u64).to_le_bytes())
            .update(label);
        hasher.update(&[self.kind.code()]);
        hasher.update(&self.year.to_le_bytes());
        hasher.update(&self.flags.to_le_bytes());
        hasher.update(&self.presence.to_le_bytes());
        for word in self.filters.iter().chain(&self.tags) {
            hasher.update(&word.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::LinkageProfile;

    /// Checks an encoding of this profile that states a year.
    fn check(profile: &str, year: u16) -> Result<(), ShapeError> {
        let profile = LinkageProfile::built_in(profile).expect("built in");
        let layout = profile.layout();
        let encoding = RecordEncoding {
            record_ref: RecordRef::new("r1").expect("valid"),
            version: 1,
            kind: EventKind::Death,
            year,
            flags: 0,
            presence: layout.presence_all(),
            filters: vec![1; layout.filter_words()],
            tags: vec![1; layout.tag_slots()],
        };
        encoding.check(&layout)
    }

    #[test]
    fn a_year_is_taken_only_if_the_profile_asks_for_it_and_it_can_be_one() {
        assert_eq!(check("jp-standard", 0), Ok(()));
        assert_eq!(check("jp-standard", 2024), Ok(()));
        assert_eq!(check("jp-standard", 1867), Err(ShapeError::Year));
        assert_eq!(check("jp-standard", 2200), Err(ShapeError::Year));
        assert_eq!(check("en-standard", 0), Ok(()));
        assert_eq!(check("en-standard", 2024), Err(ShapeError::Year));
    }
}
