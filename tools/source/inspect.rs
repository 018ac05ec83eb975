//! `musubi-encode inspect`: what is in an encoding file. It reads to the end, so that a file that
//! is not whole is refused.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::fill::{Fill, FillCounter};
use crate::encode::file::{EncodingReader, ReadEncodingError};

/// Arguments of `inspect`.
#[derive(Args)]
pub struct InspectArguments {
    /// The encoding file
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What an encoding file says about itself, and what was counted in it.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Name of the linkage profile.
    pub profile: String,
    /// Its fingerprint, hexadecimal.
    pub profile_fingerprint: String,
    /// Epoch.
    pub epoch: String,
    /// Who encoded.
    pub source: String,
    /// Fingerprint of the linkage secret, hexadecimal.
    pub secret_fingerprint: String,
    /// Seconds since 1970-01-01 UTC.
    pub created_unix_s: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Always true: an encoding file has record refs, event kinds, filters and tags, no identity.
    pub no_plaintext: bool,
    /// Fill of filters and tags.
    #[serde(flatten)]
    pub fill: Fill,
}

/// Reads a file to its end.
///
/// # Errors
/// [`ReadEncodingError`] if it is not whole.
pub fn inspect(path: &Path) -> Result<Inspection, ReadEncodingError> {
    let mut reader = EncodingReader::open(path)?;
    let header = reader.header().clone();
    let mut counter = FillCounter::new(&header.filters, &header.tags);
    for encoding in reader.by_ref() {
        counter.add(&encoding?);
    }
    Ok(Inspection {
        profile: header.profile,
        profile_fingerprint: header.profile_fingerprint.to_string(),
        epoch: header.epoch,
        source: header.source.to_string(),
        secret_fingerprint: header.secret_fingerprint.to_string(),
        created_unix_s: header.created_unix_s,
        bytes: reader.position(),
        no_plaintext: true,
        fill: counter.finish(),
    })
}

/// Runs `inspect`.
///
/// # Errors
/// The file cannot be read or is not whole.
pub fn run(arguments: &InspectArguments) -> Outcome {
    let found = inspect(&arguments.file)?;
    if arguments.json {
        return Ok(serde_json::to_string_pretty(&found)? + "\n");
    }
    Ok(format!(
        "{file}: whole, {records} records, {bytes} bytes\n\
         source              {source}\n\
         profile             {profile} ({profile_fingerprint})\n\
         epoch               {epoch}\n\
         linkage secret      fingerprint {secret_fingerprint}\n\
         created             {created} s after 1970-01-01 UTC\n\
         It holds no plaintext identity: record refs, event kinds, filters and tags only.\n{fill}",
        file = arguments.file.display(),
        records = found.fill.records,
        bytes = found.bytes,
        source = found.source,
        profile = found.profile,
        profile_fingerprint = found.profile_fingerprint,
        epoch = found.epoch,
        secret_fingerprint = found.secret_fingerprint,
        created = found.created_unix_s,
        fill = found.fill.to_text(),
    ))
}
