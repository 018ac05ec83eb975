//! What the benches share: their arguments, made-up records, the machine's own figures, and the
//! dated record of results.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use musubi::terms::profile::Layout;
use musubi::terms::{EventKind, LinkageProfile, RecordEncoding, RecordRef, SourceId};

/// `--name value` pairs of the command line.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this process; what cargo adds is passed over.
    pub fn of_process() -> Self {
        let given = std::env::args().skip(1).filter(|word| word != "--bench");
        Self(given.collect())
    }

    /// The value after `--name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// The value after `--name` as a number.
    pub fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.text(name).map_or(otherwise, |text| {
            text.replace('_', "")
                .parse()
                .unwrap_or_else(|_| panic!("{name}: a number"))
        })
    }
}

/// The profile of the benches.
pub fn profile() -> LinkageProfile {
    LinkageProfile::built_in("jp-standard").expect("built in")
}

/// Makes records of the profile's shape: everything present, all bits random.
pub struct RecordMaker {
    layout: Layout,
    state: u64,
    prefix: String,
}

impl RecordMaker {
    /// Equal source and seed, equal records.
    pub fn new(source: &SourceId, seed: u64) -> Self {
        Self {
            layout: profile().layout(),
            state: seed,
            prefix: source.as_str().to_uppercase(),
        }
    }

    /// The record with this number.
    pub fn make(&mut self, number: u64) -> RecordEncoding {
        // Sources list their records in no order of their labels.
        let label = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let label = format!("{}-{label:016x}", self.prefix);
        let filters = (0..self.layout.filter_words()).map(|_| self.word());
        let filters = filters.collect();
        let tags = (0..self.layout.tag_slots()).map(|_| self.word());
        let tags = tags.collect();
        RecordEncoding {
            record_ref: RecordRef::new(&label).expect("a good label"),
            version: 1,
            kind: EventKind::Hospital,
            year: 0,
            flags: 0,
            presence: self.layout.presence_all(),
            filters,
            tags,
        }
    }

    /// The next number of SplitMix64, never zero.
    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) | 1
    }
}

/// How long the disk below `directory` takes to confirm 4 KiB: median and 99th percentile, ms.
pub fn fdatasync_ms(directory: &Path) -> (f64, f64) {
    let path = directory.join("fdatasync.probe");
    let mut file = fs::File::create(&path).expect("a file on the disk");
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4096]).expect("written");
            let start = Instant::now();
            file.sync_data().expect("confirmed");
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    fs::remove_file(&path).expect("removed");
    times.sort_by(f64::total_cmp);
    (times[100], times[197])
}

/// Memory of a process in MiB: resident now, and the most it ever was.
pub fn resident_mib(process: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Load of the machine over the last minute.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|word| word.parse().ok());
    first.unwrap_or(0.0)
}

/// Prints a row of results and appends it to the record of the machine.
pub fn record(arguments: &Arguments, bench: &str, row: &[(&str, String)]) {
    for (name, value) in row {
        println!("{name:<24} {value:>16}");
    }
    println!();
    let machine = arguments.text("--machine").unwrap_or("unnamed");
    let date = date_of(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record");
    let path = folder.join(machine).join(format!("{date}.csv"));
    fs::create_dir_all(path.parent().unwrap_or(&path)).expect("a folder for the record");
    let is_new = !path.exists();
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let mut file = file.expect("a file for the record");
    if is_new {
        writeln!(file, "bench,measure,value").expect("written");
    }
    for (name, value) in row {
        writeln!(file, "{bench},{name},{value}").expect("written");
    }
    println!("recorded in {}", path.display());
}

/// The date, UTC, as in 2026-11-22. Howard Hinnant's "days from civil", reversed.
fn date_of(since_1970: Duration) -> String {
    let days = since_1970.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The folder to work in: `--dir`, or a temporary one that is removed at the end.
pub fn folder(arguments: &Arguments) -> (PathBuf, Option<tempfile::TempDir>) {
    if let Some(given) = arguments.text("--dir") {
        return (given.into(), None);
    }
    let made = tempfile::tempdir().expect("a temporary folder");
    (made.path().to_owned(), Some(made))
}
