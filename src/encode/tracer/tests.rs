use super::*;
use crate::encode::normalise::insurance::parse_insurer_number;

const MAP: &str = "record_ref = 'id'\nkind = 'hospital'\nlocale = 'jp'\n[fields]\n\
    surname_kana = 'a'\ngiven_kana = 'b'\nname_kanji = 'c'\nbirth_date = 'd'\nsex = 'e'\n\
    insurer_no = 'f'\ninsurer_symbol = 'g'\ninsured_number = 'h'\npostcode = 'i'\n";

fn maker(secret: u8, epoch: &str, source: &str) -> TracerMaker {
    let map = MapFile::parse(MAP).expect("a map");
    let secret = LinkageSecret::from_bytes([secret; 32]);
    TracerMaker::new(
        &secret,
        epoch,
        &SourceId::new(source).expect("a name"),
        &map,
    )
}

fn person(entry: &Entry) -> [String; 4] {
    let fields = [
        Field::SurnameKana,
        Field::GivenKana,
        Field::BirthDate,
        Field::Sex,
    ];
    fields.map(|field| entry.get(field).to_owned())
}

#[test]
fn sources_invent_the_same_people_each_with_errors_of_its_own() {
    let (a, b) = (maker(1, "1", "hosp_a"), maker(1, "1", "hosp_b"));
    let count = 4_000;
    let equal = (0..count).filter(|i| person(&a.entry(*i)) == person(&b.entry(*i)));
    // Neither record of a pair has an error in these fields with probability about 0.92.
    let equal = equal.count() as f64 / f64::from(count);
    assert!((0.88..0.96).contains(&equal), "{equal}");
    assert!((0..count).all(|i| person(&a.entry(i)) == person(&maker(1, "1", "hosp_a").entry(i))));
    for other in [maker(2, "1", "hosp_a"), maker(1, "2", "hosp_a")] {
        let equal = (0..200).filter(|i| person(&a.entry(*i)) == person(&other.entry(*i)));
        assert_eq!(
            equal.count(),
            0,
            "another secret or epoch invents other people"
        );
    }
}

#[test]
fn a_tracer_has_the_fields_of_the_map_and_numbers_that_hold() {
    let maker = maker(1, "1", "hosp_a");
    let mut with_insurer = 0;
    for index in 0..500 {
        let entry = maker.entry(index);
        assert_eq!(entry.record_ref, format!("musubi-tracer-{index:06}"));
        assert_eq!(entry.get(Field::Address), "", "the map has no address");
        assert!(entry.get(Field::NameKanji).contains('　'));
        let insurer = entry.get(Field::InsurerNo);
        if !insurer.is_empty() {
            with_insurer += 1;
            assert!(parse_insurer_number(insurer).is_some_and(|read| read.check_digit_holds));
        }
    }
    assert!((400..490).contains(&with_insurer), "{with_insurer}");
}
