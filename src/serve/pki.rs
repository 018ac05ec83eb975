//! Makes a certificate authority and leaf certificates, so that a server can be tried out without
//! a key infrastructure. A production deployment brings its own; only the form of the identity
//! ([`super::identity`]) must be kept.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use zeroize::Zeroizing;

use super::identity::{Identity, TrustDomain};
use crate::terms::SourceId;

/// Validity of a leaf certificate, days.
const LEAF_DAYS: u64 = 90;
/// Validity of the authority's certificate, days.
const AUTHORITY_DAYS: u64 = 365;
const DAY: Duration = Duration::from_secs(86_400);
/// Clocks may differ by this much.
const SKEW: Duration = Duration::from_secs(3_600);

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// Key generation or signing failed.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// The authority's files could not be read.
    #[error("cannot read {}: has `musubi init` been run here?", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: existing keys and certificates are never overwritten", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A certificate authority for trials: ECDSA P-256, valid for a year.
pub struct CertificateAuthority {
    certificate_pem: String,
    key_pem: Zeroizing<String>,
    issuer: Issuer<'static, KeyPair>,
}

/// A leaf certificate and its key, PEM.
pub struct IssuedCertificate {
    /// Certificate.
    pub certificate_pem: String,
    /// PKCS #8 private key; wiped when dropped.
    pub key_pem: Zeroizing<String>,
}

/// Where the files of one identity lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM, readable by its owner only.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// `{directory}/{stem}.crt` and `{directory}/{stem}.key`.
    #[must_use]
    pub fn new(directory: &Path, stem: &str) -> Self {
        Self {
            certificate: directory.join(format!("{stem}.crt")),
            key: directory.join(format!("{stem}.key")),
        }
    }
}

impl CertificateAuthority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub fn create() -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = dated(AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params
            .distinguished_name
            .push(DnType::CommonName, "musubi authority for trials");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        let issuer = Issuer::new(params, key);
        Ok(Self {
            certificate_pem,
            key_pem,
            issuer,
        })
    }

    /// Reads an authority from `{directory}/ca.crt` and `{directory}/ca.key`.
    ///
    /// # Errors
    /// [`PkiError::Read`], or [`PkiError::Make`] if the files are malformed.
    pub fn load(directory: &Path) -> Result<Self, PkiError> {
        let files = CertificateFiles::new(directory, "ca");
        let certificate_pem = read(&files.certificate)?;
        let key_pem = Zeroizing::new(read(&files.key)?);
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, KeyPair::from_pem(&key_pem)?)?;
        Ok(Self {
            certificate_pem,
            key_pem,
            issuer,
        })
    }

    /// Writes `ca.crt` and `ca.key`.
    ///
    /// # Errors
    /// [`PkiError::Write`], also if they exist.
    pub fn save(&self, directory: &Path) -> Result<CertificateFiles, PkiError> {
        let files = CertificateFiles::new(directory, "ca");
        write_new(&files.certificate, self.certificate_pem.as_bytes(), 0o644)?;
        write_new(&files.key, self.key_pem.as_bytes(), 0o600)?;
        Ok(files)
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for a caller. Its one URI name is the identity.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub fn issue(
        &self,
        identity: &Identity,
        domain: &TrustDomain,
    ) -> Result<IssuedCertificate, PkiError> {
        let names = vec![SanType::URI(identity.uri(domain).try_into()?)];
        self.leaf(names, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A certificate for a server on this machine: `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub fn issue_server(
        &self,
        name: &SourceId,
        domain: &TrustDomain,
    ) -> Result<IssuedCertificate, PkiError> {
        let uri = format!("spiffe://{domain}/server/{name}");
        let names = vec![
            SanType::URI(uri.as_str().try_into()?),
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
        ];
        self.leaf(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn leaf(
        &self,
        names: Vec<SanType>,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<IssuedCertificate, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = dated(LEAF_DAYS);
        params.subject_alt_names = names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let certificate_pem = params.signed_by(&key, &self.issuer)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        Ok(IssuedCertificate {
            certificate_pem,
            key_pem,
        })
    }
}

impl IssuedCertificate {
    /// Writes `{stem}.crt` and `{stem}.key`.
    ///
    /// # Errors
    /// [`PkiError::Write`], also if they exist.
    pub fn save(&self, directory: &Path, stem: &str) -> Result<CertificateFiles, PkiError> {
        let files = CertificateFiles::new(directory, stem);
        write_new(&files.certificate, self.certificate_pem.as_bytes(), 0o644)?;
        write_new(&files.key, self.key_pem.as_bytes(), 0o600)?;
        Ok(files)
    }
}

fn dated(days: u64) -> CertificateParams {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = epoch + now.saturating_sub(SKEW);
    params.not_after = epoch + (now + DAY * u32::try_from(days).unwrap_or(u32::MAX));
    params
}

fn read(path: &Path) -> Result<String, PkiError> {
    std::fs::read_to_string(path).map_err(|source| PkiError::Read {
        path: path.into(),
        source,
    })
}

/// Writes a file that must not exist yet.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| PkiError::Write {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::serve::identity::Role;

    #[test]
    fn keys_are_for_their_owner_only_and_never_overwritten() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let authority = CertificateAuthority::create().expect("authority");
        let files = authority.save(directory.path()).expect("saved");
        let mode = std::fs::metadata(&files.key)
            .expect("key")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(
            authority.save(directory.path()),
            Err(PkiError::Write { .. })
        ));
    }

    #[test]
    fn a_loaded_authority_issues_the_same_kind_of_certificate() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let made = CertificateAuthority::create().expect("authority");
        made.save(directory.path()).expect("saved");
        let loaded = CertificateAuthority::load(directory.path()).expect("loaded");
        assert_eq!(loaded.certificate_pem(), made.certificate_pem());
        let name = SourceId::new("linkage").expect("good name");
        let identity = Identity::new(Role::Pipeline, name);
        let domain = TrustDomain::default();
        let leaf = loaded.issue(&identity, &domain).expect("issued");
        let der = crate::serve::identity::tests::der(&leaf.certificate_pem);
        assert!(Identity::from_certificate(&der, &domain) == Ok(identity));
    }

    #[test]
    fn a_missing_authority_is_named() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let error = CertificateAuthority::load(directory.path())
            .err()
            .expect("missing");
        assert!(error.to_string().contains("ca.crt"));
    }
}
