//! What a source should look at before it submits: signs of a wrong map, and what the encodings tell.

use super::EncodeReport;
use crate::encode::Field;
use crate::encode::map::{FileFormName, MapFile};
use crate::terms::LinkageProfile;

/// Records below which shares say little.
const RECORDS_MIN: u64 = 100;
/// Share of records with a note above which the column is likely another one.
const NOTED: f64 = 0.2;
/// Share of birth dates on 1 January above which many are placeholders: one in 365 is born then.
const PLACEHOLDERS: f64 = 0.01;

/// Notes for people, the most serious first; nothing if all is as it should be.
pub(super) fn risks(report: &EncodeReport, map: &MapFile, profile: &LinkageProfile) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(warning) = &profile.warning {
        found.push(format!("profile {}: {warning}", profile.name));
    }
    if map.send_flags {
        found.push(
            "send_flags: the server learns which records have a placeholder birth date, an era that \
             was over or a wrong check digit"
                .to_owned(),
        );
    }
    for filter in &report.fill.filters {
        if filter.popcount_deviation > 0.0 && !is_hardened(profile, &filter.name) {
            found.push(format!(
                "filter {}: the number of its bits differs from record to record ({} to {}) and tells \
                 how long the values are",
                filter.name, filter.popcount_range[0], filter.popcount_range[1]
            ));
        }
    }
    let records = report.read.records;
    if records >= RECORDS_MIN {
        of_columns(report, map, &mut found);
    }
    found
}

fn of_columns(report: &EncodeReport, map: &MapFile, found: &mut Vec<String>) {
    let records = report.read.records as f64;
    for (note, count) in &report.read.notes {
        let share = *count as f64 / records;
        if note == "birth_date: placeholder_date" {
            if share > PLACEHOLDERS {
                found.push(format!(
                    "birth_date: {:.1} % are 1 January; if that stands for a date that is not known, \
                     leave it empty",
                    100.0 * share
                ));
            }
        } else if share > NOTED {
            found.push(format!(
                "{note} in {:.1} % of records: does the map name the right column?",
                100.0 * share
            ));
        }
    }
    if map.file.form == FileFormName::Csv && map.fields.contains_key(&Field::BirthDate) {
        let dates = report.read.filled.get("birth_date").copied().unwrap_or(0);
        let share = dates as f64 / records;
        if share < 1.0 - NOTED {
            found.push(format!(
                "only {:.1} % of records have a whole birth date: the others will hardly link",
                100.0 * share
            ));
        }
    }
}

/// Whether the profile hides the weight of a filter: balanced, or flipped by the source.
fn is_hardened(profile: &LinkageProfile, filter: &str) -> bool {
    let recipe = profile.filters.iter().find(|recipe| recipe.name == filter);
    recipe.is_some_and(|recipe| recipe.balance)
}
