//! `musubi-encode profile`: what sources and server agree on.

mod degree;
mod holders;
#[cfg(test)]
mod tests;
mod weakness;

pub use degree::{DegreeArguments, DegreeReport, RecipeDegree};

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::Outcome;
use crate::terms::profile::{BUILT_IN, LinkageProfile, TagRecipe};
use crate::terms::{Attribute, ProfileError};

/// Arguments of `profile`.
#[derive(Subcommand)]
pub enum ProfileCommand {
    /// Print the text of a profile
    Show {
        /// Name of a profile that comes with musubi, or a file
        name_or_file: String,
    },
    /// Print the fingerprint of a profile: source and server must have the same
    Fingerprint {
        /// Name of a profile that comes with musubi, or a file
        name_or_file: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Count with how many strangers people share each tag, on the source's own records
    Degree(DegreeArguments),
    /// Check a profile, say what it makes, and warn of weak choices
    Check {
        /// Name of a profile that comes with musubi, or a file
        name_or_file: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum LoadProfileError {
    /// The file cannot be read.
    #[error("cannot read the linkage profile {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not a valid profile.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Which rule.
        error: ProfileError,
    },
    /// No profile has this name.
    #[error(transparent)]
    Name(ProfileError),
}

/// A profile by its name, or from a file: what names a built-in profile is a name, what exists as
/// a file is a file.
///
/// # Errors
/// [`LoadProfileError`].
pub fn load_profile(name_or_file: &str) -> Result<LinkageProfile, LoadProfileError> {
    let built_in = BUILT_IN.iter().any(|(name, _)| *name == name_or_file);
    let path = Path::new(name_or_file);
    let like_a_path = path.components().count() > 1 || path.extension().is_some();
    if built_in || !(path.exists() || like_a_path) {
        return LinkageProfile::built_in(name_or_file).map_err(LoadProfileError::Name);
    }
    let text = std::fs::read_to_string(path).map_err(|error| LoadProfileError::Io {
        path: path.into(),
        error,
    })?;
    LinkageProfile::parse(&text).map_err(|error| LoadProfileError::File {
        path: path.into(),
        error,
    })
}

/// Runs `profile`.
///
/// # Errors
/// There is no such profile, or it breaks a rule.
pub fn run(command: &ProfileCommand) -> Outcome {
    match command {
        ProfileCommand::Show { name_or_file } => Ok(load_profile(name_or_file)?.text().into()),
        ProfileCommand::Fingerprint { name_or_file, json } => {
            let profile = load_profile(name_or_file)?;
            if *json {
                let told = serde_json::json!({
                    "name": profile.name,
                    "fingerprint": profile.fingerprint().to_string(),
                });
                return Ok(format!("{told:#}\n"));
            }
            Ok(format!("{}  {}\n", profile.fingerprint(), profile.name))
        }
        ProfileCommand::Degree(arguments) => degree::run(arguments),
        ProfileCommand::Check { name_or_file, json } => {
            let profile = load_profile(name_or_file)?;
            Ok(if *json {
                format!("{:#}\n", described(&profile))
            } else {
                describe(&profile)
            })
        }
    }
}

/// What `check` tells, for programs.
fn described(profile: &LinkageProfile) -> serde_json::Value {
    let filters = profile.filters.iter().map(|filter| {
        let of: Vec<Attribute> = filter.features.iter().map(|f| f.attribute).collect();
        serde_json::json!({
            "name": filter.name, "bits": filter.bits, "of": of, "salt": filter.salt,
            "balance": filter.balance, "flip": filter.flip,
        })
    });
    let tags = profile.tags.iter().map(|tag| {
        let parts = tag.parts.iter().map(|part| &part.attributes);
        serde_json::json!({
            "name": tag.name, "of": parts.collect::<Vec<_>>(), "slots": tag.slots(), "pad": tag.pad,
            "bucketed": tag.buckets.map(|buckets| buckets.attribute),
            "buckets": tag.buckets.map(|buckets| buckets.count),
        })
    });
    let layout = profile.layout();
    serde_json::json!({
        "name": profile.name,
        "version": profile.version,
        "summary": profile.summary,
        "warning": profile.warning,
        "suite": profile.suite.name(),
        "fingerprint": profile.fingerprint().to_string(),
        "filters": filters.collect::<Vec<_>>(),
        "tags": tags.collect::<Vec<_>>(),
        "record_bytes": 8 * (layout.filter_words() + layout.tag_slots()),
        "weaknesses": weakness::weaknesses(profile),
    })
}

fn describe(profile: &LinkageProfile) -> String {
    let mut text = format!(
        "{} version {} is valid\n{}\n",
        profile.name, profile.version, profile.summary
    );
    let mut line = |label: &str, value: String| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{label:<14}{value}");
    };
    if let Some(warning) = &profile.warning {
        line("warning", warning.clone());
    }
    line("suite", profile.suite.name().into());
    line("fingerprint", profile.fingerprint().to_string());
    for filter in &profile.filters {
        let salt = if filter.salt.is_empty() {
            String::new()
        } else {
            format!(", salted by {}", names(&filter.salt))
        };
        let balance = if filter.balance { ", balanced" } else { "" };
        let flip = if filter.flip > 0.0 {
            format!(", {:.0} % flipped", filter.flip * 100.0)
        } else {
            String::new()
        };
        let of: Vec<Attribute> = filter.features.iter().map(|f| f.attribute).collect();
        line(
            "filter",
            format!(
                "{}: {} bits of {}{salt}{balance}{flip}",
                filter.name,
                filter.bits,
                names(&of)
            ),
        );
    }
    for tag in &profile.tags {
        line("tag", format!("{}: {}", tag.name, bound(tag)));
    }
    let layout = profile.layout();
    line(
        "bytes",
        format!(
            "{} a record",
            8 * (layout.filter_words() + layout.tag_slots())
        ),
    );
    for weakness in weakness::weaknesses(profile) {
        // As above.
        let _ = writeln!(text, "weak          {weakness}");
    }
    text
}

/// What a tag binds, in words.
fn bound(tag: &TagRecipe) -> String {
    let lists: Vec<String> = tag
        .parts
        .iter()
        .map(|part| names(&part.attributes))
        .collect();
    let lists = lists.join("; or ");
    match (tag.deletions, tag.buckets) {
        (None, None) => lists,
        (None, Some(buckets)) => format!(
            "{lists}; with {} in {} buckets",
            buckets.attribute.name(),
            buckets.count
        ),
        (Some(deletions), _) => format!(
            "{lists}; and with one letter of {} left out, {} slots",
            deletions.attribute.name(),
            tag.slots()
        ),
    }
}

fn names(attributes: &[Attribute]) -> String {
    let names: Vec<&str> = attributes
        .iter()
        .map(|attribute| attribute.name())
        .collect();
    names.join(", ")
}
