//! Every method of every service as one enum, made from `proto/` when musubi is built. Code that matches on it without a
//! wildcard no longer compiles when a method is added and nobody has thought of it.

include!(concat!(env!("OUT_DIR"), "/method.rs"));

impl Method {
    /// The method of a path; `None` if no service has it.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|method| method.path() == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_paths_that_clients_call() {
        assert_eq!(
            Method::SubmissionSubmit.path(),
            "/musubi.v1.SubmissionService/Submit"
        );
        for method in Method::ALL {
            assert!(Method::from_path(method.path()) == Some(*method));
        }
        assert!(Method::from_path("/musubi.v1.EntityService/Delete").is_none());
    }
}
