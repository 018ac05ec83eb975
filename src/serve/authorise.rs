//! Which role may call which method. A method without a row is refused.

use super::identity::{Identity, Role};

/// Why a caller may not call a method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoriseError {
    /// The method is not in the table, or the role not in its row.
    #[error("the role '{role}' may not call this method; it is for: {allowed}")]
    Role {
        /// The caller's.
        role: Role,
        /// The roles that may, or "nobody".
        allowed: String,
    },
}

use Role::{Admin, Auditor, Officer, Pipeline, Source};

/// Path of each method and the roles that may call it.
const TABLE: &[(&str, &[Role])] = &[
    (
        "/musubi.v1.SubmissionService/GetLinkageProfile",
        &[Source, Pipeline],
    ),
    (
        "/musubi.v1.SubmissionService/GetSubmissionProgress",
        &[Source],
    ),
    ("/musubi.v1.SubmissionService/Submit", &[Source]),
    (
        "/musubi.v1.LinkRecordsJobService/RunLinkRecordsJob",
        &[Pipeline],
    ),
    (
        "/musubi.v1.LinkRecordsJobService/GetRun",
        &[Pipeline, Officer, Auditor, Admin],
    ),
    (
        "/musubi.v1.LinkRecordsJobService/ListRuns",
        &[Pipeline, Officer, Auditor, Admin],
    ),
    ("/musubi.v1.LinkRecordsJobService/WatchRun", &[Pipeline]),
    ("/musubi.v1.EntityService/ResolveRecord", &[Pipeline]),
    ("/musubi.v1.EntityService/ListEntityRecords", &[Pipeline]),
    ("/musubi.v1.EntityService/ResolveEntity", &[Pipeline]),
    (
        "/musubi.v1.EntityService/DiffRuns",
        &[Pipeline, Officer, Auditor, Admin],
    ),
    ("/musubi.v1.EntityService/ExportEntities", &[Pipeline]),
    (
        "/musubi.v1.EntityService/ListSources",
        &[Pipeline, Officer, Auditor, Admin],
    ),
];

/// Checks the table.
///
/// # Errors
/// [`AuthoriseError::Role`] unless the method's row holds the caller's role.
pub fn authorise(identity: &Identity, method: &str) -> Result<(), AuthoriseError> {
    let row = TABLE.iter().find(|(path, _)| *path == method);
    let allowed = row.map_or(&[][..], |(_, roles)| roles);
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::terms::SourceId;

    fn caller(role: Role) -> Identity {
        Identity::new(role, SourceId::new("x").expect("good name"))
    }

    /// Paths of all methods, from the `service` and `rpc` lines of the protos.
    fn methods() -> BTreeSet<String> {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/musubi/v1");
        let mut paths = BTreeSet::new();
        for entry in std::fs::read_dir(directory).expect("proto directory") {
            let path = entry.expect("entry").path();
            let text = std::fs::read_to_string(path).expect("proto file");
            let mut service = String::new();
            for line in text.lines().map(str::trim) {
                let word = |rest: &str| rest.split([' ', '(']).next().unwrap_or("").to_owned();
                if let Some(rest) = line.strip_prefix("service ") {
                    service = word(rest);
                } else if let Some(rest) = line.strip_prefix("rpc ") {
                    paths.insert(format!("/musubi.v1.{service}/{}", word(rest)));
                }
            }
        }
        paths
    }

    #[test]
    fn every_method_of_the_protos_has_exactly_one_row() {
        let rows: Vec<String> = TABLE.iter().map(|(path, _)| (*path).to_owned()).collect();
        let unique: BTreeSet<String> = rows.iter().cloned().collect();
        assert_eq!(rows.len(), unique.len(), "a method has two rows");
        assert_eq!(unique, methods());
        assert!(unique.len() >= 10);
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
        for method in methods() {
            let may = authorise(&caller(Source), &method).is_ok();
            assert_eq!(may, method.contains("SubmissionService"), "{method}");
        }
    }

    #[test]
    fn officers_auditors_and_admins_only_read_runs_and_sources() {
        for role in [Officer, Auditor, Admin] {
            let may: Vec<String> = methods()
                .into_iter()
                .filter(|method| authorise(&caller(role), method).is_ok())
                .collect();
            assert_eq!(
                may,
                [
                    "/musubi.v1.EntityService/DiffRuns",
                    "/musubi.v1.EntityService/ListSources",
                    "/musubi.v1.LinkRecordsJobService/GetRun",
                    "/musubi.v1.LinkRecordsJobService/ListRuns",
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
