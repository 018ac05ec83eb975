//! What no source should send, through the whole pipeline: a run ends, its figures are figures, and the
//! methods sheet says what it had nothing to go by.

use musubi::terms::methods::EstimateBasis;
use musubi::terms::run::RunReport;
use musubi::terms::{LinkageProfile, RecordRef, RefusalReason, SourceId};

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

/// A record that tells one fact, and nothing else.
fn only_one_fact(profile: &LinkageProfile, one: &Made, label: usize, source: &str) -> Made {
    let layout = profile.layout();
    let mut one = again(one, label, source);
    one.encoding.presence = layout.tag_bit(0);
    one.encoding.filters.fill(0);
    one.encoding.tags.fill(0);
    one.encoding.tags[layout.tag_range(0)].fill(label as u64 + 1);
    one
}

#[test]
fn records_without_a_field_are_refused_by_name_and_with_one_are_a_person_each() {
    for name in PROFILES {
        let profile = profile(name);
        let records = population(&profile, 20, 53);
        let labels = (0..60).zip(["hosp_a", "hosp_b"].into_iter().cycle());
        let with_one = |(label, source)| only_one_fact(&profile, &records[0], label, source);
        let mut records: Vec<Made> = labels.map(with_one).collect();
        let report = linked(name, &records);
        assert_eq!((report.entities, report.links), (60, 0));
        assert!(says(&report, "there is no link between sources"));

        records.iter_mut().for_each(|one| {
            one.encoding.presence = 0;
            one.encoding.tags.fill(0);
        });
        let folder = tempfile::tempdir().expect("folder");
        let store = open(&folder.path().join("store"), &profile);
        for receipt in submit(&store, "all", &records) {
            assert_eq!(receipt.accepted, 0);
            let refused = receipt.refused.into_iter().collect::<Vec<_>>();
            assert_eq!(refused, [(RefusalReason::Empty, 30)]);
        }
    }
}

#[test]
fn records_all_alike_are_told_of() {
    for name in PROFILES {
        let records = population(&profile(name), 20, 54);
        let is_claim = |one: &&Made| one.source.as_str() == "ndb";
        let one = records.iter().find(is_claim).expect("a claim");
        let alike = |count| -> Vec<Made> {
            let labels = (0..count).zip(["hosp_a", "hosp_b", "hosp_c"].into_iter().cycle());
            labels
                .map(|(label, source)| again(one, label, source))
                .collect()
        };
        let few = linked(name, &alike(60));
        // What all share tells nobody apart: with filters, it is worth nothing.
        assert!([1, 60].contains(&few.entities), "{name}");
        let told = [
            "leave the precision of links open",
            "rest on the model alone",
            "there is no link between sources",
        ];
        assert!(told.into_iter().any(|words| says(&few, words)), "{name}");
        // More than a block may hold say nothing about who is one person.
        let many = linked(name, &alike(3_000));
        assert_eq!((many.entities, many.links), (3_000, 0), "{name}");
        assert!(many.warnings.iter().any(|it| it.contains("were left out")));
        assert!(says(&many, "there is no link between sources"));
    }
}
