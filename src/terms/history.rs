//! What became of an entity ID that was once given out.

use super::EntityId;

/// An ID at one publication. Every ID ever published has exactly one of these.
///
/// # Privacy
/// Names entities: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum IdState {
    /// In force, with all its records.
    Current,
    /// It ended; all its records belong to this entity.
    Merged(EntityId),
    /// Its records belong to several entities, by ID; it may be one of them.
    Split(Vec<EntityId>),
    /// It ended without records.
    Retired,
    /// All its records were erased since.
    Erased,
}

impl IdState {
    /// The word used in answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Merged(_) => "merged",
            Self::Split(_) => "split",
            Self::Retired => "retired",
            Self::Erased => "erased",
        }
    }
}
