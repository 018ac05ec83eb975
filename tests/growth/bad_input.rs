//! What no source should send, through the whole pipeline: a run ends, its figures are figures, and the
//! methods sheet says what it had nothing to go by.

use musubi::terms::methods::EstimateBasis;
use musubi::terms::run::RunReport;
use musubi::terms::{RecordRef, SourceId};

use crate::register::*;

const PROFILES: [&str; 2] = ["jp-standard", "jp-fields"];

/// Links these records.
fn linked(name: &str, records: &[Made]) -> RunReport {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(&folder.path().join("store"), &profile(name));
    submit(&store, "all", records);
    let report = link(&store, None);
    // Numbers that are none become null in JSON, and do not come back.
    let json = serde_json::to_string(&report).expect("JSON");
    let back: RunReport = serde_json::from_str(&json).expect("figures are figures");
    assert!(back == report);
    assert_eq!(report.records, records.len() as u64);
    assert_eq!(published(&store).len(), records.len());
    report
}

/// Whether the methods sheet says so.
fn says(report: &RunReport, words: &str) -> bool {
    let sheet = report.methods.as_ref().expect("a sheet");
    let told = sheet.fallbacks.iter().any(|it| it.contains(words));
    println!("{:?} {:?}", sheet.fallbacks, report.warnings);
    told && report.warnings.iter().any(|it| it.contains(words))
}

/// A record under another label, at another source.
fn again(one: &Made, label: usize, source: &str) -> Made {
    let mut encoding = one.encoding.clone();
    encoding.record_ref = RecordRef::new(&format!("R{label:05}")).expect("a label");
    Made {
        source: SourceId::new(source).expect("a name"),
        day: one.day,
        person: one.person,
        encoding,
    }
}

#[test]
fn a_source_without_decoys_is_judged_by_the_model() {
    for name in PROFILES {
        let mut records = population(&profile(name), 300, 51);
        records.retain(|one| one.source.as_str() == "ndb");
        let report = linked(name, &records);
        assert!(says(&report, "rest on the model alone"));
        let sheet = report.methods.expect("a sheet");
        assert_eq!(sheet.basis, EstimateBasis::Model);
        assert!(sheet.decoy_sources.is_empty());
    }
}

#[test]
fn one_record_is_one_person() {
    for name in PROFILES {
        let mut records = population(&profile(name), 20, 52);
        records.truncate(1);
        let report = linked(name, &records);
        assert_eq!(report.entities, 1);
        assert!(says(&report, "rest on the model alone"));
        assert!(says(&report, "there is no link between sources"));
    }
}

#[test]
fn records_without_a_field_are_a_person_each() {
    for name in PROFILES {
        let records = population(&profile(name), 20, 53);
        let empty = |(label, source): (usize, &str)| {
            let mut one = again(&records[0], label, source);
            one.encoding.presence = 0;
            one.encoding.tags.fill(0);
            one.encoding.filters.fill(0);
            one
        };
        let sources = ["hosp_a", "hosp_b"].into_iter().cycle();
        let records: Vec<Made> = (0..60).zip(sources).map(empty).collect();
        let report = linked(name, &records);
        assert_eq!((report.entities, report.links), (60, 0));
        assert!(says(&report, "there is no link between sources"));
    }
}

#[test]
fn records_all_alike_are_told_of() {
    for name in PROFILES {
        let records = population(&profile(name), 20, 54);
        let sources = ["hosp_a", "hosp_b", "hosp_c"].into_iter().cycle();
        let alike = |(label, source)| again(&records[0], label, source);
        let records: Vec<Made> = (0..600).zip(sources).map(alike).collect();
        let report = linked(name, &records);
        println!(
            "{name}: {} entities, {} links",
            report.entities, report.links
        );
        let told = report.warnings.iter();
        assert!(says(&report, "rest on the model alone"));
        assert!(
            told.clone().any(|it| it.contains("seem to be alike")),
            "{:?}",
            report.warnings
        );
    }
}
