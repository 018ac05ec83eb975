//! `musubi-encode key`: make secrets, and compare them without telling them.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::Outcome;
use crate::encode::key::{
    SecretKind, join_key_file, key_file_fingerprint, new_exchange_key, open_key_file,
    public_key_fingerprint, seal_key_file, split_key_file,
};
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
    /// Seal a secret to another source's public key, so that it can be sent
    Seal {
        /// The key file to seal; it stays as it is
        file: PathBuf,
        /// The public key of the source that is to open it
        #[arg(long, value_name = "FILE.pub")]
        to: PathBuf,
        /// The epoch that the secret is for
        #[arg(long, default_value = "1")]
        epoch: String,
        /// The sealed file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Open a sealed secret with this source's exchange key
    Open {
        /// The sealed file
        file: PathBuf,
        /// This source's exchange key
        #[arg(long, value_name = "FILE")]
        with: PathBuf,
        /// Refuse a secret of another epoch
        #[arg(long)]
        epoch: Option<String>,
        /// The key file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Split a secret into shares for custodians: so many of them give it back, fewer tell nothing
    Split {
        /// The key file to split; it stays as it is
        file: PathBuf,
        /// How many shares to make
        #[arg(long, value_name = "N")]
        shares: u8,
        /// How many of them it takes to join the secret
        #[arg(long, value_name = "K")]
        threshold: u8,
        /// Where the shares go: OUT.1, OUT.2, …; none may exist
        #[arg(long, value_name = "OUT")]
        out: PathBuf,
    },
    /// Join shares into a key file
    Join {
        /// The shares, in any order
        #[arg(required = true)]
        shares: Vec<PathBuf>,
        /// The key file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the fingerprint of a key file or public key, to compare it with another source's
    Fingerprint {
        /// The key file, or a public key
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which secret.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The linkage secret, shared by all sources of a project
    Linkage,
    /// The secret of this source alone
    Source,
    /// A key pair of this source, to which others seal secrets: OUT stays here, OUT.pub is sent
    Exchange,
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
                Kind::Exchange => {
                    let (public, fingerprint) = new_exchange_key(out)?;
                    return Ok(format!(
                        "{}  fingerprint {fingerprint}\nSend this file to whoever holds the linkage \
                         secret, and tell them the fingerprint on another way.\n",
                        public.display()
                    ));
                }
            };
            Ok(format!(
                "{}  fingerprint {fingerprint}\n{advice}\n",
                out.display()
            ))
        }
        KeyCommand::Seal {
            file,
            to,
            epoch,
            out,
        } => {
            refuse_own_secret(file)?;
            let (secret, public) = seal_key_file(file, to, epoch, out)?;
            Ok(format!(
                "{}  secret {secret}, epoch {epoch}, sealed to {public}\nSend it once the receiver \
                 has confirmed both fingerprints on another way.\n",
                out.display()
            ))
        }
        KeyCommand::Open {
            file,
            with,
            epoch,
            out,
        } => {
            let opened = open_key_file(file, with, epoch.as_deref(), out)?;
            Ok(format!(
                "{}  fingerprint {}  {}  epoch {}\nCompare the fingerprint with the project's on \
                 another way before you encode: anybody can seal to a public key.\n",
                out.display(),
                opened.fingerprint,
                in_words(opened.kind),
                opened.epoch
            ))
        }
        KeyCommand::Split {
            file,
            shares,
            threshold,
            out,
        } => {
            let paths = split_key_file(file, *shares, *threshold, out)?;
            let mut text = String::new();
            for path in paths {
                text.push_str(&format!("{}\n", path.display()));
            }
            Ok(text
                + &format!(
                    "Give each share to another custodian. Any {threshold} of them join to the \
                     secret; with fewer nobody learns anything of it.\n"
                ))
        }
        KeyCommand::Join { shares, out } => {
            let (kind, fingerprint) = join_key_file(shares, out)?;
            Ok(format!(
                "{}  fingerprint {fingerprint}  {}\n",
                out.display(),
                in_words(kind)
            ))
        }
        KeyCommand::Fingerprint { file, json } => fingerprint(file, *json),
    }
}

/// The fingerprint of a key file or public key, and which it is.
fn fingerprint(file: &Path, json: bool) -> Outcome {
    let (fingerprint, kind) = match public_key_fingerprint(file) {
        Ok(public) => (public.to_string(), "public key"),
        Err(_) => {
            let (kind, fingerprint) = key_file_fingerprint(file)?;
            (fingerprint.to_string(), in_words(kind))
        }
    };
    Ok(if json {
        let told = serde_json::json!({ "fingerprint": fingerprint, "kind": kind });
        format!("{told:#}\n")
    } else {
        format!("{fingerprint}  {kind}\n")
    })
}

/// A source's own secret is of use to nobody else, and would let another tell its noise.
fn refuse_own_secret(file: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match key_file_fingerprint(file)?.0 {
        SecretKind::Source => Err(format!(
            "{} is a source's own secret, which stays at its source: seal the linkage secret",
            file.display()
        )
        .into()),
        SecretKind::Linkage | SecretKind::Exchange => Ok(()),
    }
}

fn in_words(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Linkage => "linkage secret",
        SecretKind::Source => "source secret",
        SecretKind::Exchange => "exchange key",
    }
}
