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

/// A time as `2026-11-22 15:04:05 UTC`: days since 1970 as a civil date (Howard Hinnant's
/// `civil_from_days`).
fn time_of(unix_s: u64) -> String {
    let (days, rest) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
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
         created             {created}\n\
         It holds no plaintext identity: record refs, event kinds, filters and tags only.\n{fill}",
        file = arguments.file.display(),
        records = found.fill.records,
        bytes = found.bytes,
        source = found.source,
        profile = found.profile,
        profile_fingerprint = found.profile_fingerprint,
        epoch = found.epoch,
        secret_fingerprint = found.secret_fingerprint,
        created = time_of(found.created_unix_s),
        fill = found.fill.to_text(),
    ))
}

#[cfg(test)]
mod tests {
    use super::time_of;

    #[test]
    fn a_time_is_a_civil_date() {
        for (unix_s, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_360_987, "2026-11-22 15:23:07 UTC"),
        ] {
            assert_eq!(time_of(unix_s), expected);
        }
    }
}
