//! `musubi-encode encode` as a hospital runs it: it opens no socket, and no value of its input stands
//! in anything that it writes or prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use data_encoding::HEXLOWER_PERMISSIVE;
use encoding_rs::{SHIFT_JIS, UTF_8};

/// Columns of the input. The record ref is the one value that travels in clear.
const COLUMNS: [&str; 15] = [
    "record_id",
    "patient_no",
    "sei",
    "mei",
    "sei_kana",
    "mei_kana",
    "born",
    "sex",
    "zip",
    "city",
    "address",
    "phone",
    "insurer",
    "symbol",
    "number",
];

const PEOPLE: [[&str; 15]; 3] = [
    [
        "REF-0001",
        "PN770031",
        "髙橋",
        "一郎左衛門",
        "タカハシ",
        "イチロウザエモン",
        "昭和24年5月22日",
        "男性",
        "570-0002",
        "271004",
        "大阪府守口市佐太中町２－１８－１７",
        "070-8381-3489",
        "06139463",
        "健８４６",
        "5738-21",
    ],
    [
        "REF-0002",
        "PN770032",
        "NGUYEN",
        "THI HOA",
        "グエン",
        "テイホア",
        "1991-02-28",
        "female",
        "1000001",
        "131016",
        "東京都千代田区千代田一丁目",
        "09012345678",
        "39131156",
        "",
        "55882273",
    ],
    [
        "REF-0003",
        "PN770033",
        "渡邉",
        "さくら",
        "ﾜﾀﾅﾍﾞ",
        "ｻｸﾗ",
        "S60.02.03",
        "2222",
        "0600001",
        "011011",
        "札幌市中央区北一条西４丁目",
        "0112223333",
        "00010009",
        "サ-12",
        "998877",
    ],
];

const MAP: &str = r#"
record_ref = "record_id"
kind = "hospital"
locale = "jp"
[file]
charset = "CHARSET"
[fields]
patient_number = "patient_no"
surname_kanji = "sei"
given_kanji = "mei"
surname_kana = "sei_kana"
given_kana = "mei_kana"
birth_date = "born"
sex = "sex"
postcode = "zip"
municipality = "city"
address = "address"
phone = "phone"
insurer_no = "insurer"
insurer_symbol = "symbol"
insured_number = "number"
"#;

/// A folder with keys, a map and a file in one charset.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(charset: &'static encoding_rs::Encoding) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut text = COLUMNS.join(",") + "\n";
        for person in PEOPLE {
            text += &(person.join(",") + "\n");
        }
        let (bytes, _, lost) = charset.encode(&text);
        assert!(!lost, "the charset has all characters");
        fs::write(folder.path().join("in.csv"), bytes).expect("written");
        let map = MAP.replace("CHARSET", charset.name());
        fs::write(folder.path().join("map.toml"), map).expect("written");
        let site = Self { folder };
        for (name, kind) in [("linkage.key", "linkage"), ("source.key", "source")] {
            let out = site.path(name);
            let arguments = ["key", "new", "--kind", kind, "--out"];
            let made = program().args(arguments).arg(&out).output();
            assert!(made.expect("runs").status.success());
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments of `encode` into a file.
    fn arguments(&self, out: &Path) -> Vec<String> {
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        let path = |name: &str| text(&self.path(name));
        let mut arguments = vec![
            "encode".to_owned(),
            path("in.csv"),
            "-o".to_owned(),
            text(out),
        ];
        for (name, value) in [
            ("--map", path("map.toml")),
            ("--source", "hosp_a".to_owned()),
            ("--key", path("linkage.key")),
            ("--source-key", path("source.key")),
        ] {
            arguments.extend([name.to_owned(), value]);
        }
        arguments
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_musubi-encode"))
}

fn found(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// A value in the charsets that a file might hold it in.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let utf_16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        value.as_bytes().to_vec(),
        SHIFT_JIS.encode(value).0.into_owned(),
        utf_16,
    ]
}

/// The bytes with every run of 16 and more hex digits undone: filters, tags and fingerprints stand in a
/// CSV file and in reports as hex, where four given digits turn up by chance in one of 65,536 places.
fn undo_hex(bytes: &[u8]) -> Vec<u8> {
    let mut undone = Vec::with_capacity(bytes.len());
    for run in bytes.chunk_by(|a, b| a.is_ascii_hexdigit() && b.is_ascii_hexdigit()) {
        match HEXLOWER_PERMISSIVE.decode(run) {
            Ok(raw) if run.len() >= 16 => undone.extend(raw),
            _ => undone.extend(run),
        }
    }
    undone
}

fn no_value_in(what: &str, bytes: &[u8]) {
    let bytes = &undo_hex(bytes);
    for person in PEOPLE {
        for (column, value) in COLUMNS.iter().zip(person).skip(1) {
            // One or two bytes turn up in random bits by chance.
            if value.len() < 4 {
                continue;
            }
            for spelling in spellings(value) {
                assert!(!found(bytes, &spelling), "{what} holds a value of {column}");
            }
        }
    }
    // What values are normalised to.
    for value in [
        "19490522",
        "19910228",
        "19850203",
        "高橋",
        "渡辺",
        "ワタナベ",
        "グエン",
        "5700002",
        "07083813489",
        "13101",
        "守口市佐太中町",
        "06139463",
        "健846",
        "573821",
    ] {
        assert!(
            !found(bytes, value.as_bytes()),
            "{what} holds a normalised value"
        );
    }
}

#[test]
fn nothing_written_or_printed_holds_a_value_of_the_input() {
    for charset in [UTF_8, SHIFT_JIS] {
        let site = Site::new(charset);
        for format in ["mse", "csv"] {
            let out = site.path(&format!("out.{format}"));
            let mut arguments = site.arguments(&out);
            arguments.extend(["--format".to_owned(), format.to_owned()]);
            let ran = program().args(&arguments).output().expect("runs");
            assert!(
                ran.status.success(),
                "{}",
                String::from_utf8_lossy(&ran.stderr)
            );
            let written = fs::read(&out).expect("written");
            assert!(
                found(&written, b"REF-0003"),
                "what is looked for would be found"
            );
            no_value_in("the output", &written);
            no_value_in("the report", &ran.stdout);
            no_value_in("standard error", &ran.stderr);
        }
        let inspect = program().arg("inspect").arg(site.path("out.mse")).output();
        let inspect = inspect.expect("runs");
        assert!(inspect.status.success());
        no_value_in("inspect", &inspect.stdout);
        // Refusals: a file with a broken row and one that is not what its map says.
        let mut broken = fs::read(site.path("in.csv")).expect("read");
        broken.extend(b"REF-0001,PN770031\nREF-0009,,,,,,1985-02-30,Q,12,9,,,x,,\n\"");
        fs::write(site.path("in.csv"), &broken).expect("written");
        let ran = program()
            .args(site.arguments(&site.path("out.mse")))
            .output();
        let Output { stdout, stderr, .. } = ran.expect("runs");
        no_value_in("the report of a broken file", &[stdout, stderr].concat());
    }
}

/// What a command does on the network, as strace sees it; `None` if strace cannot be used here.
fn network_calls(site: &Site, program: &str, arguments: &[String]) -> Option<String> {
    let log = site.path("strace.log");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=%network", "-o"])
        .arg(&log)
        .arg(program)
        .args(arguments)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&traced.stderr).into_owned();
    (!said.contains("ptrace")).then(|| fs::read_to_string(&log).expect("a log"))
}

#[test]
fn encode_opens_no_socket() {
    let site = Site::new(UTF_8);
    // The control: a program that does open one.
    let connect = ["-c".to_owned(), "exec 3<>/dev/tcp/127.0.0.1/9".to_owned()];
    match network_calls(&site, "bash", &connect) {
        Some(calls) if calls.contains("socket(") => {}
        _ => {
            println!("skipped: strace is not installed or may not trace here");
            return;
        }
    }
    let out = site.path("out.mse");
    let encode = env!("CARGO_BIN_EXE_musubi-encode");
    let calls = network_calls(&site, encode, &site.arguments(&out)).expect("strace works");
    assert!(out.exists(), "encoded under strace");
    let calls: Vec<&str> = calls.lines().filter(|line| line.contains('(')).collect();
    assert!(calls.is_empty(), "encode used the network: {calls:?}");
}
