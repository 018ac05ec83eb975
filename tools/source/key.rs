//! `musubi-encode key`: make secrets, and compare them without telling them.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::Outcome;
use crate::encode::key::{SecretKind, key_file_fingerprint};
use crate::encode::{LinkageSecret, SourceSecret};

/// Arguments of `key`.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a new secret and write it to a key file that only you can read
    New {
        /// The key file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Which secret: shared by all sources, or this source's own
        #[arg(long, value_enum, default_value_t = Kind::Linkage)]
        kind: Kind,
    },
    /// Show the fingerprint of a key file, to compare it with another source's
    Fingerprint {
        /// The key file
        file: PathBuf,
    },
}

/// Which secret.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The linkage secret, shared by all sources of a project
    Linkage,
    /// The secret of this source alone
    Source,
}

/// Runs `key`.
///
/// # Errors
/// The key file exists, cannot be written or read, or has the wrong form.
pub fn run(command: &KeyCommand) -> Outcome {
    match command {
        KeyCommand::New { out, kind } => {
            let (fingerprint, advice) = match kind {
                Kind::Linkage => {
                    let secret = LinkageSecret::generate()?;
                    secret.write_new(out)?;
                    let advice = "Give it to the other sources over a safe way, and never to the \
                                  server. Whoever holds it can undo every encoding.";
                    (secret.fingerprint(), advice)
                }
                Kind::Source => {
                    let secret = SourceSecret::generate()?;
                    secret.write_new(out)?;
                    let advice = "Keep it to yourself, and keep it: another one would change the \
                                  noise of every record.";
                    (secret.fingerprint(), advice)
                }
            };
            Ok(format!(
                "{}  fingerprint {fingerprint}\n{advice}\n",
                out.display()
            ))
        }
        KeyCommand::Fingerprint { file } => {
            let (kind, fingerprint) = key_file_fingerprint(file)?;
            let kind = match kind {
                SecretKind::Linkage => "linkage secret",
                SecretKind::Source => "source secret",
            };
            Ok(format!("{fingerprint}  {kind}\n"))
        }
    }
}
