use std::fs;

use super::*;
use crate::terms::profile::Suite;

fn secret(byte: u8) -> LinkageSecret {
    LinkageSecret::from_bytes([byte; SECRET_BYTES])
}

#[test]
fn a_key_file_round_trips_and_is_never_overwritten() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("linkage.key");
    let made = LinkageSecret::generate().expect("random");
    made.write_new(&path).expect("written");
    let read = LinkageSecret::read(&path).expect("read");
    assert_eq!(read.fingerprint(), made.fingerprint());
    assert_eq!(
        key_file_fingerprint(&path).expect("read"),
        (SecretKind::Linkage, made.fingerprint())
    );
    let before = fs::read(&path).expect("bytes");
    let error = secret(1).write_new(&path).expect_err("exists").to_string();
    assert!(error.contains("never overwritten"), "{error}");
    assert_eq!(fs::read(&path).expect("bytes"), before);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("linkage.key");
    secret(7).write_new(&path).expect("written");
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for open in [0o640, 0o604, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("chmod");
        let error = LinkageSecret::read(&path).err().expect("refused");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_wrong_form_is_refused_without_quoting_it() {
    let dir = tempfile::tempdir().expect("directory");
    let hex = "ab".repeat(SECRET_BYTES);
    let cases = [
        String::new(),
        hex.clone(),
        format!("musubi-linkage-secret-v2 {hex}\n"),
        format!("musubi-linkage-secret-v1 {}\n", &hex[2..]),
        format!("musubi-linkage-secret-v1 {}zz\n", &hex[2..]),
        format!("musubi-linkage-secret-v1 {hex}\n\n"),
        format!("musubi-linkage-secret-v1 {hex}\n{}", " ".repeat(300)),
    ];
    for (index, text) in cases.iter().enumerate() {
        let path = dir.path().join(index.to_string());
        fs::write(&path, text).expect("written");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("chmod");
        let error = LinkageSecret::read(&path)
            .err()
            .expect("refused")
            .to_string();
        assert!(error.contains("not a key file"), "case {index}: {error}");
        assert!(!error.contains("abab"), "case {index} quotes the secret");
    }
}

#[test]
fn a_key_of_the_other_kind_is_refused() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("source.key");
    SourceSecret::from_bytes([3; SECRET_BYTES])
        .write_new(&path)
        .expect("written");
    let error = LinkageSecret::read(&path).err().expect("refused");
    let error = error.to_string();
    assert!(
        error.contains("musubi-source-secret-v1") && error.contains("musubi-linkage-secret-v1"),
        "{error}"
    );
}

#[test]
fn every_step_of_the_schedule_gives_another_key() {
    let root = secret(9).root(Suite::Blake3);
    let epoch = root.epoch("1");
    let profile = epoch.profile("jp-standard");
    let filter = profile.filter("names");
    let keys = [
        *root.bytes(),
        *epoch.bytes(),
        *root.epoch("2").bytes(),
        *profile.bytes(),
        *epoch.profile("jp-fields").bytes(),
        *filter.bytes(),
        *profile.tags().bytes(),
        *profile.padding().bytes(),
        *filter.attribute("sex").bytes(),
        *filter.attribute("given_kana").bytes(),
        *filter.permutation().bytes(),
        *SourceSecret::from_bytes([9; SECRET_BYTES])
            .root(Suite::Blake3)
            .bytes(),
        *secret(8).root(Suite::Blake3).bytes(),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "key {index} repeats");
    }
    assert!(epoch.bytes() == secret(9).root(Suite::Blake3).epoch("1").bytes());
}
