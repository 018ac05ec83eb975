//! The list of sources: which files there are and which map reads each. For a site with several
//! systems, and for evaluation sets.
//!
//! ```toml
//! profile = "jp-standard"
//! [[source]]
//! name = "hosp_a"
//! file = "hosp_a.csv"
//! map = "hosp_a.toml"
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::terms::SourceId;

/// Why a list of sources is refused.
#[derive(Debug, thiserror::Error)]
pub enum SourceListError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Not TOML, a key that does not exist, or a name that is no source name.
    #[error("sources: {0}")]
    Toml(#[from] toml::de::Error),
    /// No source is listed.
    #[error("sources: at least one [[source]] must be listed")]
    Empty,
    /// One name stands twice.
    #[error("sources: the source {0} is listed twice")]
    Repeated(SourceId),
    /// The same, with the file that it is in.
    #[error("{}: {error}", path.display())]
    In {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<SourceListError>,
    },
}

/// Sources with their files and maps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceList {
    /// Name of the linkage profile to encode with, if the list says so.
    pub profile: Option<String>,
    /// The sources, in the order listed.
    #[serde(rename = "source", default)]
    pub sources: Vec<ListedSource>,
}

/// One source of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedSource {
    /// Its name.
    pub name: SourceId,
    /// Its data, relative to the folder that the reader is given.
    pub file: PathBuf,
    /// Its map, relative to the list.
    pub map: PathBuf,
}

impl SourceList {
    /// Reads and checks a list.
    ///
    /// # Errors
    /// [`SourceListError`], with the rule.
    pub fn parse(text: &str) -> Result<Self, SourceListError> {
        let list: Self = toml::from_str(text)?;
        if list.sources.is_empty() {
            return Err(SourceListError::Empty);
        }
        let mut names = BTreeSet::new();
        match list
            .sources
            .iter()
            .find(|source| !names.insert(&source.name))
        {
            Some(repeated) => Err(SourceListError::Repeated(repeated.name.clone())),
            None => Ok(list),
        }
    }

    /// Reads and checks a list file.
    ///
    /// # Errors
    /// [`SourceListError`], with the file.
    pub fn read(path: &Path) -> Result<Self, SourceListError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(SourceListError::Read { path, error }),
        };
        Self::parse(&text).map_err(|error| SourceListError::In {
            path,
            error: Box::new(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_checked() {
        let one = "[[source]]\nname = 'a'\nfile = 'a.csv'\nmap = 'a.toml'\n";
        let list = SourceList::parse(&format!("profile = 'jp-standard'\n{one}")).expect("good");
        assert_eq!(list.profile.as_deref(), Some("jp-standard"));
        assert_eq!(list.sources[0].name.as_str(), "a");
        for (bad, rule) in [
            (String::new(), "at least one"),
            (format!("{one}{one}"), "twice"),
            (one.replace("'a'", "'A'"), "source name"),
            (one.replace("map", "maps"), "maps"),
        ] {
            let error = SourceList::parse(&bad).expect_err(rule).to_string();
            assert!(error.contains(rule), "{error}");
        }
    }
}
