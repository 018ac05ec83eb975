//! `musubi-encode encode`: from a source's file to an encoding file.

mod batch;
mod command;
mod output;
mod risk;
#[cfg(test)]
mod tests;

pub use command::{EncodeArguments, run};
pub use output::OutputFormat;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use serde::Serialize;
use zeroize::Zeroizing;

use super::fill::{Fill, FillCounter};
use crate::encode::file::{EncodingHeader, WriteEncodingError};
use crate::encode::key::ReadKeyError;
use crate::encode::map::{MapError, MapFile};
use crate::encode::tracer::{TRACERS_MAX, TracerMaker};
use crate::encode::{
    Encoder, LinkageSecret, NewEncoderError, ReadError, ReadReport, SourceSecret, open_source,
};
use crate::terms::{LinkageProfile, SourceId};
use batch::{encode_all, plant};
use output::Output;

/// What to encode, and how.
pub struct EncodeOptions {
    /// The source's file, of the form that the map names.
    pub input: PathBuf,
    /// The file to write; a file of that name is replaced.
    pub output: PathBuf,
    /// Its form.
    pub format: OutputFormat,
    /// The map file: which column holds what.
    pub map: PathBuf,
    /// Who encodes.
    pub source: SourceId,
    /// What filters and tags to make.
    pub profile: LinkageProfile,
    /// Key file of the linkage secret.
    pub linkage_secret: PathBuf,
    /// Key file of the source secret, needed if the profile flips bits.
    pub source_secret: Option<PathBuf>,
    /// File with the secret text that a project has used with clkhash; only for clkhash profiles.
    pub clkhash_secret: Option<PathBuf>,
    /// Epoch, part of every key.
    pub epoch: String,
    /// Records of invented people to plant, at most [`TRACERS_MAX`].
    pub tracers: u32,
}

/// What was encoded.
#[derive(Debug, Clone, Serialize)]
pub struct EncodeReport {
    /// Records in the encoding file, tracers included.
    pub records: u64,
    /// Records of invented people among them.
    pub tracers: u32,
    /// Records that gave no filter and no tag under the profile, and were left out.
    pub empty: u64,
    /// The encoding file.
    pub output: PathBuf,
    /// Bytes of the encoding file.
    pub bytes: u64,
    /// Name of the linkage profile.
    pub profile: String,
    /// Its fingerprint, hexadecimal.
    pub profile_fingerprint: String,
    /// Epoch.
    pub epoch: String,
    /// Who encoded.
    pub source: SourceId,
    /// Fingerprint of the linkage secret, hexadecimal.
    pub secret_fingerprint: String,
    /// What the reader saw: rows, refusals by reason, notes, filled attributes.
    pub read: ReadReport,
    /// Fill of filters and tags.
    pub fill: Fill,
    /// What to look at before submitting, in words.
    pub risks: Vec<String>,
    /// Time from opening to the finished file.
    pub seconds: f64,
}

/// Why a source was not encoded. Nothing is left behind but what was there before.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The map file is refused.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A key file is refused.
    #[error(transparent)]
    Key(#[from] ReadKeyError),
    /// The profile, secrets and epoch do not go together.
    #[error("{0}")]
    Encoder(#[from] NewEncoderError),
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Input and output are the same file.
    #[error("{path} is the input: give another name for the encoding file")]
    SameFile {
        /// Which file.
        path: PathBuf,
    },
    /// The file with clkhash's secret cannot be read.
    #[error("cannot read the clkhash secret {path}: {error}")]
    ClkhashSecret {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// No record could be encoded.
    #[error("{path}: no record could be encoded{reasons}; is the map file the right one?")]
    NoRecord {
        /// The source's file.
        path: PathBuf,
        /// Reasons and rules with their numbers and first lines.
        reasons: String,
    },
    /// The encoding file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteEncodingError),
    /// The CSV of encodings cannot be written.
    #[error("cannot write {path}: {error}")]
    WriteCsv {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Encodes a source's file over all cores, with constant memory; records keep their order, so that the same
/// input gives the same encodings.
///
/// `progress` is called with bytes read and bytes of the input.
///
/// # Errors
/// [`EncodeError`]. A bad record is not an error: it is refused and counted.
pub fn encode_source(
    options: &EncodeOptions,
    progress: &dyn Fn(u64, u64),
) -> Result<EncodeReport, EncodeError> {
    let started = Instant::now();
    refuse_same_file(&options.input, &options.output)?;
    let map = MapFile::read(&options.map)?;
    let secret = LinkageSecret::read(&options.linkage_secret)?;
    let source_secret = options.source_secret.as_deref();
    let source_secret = source_secret.map(SourceSecret::read).transpose()?;
    let encoder = Encoder::new(
        &options.profile,
        &secret,
        source_secret.as_ref(),
        &options.epoch,
    )?;
    let encoder = match &options.clkhash_secret {
        None => encoder,
        Some(path) => encoder.with_clkhash_secret(&read_clkhash_secret(path)?),
    };
    let mut reader = open_source(&options.input, &map, &options.source)?;
    if let Some(columns) = encoder.clkhash_columns() {
        reader.keep_columns(columns)?;
    }
    let header = EncodingHeader::new(
        &options.profile,
        &options.epoch,
        &options.source,
        encoder.secret_fingerprint(),
        unix_s(),
    );
    let layout = encoder.layout();
    let mut writer = Output::create(options.format, &options.output, &header, layout)?;
    let mut fill = FillCounter::new(&header.filters, &header.tags);
    let total = fs::metadata(&options.input).map_or(0, |metadata| metadata.len());
    let maker = TracerMaker::new(&secret, &options.epoch, &options.source, &map);
    let tracers = options.tracers.min(TRACERS_MAX);
    plant(&maker, tracers, &mut reader, &encoder, &mut writer)?;
    let empty = encode_all(&mut reader, &encoder, &mut writer, &mut fill, |reader| {
        progress(reader.position().min(total), total);
    })?;
    let read = reader.report();
    let fill = fill.finish();
    if fill.records == 0 {
        return Err(EncodeError::NoRecord {
            path: options.input.clone(),
            reasons: reasons(&read, empty),
        });
    }
    let written = writer.finish()?;
    progress(total, total);
    let mut report = EncodeReport {
        records: written.records,
        tracers,
        empty,
        output: options.output.clone(),
        bytes: written.bytes,
        profile: header.profile,
        profile_fingerprint: header.profile_fingerprint.to_string(),
        epoch: header.epoch,
        source: header.source,
        secret_fingerprint: header.secret_fingerprint.to_string(),
        read,
        fill,
        risks: Vec::new(),
        seconds: started.elapsed().as_secs_f64(),
    };
    report.risks = risk::risks(&report, &map, &options.profile);
    Ok(report)
}

/// Why records were refused, and which fields ran into which rule, in one line.
fn reasons(read: &ReadReport, empty: u64) -> String {
    let refused = read.refused.iter();
    let refused = refused.map(|(reason, count)| (reason.name().to_owned(), *count));
    let nothing = ("nothing that the profile can use".to_owned(), empty);
    let notes = read
        .notes
        .iter()
        .map(|(name, count)| (name.clone(), *count));
    let all = refused.chain(std::iter::once(nothing)).chain(notes);
    let told = all.filter(|(_, count)| *count > 0).map(|(name, count)| {
        let lines = read.first_lines.get(&name).into_iter().flatten();
        let lines: Vec<String> = lines.map(u64::to_string).collect();
        match lines.is_empty() {
            true => format!("{name} {count}"),
            false => format!("{name} {count} (first at line {})", lines.join(", ")),
        }
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join("; "))
    }
}

/// Writing over the input would destroy the source's own data.
fn refuse_same_file(input: &Path, output: &Path) -> Result<(), EncodeError> {
    let same = match (fs::canonicalize(input), fs::canonicalize(output)) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    if same {
        return Err(EncodeError::SameFile {
            path: output.into(),
        });
    }
    Ok(())
}

/// The secret's bytes without the line end.
fn read_clkhash_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let mut secret = Zeroizing::new(fs::read(path).map_err(|error| {
        let path = path.into();
        EncodeError::ClkhashSecret { path, error }
    })?);
    while secret
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        secret.pop();
    }
    Ok(secret)
}

fn unix_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
