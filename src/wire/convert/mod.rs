//! Messages to terms and back. Going to terms *is* the validation of shape: what has been
//! converted need not be checked again.

mod blocking;
mod clustering;
mod methods;
mod names;
mod people;
mod project;
mod receipt;
mod record;
mod run;

pub use names::{
    ENTITIES, NameError, PROJECTS, RUNS, SOURCES, entity_name, parse_entity_name,
    parse_project_name, parse_run_name, parse_source_name, project_name, run_name, source_name,
};
pub use project::{ProjectMessageError, project_etag, read_project};
pub use receipt::SubmissionError;
pub use record::refused_or_encoding;
pub use run::RunError;
