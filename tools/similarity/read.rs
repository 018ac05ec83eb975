//! Filters from files, in the forms that this field uses.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::Format;
use super::rows::Filters;
use crate::encode::file::{EncodingReader, FilterShape, ReadEncodingError};

/// Start of an encoding file.
const MSE_MAGIC: &[u8] = b"MUSUBIE";

/// Why a file of filters is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadFiltersError {
    /// The system refused.
    #[error("{path} cannot be read: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Not the JSON that anonlink writes.
    #[error("{path} is not JSON of the form {{\"clks\": [\"base64\", …]}}: {rule}")]
    Json {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        rule: String,
    },
    /// An encoding file that is not whole.
    #[error(transparent)]
    Encoding(#[from] ReadEncodingError),
    /// An encoding file without this filter.
    #[error("{path} has no such filter; it has {}", if names.is_empty() { "none" } else { names })]
    Filter {
        /// Which file.
        path: PathBuf,
        /// Names of the filters that it has.
        names: String,
    },
    /// Raw rows need a length.
    #[error("{path} holds raw rows: say with --bits how many bits a filter has, a multiple of 8")]
    Bits {
        /// Which file.
        path: PathBuf,
    },
    /// Raw rows that do not come out even.
    #[error("{path} has {bytes} bytes, which is no whole number of filters of {bits} bits")]
    Uneven {
        /// Which file.
        path: PathBuf,
        /// Its bytes.
        bytes: usize,
        /// Bits of a filter.
        bits: usize,
    },
    /// More rows than an index holds.
    #[error("{path} has more than 4,294,967,295 filters")]
    Rows {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads the filters of a file.
///
/// `bits` is for raw rows, `filter` for encoding files. A record that lacks the filter gives an
/// empty one, so that rows keep their numbers.
///
/// # Errors
/// [`ReadFiltersError`].
pub fn read(
    path: &Path,
    format: Option<Format>,
    bits: Option<usize>,
    filter: Option<&str>,
) -> Result<Filters, ReadFiltersError> {
    let failed = |error| ReadFiltersError::Io {
        path: path.into(),
        error,
    };
    let format = match format {
        Some(format) => format,
        None => tell(path).map_err(failed)?,
    };
    let filters = match format {
        Format::Json => read_json(path)?,
        Format::Mse => read_encodings(path, filter)?,
        Format::Raw => {
            let bits = bits.filter(|bits| *bits > 0 && bits % 8 == 0);
            let bits = bits.ok_or_else(|| ReadFiltersError::Bits { path: path.into() })?;
            read_raw(path, bits)?
        }
    };
    if u32::try_from(filters.len()).is_err() {
        return Err(ReadFiltersError::Rows { path: path.into() });
    }
    Ok(filters)
}

/// Tells what a file is from its first bytes.
fn tell(path: &Path) -> io::Result<Format> {
    let mut start = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut start)?;
    let text = start.iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(match text {
        _ if start.starts_with(MSE_MAGIC) => Format::Mse,
        Some(b'{') => Format::Json,
        _ => Format::Raw,
    })
}

fn read_raw(path: &Path, bits: usize) -> Result<Filters, ReadFiltersError> {
    let bytes = std::fs::read(path).map_err(|error| ReadFiltersError::Io {
        path: path.into(),
        error,
    })?;
    if bytes.len() % (bits / 8) != 0 {
        return Err(ReadFiltersError::Uneven {
            path: path.into(),
            bytes: bytes.len(),
            bits,
        });
    }
    let mut filters = Filters::new(bits);
    bytes
        .chunks_exact(bits / 8)
        .for_each(|filter| filters.push(filter));
    Ok(filters)
}

fn read_encodings(path: &Path, name: Option<&str>) -> Result<Filters, ReadFiltersError> {
    let mut reader = EncodingReader::open(path)?;
    let header = reader.header();
    let shapes = &header.filters;
    let wanted = |shape: &FilterShape| name.is_none_or(|name| shape.name == name);
    let Some(filter) = shapes.iter().position(wanted) else {
        let names: Vec<&str> = shapes.iter().map(|shape| shape.name.as_str()).collect();
        return Err(ReadFiltersError::Filter {
            path: path.into(),
            names: names.join(", "),
        });
    };
    let lengths: Vec<usize> = shapes.iter().map(|shape| shape.bits as usize).collect();
    let start: usize = lengths[..filter].iter().map(|bits| words(*bits)).sum();
    let bits = lengths[filter];
    let origin = format!(
        "{} {} {}",
        header.profile_fingerprint, header.secret_fingerprint, header.epoch
    );
    let mut filters = Filters::new(bits).made_with(origin);
    for record in &mut reader {
        let record = record?;
        if record.presence >> filter & 1 == 1 {
            filters.push_words(&record.filters[start..start + words(bits)]);
        } else {
            filters.push_empty();
        }
    }
    Ok(filters)
}

fn words(bits: usize) -> usize {
    bits.div_ceil(64)
}

fn read_json(path: &Path) -> Result<Filters, ReadFiltersError> {
    let file = File::open(path).map_err(|error| ReadFiltersError::Io {
        path: path.into(),
        error,
    })?;
    let parsed: Result<Clks, _> = serde_json::from_reader(BufReader::with_capacity(1 << 18, file));
    let clks = parsed.map_err(|error| ReadFiltersError::Json {
        path: path.into(),
        rule: error.to_string(),
    })?;
    Ok(clks.clks.0)
}

#[derive(Deserialize)]
struct Clks {
    clks: OfText,
}

/// Filters, each decoded as it is read: the text of a file never lies in memory as a whole.
struct OfText(Filters);

impl<'de> Deserialize<'de> for OfText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = OfText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of filters in base64")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OfText, A::Error> {
        let mut filters = Filters::new(0);
        let mut row = 0_usize;
        while let Some(text) = list.next_element::<String>()? {
            let refused =
                |rule: &str| serde::de::Error::custom(format!("filter {row} (from 0) {rule}"));
            let bytes = STANDARD.decode(&text);
            let bytes = bytes.map_err(|_| refused("is not base64"))?;
            if row == 0 {
                filters = Filters::new(bytes.len() * 8);
            }
            if bytes.len() * 8 != filters.bits() || bytes.is_empty() {
                return Err(refused("does not have the length of the first"));
            }
            filters.push(&bytes);
            row += 1;
        }
        Ok(OfText(filters))
    }
}
