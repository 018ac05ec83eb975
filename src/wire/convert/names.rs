//! Resource names: `sources/hosp_a`, `runs/0123…`, `entities/0123…`.

use crate::terms::{EntityId, IdError, ProjectId, RunId, SourceId};

/// Collection of sources.
pub const SOURCES: &str = "sources";
/// Collection of runs.
pub const RUNS: &str = "runs";
/// Collection of projects.
pub const PROJECTS: &str = "projects";
/// Collection of entities.
pub const ENTITIES: &str = "entities";

/// Why a resource name is refused. Carries the rule, never the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The collection is not the one that is needed.
    #[error("the name must have the form '{collection}/…'")]
    Collection {
        /// The one that is needed.
        collection: &'static str,
    },
    /// What follows the slash is malformed.
    #[error("the name after '{collection}/' is malformed: {rule}")]
    Id {
        /// The collection.
        collection: &'static str,
        /// What an ID looks like.
        rule: IdError,
    },
}

/// `sources/{source}`.
#[must_use]
pub fn source_name(source: &SourceId) -> String {
    format!("{SOURCES}/{source}")
}

/// `runs/{run}`.
#[must_use]
pub fn run_name(run: RunId) -> String {
    format!("{RUNS}/{run}")
}

/// `entities/{entity}`.
#[must_use]
pub fn entity_name(entity: EntityId) -> String {
    format!("{ENTITIES}/{}", entity.to_hex())
}

/// `projects/{project}`.
#[must_use]
pub fn project_name(project: &ProjectId) -> String {
    format!("{PROJECTS}/{project}")
}

/// Reads `projects/{project}`.
///
/// # Errors
/// [`NameError`] with the form that is needed.
pub fn parse_project_name(name: &str) -> Result<ProjectId, NameError> {
    parse(name, PROJECTS, |id| ProjectId::new(id))
}

/// Reads `sources/{source}`.
///
/// # Errors
/// [`NameError`] with the form that is needed.
pub fn parse_source_name(name: &str) -> Result<SourceId, NameError> {
    parse(name, SOURCES, |id| SourceId::new(id))
}

/// Reads `runs/{run}`.
///
/// # Errors
/// [`NameError`] with the form that is needed.
pub fn parse_run_name(name: &str) -> Result<RunId, NameError> {
    parse(name, RUNS, RunId::from_hex)
}

/// Reads `entities/{entity}`.
///
/// # Errors
/// [`NameError`] with the form that is needed.
pub fn parse_entity_name(name: &str) -> Result<EntityId, NameError> {
    parse(name, ENTITIES, EntityId::from_hex)
}

fn parse<T>(
    name: &str,
    collection: &'static str,
    read: impl Fn(&str) -> Result<T, IdError>,
) -> Result<T, NameError> {
    let id = name
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or(NameError::Collection { collection })?;
    read(id).map_err(|rule| NameError::Id { collection, rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let source = SourceId::new("hosp_a").expect("good name");
        assert_eq!(source_name(&source), "sources/hosp_a");
        assert_eq!(parse_source_name("sources/hosp_a"), Ok(source));
        let run = RunId::from_u128(7);
        assert_eq!(parse_run_name(&run_name(run)), Ok(run));
        let entity = EntityId::from_u128(u128::MAX);
        assert!(parse_entity_name(&entity_name(entity)) == Ok(entity));
    }

    #[test]
    fn malformed_names_are_refused_without_being_quoted() {
        for bad in ["", "hosp_a", "sources", "source/hosp_a", "runs/hosp_a"] {
            let error = parse_source_name(bad).expect_err("malformed");
            assert_eq!(
                error,
                NameError::Collection {
                    collection: SOURCES
                }
            );
        }
        for bad in ["sources/", "sources/Hosp", "sources/a/b", "sources/山田"] {
            let error = parse_source_name(bad).expect_err("malformed");
            assert!(!error.to_string().contains("山田"));
            assert!(matches!(error, NameError::Id { .. }), "{bad}");
        }
        assert!(parse_run_name("runs/12").is_err());
        assert!(parse_entity_name("entities/zz").is_err());
    }
}
