//! `musubi init`: certificates for trials and a configuration, ready for `musubi serve`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use crate::serve::Config;
use crate::serve::config::{
    ConsoleConfig, GrpcConfig, LinkageConfig, StoreConfig, SubmissionConfig, default_grpc_listen,
};
use crate::serve::identity::{Identity, Role, TrustDomain};
use crate::serve::pki::{CertificateAuthority, PkiError};
use crate::store::{StoreKey, WriteStoreKeyError};
use crate::terms::profile::BUILT_IN;
use crate::terms::{IdError, LinkageProfile, ProfileError, SourceId};

/// Epoch that a new server starts with.
pub const FIRST_EPOCH: &str = "1";

/// The store's key within a folder that `init` made.
pub const STORE_KEY: &str = "keys/store.key";

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Folder for certificates, configuration and store
    #[arg(long, default_value = super::DEFAULT_DIR)]
    dir: PathBuf,
    /// Linkage profile: one that comes with musubi, or a TOML file
    #[arg(long, default_value = "jp-standard")]
    profile: String,
    /// A source that will submit; give it as often as there are sources
    #[arg(long = "source", value_name = "NAME")]
    sources: Vec<String>,
}

/// Why a folder could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A source's name is malformed.
    #[error("--source {place}: {rule}")]
    Source {
        /// Which, from 1.
        place: usize,
        /// The rule.
        rule: IdError,
    },
    /// The profile cannot be had.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The folder was set up before.
    #[error("{} exists already; give another folder with --dir", path.display())]
    Exists {
        /// The configuration.
        path: PathBuf,
    },
    /// Certificates could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The store's key could not be made.
    #[error(transparent)]
    StoreKey(#[from] WriteStoreKeyError),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration cannot be written as TOML.
    #[error("the configuration cannot be written: {0}")]
    Toml(#[from] toml::ser::Error),
}

/// Makes `certs/`, `keys/store.key`, `musubi.toml` and, for a profile that does not come with musubi,
/// `profile.toml`.
///
/// # Errors
/// [`InitError`]; existing files are never overwritten.
pub fn set_up(dir: &Path, profile: &LinkageProfile, sources: &[SourceId]) -> Result<(), InitError> {
    let config_path = dir.join("musubi.toml");
    if config_path.exists() {
        return Err(InitError::Exists { path: config_path });
    }
    let certs = dir.join("certs");
    let file = |path: &Path| {
        let path = path.to_path_buf();
        move |source| InitError::File { path, source }
    };
    std::fs::create_dir_all(&certs).map_err(file(&certs))?;

    let keys = dir.join("keys");
    std::fs::create_dir_all(&keys).map_err(file(&keys))?;
    StoreKey::create(&dir.join(STORE_KEY))?;

    let domain = TrustDomain::default();
    let authority = CertificateAuthority::create()?;
    authority.save(&certs)?;
    let operator =
        |name: &str| SourceId::new(name).map_err(|rule| InitError::Source { place: 0, rule });
    authority
        .issue_server(&operator("server")?, &domain)?
        .save(&certs, "server")?;
    for source in sources {
        let identity = Identity::new(Role::Source, source.clone());
        authority
            .issue(&identity, &domain)?
            .save(&certs, &format!("source-{source}"))?;
    }
    for role in [Role::Pipeline, Role::Officer] {
        let identity = Identity::new(role, operator("operator")?);
        authority
            .issue(&identity, &domain)?
            .save(&certs, role.as_str())?;
    }

    let comes_with_musubi = BUILT_IN.iter().any(|(name, _)| {
        *name == profile.name
            && LinkageProfile::built_in(name)
                .is_ok_and(|known| known.fingerprint() == profile.fingerprint())
    });
    let named = if comes_with_musubi {
        profile.name.clone()
    } else {
        let path = dir.join("profile.toml");
        std::fs::write(&path, profile.text()).map_err(file(&path))?;
        "profile.toml".into()
    };
    let config = Config {
        store: StoreConfig {
            directory: "store".into(),
            keep_free_bytes: None,
            key_file: Some(STORE_KEY.into()),
        },
        linkage: LinkageConfig {
            profile: named,
            epoch: FIRST_EPOCH.into(),
            secret_fingerprint: None,
        },
        grpc: GrpcConfig {
            listen: default_grpc_listen(),
            certificate: "certs/server.crt".into(),
            key: "certs/server.key".into(),
            client_ca: "certs/ca.crt".into(),
            trust_domain: domain,
        },
        submission: SubmissionConfig::default(),
        console: ConsoleConfig::default(),
    };
    std::fs::write(&config_path, config.to_toml()?).map_err(file(&config_path))
}

/// Sets a folder up and says what to do next.
///
/// # Errors
/// [`InitError`]
pub fn run(arguments: &InitArguments) -> Outcome {
    let mut sources = Vec::new();
    for (index, name) in arguments.sources.iter().enumerate() {
        let place = index + 1;
        let source = SourceId::new(name).map_err(|rule| InitError::Source { place, rule })?;
        sources.push(source);
    }
    let path = Path::new(&arguments.profile);
    let profile = if path.extension().is_some_and(|ext| ext == "toml") {
        let text = std::fs::read_to_string(path).map_err(|source| InitError::File {
            path: path.into(),
            source,
        })?;
        LinkageProfile::parse(&text).map_err(InitError::Profile)?
    } else {
        LinkageProfile::built_in(&arguments.profile).map_err(InitError::Profile)?
    };
    let dir = &arguments.dir;
    set_up(dir, &profile, &sources)?;

    let shown = dir.display();
    let mut text = format!(
        "{shown}/musubi.toml   configuration: profile {}, epoch {FIRST_EPOCH}\n\
         {shown}/certs         certificates, valid for 90 days: server, pipeline, officer",
        profile.name
    );
    for source in &sources {
        text += &format!(", source-{source}");
    }
    let source = sources.first().map_or("NAME", SourceId::as_str);
    text += &format!(
        "\n{shown}/{STORE_KEY}   opens the store; keep a copy in a safe place, apart from the \
         backups: without it the store is lost, with it a stolen backup can be read"
    );
    text += &format!(
        "\n\nNext:\n\
         \x20 1. musubi serve --config {shown}/musubi.toml\n\
         \x20 2. at each source, encode, then:\n\
         \x20    musubi-encode submit FILE.mse --ca {shown}/certs/ca.crt \
         --cert {shown}/certs/source-{source}.crt --key {shown}/certs/source-{source}.key\n\
         \x20 3. musubi link --watch --dir {shown}\n"
    );
    Ok(text)
}
