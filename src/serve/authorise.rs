//! Which role may call which method. There is a row for each method of the protos: one without a row does not compile.

use super::identity::{Identity, Role};
use crate::wire::Method;

/// Why a caller may not call a method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoriseError {
    /// No service has the method, or its row does not hold the role.
    #[error("the role '{role}' may not call this method; it is for: {allowed}")]
    Role {
        /// The caller's.
        role: Role,
        /// The roles that may, or "nobody".
        allowed: String,
    },
}

use Role::{Admin, Auditor, Officer, Pipeline, Source};

/// Paths of methods that tell nothing of what is linked: whoever the authority vouches for may call them.
const FOR_ALL: &[&str] = &[
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
];

/// The roles that may call a method.
#[must_use]
pub const fn allowed(method: Method) -> &'static [Role] {
    match method {
        Method::SubmissionGetLinkageProfile => &[Source, Pipeline],
        Method::SubmissionGetSubmissionProgress | Method::SubmissionSubmit => &[Source],
        Method::LinkRecordsJobRunLinkRecordsJob
        | Method::LinkRecordsJobWatchRun
        | Method::EntityResolveRecord
        | Method::EntityListEntityRecords
        | Method::EntityResolveEntity
        | Method::EntityExportEntities => &[Pipeline],
        Method::LinkRecordsJobGetRun
        | Method::LinkRecordsJobListRuns
        | Method::EntityDiffRuns
        | Method::EntityListSources => &[Pipeline, Officer, Auditor, Admin],
    }
}

/// Checks the table.
///
/// # Errors
/// [`AuthoriseError::Role`] unless the method's row holds the caller's role.
pub fn authorise(identity: &Identity, path: &str) -> Result<(), AuthoriseError> {
    if FOR_ALL.iter().any(|service| path.starts_with(service)) {
        return Ok(());
    }
    let allowed = Method::from_path(path).map_or(&[][..], allowed);
    if allowed.contains(&identity.role()) {
        return Ok(());
    }
    let allowed = if allowed.is_empty() {
        "nobody".into()
    } else {
        let names: Vec<&str> = allowed.iter().map(|role| role.as_str()).collect();
        names.join(", ")
    };
    Err(AuthoriseError::Role {
        role: identity.role(),
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::SourceId;

    fn caller(role: Role) -> Identity {
        Identity::new(role, SourceId::new("x").expect("good name"))
    }

    #[test]
    fn an_unknown_method_is_for_nobody() {
        for role in Role::ALL {
            let error = authorise(&caller(role), "/musubi.v1.EntityService/Delete");
            assert!(error.is_err_and(|error| error.to_string().contains("nobody")));
        }
    }

    #[test]
    fn sources_see_no_entity_and_no_run() {
        for method in Method::ALL {
            let may = authorise(&caller(Source), method.path()).is_ok();
            assert_eq!(
                may,
                method.path().contains("SubmissionService"),
                "{method:?}"
            );
        }
    }

    #[test]
    fn officers_auditors_and_admins_only_read_runs_and_sources() {
        for role in [Officer, Auditor, Admin] {
            let methods = Method::ALL.iter().copied();
            let may: Vec<Method> = methods
                .filter(|method| authorise(&caller(role), method.path()).is_ok())
                .collect();
            assert_eq!(
                may,
                [
                    Method::EntityDiffRuns,
                    Method::EntityListSources,
                    Method::LinkRecordsJobGetRun,
                    Method::LinkRecordsJobListRuns,
                ]
            );
        }
    }

    #[test]
    fn only_sources_submit() {
        let submit = "/musubi.v1.SubmissionService/Submit";
        for role in Role::ALL {
            assert_eq!(authorise(&caller(role), submit).is_ok(), role == Source);
        }
    }
}
