//! Reads and checks a clkhash linkage schema of version 3.
//!
//! What clkhash only checks and does not hash (case, lengths, pattern, range, list of values) is
//! passed over: it changes no bit.

use serde::Deserialize;

use super::base64::from_base64;
use super::hash::HashKind;
use super::token::Comparison;
use super::value::{Format, Missing, TextEncoding};

/// Why a schema is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClkSchemaError {
    /// Not JSON, or not the shape of a schema.
    #[error("the clkhash schema is not valid: {0}")]
    Json(String),
    /// A rule is broken.
    #[error("the clkhash schema is not valid: {place}: {rule}")]
    Rule {
        /// `clkConfig`, or a feature.
        place: String,
        /// The rule, in words.
        rule: &'static str,
    },
}

/// A checked schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ClkSchema {
    pub(super) bits: usize,
    pub(super) folds: u32,
    pub(super) kdf_hash: KdfHash,
    pub(super) kdf_salt: Option<Vec<u8>>,
    pub(super) kdf_info: Vec<u8>,
    pub(super) key_bytes: usize,
    pub(super) features: Vec<Feature>,
    columns: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum KdfHash {
    #[serde(rename = "SHA256")]
    Sha256,
    #[serde(rename = "SHA512")]
    Sha512,
}

/// A column of the schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Feature {
    Ignored,
    Hashed(Box<Hashed>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hashed {
    pub(super) format: Format,
    pub(super) encoding: TextEncoding,
    pub(super) missing: Option<Missing>,
    pub(super) comparison: Comparison,
    pub(super) strategy: Strategy,
    pub(super) hash: HashKind,
}

/// How many bits a token sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    PerToken(usize),
    PerFeature(usize),
}

impl Strategy {
    /// Bits of token `index` of `count`: a feature's bits are dealt out evenly, the rest to the
    /// first tokens.
    pub(super) fn bits(self, index: usize, count: usize) -> usize {
        match self {
            Self::PerToken(bits) => bits,
            Self::PerFeature(bits) => bits / count + usize::from(index < bits % count),
        }
    }
}

#[derive(Deserialize)]
struct RawSchema {
    version: u32,
    #[serde(rename = "clkConfig")]
    config: RawConfig,
    features: Vec<RawFeature>,
}

#[derive(Deserialize)]
struct RawConfig {
    l: usize,
    /// The name that clkhash reads; `xorFolds` is passed over, as clkhash does.
    #[serde(default)]
    xor_folds: u32,
    kdf: RawKdf,
}

#[derive(Deserialize)]
struct RawKdf {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "sha256")]
    hash: KdfHash,
    salt: Option<String>,
    info: Option<String>,
    #[serde(rename = "keySize", default = "default_key_bytes")]
    key_size: usize,
}

fn sha256() -> KdfHash {
    KdfHash::Sha256
}

fn default_key_bytes() -> usize {
    64
}

#[derive(Deserialize)]
struct RawFeature {
    identifier: String,
    #[serde(default)]
    ignored: bool,
    format: Option<RawFormat>,
    hashing: Option<RawHashing>,
}

#[derive(Deserialize)]
struct RawFormat {
    #[serde(rename = "type")]
    kind: String,
    encoding: Option<String>,
    format: Option<String>,
}

#[derive(Deserialize)]
struct RawHashing {
    comparison: RawComparison,
    strategy: RawStrategy,
    hash: Option<RawHash>,
    #[serde(rename = "missingValue")]
    missing: Option<RawMissing>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum RawComparison {
    Ngram {
        n: usize,
        #[serde(default)]
        positional: bool,
    },
    Exact {},
    Numeric {
        #[serde(rename = "thresholdDistance")]
        threshold_distance: f64,
        resolution: u32,
        #[serde(default)]
        fractional_precision: u32,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RawStrategy {
    BitsPerToken(usize),
    BitsPerFeature(usize),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum RawHash {
    BlakeHash {},
    DoubleHash {
        #[serde(default)]
        prevent_singularity: bool,
    },
}

#[derive(Deserialize)]
struct RawMissing {
    sentinel: String,
    #[serde(rename = "replaceWith")]
    replace_with: Option<String>,
}

fn rule(holds: bool, place: &str, rule: &'static str) -> Result<(), ClkSchemaError> {
    if holds {
        return Ok(());
    }
    Err(ClkSchemaError::Rule {
        place: place.into(),
        rule,
    })
}

impl ClkSchema {
    /// Reads and checks a schema.
    ///
    /// # Errors
    /// [`ClkSchemaError`].
    pub fn parse(json: &str) -> Result<Self, ClkSchemaError> {
        let raw: RawSchema =
            serde_json::from_str(json).map_err(|error| ClkSchemaError::Json(error.to_string()))?;
        let (config, kdf, place) = (&raw.config, &raw.config.kdf, "clkConfig");
        rule(raw.version == 3, "version", "only version 3 is read")?;
        rule((1..=8192).contains(&config.l), place, "l is 1 to 8192")?;
        rule(config.xor_folds <= 8, place, "xor_folds is 0 to 8")?;
        rule(kdf.kind == "HKDF", place, "kdf.type is HKDF")?;
        let (key_bytes, count) = (kdf.key_size, raw.features.len());
        rule(
            (1..=64).contains(&key_bytes),
            place,
            "kdf.keySize is 1 to 64",
        )?;
        let hash_bytes = match kdf.hash {
            KdfHash::Sha256 => 32,
            KdfHash::Sha512 => 64,
        };
        let enough = count > 0 && 2 * count * key_bytes <= 255 * hash_bytes;
        rule(
            enough,
            place,
            "kdf.hash has keys for 1 to so many features only",
        )?;
        let wide = config.l << config.xor_folds;
        let mut features = Vec::with_capacity(count);
        let mut columns = Vec::with_capacity(count);
        for raw_feature in raw.features {
            columns.push(raw_feature.identifier.clone());
            features.push(feature(raw_feature, wide)?);
        }
        Ok(Self {
            bits: config.l,
            folds: config.xor_folds,
            kdf_hash: kdf.hash,
            kdf_salt: kdf.salt.as_deref().map(bytes).transpose()?,
            kdf_info: bytes(kdf.info.as_deref().unwrap_or_default())?,
            key_bytes,
            features,
            columns,
        })
    }

    /// Length of the filter after folding, in 64-bit words; bits beyond it are 0.
    #[must_use]
    pub fn words(&self) -> usize {
        self.bits.div_ceil(64)
    }

    /// The columns that a row has, in order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

fn feature(raw: RawFeature, wide: usize) -> Result<Feature, ClkSchemaError> {
    let place = format!("feature '{}'", raw.identifier);
    if raw.ignored {
        return Ok(Feature::Ignored);
    }
    let (Some(raw_format), Some(hashing)) = (raw.format, raw.hashing) else {
        let what = "a feature is ignored, or has format and hashing";
        return Err(ClkSchemaError::Rule { place, rule: what });
    };
    let hash = match hashing.hash {
        None | Some(RawHash::BlakeHash {}) => HashKind::Blake,
        Some(RawHash::DoubleHash {
            prevent_singularity,
        }) => HashKind::Double {
            prevent_singularity,
        },
    };
    let fits = hash != HashKind::Blake || wide.is_power_of_two();
    rule(
        fits,
        &place,
        "blakeHash needs a filter length (before folds) that is a power of two",
    )?;
    // With one bit there is no step but 0, and none would ever be found.
    let steps = !matches!(
        hash,
        HashKind::Double {
            prevent_singularity: true
        }
    ) || wide > 1;
    rule(steps, &place, "doubleHash needs more than one bit")?;
    let strategy = match hashing.strategy {
        RawStrategy::BitsPerToken(bits) => Strategy::PerToken(bits),
        RawStrategy::BitsPerFeature(bits) => Strategy::PerFeature(bits),
    };
    let (Strategy::PerToken(bits) | Strategy::PerFeature(bits)) = strategy;
    rule(
        (1..=65_536).contains(&bits),
        &place,
        "the strategy sets 1 to 65536 bits",
    )?;
    Ok(Feature::Hashed(Box::new(Hashed {
        encoding: encoding(raw_format.encoding.as_deref(), &place)?,
        format: Format::parse(&raw_format.kind, raw_format.format.as_deref()).map_err(|rule| {
            let place = place.clone();
            ClkSchemaError::Rule { place, rule }
        })?,
        missing: hashing.missing.map(|missing| Missing {
            replace_with: missing.replace_with.unwrap_or(missing.sentinel.clone()),
            sentinel: missing.sentinel,
        }),
        comparison: comparison(hashing.comparison, &place)?,
        strategy,
        hash,
    })))
}

fn comparison(raw: RawComparison, place: &str) -> Result<Comparison, ClkSchemaError> {
    Ok(match raw {
        RawComparison::Ngram { n, positional } => {
            rule((1..=32).contains(&n), place, "n is 1 to 32")?;
            Comparison::Ngram { n, positional }
        }
        RawComparison::Exact {} => Comparison::Exact,
        RawComparison::Numeric {
            threshold_distance,
            resolution,
            fractional_precision,
        } => {
            let interval = threshold_distance * 10_f64.powi(fractional_precision.min(20) as i32);
            let good = (1.0..1e15).contains(&interval.round_ties_even())
                && (1..=512).contains(&resolution)
                && fractional_precision <= 12;
            rule(
                good,
                place,
                "thresholdDistance, resolution and fractional_precision give a grid",
            )?;
            Comparison::Numeric {
                interval: interval.round_ties_even() as i128,
                resolution: i128::from(resolution),
                fractional_precision,
            }
        }
    })
}

fn encoding(name: Option<&str>, place: &str) -> Result<TextEncoding, ClkSchemaError> {
    let name = name
        .unwrap_or("utf-8")
        .to_ascii_lowercase()
        .replace('_', "-");
    Ok(match name.as_str() {
        "utf-8" | "utf8" => TextEncoding::Utf8,
        "ascii" | "us-ascii" => TextEncoding::Ascii,
        "latin-1" | "latin1" | "iso-8859-1" => TextEncoding::Latin1,
        "utf-16" | "utf16" => TextEncoding::Utf16,
        "utf-16-le" | "utf-16le" => TextEncoding::Utf16Le,
        "utf-16-be" | "utf-16be" => TextEncoding::Utf16Be,
        _ => {
            let what = "encoding is utf-8, ascii, latin-1, utf-16, utf-16-le or utf-16-be";
            return rule(false, place, what).map(|()| TextEncoding::Utf8);
        }
    })
}

fn bytes(text: &str) -> Result<Vec<u8>, ClkSchemaError> {
    from_base64(text).ok_or_else(|| ClkSchemaError::Rule {
        place: "clkConfig".into(),
        rule: "kdf.salt and kdf.info are Base64",
    })
}
