//! Shares of a secret for custodians: any *k* of *n* give it back, fewer tell nothing (Shamir 1979).
//!
//! Each byte of the secret is the value at 0 of a random polynomial of degree *k* − 1 over GF(2⁸)
//! (modulo x⁸ + x⁴ + x³ + x + 1); share *i* holds the values at *i*. A share is one line of text:
//!
//! ```text
//! musubi-share-v1 <kind> <threshold> <index> <fingerprint of the secret> <64 hexadecimal digits>
//! ```
//!
//! The fingerprint tells shares of different secrets apart and proves that a joined secret is whole.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key_file::{self, KeyFileKind, from_hex, to_hex};
use super::{
    NoRandomness, ReadKeyError, SECRET_BYTES, SecretFingerprint, SecretKind, WriteKeyError,
};

const LABEL: &str = "musubi-share-v1";

/// Why a key file is not split, or shares are not joined.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The numbers make no sense.
    #[error("the threshold is at least 2 and not above the number of shares, and that at most 255")]
    Numbers,
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadKeyError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteKeyError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Not a share.
    #[error("{path} is not a share: it has one line that starts with '{LABEL}'")]
    Form {
        /// Which file.
        path: PathBuf,
    },
    /// A share of another secret.
    #[error("{path} is a share of another secret than the first one")]
    OtherSecret {
        /// Which file.
        path: PathBuf,
    },
    /// The same share twice.
    #[error("{path} is share {index}, which was given before")]
    Twice {
        /// Which file.
        path: PathBuf,
        /// Which share.
        index: u8,
    },
    /// Not enough shares.
    #[error("it takes {threshold} shares to join this secret, and {found} of them were given")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many it takes.
        threshold: u8,
    },
    /// The shares do not give the secret of their fingerprint.
    #[error("the shares do not join to the secret that they name: one of them was altered")]
    Altered,
}

/// Splits the secret of a key file into share files `<out>.1`, `<out>.2`, …, and gives their paths.
///
/// # Errors
/// [`ShareError`]. Shares that were written before the error stay.
pub fn split_key_file(
    key_file: &Path,
    shares: u8,
    threshold: u8,
    out: &Path,
) -> Result<Vec<PathBuf>, ShareError> {
    if threshold < 2 || threshold > shares {
        return Err(ShareError::Numbers);
    }
    let (kind, secret) = key_file::read_any(key_file)?;
    let fingerprint = SecretFingerprint::of(&secret);
    let mut random = Zeroizing::new(vec![0; SECRET_BYTES * usize::from(threshold - 1)]);
    getrandom::fill(&mut random).map_err(|_| NoRandomness)?;
    let mut paths = Vec::with_capacity(usize::from(shares));
    for index in 1..=shares {
        let values = share(&secret, &random, index);
        let digits = to_hex(values.as_slice());
        let line = Zeroizing::new(format!(
            "{LABEL} {} {threshold} {index} {fingerprint} {}\n",
            kind.label(),
            digits.as_str()
        ));
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{index}"));
        let path = PathBuf::from(name);
        key_file::write_line_new(&path, &line)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Joins share files into a new key file and gives what may be told about it.
///
/// # Errors
/// [`ShareError`]. Nothing is written then.
pub fn join_key_file(
    shares: &[PathBuf],
    out: &Path,
) -> Result<(SecretKind, SecretFingerprint), ShareError> {
    let mut read: Vec<Share> = Vec::with_capacity(shares.len());
    for path in shares {
        let text = key_file::read_text(path, KeyFileKind::Secret)?;
        let form = || ShareError::Form { path: path.clone() };
        let next = text
            .as_deref()
            .and_then(|text| parse(text))
            .ok_or_else(form)?;
        if let Some(first) = read.first()
            && (first.kind, first.threshold, &first.fingerprint)
                != (next.kind, next.threshold, &next.fingerprint)
        {
            return Err(ShareError::OtherSecret { path: path.clone() });
        }
        if read.iter().any(|known| known.index == next.index) {
            return Err(ShareError::Twice {
                path: path.clone(),
                index: next.index,
            });
        }
        read.push(next);
    }
    let (kind, threshold) = match read.first() {
        Some(first) => (first.kind, first.threshold),
        None => (SecretKind::Linkage, 2),
    };
    if read.len() < usize::from(threshold) {
        return Err(ShareError::TooFew {
            found: read.len(),
            threshold,
        });
    }
    let points: Vec<(u8, &[u8; SECRET_BYTES])> = read
        .iter()
        .map(|share| (share.index, &*share.values))
        .collect();
    let secret = join(&points);
    let fingerprint = SecretFingerprint::of(&secret);
    if read[0].fingerprint != fingerprint.to_string() {
        return Err(ShareError::Altered);
    }
    key_file::write_new(out, kind, &secret)?;
    Ok((kind, fingerprint))
}

/// One share as read. No `Debug`.
struct Share {
    kind: SecretKind,
    threshold: u8,
    index: u8,
    fingerprint: String,
    values: Zeroizing<[u8; SECRET_BYTES]>,
}

fn parse(text: &str) -> Option<Share> {
    let mut words = text.trim_end_matches(['\r', '\n']).split(' ');
    if words.next()? != LABEL {
        return None;
    }
    let label = words.next()?;
    let share = Share {
        kind: SecretKind::ALL
            .into_iter()
            .find(|kind| kind.label() == label)?,
        threshold: words
            .next()?
            .parse()
            .ok()
            .filter(|threshold| *threshold >= 2)?,
        index: words.next()?.parse().ok().filter(|index| *index >= 1)?,
        fingerprint: words.next()?.to_owned(),
        values: from_hex(words.next()?)?,
    };
    words.next().is_none().then_some(share)
}

/// Values of the polynomials at `index`. `random`: coefficients of x, x², …, a secret's length each.
fn share(secret: &[u8; SECRET_BYTES], random: &[u8], index: u8) -> Zeroizing<[u8; SECRET_BYTES]> {
    let mut values = Zeroizing::new([0; SECRET_BYTES]);
    // Horner's rule from the highest coefficient down to the secret.
    let coefficients = random.chunks_exact(SECRET_BYTES).rev();
    for coefficient in coefficients.chain([secret.as_slice()]) {
        for (value, byte) in values.iter_mut().zip(coefficient) {
            *value = multiply(*value, index) ^ byte;
        }
    }
    values
}

/// The values at 0 of the polynomials through these points (Lagrange).
fn join(points: &[(u8, &[u8; SECRET_BYTES])]) -> Zeroizing<[u8; SECRET_BYTES]> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    for (index, values) in points {
        let mut factor = 1;
        for (other, _) in points.iter().filter(|(other, _)| other != index) {
            factor = multiply(factor, multiply(*other, inverse(other ^ index)));
        }
        for (byte, value) in secret.iter_mut().zip(values.iter()) {
            *byte ^= multiply(*value, factor);
        }
    }
    secret
}

/// Product in GF(2⁸), in the same time for all values.
fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = a << 1 ^ (carry & 0x1b);
        b >>= 1;
    }
    product
}

/// Inverse in GF(2⁸): the 254th power. 0 has none and gives 0.
fn inverse(a: u8) -> u8 {
    let mut power = 1;
    for bit in (0..8).rev() {
        power = multiply(power, power);
        if 254_u8 >> bit & 1 == 1 {
            power = multiply(power, a);
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::encode::LinkageSecret;

    proptest! {
        #[test]
        fn any_k_shares_give_the_secret_and_fewer_do_not(
            secret in any::<[u8; SECRET_BYTES]>(),
            random in prop::collection::vec(any::<u8>(), SECRET_BYTES * 4),
            threshold in 2_usize..=5,
            indices in prop::sample::subsequence((1..=255_u8).collect::<Vec<_>>(), 5),
        ) {
            let random = &random[..SECRET_BYTES * (threshold - 1)];
            let made: Vec<_> = indices.iter().map(|i| (*i, share(&secret, random, *i))).collect();
            let points: Vec<_> = made.iter().map(|(i, values)| (*i, &**values)).collect();
            prop_assert_eq!(*join(&points[5 - threshold..]), secret);
            prop_assert_eq!(*join(&points), secret);
            // One fewer fits a polynomial of lower degree: it is wrong unless the highest
            // coefficients are all 0, which random bytes are not.
            prop_assume!(random[random.len() - SECRET_BYTES..].iter().any(|byte| *byte != 0));
            prop_assert_ne!(*join(&points[..threshold - 1]), secret);
        }
    }

    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(multiply(0x57, 0x83), 0xc1, "the example of FIPS 197, 4.2");
        for value in 1..=255 {
            assert_eq!(multiply(value, inverse(value)), 1);
        }
    }

    #[test]
    fn files_are_split_joined_and_refused() {
        let dir = tempfile::tempdir().expect("directory");
        let path = |name: &str| dir.path().join(name);
        let secret = LinkageSecret::generate().expect("random");
        secret.write_new(&path("key")).expect("written");
        let shares = split_key_file(&path("key"), 4, 3, &path("share")).expect("split");
        assert_eq!(shares.len(), 4);
        let chosen = [shares[3].clone(), shares[0].clone(), shares[2].clone()];
        let (_, fingerprint) = join_key_file(&chosen, &path("joined")).expect("joined");
        assert_eq!(fingerprint, secret.fingerprint());
        let text = |name: &str| fs::read_to_string(path(name)).expect("readable");
        assert_eq!(text("key"), text("joined"));

        let refused = |shares: &[PathBuf]| {
            let error = join_key_file(shares, &path("never")).expect_err("refused");
            assert!(!path("never").exists());
            error.to_string()
        };
        assert!(refused(&shares[..2]).contains("it takes 3"));
        assert!(refused(&[shares[1].clone(), shares[1].clone()]).contains("given before"));
        assert!(refused(&[path("key")]).contains("not a share"));
        let other = LinkageSecret::generate().expect("random");
        other.write_new(&path("other")).expect("written");
        let others = split_key_file(&path("other"), 3, 3, &path("others")).expect("split");
        assert!(refused(&[shares[0].clone(), others[1].clone()]).contains("another secret"));
        let altered = text("share.1").replace(['1', '2', '3'], "4");
        fs::write(path("share.1"), altered).expect("written");
        assert!(!refused(&shares[..3]).is_empty());
        for (shares, threshold) in [(3, 1), (2, 3)] {
            let error = split_key_file(&path("key"), shares, threshold, &path("x"));
            assert!(matches!(error, Err(ShareError::Numbers)));
        }
    }
}
