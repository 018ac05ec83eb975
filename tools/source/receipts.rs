//! `musubi-encode receipts`: checks the server's promises without the server.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Outcome;
use super::client::{CallError, Connection};
use crate::terms::{ErasureReceipt, Receipt};
use crate::wire::pb::GetLinkageProfileRequest;
use crate::wire::pb::submission_service_client::SubmissionServiceClient;

/// Why a receipt does not hold.
#[derive(Debug, thiserror::Error)]
pub enum CheckReceiptError {
    /// The file cannot be read.
    #[error("cannot read the receipt {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no receipt.
    #[error("{} is not a receipt: {detail}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What the JSON reader says.
        detail: String,
    },
    /// The key is none.
    #[error("a server key is 64 hexadecimal digits, as `musubi-encode receipts key` prints it")]
    Key,
    /// The signature is not the server's.
    #[error("the receipt was not signed with this server key, or was changed afterwards")]
    Signature,
}

/// Checks the signature of a receipt with the server's public key.
///
/// # Errors
/// [`CheckReceiptError::Key`] and [`CheckReceiptError::Signature`].
pub fn check_receipt(receipt: &Receipt, server_key: &[u8; 32]) -> Result<(), CheckReceiptError> {
    check_signature(&receipt.signed_bytes(), &receipt.signature, server_key)
}

/// Checks the signature of the receipt of an erasure.
///
/// # Errors
/// [`CheckReceiptError::Key`] and [`CheckReceiptError::Signature`].
pub fn check_erasure_receipt(
    receipt: &ErasureReceipt,
    server_key: &[u8; 32],
) -> Result<(), CheckReceiptError> {
    check_signature(&receipt.signed_bytes(), &receipt.signature, server_key)
}

fn check_signature(
    signed: &[u8],
    signature: &str,
    server_key: &[u8; 32],
) -> Result<(), CheckReceiptError> {
    let key = VerifyingKey::from_bytes(server_key).map_err(|_| CheckReceiptError::Key)?;
    let signature = from_hex(signature).ok_or(CheckReceiptError::Signature)?;
    key.verify(signed, &Signature::from_bytes(&signature))
        .map_err(|_| CheckReceiptError::Signature)
}

fn read(path: &Path) -> Result<String, CheckReceiptError> {
    std::fs::read_to_string(path).map_err(|source| CheckReceiptError::Read {
        path: path.into(),
        source,
    })
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, CheckReceiptError> {
    serde_json::from_str(text).map_err(|error| CheckReceiptError::Form {
        path: path.into(),
        detail: error.to_string(),
    })
}

/// A receipt that was checked.
#[derive(Serialize)]
#[serde(untagged)]
pub enum CheckedReceipt {
    /// Of a submission.
    Submission(Receipt),
    /// Of an erasure.
    Erasure(ErasureReceipt),
}

/// Reads the receipt of a submission or of an erasure, and checks it.
///
/// # Errors
/// [`CheckReceiptError`].
pub fn check(path: &Path, server_key: &str) -> Result<CheckedReceipt, CheckReceiptError> {
    let key = from_hex(server_key).ok_or(CheckReceiptError::Key)?;
    let text = read(path)?;
    if let Ok(receipt) = parse::<ErasureReceipt>(path, &text) {
        check_erasure_receipt(&receipt, &key)?;
        return Ok(CheckedReceipt::Erasure(receipt));
    }
    let receipt: Receipt = parse(path, &text)?;
    check_receipt(&receipt, &key)?;
    Ok(CheckedReceipt::Submission(receipt))
}

impl fmt::Display for CheckedReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Erasure(receipt) => write!(
                f,
                "signed by this server: {} of {} erased, {} unknown, {} erased before, log entry {}",
                receipt.erased,
                receipt.source,
                receipt.unknown,
                receipt.erased_before,
                receipt.sequence
            ),
            Self::Submission(receipt) => write!(
                f,
                "signed by this server: submission {} of {}, {} accepted, log entry {}",
                receipt.submission, receipt.source, receipt.accepted, receipt.sequence
            ),
        }
    }
}

/// What to do with receipts.
#[derive(Subcommand)]
pub enum ReceiptsCommand {
    /// Check that the server signed a receipt
    Check(CheckArguments),
    /// Print the key that a server's receipts are checked with
    Key(KeyArguments),
}

/// Arguments of `receipts check`.
#[derive(Args)]
pub struct CheckArguments {
    /// The receipt that `submit` wrote, or that the operator gave for an erasure
    receipt: PathBuf,
    /// The server's key, 64 hexadecimal digits; keep it from the first submission on
    #[arg(long, value_name = "HEX")]
    server_key: String,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `receipts key`.
#[derive(Args)]
pub struct KeyArguments {
    /// Address of the server
    #[arg(long, default_value = "https://localhost:7443")]
    server: String,
    /// Certificate of the authority that signed the server's certificate
    #[arg(long)]
    ca: PathBuf,
    /// This source's certificate
    #[arg(long)]
    cert: PathBuf,
    /// Its private key
    #[arg(long)]
    key: PathBuf,
}

/// Carries a receipts command out.
///
/// # Errors
/// If the receipt does not hold, or the server does not answer.
pub fn run(command: &ReceiptsCommand) -> Outcome {
    match command {
        ReceiptsCommand::Check(arguments) => {
            let receipt = check(&arguments.receipt, &arguments.server_key)?;
            Ok(if arguments.json {
                serde_json::to_string_pretty(&receipt)? + "\n"
            } else {
                format!("{receipt}\n")
            })
        }
        ReceiptsCommand::Key(arguments) => {
            let connection = Connection {
                server: arguments.server.clone(),
                ca: arguments.ca.clone(),
                cert: arguments.cert.clone(),
                key: arguments.key.clone(),
            };
            let runtime = tokio::runtime::Runtime::new()?;
            let key = runtime.block_on(server_key(&connection))?;
            Ok(HEXLOWER.encode(&key) + "\n")
        }
    }
}

async fn server_key(
    connection: &Connection,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut client = SubmissionServiceClient::new(connection.open().await?);
    let answer = client
        .get_linkage_profile(GetLinkageProfileRequest {})
        .await;
    Ok(answer.map_err(CallError::from)?.into_inner().receipt_key)
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::terms::{RefusalReason, SourceId};

    fn signed() -> (Receipt, [u8; 32]) {
        let key = SigningKey::from_bytes(&[5; 32]);
        let mut receipt = Receipt {
            submission: 1,
            source: SourceId::new("a").expect("source"),
            accepted: 2,
            unchanged: 3,
            refused: BTreeMap::from([(RefusalReason::Empty, 4)]),
            content_hash: "0f".repeat(32),
            sequence: 5,
            log_head: "a9".repeat(32),
            signature: String::new(),
        };
        let signature = key.sign(&receipt.signed_bytes()).to_bytes();
        receipt.signature = HEXLOWER.encode(&signature);
        (receipt, key.verifying_key().to_bytes())
    }

    #[test]
    fn a_changed_receipt_is_refused_whatever_was_changed() {
        let (good, key) = signed();
        assert!(check_receipt(&good, &key).is_ok());
        let changes: [fn(&mut Receipt); 9] = [
            |r| r.submission = 2,
            |r| r.source = SourceId::new("b").expect("source"),
            |r| r.accepted = 3,
            |r| r.unchanged = 2,
            |r| r.refused.clear(),
            |r| r.content_hash = "1f".repeat(32),
            |r| r.sequence = 6,
            |r| r.log_head = "b9".repeat(32),
            |r| r.signature.replace_range(..2, "zz"),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut receipt = good.clone();
            change(&mut receipt);
            assert!(check_receipt(&receipt, &key).is_err(), "change {at}");
        }
        let other = SigningKey::from_bytes(&[6; 32]).verifying_key().to_bytes();
        assert!(check_receipt(&good, &other).is_err());
    }

    #[test]
    fn a_changed_receipt_of_an_erasure_is_refused_whatever_was_changed() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let mut good = ErasureReceipt {
            source: SourceId::new("a").expect("source"),
            erased: 1,
            unknown: 2,
            erased_before: 3,
            record_refs_hash: "0f".repeat(32),
            sequence: 4,
            log_head: "a9".repeat(32),
            signature: String::new(),
        };
        let signature = key.sign(&good.signed_bytes()).to_bytes();
        good.signature = HEXLOWER.encode(&signature);
        let key = key.verifying_key().to_bytes();
        assert!(check_erasure_receipt(&good, &key).is_ok());
        let changes: [fn(&mut ErasureReceipt); 8] = [
            |r| r.source = SourceId::new("b").expect("source"),
            |r| r.erased = 2,
            |r| r.unknown = 1,
            |r| r.erased_before = 4,
            |r| r.record_refs_hash = "1f".repeat(32),
            |r| r.sequence = 5,
            |r| r.log_head = "b9".repeat(32),
            |r| r.signature.replace_range(..2, "zz"),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut receipt = good.clone();
            change(&mut receipt);
            assert!(
                check_erasure_receipt(&receipt, &key).is_err(),
                "change {at}"
            );
        }
    }

    #[test]
    fn a_receipt_in_a_file_is_checked() {
        let (receipt, key) = signed();
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("r.json");
        let text = serde_json::to_string(&receipt).expect("JSON");
        std::fs::write(&path, text).expect("written");
        let server_key = HEXLOWER.encode(&key);
        let check = |server_key: &str, json| {
            run(&ReceiptsCommand::Check(CheckArguments {
                receipt: path.clone(),
                server_key: server_key.into(),
                json,
            }))
        };
        let text = check(&server_key, false).expect("signed");
        assert!(text.starts_with("signed by this server"), "{text}");
        let json = check(&server_key, true).expect("signed");
        assert!(serde_json::from_str::<Receipt>(&json).expect("JSON") == receipt);
        assert!(check(&server_key[2..], true).is_err());
    }
}
