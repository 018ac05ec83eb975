//! Who has which value: what degrees are counted on.

use zeroize::Zeroizing;

use crate::encode::{CHARACTERS_MIN, Identity};
use crate::terms::Attribute;

/// Whom a record is about, as far as one source can tell.
pub(super) fn person(identity: &Identity) -> Option<u64> {
    if let Some(number) = identity.known(Attribute::PatientNumber) {
        return Some(short_hash([number]));
    }
    let names = [
        Attribute::NameKana,
        Attribute::NameKanji,
        Attribute::NameTokens,
    ];
    let name = names.iter().find_map(|name| identity.known(*name))?;
    let born = identity.known(Attribute::BirthDate)?;
    let sex = identity.known(Attribute::Sex).unwrap_or_default();
    Some(short_hash([name, born, sex]))
}

/// The values with one letter left out that a tag's further slots hold.
pub(super) fn variants(whole: &str, slots: usize) -> Vec<Zeroizing<String>> {
    if whole.chars().count() < CHARACTERS_MIN {
        return Vec::new();
    }
    let letters = whole.char_indices().take(slots);
    letters
        .map(|(start, letter)| {
            let mut shorter = Zeroizing::new(String::with_capacity(whole.len()));
            shorter.push_str(&whole[..start]);
            shorter.push_str(&whole[start + letter.len_utf8()..]);
            shorter
        })
        .collect()
}

/// Hash of a list of values, in memory only.
pub(super) fn short_hash<'a>(values: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&(value.len() as u64).to_le_bytes());
        hasher.update(value.as_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// How many people have each value.
pub(super) fn sizes(holders: &mut Vec<(u64, u64)>) -> Vec<u64> {
    holders.sort_unstable();
    holders.dedup();
    let groups = holders.chunk_by(|one, next| one.0 == next.0);
    groups.map(|group| group.len() as u64).collect()
}

/// How many pairs of people share a value, each counted from both sides.
pub(super) fn sharing(sizes: &[u64]) -> u64 {
    sizes.iter().map(|size| size * (size - 1)).sum()
}
