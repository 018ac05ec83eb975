//! Which cluster continues which entity? IDs last from run to run.

use std::collections::HashSet;

use super::Partition;
use crate::terms::EntityId;

/// Gives each cluster its entity ID.
///
/// `previous[row]` is the row's entity in the last published run, if it had one. A cluster
/// inherits at most one old ID, an ID goes to at most one cluster: the (ID, cluster) that share
/// most rows first, ties by the smaller ID and then the earlier cluster. A cluster without one
/// gets `fresh()`; fresh IDs are random, so an ID is never reused.
///
/// Returns one ID per row.
///
/// # Panics
/// If a cluster names a row that `previous` does not have.
#[must_use]
pub fn inherit(
    previous: &[Option<EntityId>],
    clusters: &Partition,
    fresh: &mut dyn FnMut() -> EntityId,
) -> Vec<EntityId> {
    let mut claims: Vec<(usize, EntityId, usize)> = Vec::new();
    let mut ids: Vec<EntityId> = Vec::new();
    for (index, rows) in clusters.iter().enumerate() {
        ids.clear();
        ids.extend(rows.iter().filter_map(|row| previous[*row as usize]));
        ids.sort_unstable();
        let shared = ids.chunk_by(|one, next| one == next);
        claims.extend(shared.map(|same| (same.len(), same[0], index)));
    }
    claims.sort_unstable_by(|x, y| y.0.cmp(&x.0).then_with(|| (x.1, x.2).cmp(&(y.1, y.2))));

    let mut id_of: Vec<Option<EntityId>> = vec![None; clusters.len()];
    let mut taken: HashSet<EntityId> = HashSet::new();
    for (_, id, index) in claims {
        if id_of[index].is_none() && taken.insert(id) {
            id_of[index] = Some(id);
        }
    }
    let mut entities = vec![EntityId::from_u128(0); previous.len()];
    for (rows, inherited) in clusters.iter().zip(id_of) {
        let id = inherited.unwrap_or_else(&mut *fresh);
        rows.iter().for_each(|row| entities[*row as usize] = id);
    }
    entities
}
