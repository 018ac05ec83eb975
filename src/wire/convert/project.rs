//! Projects: messages to terms and back.

use crate::terms::{OutputDomain, Project, PseudonymVersion};
use crate::wire::convert::names::{NameError, parse_project_name, project_name};
use crate::wire::pb;

/// Most characters of what stands in a project in words.
const WORDS_MAX: usize = 200;

/// Why a project message is refused. Names field and rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectMessageError {
    /// No project.
    #[error("field 'project' is missing")]
    Missing,
    /// Its name.
    #[error("field 'project.name': {0}")]
    Name(#[from] NameError),
    /// A field.
    #[error("field 'project.{field}': {rule}")]
    Field {
        /// Which.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
}

impl From<&Project> for pb::Project {
    fn from(project: &Project) -> Self {
        let domain = match project.domain {
            OutputDomain::Anonymised => pb::OutputDomain::Anonymised,
            OutputDomain::Pseudonymised => pb::OutputDomain::Pseudonymised,
            OutputDomain::CertifiedOperator => pb::OutputDomain::CertifiedOperator,
        };
        Self {
            name: project_name(&project.id),
            domain: domain.into(),
            recipient: project.recipient.clone(),
            purpose: project.purpose.clone(),
            expire_time_unix_s: project.expires_unix_s,
            create_time_unix_s: project.created_unix_s,
            version: project.version.get().into(),
            key_destroyed: project.destroyed,
            etag: project_etag(project),
        }
    }
}

/// Changes whenever the project does.
#[must_use]
pub fn project_etag(project: &Project) -> String {
    // The name is used once, and all but these two stays as it was made.
    let state = if project.destroyed {
        "destroyed"
    } else {
        "open"
    };
    format!("{}-{state}", project.version.get())
}

impl TryFrom<pb::Project> for Project {
    type Error = ProjectMessageError;

    /// What the server sets is read, too; a version of 0 counts as the first.
    fn try_from(message: pb::Project) -> Result<Self, ProjectMessageError> {
        let field = |field, rule| ProjectMessageError::Field { field, rule };
        for (name, text) in [
            ("recipient", &message.recipient),
            ("purpose", &message.purpose),
        ] {
            let length = text.chars().count();
            if !(1..=WORDS_MAX).contains(&length) || text.chars().any(char::is_control) {
                return Err(field(name, "1 to 200 characters, no control characters"));
            }
        }
        let domain = match message.domain() {
            pb::OutputDomain::Unspecified => {
                return Err(field("domain", "one of the output domains"));
            }
            pb::OutputDomain::Anonymised => OutputDomain::Anonymised,
            pb::OutputDomain::Pseudonymised => OutputDomain::Pseudonymised,
            pb::OutputDomain::CertifiedOperator => OutputDomain::CertifiedOperator,
        };
        let version = u8::try_from(message.version.max(1)).ok();
        let version = version.and_then(|number| PseudonymVersion::try_from(number).ok());
        Ok(Self {
            id: parse_project_name(&message.name)?,
            domain,
            recipient: message.recipient,
            purpose: message.purpose,
            created_unix_s: message.create_time_unix_s,
            expires_unix_s: message.expire_time_unix_s,
            version: version.ok_or_else(|| field("version", "1 to 31"))?,
            destroyed: message.key_destroyed,
        })
    }
}

/// Reads the project of a request.
///
/// # Errors
/// [`ProjectMessageError`]
pub fn read_project(message: Option<pb::Project>) -> Result<Project, ProjectMessageError> {
    message.ok_or(ProjectMessageError::Missing)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::ProjectId;

    type Spoil = dyn Fn(&mut pb::Project);

    fn project() -> Project {
        Project {
            id: ProjectId::new("dementia-2026").expect("good name"),
            domain: OutputDomain::Anonymised,
            recipient: "大学".into(),
            purpose: "a study".into(),
            created_unix_s: 7,
            expires_unix_s: 8,
            version: PseudonymVersion::FIRST,
            destroyed: false,
        }
    }

    #[test]
    fn a_project_comes_through_whole() {
        for domain in OutputDomain::ALL {
            for destroyed in [false, true] {
                let project = Project {
                    domain,
                    destroyed,
                    ..project()
                };
                assert_eq!(read_project(Some((&project).into())), Ok(project));
            }
        }
    }

    #[test]
    fn broken_fields_are_named() {
        let good = pb::Project::from(&project());
        let cases: [(&str, &Spoil); 6] = [
            ("project.name", &|bad| bad.name = "projects/Upper".into()),
            ("project.name", &|bad| bad.name = "dementia".into()),
            ("project.domain", &|bad| bad.domain = 0),
            ("project.recipient", &|bad| bad.recipient = String::new()),
            ("project.purpose", &|bad| bad.purpose = "x".repeat(201)),
            ("project.version", &|bad| bad.version = 32),
        ];
        for (field, spoil) in cases {
            let mut bad = good.clone();
            spoil(&mut bad);
            let error = read_project(Some(bad)).expect_err(field);
            assert!(error.to_string().contains(field), "{error}");
        }
        assert_eq!(read_project(None), Err(ProjectMessageError::Missing));
    }
}
