//! Who is calling: read from the client certificate, never from a header.

use std::fmt;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::terms::SourceId;

/// Trust domain of the identities.
pub const TRUST_DOMAIN: &str = "musubi.test";

/// What a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An organisation that submits encodings.
    Source,
    /// The operator's data processing: runs linkage, reads entities.
    Pipeline,
    /// Privacy officer: sees what a run did.
    Officer,
    /// Auditor: reads, changes nothing.
    Auditor,
    /// Administrator of the machine.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::Source,
        Self::Pipeline,
        Self::Officer,
        Self::Auditor,
        Self::Admin,
    ];

    /// The role as it stands in a certificate.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Pipeline => "pipeline",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A caller: role and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    role: Role,
    name: SourceId,
}

/// Why a certificate names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No certificate came with the connection.
    #[error("a client certificate is needed; give --cert and --key")]
    NoCertificate,
    /// Not X.509.
    #[error("the client certificate is not a valid X.509 certificate")]
    Malformed,
    /// No URI name, or several.
    #[error("the client certificate must hold exactly one URI name")]
    UriCount,
    /// The URI is not an identity.
    #[error(
        "the URI name of the client certificate must be spiffe://{TRUST_DOMAIN}/ROLE/NAME, \
         ROLE one of source, pipeline, officer, auditor, admin"
    )]
    Form,
}

impl Identity {
    /// A caller with this role and name.
    #[must_use]
    pub fn new(role: Role, name: SourceId) -> Self {
        Self { role, name }
    }

    /// What the caller is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The caller's name; for a source, the source.
    #[must_use]
    pub fn name(&self) -> &SourceId {
        &self.name
    }

    /// `spiffe://{domain}/{role}/{name}`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("spiffe://{TRUST_DOMAIN}/{}/{}", self.role, self.name)
    }

    /// `{role}/{name}`, as it stands in the audit log.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("{}/{}", self.role, self.name)
    }

    /// Reads the identity from a certificate that TLS has already verified.
    ///
    /// # Errors
    /// [`IdentityError`]: the first rule that is broken.
    pub fn from_certificate(der: &[u8]) -> Result<Self, IdentityError> {
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| IdentityError::Malformed)?;
        if !rest.is_empty() {
            return Err(IdentityError::Malformed);
        }
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| IdentityError::Malformed)?
            .ok_or(IdentityError::UriCount)?;
        let mut uris = names
            .value
            .general_names
            .iter()
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            });
        match (uris.next(), uris.next()) {
            (Some(uri), None) => Self::from_uri(uri),
            _ => Err(IdentityError::UriCount),
        }
    }

    fn from_uri(uri: &str) -> Result<Self, IdentityError> {
        let (role, name) = uri
            .strip_prefix("spiffe://")
            .and_then(|rest| rest.strip_prefix(TRUST_DOMAIN))
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.split_once('/'))
            .ok_or(IdentityError::Form)?;
        let role = Role::ALL
            .into_iter()
            .find(|known| known.as_str() == role)
            .ok_or(IdentityError::Form)?;
        let name = SourceId::new(name).map_err(|_| IdentityError::Form)?;
        Ok(Self { role, name })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    /// DER of a PEM certificate.
    pub fn der(pem: &str) -> Vec<u8> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
        pem.contents
    }

    fn certificate(uris: &[&str]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params
            .subject_alt_names
            .push(SanType::DnsName("localhost".try_into().expect("ASCII")));
        for uri in uris {
            let uri = (*uri).try_into().expect("ASCII");
            params.subject_alt_names.push(SanType::URI(uri));
        }
        let key = KeyPair::generate().expect("key");
        params
            .self_signed(&key)
            .expect("certificate")
            .der()
            .to_vec()
    }

    #[test]
    fn one_uri_of_the_right_form_is_an_identity() {
        for role in Role::ALL {
            let der = certificate(&[&format!("spiffe://musubi.test/{role}/hosp_a")]);
            let identity = Identity::from_certificate(&der).expect("identity");
            assert_eq!(identity.role(), role);
            assert_eq!(identity.actor(), format!("{role}/hosp_a"));
        }
    }

    #[test]
    fn no_uri_or_two_are_refused() {
        let none = Identity::from_certificate(&certificate(&[]));
        assert_eq!(none, Err(IdentityError::UriCount));
        let good = "spiffe://musubi.test/source/hosp_a";
        let two = Identity::from_certificate(&certificate(&[good, good]));
        assert_eq!(two, Err(IdentityError::UriCount));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "spiffe://other.test/source/hosp_a",
            "spiffe://musubi.test.evil/source/hosp_a",
            "spiffe://musubi.test/root/hosp_a",
            "spiffe://musubi.test/server/hosp_a",
            "spiffe://musubi.test/source/",
            "spiffe://musubi.test/source/Hosp",
            "spiffe://musubi.test/source/hosp_a/more",
            "https://musubi.test/source/hosp_a",
        ] {
            let refused = Identity::from_certificate(&certificate(&[bad]));
            assert_eq!(refused, Err(IdentityError::Form), "{bad}");
        }
        assert_eq!(
            Identity::from_certificate(b"no"),
            Err(IdentityError::Malformed)
        );
    }
}
