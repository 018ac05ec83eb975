//! Fields of a Patient resource (JP Core Patient).

use serde_json::Value;

use super::{each, last_part, text};
use crate::encode::field::Field;
use crate::encode::normalise::Locale;
use crate::encode::reader::Entry;
use crate::encode::reader::names::{NameFound, Script, set_names};

/// Extension of a name that tells its script: `IDE`, `SYL`, `ABC`.
const EN_REPRESENTATION: &str = "iso21090-EN-representation";
/// Naming systems of patient numbers begin with this; the institution's ten digits follow.
const PATIENT_NUMBER_ROOT: &str = "urn:oid:1.2.392.100495.20.3.51.";
/// Naming system of the insured person's identifier (被保険者個人識別子) ends with this.
const MEMBER_ID: &str = "JP_Insurance_memberID";

/// Fills the fields that a Patient tells.
pub(super) fn fill(
    entry: &mut Entry,
    patient: &Value,
    locale: Locale,
    patient_number: Option<&str>,
    aliases: bool,
) {
    let names: Vec<NameFound> = each(&patient["name"]).filter_map(name).collect();
    set_names(entry, locale, &names, aliases);
    let number = patient_number.map_or_else(
        || identifier_where(patient, |system| system.starts_with(PATIENT_NUMBER_ROOT)),
        |system| identifier(patient, system),
    );
    entry.set(Field::PatientNumber, number);
    entry.set(Field::BirthDate, text(&patient["birthDate"]));
    entry.set(Field::Sex, text(&patient["gender"]));
    if let Some(address) = best(&patient["address"], &["home", ""]) {
        entry.set(Field::Postcode, text(&address["postalCode"]));
        let written = text(&address["text"]);
        if written.is_empty() {
            let lines = each(&address["line"]).map(text).collect::<String>();
            let parts = [text(&address["state"]), text(&address["city"]), &lines];
            entry.set(Field::Address, &parts.concat());
        } else {
            entry.set(Field::Address, written);
        }
    }
    let telecom = each(&patient["telecom"]).filter(|point| text(&point["system"]) == "phone");
    let phone = telecom.min_by_key(|point| rank(point, &["home", "mobile", ""]));
    entry.set(
        Field::Phone,
        phone.map_or("", |point| text(&point["value"])),
    );
}

/// The value of the first identifier of this system; empty if there is none.
pub(super) fn identifier<'a>(patient: &'a Value, system: &str) -> &'a str {
    identifier_where(patient, |found| found == system)
}

/// The insured person's identifier, if the patient has one.
pub(super) fn member_id(patient: &Value) -> Option<&str> {
    let found = identifier_where(patient, |system| last_part(system) == MEMBER_ID);
    (!found.is_empty()).then_some(found)
}

fn identifier_where(patient: &Value, wanted: impl Fn(&str) -> bool) -> &str {
    let mut identifiers = each(&patient["identifier"]);
    let found = identifiers.find(|identifier| wanted(text(&identifier["system"])));
    found.map_or("", |identifier| text(&identifier["value"]))
}

/// A name in use. Former names, nicknames and stand-ins do not tell who it is.
fn name(name: &Value) -> Option<NameFound> {
    let rank = match text(&name["use"]) {
        "official" => 0,
        "usual" => 1,
        "" => 2,
        "temp" => 3,
        _ => return None,
    };
    let extension = each(&name["extension"])
        .find(|extension| last_part(text(&extension["url"])) == EN_REPRESENTATION);
    let script = extension.and_then(|extension| match text(&extension["valueCode"]) {
        "IDE" => Some(Script::Ideographic),
        "SYL" => Some(Script::Syllabic),
        "ABC" => Some(Script::Alphabetic),
        _ => None,
    });
    let given: Vec<&str> = each(&name["given"]).map(text).collect();
    Some(NameFound {
        script,
        rank,
        family: text(&name["family"]).to_owned(),
        given: given.join(" "),
        text: text(&name["text"]).to_owned(),
    })
}

fn best<'a>(list: &'a Value, order: &[&str]) -> Option<&'a Value> {
    each(list).min_by_key(|element| rank(element, order))
}

/// Place of an element's `use` in an order.
fn rank(element: &Value, order: &[&str]) -> usize {
    let purpose = text(&element["use"]);
    let place = order.iter().position(|known| *known == purpose);
    place.unwrap_or(order.len())
}
