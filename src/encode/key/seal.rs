//! Secrets on the way to another source: sealed to its public key, so that whoever carries them
//! learns nothing.
//!
//! HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. What is
//! sealed are the 32 bytes of a secret; kind, epoch and fingerprint of the secret stand beside it in
//! clear and are authenticated. Each file is one line of text:
//!
//! ```text
//! musubi-exchange-key-v1 <64 hexadecimal digits>                                  private, never sent
//! musubi-public-key-v1 <64 hexadecimal digits>                                    to be sent
//! musubi-sealed-v1 <kind> <epoch> <fingerprint> <encapsulated key> <ciphertext>   to be sent
//! ```
//!
//! Base mode does not say who sealed: the receiver compares the secret's fingerprint with the
//! project, and the sender the public key's fingerprint with the receiver, on another way.

use std::path::{Path, PathBuf};

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::key_file::{self, KeyFileKind, from_hex, to_hex};
use super::{
    NoRandomness, ReadKeyError, SECRET_BYTES, SecretFingerprint, SecretKind, WriteKeyError,
};

const PUBLIC_LABEL: &str = "musubi-public-key-v1";
const SEALED_LABEL: &str = "musubi-sealed-v1";
const INFO: &[u8] = b"musubi/v1/sealed-secret";
/// A secret and the authentication tag.
const CIPHERTEXT_BYTES: usize = SECRET_BYTES + 16;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// Why a secret is not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadKeyError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteKeyError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Not a public key.
    #[error("{path} is not a public key: it has one line '{PUBLIC_LABEL} <64 hexadecimal digits>'")]
    PublicKey {
        /// Which file.
        path: PathBuf,
    },
    /// Not a sealed secret.
    #[error("{path} is not a sealed secret: it has one line that starts with '{SEALED_LABEL}'")]
    Form {
        /// Which file.
        path: PathBuf,
    },
    /// An exchange key is not passed on.
    #[error("{path} is an exchange key, which never leaves its owner: seal a linkage secret")]
    ExchangeKey {
        /// Which file.
        path: PathBuf,
    },
    /// The epoch has the wrong form.
    #[error("an epoch is 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-'")]
    Epoch,
    /// A secret of another epoch than the one asked for.
    #[error("{path} holds a secret of epoch {found}, not of epoch {wanted}")]
    OtherEpoch {
        /// Which file.
        path: PathBuf,
        /// Its epoch.
        found: String,
        /// The one asked for.
        wanted: String,
    },
    /// Sealed to another key, or altered.
    #[error(
        "{path} does not open with this exchange key: it was sealed to another one, or altered"
    )]
    Opening {
        /// Which file.
        path: PathBuf,
    },
}

/// What may be told about a secret that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSecret {
    /// Which secret.
    pub kind: SecretKind,
    /// Its fingerprint.
    pub fingerprint: SecretFingerprint,
    /// The epoch that it is for.
    pub epoch: String,
}

/// Makes an exchange key: the private part in `out`, the public part in `out.pub`. Gives the
/// fingerprint of the public part.
///
/// # Errors
/// [`SealError`].
pub fn new_exchange_key(out: &Path) -> Result<(PathBuf, SecretFingerprint), SealError> {
    let mut seed = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| NoRandomness)?;
    let (private, public) = X25519HkdfSha256::derive_keypair(seed.as_slice());
    let private = Zeroizing::new(<[u8; SECRET_BYTES]>::from(private.to_bytes()));
    let public = <[u8; SECRET_BYTES]>::from(public.to_bytes());
    key_file::write_new(out, SecretKind::Exchange, &private)?;
    let mut name = out.as_os_str().to_owned();
    name.push(".pub");
    let path = PathBuf::from(name);
    let line = format!("{PUBLIC_LABEL} {}\n", to_hex(&public).as_str());
    key_file::write_line_new(&path, &line)?;
    Ok((path, SecretFingerprint::of(&public)))
}

/// Fingerprint of a public key file, or of the public part of an exchange key.
///
/// # Errors
/// [`SealError`].
pub fn public_key_fingerprint(path: &Path) -> Result<SecretFingerprint, SealError> {
    let public = match read_public(path) {
        Ok(public) => public,
        Err(error) => match key_file::read(path, SecretKind::Exchange) {
            Ok(private) => X25519HkdfSha256::sk_to_pk(&private_key(&private, path)?),
            Err(_) => return Err(error),
        },
    };
    Ok(SecretFingerprint::of(&public.to_bytes().into()))
}

/// Seals the secret of a key file to a public key. Gives the secret's fingerprint and the public
/// key's.
///
/// # Errors
/// [`SealError`].
pub fn seal_key_file(
    key_file: &Path,
    to: &Path,
    epoch: &str,
    out: &Path,
) -> Result<(SecretFingerprint, SecretFingerprint), SealError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if epoch.is_empty() || epoch.len() > 63 || !epoch.bytes().all(good) {
        return Err(SealError::Epoch);
    }
    let (kind, secret) = key_file::read_any(key_file)?;
    if kind == SecretKind::Exchange {
        let path = key_file.into();
        return Err(SealError::ExchangeKey { path });
    }
    let public = read_public(to)?;
    let fingerprint = SecretFingerprint::of(&secret);
    let clear = format!("{SEALED_LABEL} {} {epoch} {fingerprint}", kind.label());
    let sealed = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        INFO,
        secret.as_slice(),
        clear.as_bytes(),
    );
    // A public key of small order gives no shared secret: it is none.
    let (encapsulated, ciphertext) =
        sealed.map_err(|_| SealError::PublicKey { path: to.into() })?;
    let encapsulated = to_hex(encapsulated.to_bytes().as_slice());
    let ciphertext = to_hex(&ciphertext);
    let line = format!(
        "{clear} {} {}\n",
        encapsulated.as_str(),
        ciphertext.as_str()
    );
    key_file::write_line_new(out, &line)?;
    Ok((
        fingerprint,
        SecretFingerprint::of(&public.to_bytes().into()),
    ))
}

/// Opens a sealed secret with an exchange key and writes it to a new key file.
///
/// # Errors
/// [`SealError`]; nothing is written then. [`SealError::OtherEpoch`] if `epoch` is given and the
/// secret is for another one.
pub fn open_key_file(
    sealed: &Path,
    with: &Path,
    epoch: Option<&str>,
    out: &Path,
) -> Result<OpenedSecret, SealError> {
    let private = key_file::read(with, SecretKind::Exchange)?;
    let private = private_key(&private, with)?;
    let text = key_file::read_text(sealed, KeyFileKind::Open)?;
    let parts = text.as_deref().and_then(|text| parse(text));
    let parts = parts.ok_or_else(|| SealError::Form {
        path: sealed.into(),
    })?;
    if let Some(wanted) = epoch.filter(|wanted| *wanted != parts.epoch) {
        return Err(SealError::OtherEpoch {
            path: sealed.into(),
            found: parts.epoch,
            wanted: wanted.to_owned(),
        });
    }
    let refused = || SealError::Opening {
        path: sealed.into(),
    };
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&parts.encapsulated);
    let secret = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &encapsulated.map_err(|_| refused())?,
        INFO,
        &parts.ciphertext,
        parts.clear.as_bytes(),
    );
    let opened = Zeroizing::new(secret.map_err(|_| refused())?);
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    if opened.len() != SECRET_BYTES {
        return Err(refused());
    }
    secret.copy_from_slice(&opened);
    let fingerprint = SecretFingerprint::of(&secret);
    if fingerprint.to_string() != parts.fingerprint {
        return Err(refused());
    }
    key_file::write_new(out, parts.kind, &secret)?;
    Ok(OpenedSecret {
        kind: parts.kind,
        fingerprint,
        epoch: parts.epoch,
    })
}

/// A sealed secret as read.
struct Parts {
    kind: SecretKind,
    epoch: String,
    fingerprint: String,
    encapsulated: [u8; SECRET_BYTES],
    ciphertext: [u8; CIPHERTEXT_BYTES],
    /// What is authenticated: all but the last two words.
    clear: String,
}

fn parse(text: &str) -> Option<Parts> {
    let line = text.trim_end_matches(['\r', '\n']);
    let words: Vec<&str> = line.split(' ').collect();
    let [label, kind, epoch, fingerprint, encapsulated, ciphertext] = words[..] else {
        return None;
    };
    let kind = SecretKind::ALL
        .into_iter()
        .find(|known| known.label() == kind && *known != SecretKind::Exchange)?;
    (label == SEALED_LABEL).then_some(())?;
    Some(Parts {
        kind,
        epoch: epoch.to_owned(),
        fingerprint: fingerprint.to_owned(),
        encapsulated: *from_hex(encapsulated)?,
        ciphertext: *from_hex(ciphertext)?,
        clear: words[..4].join(" "),
    })
}

fn read_public(path: &Path) -> Result<PublicKey, SealError> {
    let text = key_file::read_text(path, KeyFileKind::Open)?;
    let line = text
        .as_deref()
        .map(|text| text.trim_end_matches(['\r', '\n']));
    let hex = line.and_then(|line| line.strip_prefix(PUBLIC_LABEL)?.strip_prefix(' '));
    let bytes = hex.and_then(from_hex::<SECRET_BYTES>);
    let key = bytes.and_then(|bytes| PublicKey::from_bytes(bytes.as_slice()).ok());
    key.ok_or_else(|| SealError::PublicKey { path: path.into() })
}

fn private_key(bytes: &[u8; SECRET_BYTES], path: &Path) -> Result<PrivateKey, SealError> {
    PrivateKey::from_bytes(bytes).map_err(|_| SealError::Opening { path: path.into() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::encode::{LinkageSecret, SourceSecret};

    #[test]
    fn a_sealed_secret_opens_with_its_key_alone_and_only_whole() {
        let dir = tempfile::tempdir().expect("directory");
        let path = |name: &str| dir.path().join(name);
        let secret = LinkageSecret::generate().expect("random");
        secret.write_new(&path("linkage.key")).expect("written");
        let (public, printed) = new_exchange_key(&path("a")).expect("made");
        assert_eq!(public_key_fingerprint(&public).expect("read"), printed);
        assert_eq!(public_key_fingerprint(&path("a")).expect("read"), printed);
        let sealed = path("sealed");
        seal_key_file(&path("linkage.key"), &public, "2026.1", &sealed).expect("sealed");
        let opened = open_key_file(&sealed, &path("a"), Some("2026.1"), &path("out"));
        let opened = opened.expect("opened");
        assert_eq!(opened.fingerprint, secret.fingerprint());
        assert_eq!(
            (opened.kind, opened.epoch.as_str()),
            (SecretKind::Linkage, "2026.1")
        );
        let text = |name: &str| fs::read_to_string(path(name)).expect("text");
        assert_eq!(text("out"), text("linkage.key"));
        let digits = text("linkage.key");
        let digits = digits.trim_end().split(' ').next_back().expect("digits");
        assert!(
            !text("sealed").contains(digits),
            "the secret stands in clear"
        );

        let refused = |sealed: &Path, with: &str, epoch| {
            let error = open_key_file(sealed, &path(with), epoch, &path("never"));
            assert!(!path("never").exists());
            error.expect_err("refused").to_string()
        };
        new_exchange_key(&path("b")).expect("made");
        assert!(refused(&sealed, "b", None).contains("does not open"));
        assert!(refused(&sealed, "a", Some("2")).contains("epoch 2026.1, not of epoch 2"));
        for (word, other) in [("2026.1", "2026.2"), ("linkage", "source")] {
            let altered = path(&format!("altered-{other}"));
            fs::write(&altered, text("sealed").replace(word, other)).expect("written");
            assert!(refused(&altered, "a", None).contains("altered"));
        }
        assert!(refused(&public, "a", None).contains("not a sealed secret"));
    }

    #[test]
    fn only_secrets_are_sealed_and_only_to_public_keys() {
        let dir = tempfile::tempdir().expect("directory");
        let path = |name: &str| dir.path().join(name);
        let (public, _) = new_exchange_key(&path("a")).expect("made");
        let source = SourceSecret::generate().expect("random");
        source.write_new(&path("source.key")).expect("written");
        let refused = |key: &str, to: &Path, epoch| {
            let error = seal_key_file(&path(key), to, epoch, &path("never"));
            assert!(!path("never").exists());
            error.expect_err("refused").to_string()
        };
        assert!(refused("a", &public, "1").contains("never leaves"));
        assert!(refused("source.key", &path("a"), "1").contains("not a public key"));
        assert!(refused("source.key", &public, "2026 1").contains("epoch"));
        let zero = format!("{PUBLIC_LABEL} {}\n", "0".repeat(64));
        fs::write(path("zero.pub"), zero).expect("written");
        assert!(refused("source.key", &path("zero.pub"), "1").contains("not a public key"));
    }
}
