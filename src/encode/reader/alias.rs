//! Further names of one person, as records of their own.
//!
//! A foreigner may have four names: in Latin letters on the residence card, in kanji, a registered alias
//! (通称), and readings of each; every source writes another of them. A record holds one name in each
//! script. Each further name becomes a record with the same facts but the name, under the record ref with
//! `#2`, `#3`, …: it finds whoever writes that name. Both carry the same patient number (the record ref
//! where the source has none), which ties them together wherever records of one source are compared. It
//! tells of no event, so that none counts twice.

use std::collections::VecDeque;

use zeroize::Zeroize;

use super::Entry;
use crate::encode::field::Field;

/// A further name: in kanji or Latin letters, and in kana; one of them may be empty. Plaintext: no
/// `Debug`, wiped on drop.
pub(super) struct OtherName {
    /// Whole name in kanji, or in Latin letters.
    pub(super) kanji: String,
    /// Whole name in kana.
    pub(super) kana: String,
}

impl Drop for OtherName {
    fn drop(&mut self) {
        self.kanji.zeroize();
        self.kana.zeroize();
    }
}

/// Fields of one name.
const NAMES: [Field; 11] = [
    Field::SurnameKanji,
    Field::GivenKanji,
    Field::NameKanji,
    Field::SurnameKana,
    Field::GivenKana,
    Field::NameKana,
    Field::AliasKanji,
    Field::AliasKana,
    Field::Surname,
    Field::Given,
    Field::FullName,
];

/// Puts the further names of an entry into the queue, each as an entry. Most entries have none.
pub(super) fn queue_aliases(entry: &mut Entry, queue: &mut VecDeque<Entry>) {
    let [kanji, kana] = [Field::AliasKanji, Field::AliasKana].map(|field| entry.get(field));
    if !(kanji.is_empty() && kana.is_empty()) {
        let (kanji, kana) = (kanji.to_owned(), kana.to_owned());
        entry.other_names.push(OtherName { kanji, kana });
    }
    // Columns are hashed as they are written, under one ref.
    if entry.other_names.is_empty() || !entry.columns.is_empty() {
        return;
    }
    if entry.get(Field::PatientNumber).is_empty() {
        let record_ref = entry.record_ref.clone();
        entry.set(Field::PatientNumber, &record_ref);
    }
    for (name, number) in std::mem::take(&mut entry.other_names).iter().zip(2..) {
        let mut alias = Entry::new();
        alias.begin(entry.line);
        alias.is_alias = true;
        alias.record_ref = format!("{}#{number}", entry.record_ref.trim());
        alias.version.clone_from(&entry.version);
        alias.flags.clone_from(&entry.flags);
        let of_event = |field: &Field| *field == Field::EventDate;
        let kept = Field::ALL.iter();
        for field in kept.filter(|field| !NAMES.contains(field) && !of_event(field)) {
            alias.set(*field, entry.get(*field));
        }
        alias.set(Field::NameKanji, &name.kanji);
        alias.set(Field::NameKana, &name.kana);
        queue.push_back(alias);
    }
}

#[cfg(test)]
mod tests {
    use crate::encode::map::MapFile;
    use crate::encode::reader::tests::read;
    use crate::encode::reader::{ReadReport, Row};
    use crate::terms::{Attribute, EventKind};

    const HL7: &str = "MSH|^~\\&|A|||||||1||2.5||||||UNICODE UTF-8\r\
        PID|||77||GARCIA^MARIA^^^^^L^A~ガルシア^マリア^^^^^L^P~山田^マリア^^^^^A^I~ヤマダ^マリア^^^^^A^P\
        ~MARI^^^^^^N^A||19880108|F\r";

    /// Record ref, event kind, names as written and read, and patient number of each record.
    fn names(bytes: &str, map: &str) -> (Vec<String>, ReadReport) {
        let map = MapFile::parse(map).expect("a map");
        let (rows, report) = read(bytes.as_bytes(), &map).expect("read");
        let told = rows.iter().map(|row| {
            let Row::Record(record) = row else {
                panic!("refused")
            };
            let get = |attribute| record.identity.get(attribute).unwrap_or("-");
            assert_eq!(get(Attribute::BirthDate), "19880108");
            let is_event = record.kind != EventKind::Unspecified;
            [
                record.record_ref.as_str(),
                if is_event { "event" } else { "name" },
                get(Attribute::NameKanji),
                get(Attribute::NameKana),
                get(Attribute::PatientNumber),
            ]
            .join(" ")
        });
        (told.collect(), report)
    }

    #[test]
    fn each_name_of_a_person_is_a_record_tied_by_the_patient_number() {
        let map = "locale = 'jp'\nkind = 'hospital'\naliases = true\n[file]\nform = 'hl7v2'\n";
        let (told, report) = names(HL7, map);
        // A nickname does not tell who it is.
        assert_eq!(
            told,
            [
                "77 event 山田マリア ヤマダマリア hosp_a|77",
                "77#2 name GARCIAMARIA ガルシアマリア hosp_a|77",
            ]
        );
        assert_eq!((report.records, report.aliases), (2, 1));
        let (told, report) = names(HL7, &map.replace("aliases = true\n", ""));
        assert_eq!(told, ["77 event 山田マリア ヤマダマリア hosp_a|77"]);
        assert_eq!(report.aliases, 0);

        let name = |family: &str, purpose: &str| {
            format!("{{\"use\":\"{purpose}\",\"family\":\"{family}\",\"given\":[\"マリア\"]}}")
        };
        let listed = ["official", "usual"].map(|purpose| {
            let family = ["ガルシア", "山田", "ヤマダ"];
            family[usize::from(purpose == "usual")..]
                .iter()
                .take(if purpose == "usual" { 2 } else { 1 })
                .map(|family| name(family, purpose))
                .collect::<Vec<_>>()
                .join(",")
        });
        let patient = format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1988-01-08\",\"name\":[{}]}}",
            listed.join(",")
        );
        let (told, _) = names(&patient, &map.replace("hl7v2", "fhir"));
        assert_eq!(
            told,
            [
                "p event 山田マリア ヤマダマリア hosp_a|p",
                "p#2 name - ガルシアマリア hosp_a|p",
            ]
        );
    }

    #[test]
    fn a_csv_names_the_columns_of_further_names() {
        let map = "record_ref = 'id'\nkind = 'hospital'\nlocale = 'jp'\n[fields]\nname_kanji = 'n'\n\
            name_kana = 'k'\nbirth_date = 'b'\nalias_kanji = 'an'\nalias_kana = 'ak'\n";
        let rows = "id,n,k,b,an,ak\n1,GARCIA MARIA,ガルシア マリア,1988-01-08,山田 マリア,\n\
            2,山田 花子,ヤマダ ハナコ,1988-01-08,,\n1#2,x,,1988-01-08,,\n";
        let map_file = MapFile::parse(map).expect("a map");
        let (all, report) = read(rows.as_bytes(), &map_file).expect("read");
        // A ref that an alias has taken is refused like any other that stood before.
        assert_eq!((all.len(), report.records, report.aliases), (4, 3, 1));
        assert_eq!(report.first_lines["duplicate_record_ref"], [4]);
        let (told, _) = names(rows.rsplit_once("1#2").expect("there").0, map);
        assert_eq!(
            told,
            [
                "1 event GARCIAMARIA ガルシアマリア hosp_a|1",
                "1#2 name 山田マリア - hosp_a|1",
                // Nobody else carries a number that the source did not give.
                "2 event 山田花子 ヤマダハナコ -",
            ]
        );
    }
}
