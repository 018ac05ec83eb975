//! The charset of an HL7 v2 message: what MSH-18 says, or the map where it is wrong or silent.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, WINDOWS_1252};

/// The charset that MSH-18 declares. Its repetitions name the standard set first (often empty or
/// ASCII) and then those that escapes switch to. ASCII, or nothing, reads as UTF-8. `None` if one
/// is not known.
pub(super) fn declared(header: &str, field: char, repetition: char) -> Option<&'static Encoding> {
    let names = header.split(field).nth(17).unwrap_or_default();
    let mut found = UTF_8;
    for name in names.split(repetition) {
        let key: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        match key.as_str() {
            "" | "ASCII" | "ISOIR6" | "UNICODE" | "UNICODEUTF8" | "UTF8" => {}
            "ISOIR87" | "ISOIR14" | "ISOIR13" | "ISOIR159" | "ISO2022JP" => found = ISO_2022_JP,
            "88591" if found == UTF_8 => found = WINDOWS_1252,
            "SHIFTJIS" | "WINDOWS31J" | "MS932" | "CP932" => found = SHIFT_JIS,
            "EUCJP" => found = EUC_JP,
            _ => return None,
        }
    }
    Some(found)
}

/// Decodes one segment. `None` if the bytes are not of that charset: in UTF-8 one malformed
/// sequence shows it; elsewhere a few are gaiji, which become unknown characters.
pub(super) fn decode(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
    if malformed {
        let beyond_ascii = text.chars().filter(|c| !c.is_ascii()).count();
        let unknown = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER);
        if encoding == UTF_8 || 2 * unknown.count() > beyond_ascii {
            return None;
        }
    }
    if encoding == ISO_2022_JP {
        // In JIS X 0201 two separators are other signs, and senders do not switch back for them.
        return Some(text.replace('‾', "~").replace('¥', "\\"));
    }
    Some(text.into_owned())
}
