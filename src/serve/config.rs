//! How this machine runs: `musubi.toml`, read and checked once at start. It holds no secret.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use zeroize::Zeroizing;

use super::identity::TrustDomain;
use crate::store::{KeyProvider, ReadStoreKeyError};
use crate::terms::LinkageProfile;

/// Environment variable with the passphrase of a store that has no key file.
pub const PASSPHRASE_VARIABLE: &str = "MUSUBI_STORE_PASSPHRASE";
/// Fewest characters of a passphrase.
const PASSPHRASE_CHARS_MIN: usize = 12;

/// The configuration of a server. Paths are relative to the file that holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the store keeps and where.
    pub store: StoreConfig,
    /// The recipe that submissions must follow.
    pub linkage: LinkageConfig,
    /// The gRPC endpoint.
    pub grpc: GrpcConfig,
    /// How submissions are taken in.
    #[serde(default)]
    pub submission: SubmissionConfig,
    /// The console.
    #[serde(default)]
    pub console: ConsoleConfig,
}

/// What the store keeps and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Directory of the store. It is made if it does not exist; one server at a time.
    pub directory: PathBuf,
    /// Bytes of its disk that new records leave free; when fewer are left, submissions are refused
    /// and all else goes on. Unless given: 5 % of the disk, at most 1 GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_free_bytes: Option<u64>,
    /// File with the store's key. Without it, the environment variable `MUSUBI_STORE_PASSPHRASE`
    /// holds the passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// Why there is no key for the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyError {
    /// The key file is missing, malformed or open to others.
    #[error(transparent)]
    File(#[from] ReadStoreKeyError),
    /// Neither a key file nor a passphrase.
    #[error("there is no key for the store: name store.key_file, or set {PASSPHRASE_VARIABLE}")]
    Missing,
    /// The passphrase is too short to resist guessing.
    #[error("the passphrase in {variable} has fewer than {PASSPHRASE_CHARS_MIN} characters")]
    ShortPassphrase {
        /// The environment variable.
        variable: &'static str,
    },
}

impl StoreConfig {
    /// What opens the store.
    ///
    /// # Errors
    /// [`StoreKeyError`]
    pub fn key_provider(&self) -> Result<KeyProvider, StoreKeyError> {
        match &self.key_file {
            Some(path) => Ok(KeyProvider::key_file(path)?),
            None => passphrase(PASSPHRASE_VARIABLE),
        }
    }
}

/// The passphrase in an environment variable.
///
/// # Errors
/// [`StoreKeyError`] if it is not set or too short.
pub fn passphrase(variable: &'static str) -> Result<KeyProvider, StoreKeyError> {
    let text = std::env::var(variable).map_err(|_| StoreKeyError::Missing)?;
    let text = Zeroizing::new(text);
    if text.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(StoreKeyError::ShortPassphrase { variable });
    }
    Ok(KeyProvider::Passphrase(text))
}

/// The recipe that submissions must follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkageConfig {
    /// Name of a linkage profile that comes with musubi, or a file ending in `.toml`.
    pub profile: String,
    /// Epoch of the linkage secret that the sources use.
    pub epoch: String,
    /// Fingerprint of that secret, 16 hexadecimal digits, as a source told it (`musubi-encode key
    /// fingerprint`). With it a source that encoded with another secret learns so before it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_fingerprint: Option<String>,
}

/// The gRPC endpoint. Every caller needs a certificate signed by `client_ca`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcConfig {
    /// Address and port to listen on; port 0 takes a free one.
    #[serde(default = "default_grpc_listen")]
    pub listen: SocketAddr,
    /// The server's certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Certificate of the authority that signs the callers' certificates, PEM.
    pub client_ca: PathBuf,
    /// Trust domain of the certificates: that of `musubi init`, or the operator's own.
    #[serde(default)]
    pub trust_domain: TrustDomain,
}

/// How submissions are taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionConfig {
    /// A submission whose line was cut may go on within this time, seconds; 0: not at all.
    #[serde(default = "default_resume_within_s")]
    pub resume_within_s: u64,
}

/// The console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Address and port to listen on. It must be a loopback address: the console asks nobody who
    /// they are.
    #[serde(default = "default_console_listen")]
    pub listen: SocketAddr,
}

/// One hour.
#[must_use]
pub fn default_resume_within_s() -> u64 {
    3600
}

impl Default for SubmissionConfig {
    fn default() -> Self {
        Self {
            resume_within_s: default_resume_within_s(),
        }
    }
}

/// 127.0.0.1:7443.
#[must_use]
pub fn default_grpc_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 7443))
}

/// 127.0.0.1:7480.
#[must_use]
pub fn default_console_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 7480))
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            listen: default_console_listen(),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}; `musubi init` makes one", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key that does not exist, or one that is missing.
    #[error("{} is not a valid configuration: {detail}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the TOML reader says, with line and column.
        detail: String,
    },
    /// Rules are broken; all of them.
    #[error("the configuration has faults:\n  {}", faults.join("\n  "))]
    Faults {
        /// Each with the path of its key.
        faults: Vec<String>,
    },
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`]; broken rules all at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.into(),
            detail: error.to_string(),
        })?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.check()?;
        Ok(config)
    }

    /// The configuration as TOML.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    fn resolve(&mut self, base: &Path) {
        for path in [
            &mut self.store.directory,
            &mut self.grpc.certificate,
            &mut self.grpc.key,
            &mut self.grpc.client_ca,
        ] {
            *path = base.join(&path);
        }
        if let Some(path) = &mut self.store.key_file {
            *path = base.join(&path);
        }
        if self.profile_is_file() {
            let file = base.join(&self.linkage.profile);
            self.linkage.profile = file.to_string_lossy().into_owned();
        }
    }

    /// Checks every rule.
    ///
    /// # Errors
    /// [`ConfigError::Faults`] with all faults, each with the path of its key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        if let Err(fault) = self.profile() {
            faults.push(format!("linkage.profile: {fault}"));
        }
        let epoch = &self.linkage.epoch;
        if !(1..=63).contains(&epoch.len()) || epoch.chars().any(char::is_control) {
            faults.push("linkage.epoch: 1 to 63 characters without control characters".into());
        }
        if let Some(told) = &self.linkage.secret_fingerprint
            && !(told.len() == 16 && told.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            faults.push("linkage.secret_fingerprint: 16 hexadecimal digits".into());
        }
        for (key, path) in [
            ("grpc.certificate", &self.grpc.certificate),
            ("grpc.key", &self.grpc.key),
            ("grpc.client_ca", &self.grpc.client_ca),
        ] {
            if !path.is_file() {
                faults.push(format!("{key}: there is no file {}", path.display()));
            }
        }
        if !self.console.listen.ip().is_loopback() {
            faults.push(
                "console.listen: must be a loopback address, as in 127.0.0.1:7480; \
                 the console asks nobody who they are"
                    .into(),
            );
        }
        let both = self.console.listen == self.grpc.listen;
        if both && self.console.listen.port() != 0 {
            faults.push("console.listen: the same address and port as grpc.listen".into());
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Faults { faults })
        }
    }

    /// The linkage profile that is named.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub fn profile(&self) -> Result<LinkageProfile, String> {
        let name = &self.linkage.profile;
        if !self.profile_is_file() {
            return LinkageProfile::built_in(name).map_err(|error| error.to_string());
        }
        let text = std::fs::read_to_string(name)
            .map_err(|error| format!("cannot read the file {name}: {error}"))?;
        LinkageProfile::parse(&text).map_err(|error| error.to_string())
    }

    fn profile_is_file(&self) -> bool {
        Path::new(&self.linkage.profile)
            .extension()
            .is_some_and(|ext| ext == "toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, text: &str) -> PathBuf {
        for name in ["server.crt", "server.key", "ca.crt"] {
            std::fs::write(directory.join(name), "x").expect("written");
        }
        let path = directory.join("musubi.toml");
        std::fs::write(&path, text).expect("written");
        path
    }

    const GOOD: &str = r#"
        [store]
        directory = "store"
        key_file = "keys/store.key"
        [linkage]
        profile = "jp-standard"
        epoch = "2026"
        [grpc]
        certificate = "server.crt"
        key = "server.key"
        client_ca = "ca.crt"
    "#;

    #[test]
    fn defaults_are_filled_in_and_paths_are_relative_to_the_file() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let config = Config::load(&write(directory.path(), GOOD)).expect("good");
        assert_eq!(config.grpc.listen.to_string(), "127.0.0.1:7443");
        assert_eq!(config.console.listen.to_string(), "127.0.0.1:7480");
        assert_eq!(config.store.directory, directory.path().join("store"));
        assert_eq!(
            config.store.key_file,
            Some(directory.path().join("keys/store.key"))
        );
        let key = config.store.key_provider();
        assert!(matches!(key, Err(StoreKeyError::File(_))));
        let again: Config = toml::from_str(&config.to_toml().expect("TOML")).expect("reads");
        assert_eq!(again, config);
    }

    #[test]
    fn all_faults_are_reported_at_once_with_their_keys() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let text = GOOD
            .replace("jp-standard", "nothing")
            .replace("\"server.key\"", "\"gone.key\"")
            .replace("\"2026\"", "\"\"\nsecret_fingerprint = \"ab\"")
            + "\n[console]\nlisten = \"0.0.0.0:7480\"";
        let error = Config::load(&write(directory.path(), &text)).expect_err("faults");
        let text = error.to_string();
        for key in [
            "linkage.profile",
            "linkage.epoch",
            "linkage.secret_fingerprint",
            "grpc.key",
            "console.listen",
        ] {
            assert!(text.contains(key), "{key} is not in: {text}");
        }
    }

    #[test]
    fn unknown_keys_and_missing_files_are_named() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let text = format!("{GOOD}\nsecret = \"x\"");
        let error = Config::load(&write(directory.path(), &text)).expect_err("unknown key");
        assert!(error.to_string().contains("secret"));
        let error = Config::load(&directory.path().join("none.toml")).expect_err("missing");
        assert!(error.to_string().contains("musubi init"));
    }
}
