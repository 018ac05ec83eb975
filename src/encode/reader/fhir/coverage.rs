//! Insurance of the patients of a file: Coverage (JP Core) and the Organization that pays.

use std::collections::HashMap;

use serde_json::Value;

use super::{each, last_part, text};

/// Naming systems of insurer numbers; other organisations have other numbers.
const INSURER_SYSTEMS: [&str; 2] = [
    "urn:oid:1.2.392.100495.20.3.61",
    "urn:oid:1.2.392.200119.6.101",
];

/// One insured person's number, in its four parts as written. Plaintext: no `Debug`.
#[derive(Default, Clone, PartialEq, Eq)]
pub(super) struct Insured {
    pub(super) insurer: String,
    pub(super) symbol: String,
    pub(super) number: String,
    pub(super) branch: String,
}

impl Insured {
    /// The insured person's identifier: `insurer:symbol:number:branch`, where an absent branch is
    /// empty. The specification prints the colon in two widths.
    pub(super) fn from_member_id(written: &str) -> Option<Self> {
        let parts: Vec<&str> = written.split([':', '：']).collect();
        let [insurer, symbol, number, branch] = parts[..] else {
            return None;
        };
        Some(Self {
            insurer: insurer.to_owned(),
            symbol: symbol.to_owned(),
            number: number.to_owned(),
            branch: branch.to_owned(),
        })
    }

    /// The form of JP Core's own example: `"symbol","number","branch"`, the branch may be absent.
    fn from_quoted(written: &str) -> Option<Self> {
        let inner = written.strip_prefix('"')?.strip_suffix('"')?;
        let mut parts = inner.split("\",\"");
        Some(Self {
            insurer: String::new(),
            symbol: parts.next()?.to_owned(),
            number: parts.next()?.to_owned(),
            branch: parts.next().unwrap_or_default().to_owned(),
        })
    }
}

struct Coverage {
    line: u64,
    /// What ranks it among several: in force, then the later beginning.
    order: (bool, String),
    insured: Insured,
    payor: Option<String>,
}

/// The coverages of a file by patient, and the insurers' numbers by organisation.
#[derive(Default)]
pub(super) struct Coverages {
    by_patient: HashMap<String, Coverage>,
    insurers: HashMap<String, String>,
}

/// Whether a piece of JSON may be a resource that [`Coverages::add`] uses; quicker than parsing.
pub(super) fn may_concern(json: &[u8]) -> bool {
    let text = std::str::from_utf8(json).unwrap_or_default();
    text.contains("\"Coverage\"") || text.contains("\"Organization\"")
}

/// A reference as `Type/id`, whether it is written so, as a URL, or as the bare id.
pub(super) fn reference_key(kind: &str, reference: &str) -> String {
    let start = reference.rfind(&format!("{kind}/"));
    let found = start.map_or(reference, |start| &reference[start + kind.len() + 1..]);
    let id = found.split('/').next().unwrap_or_default();
    let id = id.strip_prefix("urn:uuid:").unwrap_or(id);
    format!("{kind}/{id}")
}

impl Coverages {
    /// Adds a Coverage or Organization; anything else is left out.
    pub(super) fn add(&mut self, line: u64, resource: &Value) {
        match text(&resource["resourceType"]) {
            "Organization" => {
                if let Some(number) = insurer_number(resource) {
                    let key = reference_key("Organization", text(&resource["id"]));
                    self.insurers.insert(key, number.to_owned());
                }
            }
            "Coverage" => self.add_coverage(line, resource),
            _ => {}
        }
    }

    fn add_coverage(&mut self, line: u64, resource: &Value) {
        let payor = &resource["payor"][0];
        let reference = text(&payor["reference"]);
        let mut insured = insured_of(resource);
        if insured.insurer.is_empty() {
            text(&payor["identifier"]["value"]).clone_into(&mut insured.insurer);
        }
        if insured.insurer.is_empty()
            && let Some(inside) = reference.strip_prefix('#')
        {
            let mut contained = each(&resource["contained"]);
            let found = contained.find(|part| text(&part["id"]) == inside);
            let number = found.and_then(insurer_number).unwrap_or_default();
            number.clone_into(&mut insured.insurer);
        }
        let coverage = Coverage {
            line,
            order: (
                text(&resource["status"]) == "active",
                text(&resource["period"]["start"]).to_owned(),
            ),
            insured,
            payor: (!reference.is_empty()).then(|| reference_key("Organization", reference)),
        };
        let beneficiary = text(&resource["beneficiary"]["reference"]);
        let key = reference_key("Patient", beneficiary);
        match self.by_patient.get(&key) {
            Some(known) if known.order > coverage.order => {}
            _ => {
                self.by_patient.insert(key, coverage);
            }
        }
    }

    /// Takes out a patient's insurance.
    pub(super) fn take(&mut self, patient: &str) -> Option<Insured> {
        let coverage = self.by_patient.remove(patient)?;
        let mut insured = coverage.insured;
        if insured.insurer.is_empty()
            && let Some(number) = coverage
                .payor
                .and_then(|key| self.insurers.get(&key).cloned())
        {
            insured.insurer = number;
        }
        Some(insured)
    }

    /// Lines of the coverages that were not taken, in order.
    pub(super) fn lines(&self) -> Vec<u64> {
        let mut lines: Vec<u64> = self.by_patient.values().map(|known| known.line).collect();
        lines.sort_unstable();
        lines
    }
}

/// The parts of the insured person's number, from whichever of the forms is there: the extensions
/// of JP Core, the identifier, `subscriberId` and `dependent`.
fn insured_of(coverage: &Value) -> Insured {
    let values = || each(&coverage["identifier"]).map(|identifier| text(&identifier["value"]));
    let mut insured = values()
        .find_map(Insured::from_member_id)
        .or_else(|| values().find_map(Insured::from_quoted))
        .or_else(|| Insured::from_quoted(text(&coverage["subscriberId"])))
        .unwrap_or_default();
    if insured.branch.is_empty() {
        text(&coverage["dependent"]).clone_into(&mut insured.branch);
    }
    for extension in each(&coverage["extension"]) {
        let name = last_part(text(&extension["url"]));
        let part = match name.strip_prefix("JP_Coverage_").unwrap_or(name) {
            "InsuredPersonSymbol" => &mut insured.symbol,
            "InsuredPersonNumber" => &mut insured.number,
            "InsuredPersonSubNumber" => &mut insured.branch,
            _ => continue,
        };
        text(&extension["valueString"]).clone_into(part);
    }
    insured
}

/// The insurer number of an Organization: the identifier of a system that says so, or else the
/// first that looks like one.
fn insurer_number(organisation: &Value) -> Option<&str> {
    let identifiers = || each(&organisation["identifier"]);
    let named = identifiers().find(|identifier| {
        let system = text(&identifier["system"]);
        INSURER_SYSTEMS.contains(&system) || system.to_ascii_lowercase().contains("insurer")
    });
    let digits = |value: &str| {
        (6..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
    };
    let found = named.or_else(|| identifiers().find(|found| digits(text(&found["value"]))));
    found.map(|identifier| text(&identifier["value"]))
}
