//! House rules that no compiler checks: which room may use which, where `unsafe` and I/O may be,
//! how long files get, that protos are commented and links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// Every room and the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("guide", &[]),
    ("terms", &[]),
    ("kernel", &[]),
    ("wire", &["terms"]),
    ("encode", &["terms"]),
    ("store", &["terms"]),
    ("block", &["terms", "kernel"]),
    ("compare", &["terms", "kernel"]),
    ("score", &["terms"]),
    ("cluster", &["terms"]),
    ("govern", &["terms", "store"]),
    ("intake", &["terms", "store", "govern"]),
    (
        "job",
        &[
            "terms", "store", "block", "compare", "score", "cluster", "govern",
        ],
    ),
    (
        "serve",
        &["terms", "wire", "store", "intake", "govern", "job"],
    ),
];

/// Rooms that compute: same input and seed, same output; no I/O, no clock, no threads of their own.
const PURE: &[&str] = &["terms", "kernel", "block", "compare", "score", "cluster"];

/// What a pure room does not touch.
const IMPURE: &[&str] = &[
    "tokio",
    "async ",
    "std::fs",
    "std::net",
    "SystemTime",
    "Instant::now",
    "getrandom",
];

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder with one of these endings, build output and data left out, sorted.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository is readable") {
            let path = entry.expect("an entry is readable").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                let skipped = name.starts_with('.') && name != ".ci";
                if !skipped && name != "target" && !name.starts_with("musubi-demo") {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The room that a file of `src` belongs to; `None` for `lib.rs` and the mains.
fn room_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let mut parts = inside.components();
    let first = parts.next()?.as_os_str().to_string_lossy().into_owned();
    parts.next().is_some().then_some(first)
}

/// Code without comments and string literals, so that a mention is not a use.
fn code(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut in_string = false;
        let mut previous = ' ';
        let mut kept = String::new();
        for (index, c) in line.char_indices() {
            if !in_string && line[index..].starts_with("//") {
                break;
            }
            if c == '"' && previous != '\\' && previous != '\'' {
                in_string = !in_string;
            }
            if !in_string {
                kept.push(c);
            }
            previous = c;
        }
        out.push_str(&kept);
        out.push('\n');
    }
    out
}

/// First path segments used after `crate::`, also inside `crate::{…}`.
fn crate_uses(code: &str) -> Vec<String> {
    let mut uses = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => uses.push(std::mem::take(&mut item)),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            uses.push(item);
        } else {
            uses.push(rest.to_owned());
        }
    }
    let name = |path: &String| {
        let path = path.trim_start();
        path.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    uses.iter()
        .map(name)
        .filter(|name| !name.is_empty())
        .collect()
}

fn complain(title: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{title}:\n  {}", faults.join("\n  "));
}

#[test]
fn rooms_use_only_the_rooms_beside_them() {
    let mut faults = Vec::new();
    for path in files(&root().join("src"), &[".rs"]) {
        let Some(room) = room_of(&path) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            faults.push(format!(
                "{}: the room '{room}' is not in the table",
                shown(&path)
            ));
            continue;
        };
        for used in crate_uses(&code(&read(&path))) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == used) || used == "tools";
            if is_room && used != room && !allowed.contains(&used.as_str()) {
                faults.push(format!("{}: '{room}' uses '{used}'", shown(&path)));
            }
        }
        let depth = path
            .strip_prefix(root().join("src"))
            .map_or(0, |p| p.components().count());
        let ladder = "super::".repeat(depth);
        if code(&read(&path)).contains(&ladder) && depth > 1 {
            faults.push(format!("{}: leaves its room by 'super'", shown(&path)));
        }
    }
    complain("walls between rooms", &faults);
}

#[test]
fn a_use_is_seen_in_a_group_and_not_in_a_comment() {
    let text = "use crate::{terms::A, store::{self, B}};\n// crate::serve\nlet s = \"crate::job\";";
    assert_eq!(crate_uses(&code(text)), ["terms", "store"]);
}

#[test]
fn compute_rooms_are_pure_and_only_the_kernel_may_be_unsafe() {
    let mut faults = Vec::new();
    for path in files(&root(), &[".rs"]) {
        let room = room_of(&path).unwrap_or_default();
        let code = code(&read(&path));
        if PURE.contains(&room.as_str()) {
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                faults.push(format!(
                    "{}: the pure room '{room}' has '{word}'",
                    shown(&path)
                ));
            }
        }
        if room != "kernel" && code.contains(concat!("allow(", "unsafe_code)")) {
            faults.push(format!(
                "{}: only the kernel may allow unsafe code",
                shown(&path)
            ));
        }
        if !room.is_empty() && !path.ends_with("tests.rs") {
            let printing = ["println!", "eprintln!", "dbg!"];
            for word in printing.iter().filter(|word| code.contains(**word)) {
                faults.push(format!(
                    "{}: rooms do not print, this one has {word}",
                    shown(&path)
                ));
            }
        }
    }
    complain("purity", &faults);
}

#[test]
fn files_stay_short_and_say_why_they_are_there() {
    let mut faults = Vec::new();
    for path in files(&root(), &[".rs"]) {
        let text = read(&path);
        let lines = text.lines().count();
        let is_test = shown(&path).starts_with("tests/") || path.ends_with("tests.rs");
        let most = if is_test {
            TEST_FILE_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        if lines > most {
            faults.push(format!("{}: {lines} lines, at most {most}", shown(&path)));
        }
        if !is_test && !text.starts_with("//!") {
            faults.push(format!("{}: does not start with //!", shown(&path)));
        }
    }
    complain("files", &faults);
}

#[test]
fn every_part_of_a_proto_is_commented() {
    let mut faults = Vec::new();
    for path in files(&root().join("proto"), &[".proto"]) {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (index, line) in lines.iter().enumerate() {
            let declares = ["message ", "enum ", "service ", "rpc ", "oneof "]
                .iter()
                .any(|word| line.starts_with(word))
                || (line.ends_with(';') && line.contains(" = ") && !line.starts_with("syntax"));
            if declares && (index == 0 || !lines[index - 1].starts_with("//")) {
                faults.push(format!("{}:{}: no comment above", shown(&path), index + 1));
            }
        }
    }
    complain("protos", &faults);
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut faults = Vec::new();
    for path in files(&root(), &[".md"]) {
        let text = read(&path);
        for (start, _) in text.match_indices("](") {
            let target: String = text[start + 2..]
                .chars()
                .take_while(|c| *c != ')')
                .collect();
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let folder = path.parent().unwrap_or(Path::new("."));
            if !folder.join(target).exists() {
                faults.push(format!("{}: '{target}' does not exist", shown(&path)));
            }
        }
    }
    complain("links", &faults);
}

#[test]
fn every_room_has_its_question_in_the_architecture() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    let missing: Vec<String> = ROOMS
        .iter()
        .filter(|(room, _)| *room != "guide")
        .filter(|(room, _)| !architecture.contains(&format!("### `{room}`")))
        .map(|(room, _)| format!("no section '### `{room}`'"))
        .collect();
    complain("ARCHITECTURE.md", &missing);
}
