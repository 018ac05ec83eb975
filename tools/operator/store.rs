//! `musubi store`: looks at a store, and changes it, while no server has it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::init::STORE_KEY;
use super::{Outcome, show};
use crate::govern::{AuditError, AuditEvent, audit};
use crate::serve::config::{PASSPHRASE_VARIABLE, StoreKeyError, passphrase};
use crate::store::{KeyProvider, Store, StoreKey, verify};
use crate::terms::{RecordRef, SourceId};

/// Environment variable with the passphrase that `rotate-key --new-passphrase` sets.
const NEW_PASSPHRASE_VARIABLE: &str = "MUSUBI_STORE_NEW_PASSPHRASE";

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Re-read everything and say whether it is whole; changes nothing
    Verify(StoreArguments),
    /// Say what the store holds, in numbers
    Stats(StoreArguments),
    /// Erase records: nothing of them stays, and they are refused from now on
    Erase(EraseArguments),
    /// Delete the index and make it anew from the log and the segments
    RebuildIndex(StoreArguments),
    /// Write segments anew without rows that newer versions replaced, and drop old snapshots
    Compact(StoreArguments),
    /// Wrap the store's keys with another key; the old one no longer opens the store
    RotateKey(RotateArguments),
}

/// Arguments of the store commands.
#[derive(Debug, Args)]
pub struct StoreArguments {
    /// Folder that `musubi init` made
    #[arg(long, default_value = super::DEFAULT_DIR)]
    dir: PathBuf,
    /// File with the store's key [default: the passphrase in MUSUBI_STORE_PASSPHRASE if that is
    /// set, else DIR/keys/store.key]
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub struct EraseArguments {
    /// The source's name
    source: String,
    /// The source's labels of the records
    #[arg(required_unless_present = "refs_file")]
    record_refs: Vec<String>,
    /// Take the labels from a file, one on each line: arguments can be seen by other users
    #[arg(long, value_name = "FILE", conflicts_with = "record_refs")]
    refs_file: Option<PathBuf>,
    /// Write the signed receipt to this file, for the source; an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArguments,
}

/// Arguments of `rotate-key`.
#[derive(Debug, Args)]
pub struct RotateArguments {
    /// File with the new key; it is made if it does not exist
    #[arg(long, value_name = "FILE", required_unless_present = "new_passphrase")]
    new_key_file: Option<PathBuf>,
    /// Take the new passphrase from MUSUBI_STORE_NEW_PASSPHRASE
    #[arg(long, conflicts_with = "new_key_file")]
    new_passphrase: bool,
    #[command(flatten)]
    store: StoreArguments,
}

impl StoreArguments {
    pub(super) fn directory(&self) -> PathBuf {
        self.dir.join("store")
    }

    pub(super) fn provider(&self) -> Result<KeyProvider, StoreKeyError> {
        match &self.key_file {
            Some(path) => Ok(KeyProvider::key_file(path)?),
            None if std::env::var_os(PASSPHRASE_VARIABLE).is_some() => {
                passphrase(PASSPHRASE_VARIABLE)
            }
            None => Ok(KeyProvider::key_file(&self.dir.join(STORE_KEY))?),
        }
    }

    /// Opens the store, which must exist.
    fn open(&self) -> Result<Store, Box<dyn std::error::Error + Send + Sync>> {
        let directory = self.directory();
        if !directory.is_dir() {
            return Err(format!("there is no store in {}", directory.display()).into());
        }
        Ok(Store::open(&directory, &self.provider()?)?)
    }
}

/// Carries a store command out.
///
/// # Errors
/// If there is no store, another process has it, its key is wrong, or it is damaged.
pub fn run(command: &StoreCommand) -> Outcome {
    match command {
        StoreCommand::Verify(arguments) => check(arguments),
        StoreCommand::Stats(arguments) => stats(arguments),
        StoreCommand::Erase(arguments) => erase(arguments),
        StoreCommand::RebuildIndex(arguments) => rebuild_index(arguments),
        StoreCommand::Compact(arguments) => compact(arguments),
        StoreCommand::RotateKey(arguments) => rotate_key(arguments),
    }
}

fn check(arguments: &StoreArguments) -> Outcome {
    let report = verify(&arguments.directory(), &arguments.provider()?)?;
    if arguments.json {
        return show::json(&json!({
            "log_entries": report.head.sequence,
            "torn_bytes": report.torn_bytes,
            "submissions": report.submissions,
            "segments": report.segments,
            "rows": report.rows,
            "live": report.live,
            "snapshots": report.snapshots,
        }));
    }
    Ok(format!(
        "whole: {} log entries, {} submissions, {} segments with {} rows ({} live), {} snapshots; \
         {} bytes of a torn entry, which the next start cuts off\n",
        report.head.sequence,
        report.submissions,
        report.segments,
        report.rows,
        report.live,
        report.snapshots,
        report.torn_bytes,
    ))
}

fn rebuild_index(arguments: &StoreArguments) -> Outcome {
    let store = arguments.open()?;
    let start = std::time::Instant::now();
    store.rebuild_index()?;
    let seconds = start.elapsed().as_secs_f64();
    let records: u64 = store.sources().iter().map(|source| source.records).sum();
    if arguments.json {
        return show::json(&json!({ "records": records, "seconds": seconds }));
    }
    Ok(format!("rebuilt in {seconds:.1} s: {records} records\n"))
}

fn stats(arguments: &StoreArguments) -> Outcome {
    let stats = arguments.open()?.stats()?;
    let rows = [
        ("log_entries", stats.log_entries),
        ("log_bytes", stats.log_bytes),
        ("submissions", stats.submissions),
        ("segments", stats.segments),
        ("segment_bytes", stats.segment_bytes),
        ("rows", stats.rows),
        ("live", stats.live),
        ("erased", stats.erased),
        ("runs", stats.runs),
        ("publications", stats.publications),
    ];
    table(&rows, arguments.json)
}

fn erase(arguments: &EraseArguments) -> Outcome {
    let source = SourceId::new(&arguments.source)?;
    let labels = match &arguments.refs_file {
        Some(path) => read_lines(path)?,
        None => arguments.record_refs.clone(),
    };
    let mut refs = Vec::with_capacity(labels.len());
    for (index, label) in labels.iter().enumerate() {
        let place = index + 1;
        let checked = RecordRef::new(label).map_err(|rule| format!("label {place}: {rule}"))?;
        refs.push(checked);
    }
    let store = arguments.store.open()?;
    // Made before anything is erased: what is done cannot be done again for its receipt.
    let out = match &arguments.out {
        Some(path) => Some(
            File::create_new(path)
                .map_err(|error| format!("cannot write the receipt {}: {error}", path.display()))?,
        ),
        None => None,
    };
    let report = store.erase(&source, &refs).inspect_err(|_| {
        if let Some(path) = &arguments.out {
            // Empty, and in the way of the next try.
            let _ = std::fs::remove_file(path);
        }
    })?;
    let counts = format!("erased={} unknown={}", report.erased, report.unknown);
    audited(
        &store,
        "records.erase",
        &format!("sources/{source}/records"),
        &counts,
    )?;
    if let Some(mut file) = out {
        let receipt = store.erasure_receipt(&source, &refs, &report);
        file.write_all(serde_json::to_string_pretty(&receipt)?.as_bytes())?;
        file.sync_all()?;
    }
    let rows = [
        ("erased", report.erased),
        ("unknown", report.unknown),
        ("erased_before", report.erased_before),
        ("rows_removed", report.rows_removed),
        ("segments_rewritten", report.segments_rewritten),
        ("log_entry", report.position.sequence),
    ];
    table(&rows, arguments.store.json)
}

fn compact(arguments: &StoreArguments) -> Outcome {
    let store = arguments.open()?;
    let report = store.compact()?;
    audited(&store, "store.compact", "store", "done")?;
    let rows = [
        ("rows_removed", report.rows_removed),
        ("segments_rewritten", report.segments_rewritten),
        ("snapshots_removed", report.snapshots_removed),
    ];
    table(&rows, arguments.json)
}

fn rotate_key(arguments: &RotateArguments) -> Outcome {
    let store = arguments.store.open()?;
    let (provider, next) = match &arguments.new_key_file {
        Some(path) => {
            let key = if path.exists() {
                StoreKey::read(path)?
            } else {
                StoreKey::create(path)?
            };
            let next = format!("set store.key_file to {}", path.display());
            (KeyProvider::Key(key), next)
        }
        None => {
            let next = format!(
                "remove store.key_file and start the server with {PASSPHRASE_VARIABLE} set"
            );
            (passphrase(NEW_PASSPHRASE_VARIABLE)?, next)
        }
    };
    store.rotate_key(&provider)?;
    audited(&store, "store.rotate-key", "store", "done")?;
    Ok(format!(
        "the store has a new key; {next}. Backups made before are still opened by the old key.\n"
    ))
}

/// Writes into the log what was done on the command line.
fn audited(store: &Store, action: &str, object: &str, outcome: &str) -> Result<(), AuditError> {
    let event = AuditEvent::now("operators/command-line", action, object, outcome);
    audit::record(store, &event).map(|_| ())
}

fn read_lines(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Names and numbers, as text or JSON.
fn table(rows: &[(&str, u64)], as_json: bool) -> Outcome {
    if as_json {
        let object: serde_json::Map<_, _> = rows
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        return show::json(&object);
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    Ok(rows
        .iter()
        .map(|(name, value)| format!("{name:<width$} {value:>14}\n"))
        .collect())
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::terms::LinkageProfile;
    use crate::tools::operator::init;
    use crate::tools::source::receipts;

    /// A folder as `musubi init` makes it, with an empty store.
    fn folder() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("directory");
        let profile = LinkageProfile::built_in("jp-standard").expect("built in");
        init::set_up(directory.path(), &profile, &[]).expect("set up");
        Store::open(
            &directory.path().join("store"),
            &arguments(&directory).key(),
        )
        .expect("made");
        directory
    }

    fn arguments(directory: &tempfile::TempDir) -> StoreArguments {
        StoreArguments {
            dir: directory.path().into(),
            key_file: Some(directory.path().join(STORE_KEY)),
            json: false,
        }
    }

    impl StoreArguments {
        fn key(&self) -> KeyProvider {
            self.provider().expect("a key")
        }
    }

    fn erase_command(directory: &tempfile::TempDir, label: &str) -> StoreCommand {
        StoreCommand::Erase(EraseArguments {
            source: "a".into(),
            record_refs: vec![label.into()],
            refs_file: None,
            out: None,
            store: arguments(directory),
        })
    }

    #[test]
    fn the_commands_work_on_a_folder_that_init_made() {
        let directory = folder();
        let text = run(&erase_command(&directory, "x")).expect("erased");
        let line = text.lines().find(|line| line.starts_with("unknown"));
        assert!(line.is_some_and(|line| line.ends_with(" 1")), "{text}");
        run(&StoreCommand::Compact(arguments(&directory))).expect("compacted");
        run(&StoreCommand::Verify(arguments(&directory))).expect("whole");
        let stats = run(&StoreCommand::Stats(arguments(&directory))).expect("stats");
        assert!(stats.contains("erased"));
        let bad = run(&erase_command(&directory, "")).expect_err("no label");
        assert!(bad.to_string().starts_with("label 1"));
    }

    #[test]
    fn an_erasure_gives_a_receipt_that_the_source_can_check() {
        let directory = folder();
        let out = directory.path().join("erasure.json");
        let command = StoreCommand::Erase(EraseArguments {
            source: "a".into(),
            record_refs: vec!["x".into(), "y".into()],
            refs_file: None,
            out: Some(out.clone()),
            store: arguments(&directory),
        });
        run(&command).expect("erased");
        let store = arguments(&directory).open().expect("opened");
        let key = HEXLOWER.encode(&store.receipt_key());
        drop(store);
        let checked = receipts::check(&out, &key).expect("signed by this server");
        let checked = checked.to_string();
        assert!(checked.contains("0 of a erased, 2 unknown"), "{checked}");
        let again = run(&command).expect_err("the receipt is there already");
        assert!(again.to_string().contains("erasure.json"), "{again}");
    }

    #[test]
    fn after_a_rotation_only_the_new_key_opens() {
        let directory = folder();
        let new_key = directory.path().join("keys/new.key");
        run(&StoreCommand::RotateKey(RotateArguments {
            new_key_file: Some(new_key.clone()),
            new_passphrase: false,
            store: arguments(&directory),
        }))
        .expect("rotated");
        let old = run(&StoreCommand::Verify(arguments(&directory)));
        let old = old.expect_err("the old key");
        assert!(old.to_string().contains("keyring"), "{old}");
        let mut with_new = arguments(&directory);
        with_new.key_file = Some(new_key);
        run(&StoreCommand::Verify(with_new)).expect("whole");
    }
}
