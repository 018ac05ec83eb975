//! From entities to pseudonyms: a keyed function, one key for each project, recipient and version.
//!
//! bits = first 16 bytes of keyed BLAKE3(key, entity as 16 bytes, little-endian), read little-endian. With keys that nobody
//! has, pseudonyms of two projects cannot be told from random numbers, so they cannot be joined; nor can a pseudonym be
//! turned into its entity but by trying all entities, which takes the key.

use crate::store::ProjectKey;
use crate::terms::{EntityId, Pseudonym};

/// Makes the pseudonyms of one version of one project. No `Debug`.
pub struct PseudonymMaker {
    key: ProjectKey,
}

impl PseudonymMaker {
    /// With the key of a project.
    #[must_use]
    pub fn new(key: ProjectKey) -> Self {
        Self { key }
    }

    /// What the project calls the entity.
    #[must_use]
    pub fn pseudonym(&self, entity: EntityId) -> Pseudonym {
        let hash = blake3::keyed_hash(self.key.bytes(), &entity.as_u128().to_le_bytes());
        let mut bits = [0; 16];
        bits.copy_from_slice(&hash.as_bytes()[..16]);
        Pseudonym::new(self.key.version(), u128::from_le_bytes(bits))
    }

    /// The entity that the project calls this, among those given; `None` if none of them.
    pub fn trace(
        &self,
        pseudonym: Pseudonym,
        entities: impl IntoIterator<Item = EntityId>,
    ) -> Option<EntityId> {
        (entities.into_iter()).find(|entity| self.pseudonym(*entity) == pseudonym)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::store::Store;
    use crate::terms::{OutputDomain, Project, ProjectId, PseudonymVersion};

    const PEOPLE: u128 = 100_000;

    fn maker(store: &Store, name: &str, domain: OutputDomain) -> PseudonymMaker {
        let id = ProjectId::new(name).expect("good name");
        let project = Project {
            id: id.clone(),
            domain,
            recipient: "university".into(),
            purpose: "a study".into(),
            created_unix_s: 7,
            expires_unix_s: 8,
            version: PseudonymVersion::FIRST,
            destroyed: false,
        };
        store.create_project(&project).expect("made");
        PseudonymMaker::new(store.project_key(&id).expect("a key"))
    }

    #[test]
    fn two_projects_are_joined_no_better_than_by_chance() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
        let one = maker(&store, "one", OutputDomain::Pseudonymised);
        let two = maker(&store, "two", OutputDomain::Anonymised);
        let entities = || (0..PEOPLE).map(EntityId::from_u128);
        let of = |maker: &PseudonymMaker| -> Vec<Pseudonym> {
            entities().map(|entity| maker.pseudonym(entity)).collect()
        };
        let (first, second) = (of(&one), of(&two));
        let distinct: HashSet<Pseudonym> = first.iter().chain(&second).copied().collect();
        assert_eq!(distinct.len(), first.len() + second.len(), "none is shared");
        // Who sorts both files, and ties the lines in order, is right once on average.
        let order = |pseudonyms: &[Pseudonym]| {
            let mut order: Vec<usize> = (0..pseudonyms.len()).collect();
            order.sort_by_key(|row| pseudonyms[*row]);
            order
        };
        let (a, b) = (order(&first), order(&second));
        let right = a.iter().zip(&b).filter(|(a, b)| a == b).count();
        assert!(right <= 10, "{right} of 100,000 by order");
        // Nor does any of the first eight bits of one tell a bit of the other.
        let bit = |pseudonym: &Pseudonym, place: usize| pseudonym.to_text()[3 + place] & 1;
        for place in 0..8 {
            let same = (first.iter().zip(&second)).filter(|(a, b)| bit(a, place) == bit(b, place));
            let share = same.count() as f64 / PEOPLE as f64;
            assert!((share - 0.5).abs() < 0.01, "character {place}: {share}");
        }
    }

    #[test]
    fn a_pseudonym_is_traced_with_its_own_key_only() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
        let one = maker(&store, "one", OutputDomain::Pseudonymised);
        let two = maker(&store, "two", OutputDomain::Pseudonymised);
        let entities = || (0..1_000).map(EntityId::from_u128);
        let wanted = EntityId::from_u128(777);
        let pseudonym = one.pseudonym(wanted);
        assert!(one.trace(pseudonym, entities()) == Some(wanted));
        assert!(two.trace(pseudonym, entities()).is_none());
    }
}
