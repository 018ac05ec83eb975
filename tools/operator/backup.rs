//! `musubi backup`, `verify-backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::store::StoreArguments;
use super::{Outcome, show};
use crate::store::{BackupReport, backup, restore as restore_store, verify_backup};

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// Folder that `musubi init` made; a server may be running on it
    #[arg(long, default_value = super::DEFAULT_DIR)]
    dir: PathBuf,
    /// Folder of the backup; one that is there is brought up to date
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `verify-backup`.
#[derive(Debug, Args)]
pub struct VerifyBackupArguments {
    /// Folder of the backup
    backup: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// Folder of the backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Store or backup, newer than this backup, whose erased records stay erased
    #[arg(long, value_name = "FOLDER")]
    suppress: Option<PathBuf>,
    /// Where the store is to come: the folder gets `store`, which must not exist, unless a restore
    /// to it did not end
    #[command(flatten)]
    store: StoreArguments,
}

/// Backs a store up. No key is needed, and the server goes on.
///
/// # Errors
/// If a file is damaged, or cannot be read or written.
pub fn run(arguments: &BackupArguments) -> Outcome {
    let report = backup(&arguments.dir.join("store"), &arguments.to)?;
    tell("backed up", &report, arguments.json)
}

/// Checks every byte of a backup.
///
/// # Errors
/// If it is not whole.
pub fn check(arguments: &VerifyBackupArguments) -> Outcome {
    let report = verify_backup(&arguments.backup)?;
    tell("whole", &report, arguments.json)
}

fn tell(what: &str, report: &BackupReport, as_json: bool) -> Outcome {
    if as_json {
        return show::json(&json!({
            "log_entries": report.head.sequence,
            "log_head": report.head.hash_hex(),
            "created_unix_s": report.created_unix_s,
            "files": report.files,
            "bytes": report.bytes,
            "copied_files": report.copied_files,
            "copied_bytes": report.copied_bytes,
        }));
    }
    Ok(format!(
        "{what}: {} files, {} bytes ({} files, {} bytes copied now), up to log entry {}\nlog head {}\n",
        report.files,
        report.bytes,
        report.copied_files,
        report.copied_bytes,
        report.head.sequence,
        report.head.hash_hex(),
    ))
}

/// Restores a store and erases again what was erased since. Until then it does not open.
///
/// # Errors
/// If the backup is damaged, the key is wrong, or there is a store already.
pub fn restore(arguments: &RestoreArguments) -> Outcome {
    let target = arguments.store.directory();
    let provider = arguments.store.provider()?;
    let newer = arguments.suppress.as_ref().map(|newer| {
        let folder = newer.join("store");
        if folder.is_dir() {
            folder
        } else {
            newer.clone()
        }
    });
    let restored = restore_store(&arguments.from, &target, &provider, newer.as_deref())?;
    let report = &restored.store;
    let erased = restored.erased_again;
    if arguments.store.json {
        return show::json(&json!({
            "log_entries": report.head.sequence,
            "log_head": restored.head.hash_hex(),
            "files": restored.files,
            "bytes": restored.bytes,
            "submissions": report.submissions,
            "live": report.live,
            "erased_again": erased,
        }));
    }
    let note = match newer {
        Some(_) => format!("{erased} records erased again"),
        None => "records that were erased after the backup are in it again: \
                 if there is a newer store or backup, restore with --suppress"
            .into(),
    };
    Ok(format!(
        "restored {}: {} files, {} bytes, {} submissions, {} live records\n\
         log head of the backup {}\n{note}\n",
        target.display(),
        restored.files,
        restored.bytes,
        report.submissions,
        report.live,
        restored.head.hash_hex(),
    ))
}
