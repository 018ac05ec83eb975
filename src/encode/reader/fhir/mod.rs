//! FHIR: Patient and Coverage of JP Core, in a bundle or one resource a line (NDJSON).
//!
//! The file is read twice: first the Coverage and Organization resources, which may stand behind
//! the patients that they belong to, then the Patient resources one by one.

mod coverage;
mod patient;
mod resources;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Entry, Form, Found, ReadError, RowRefusal};
use crate::encode::field::Field;
use crate::encode::map::MapFile;
use crate::encode::normalise::Locale;
use coverage::{Coverages, Insured};
use resources::Resources;

/// A file of FHIR resources.
pub(super) struct FhirForm {
    file: PathBuf,
    resources: Resources,
    coverages: Coverages,
    /// Lines of coverages without a patient; `None` until all patients are read.
    without_patient: Option<std::vec::IntoIter<u64>>,
    record_ref: String,
    patient_number: Option<String>,
    locale: Locale,
    aliases: bool,
    patients: u64,
}

impl FhirForm {
    /// Opens a file and collects its coverages.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let apart = map.file.coverage.as_ref().map(|name| {
            let folder = path.parent().unwrap_or(Path::new(""));
            folder.join(name)
        });
        let mut coverages = Coverages::default();
        let mut first = Resources::open(apart.as_deref().unwrap_or(path))?;
        while let Some(resource) = first.next()? {
            if coverage::may_concern(resource.json)
                && let Ok(value) = serde_json::from_slice(resource.json)
            {
                coverages.add(resource.line, &value);
            }
        }
        Ok(Self {
            file: path.to_owned(),
            resources: Resources::open(path)?,
            coverages,
            without_patient: None,
            record_ref: map.record_ref.clone(),
            patient_number: map.fields.get(&Field::PatientNumber).cloned(),
            locale: map.locale,
            aliases: map.aliases,
            patients: 0,
        })
    }

    fn fill(&mut self, entry: &mut Entry, value: &Value) {
        let number = self.patient_number.as_deref();
        patient::fill(entry, value, self.locale, number, self.aliases);
        let record_ref = if self.record_ref == "id" {
            text(&value["id"])
        } else {
            patient::identifier(value, &self.record_ref)
        };
        entry.record_ref.push_str(record_ref);
        let key = coverage::reference_key("Patient", text(&value["id"]));
        let insured = self.coverages.take(&key);
        let member = patient::member_id(value);
        let insured = insured.or_else(|| member.and_then(Insured::from_member_id));
        if let Some(insured) = insured {
            entry.set(Field::InsurerNo, &insured.insurer);
            entry.set(Field::InsurerSymbol, &insured.symbol);
            entry.set(Field::InsuredNumber, &insured.number);
            entry.set(Field::InsuredBranch, &insured.branch);
        }
    }
}

impl Form for FhirForm {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        while self.without_patient.is_none() {
            let Some(resource) = self.resources.next()? else {
                if self.patients == 0 {
                    return Err(ReadError::Form {
                        file: self.file.clone(),
                        line: 1,
                        rule: "a FHIR file holds at least one Patient resource",
                    });
                }
                self.without_patient = Some(self.coverages.lines().into_iter());
                break;
            };
            let line = resource.line;
            let parsed: Result<Value, _> = serde_json::from_slice(resource.json);
            let Ok(value) = parsed else {
                let reason = RowRefusal::Json;
                return Ok(Found::Refused { line, reason });
            };
            if text(&value["resourceType"]) == "Patient" {
                self.patients += 1;
                entry.begin(line);
                self.fill(entry, &value);
                return Ok(Found::Record);
            }
            if !value.is_object() {
                let reason = RowRefusal::Json;
                return Ok(Found::Refused { line, reason });
            }
        }
        let rest = self.without_patient.as_mut().and_then(Iterator::next);
        Ok(rest.map_or(Found::End, |line| Found::Refused {
            line,
            reason: RowRefusal::CoverageWithoutPatient,
        }))
    }

    fn position(&self) -> u64 {
        self.resources.position()
    }
}

/// A JSON string; empty if it is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default().trim()
}

/// The elements of a JSON array; none if it is none.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The last part of a URL: the name of a profile, extension or code system.
fn last_part(url: &str) -> &str {
    url.rsplit(['/', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
