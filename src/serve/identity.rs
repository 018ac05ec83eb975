//! Who is calling: read from the client certificate, never from a header.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::terms::SourceId;

/// The trust domain of an operator's certificates: the host part of their SPIFFE URIs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustDomain(String);

/// A text that is no trust domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trust domain has 1 to 255 of a-z, 0-9, '.', '-' and '_'")]
pub struct TrustDomainError;

impl TryFrom<String> for TrustDomain {
    type Error = TrustDomainError;

    fn try_from(text: String) -> Result<Self, TrustDomainError> {
        let good =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if (1..=255).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(text))
        } else {
            Err(TrustDomainError)
        }
    }
}

impl From<TrustDomain> for String {
    fn from(domain: TrustDomain) -> Self {
        domain.0
    }
}

impl Default for TrustDomain {
    /// `musubi.test`: that of the certificates that `musubi init` makes.
    fn default() -> Self {
        Self("musubi.test".into())
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not X.509.
    #[error("the client certificate is not a valid X.509 certificate")]
    Malformed,
    /// No URI name, or several.
    #[error("the client certificate must hold exactly one URI name")]
    UriCount,
    /// The URI is not an identity.
    #[error(
        "the URI name of the client certificate must be spiffe://{domain}/ROLE/NAME, \
         ROLE one of source, pipeline, officer, auditor, admin"
    )]
    Form {
        /// The domain of this server.
        domain: TrustDomain,
    },
    /// Its time has passed while the connection was open.
    #[error("the client certificate has expired; connect again with a new one")]
    Expired,
}

/// Who is at the other end of a connection, as its certificate says.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    identity: Result<Identity, IdentityError>,
    /// When the certificate ends, seconds since 1970, UTC.
    expires_unix_s: u64,
}

impl Caller {
    /// `der`: a certificate that TLS has already verified.
    pub(super) fn from_certificate(der: &[u8], domain: &TrustDomain) -> Self {
        let parsed = X509Certificate::from_der(der);
        let end = parsed.map_or(0, |(_, leaf)| leaf.validity().not_after.timestamp());
        Self {
            identity: Identity::from_certificate(der, domain),
            // A time before 1970 has passed.
            expires_unix_s: u64::try_from(end).unwrap_or_default(),
        }
    }

    /// Who calls now.
    ///
    /// # Errors
    /// [`IdentityError`], also if the certificate has expired since the connection was opened.
    pub(super) fn identity(&self) -> Result<&Identity, IdentityError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        if now.is_ok_and(|now| now.as_secs() > self.expires_unix_s) {
            return Err(IdentityError::Expired);
        }
        self.identity.as_ref().map_err(Clone::clone)
    }
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
    pub fn uri(&self, domain: &TrustDomain) -> String {
        format!("spiffe://{domain}/{}/{}", self.role, self.name)
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
    pub fn from_certificate(der: &[u8], domain: &TrustDomain) -> Result<Self, IdentityError> {
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
            (Some(uri), None) => Self::from_uri(uri, domain).ok_or_else(|| IdentityError::Form {
                domain: domain.clone(),
            }),
            _ => Err(IdentityError::UriCount),
        }
    }

    fn from_uri(uri: &str, domain: &TrustDomain) -> Option<Self> {
        let rest = uri
            .strip_prefix("spiffe://")?
            .strip_prefix(domain.0.as_str())?;
        let (role, name) = rest.strip_prefix('/')?.split_once('/')?;
        let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
        let name = SourceId::new(name).ok()?;
        Some(Self { role, name })
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

    fn read(der: &[u8]) -> Result<Identity, IdentityError> {
        Identity::from_certificate(der, &TrustDomain::default())
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
            let identity = read(&der).expect("identity");
            assert_eq!(identity.role(), role);
            assert_eq!(identity.actor(), format!("{role}/hosp_a"));
        }
    }

    #[test]
    fn no_uri_or_two_are_refused() {
        let none = read(&certificate(&[]));
        assert_eq!(none, Err(IdentityError::UriCount));
        let good = "spiffe://musubi.test/source/hosp_a";
        let two = read(&certificate(&[good, good]));
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
            let refused = read(&certificate(&[bad]));
            let domain = TrustDomain::default();
            assert_eq!(refused, Err(IdentityError::Form { domain }), "{bad}");
        }
        assert_eq!(read(b"no"), Err(IdentityError::Malformed));
    }

    #[test]
    fn an_operator_has_a_trust_domain_of_its_own() {
        let own = TrustDomain::try_from("linkage.example".to_owned()).expect("good");
        let der = certificate(&["spiffe://linkage.example/auditor/x"]);
        assert!(Identity::from_certificate(&der, &own).is_ok());
        assert!(read(&der).is_err());
        for bad in ["", "Upper", "a/b", "a b", &"x".repeat(256)] {
            assert!(TrustDomain::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_certificate_that_ends_while_its_connection_is_open_is_refused_from_then_on() {
        let der = certificate(&["spiffe://musubi.test/auditor/x"]);
        let mut caller = Caller::from_certificate(&der, &TrustDomain::default());
        assert!(caller.identity().is_ok());
        caller.expires_unix_s = 1;
        assert_eq!(caller.identity(), Err(IdentityError::Expired));
    }
}
