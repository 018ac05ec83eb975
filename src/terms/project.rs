//! Projects: for whom pseudonyms are made, and under which rule of the law.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PseudonymVersion;
use super::ids::{IdError, is_slug};

/// A use of linked data that was approved: the scope of its pseudonyms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectId(String);

impl ProjectId {
    /// Checks the form: 1 to 63 of `a-z 0-9 _ -`, starting with a letter.
    ///
    /// # Errors
    /// [`IdError::Project`].
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        if is_slug(&name) {
            Ok(Self(name))
        } else {
            Err(IdError::Project)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProjectId {
    type Error = IdError;
    fn try_from(value: String) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl From<ProjectId> for String {
    fn from(value: ProjectId) -> Self {
        value.0
    }
}

/// Which kind of information a project hands out: each has its own rule for identifiers (Next-Generation Medical
/// Infrastructure Act).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputDomain {
    /// Anonymised (articles 18 and 19): pseudonyms under a random key, which is destroyed at delivery. After that nobody can
    /// compute them again; more data means that all are issued anew.
    Anonymised,
    /// Pseudonymised (articles 34 and 35): pseudonyms for one project and one recipient, which the operator can trace
    /// back, because an inspection must be answered.
    Pseudonymised,
    /// To another certified operator (articles 27 and 38): pseudonyms for this pair of operators.
    CertifiedOperator,
}

impl OutputDomain {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::Anonymised,
        Self::Pseudonymised,
        Self::CertifiedOperator,
    ];

    /// Its name, as in `anonymised`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised",
            Self::Pseudonymised => "pseudonymised",
            Self::CertifiedOperator => "certified_operator",
        }
    }

    /// Whether the key of its pseudonyms can be destroyed, so that they can never be computed again.
    #[must_use]
    pub fn is_destroyable(self) -> bool {
        matches!(self, Self::Anonymised)
    }
}

/// A project as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name.
    pub id: ProjectId,
    /// What it hands out.
    pub domain: OutputDomain,
    /// Who receives it, in words.
    pub recipient: String,
    /// What for, in words.
    pub purpose: String,
    /// When it was made, seconds since 1970, UTC.
    pub created_unix_s: u64,
    /// From when nothing is handed out any more, seconds since 1970, UTC.
    pub expires_unix_s: u64,
    /// How often its pseudonyms were issued.
    pub version: PseudonymVersion,
    /// Whether the key of this version is destroyed.
    pub destroyed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(ProjectId::new("dementia-2026").is_ok());
        for bad in ["", "2026", "Upper", "a/b", &"x".repeat(64)] {
            assert_eq!(ProjectId::new(bad), Err(IdError::Project), "{bad}");
        }
    }

    #[test]
    fn a_domain_is_written_by_its_name() {
        for domain in OutputDomain::ALL {
            let json = serde_json::to_string(&domain).expect("text");
            assert_eq!(json, format!("\"{}\"", domain.name()));
        }
    }
}
