use super::*;
use crate::store::fault::StorageFault;
use crate::store::testing::vault;
use crate::store::vault::Vault;

/// A sealed file of `length` counting bytes.
fn sealed(directory: &std::path::Path, length: usize) -> (std::path::PathBuf, Seal) {
    let path = directory.join("file");
    let mut writer =
        SealedWriter::create(&vault(directory), &directory.join("file.partial")).expect("created");
    let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
    for part in bytes.chunks(1000) {
        writer.write(part).expect("written");
    }
    writer.align().expect("aligned");
    let (partial, seal) = writer.finish([7, 0, 0, 1]).expect("finished");
    partial.publish(&path).expect("published");
    (path, seal)
}

/// The opened bodies of all sealed files of a store.
pub(in crate::store) fn open_all(disk: &Vault) -> Vec<Vec<u8>> {
    let files = crate::store::recover::sealed_files(disk).expect("listed");
    files
        .iter()
        .map(|path| {
            let (_, trailer, _, seal) = reader::open_checked(disk, path).expect("whole");
            let mut body = vec![0; trailer.body_bytes as usize];
            let mut reader = SealedReader::open(disk, path, &seal).expect("opened");
            reader.read(&mut body).expect("read");
            body
        })
        .collect()
}

fn read_all(path: &std::path::Path, seal: &Seal, length: usize) -> Result<Vec<u8>, StorageFault> {
    let mut reader = SealedReader::open(&vault(path), path, seal)?;
    let mut bytes = vec![0; length];
    reader.read(&mut bytes)?;
    assert_eq!(reader.counts(), [7, 0, 0, 1]);
    reader.finish()?;
    Ok(bytes)
}

#[test]
fn what_is_written_is_read_at_lengths_around_a_block() {
    for length in [
        0,
        1,
        64,
        BLOCK_BYTES - 1,
        BLOCK_BYTES,
        BLOCK_BYTES + 1,
        2 * BLOCK_BYTES + 9,
    ] {
        let directory = tempfile::tempdir().expect("directory");
        let (path, seal) = sealed(directory.path(), length);
        let bytes = read_all(&path, &seal, length).expect("whole");
        assert!(bytes.iter().enumerate().all(|(i, b)| *b == (i % 251) as u8));
    }
}

#[test]
fn skipping_checks_what_it_skips() {
    let directory = tempfile::tempdir().expect("directory");
    let (path, seal) = sealed(directory.path(), 3 * BLOCK_BYTES);
    let mut reader = SealedReader::open(&vault(&path), &path, &seal).expect("open");
    reader.skip(2 * BLOCK_BYTES as u64 + 5).expect("skipped");
    let mut byte = [0];
    reader.read(&mut byte).expect("read");
    assert_eq!(usize::from(byte[0]), (2 * BLOCK_BYTES + 5) % 251);
    assert!(reader.skip(2 * BLOCK_BYTES as u64).is_err());

    let mut bytes = std::fs::read(&path).expect("bytes");
    bytes[BLOCK_BYTES + 1] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let mut reader = SealedReader::open(&vault(&path), &path, &seal).expect("open");
    match reader.skip(3 * BLOCK_BYTES as u64) {
        Err(StorageFault::Damaged { offset, .. }) => assert_eq!(offset, BLOCK_BYTES as u64),
        _ => panic!("damage in a skipped block is found"),
    }
}

#[test]
fn any_flipped_bit_and_any_cut_is_found() {
    let directory = tempfile::tempdir().expect("directory");
    let length = 300;
    let (path, seal) = sealed(directory.path(), length);
    let good = std::fs::read(&path).expect("bytes");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).expect("written");
        assert!(read_all(&path, &seal, length).is_err(), "flip at {at}");
        std::fs::write(&path, &good[..at]).expect("written");
        assert!(read_all(&path, &seal, length).is_err(), "cut at {at}");
    }
    let other = [1; 32];
    std::fs::write(&path, &good).expect("written");
    assert!(
        read_all(&path, &other, length).is_err(),
        "not the one named"
    );
}
