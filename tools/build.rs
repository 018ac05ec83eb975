//! Compiles `proto/` with protox, so that no `protoc` needs to be installed.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new("proto");
    let mut protos: Vec<PathBuf> = std::fs::read_dir(root.join("musubi/v1"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    protos.retain(|path| path.extension().is_some_and(|ext| ext == "proto"));
    protos.sort();

    // tonic-prost-build does not print these when it is handed a descriptor set.
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=tools/build.rs");

    let descriptors = protox::compile(&protos, [root])?;
    tonic_prost_build::configure()
        // Messages that carry encodings, record refs or entities must not be printable.
        .skip_debug([".musubi.v1"])
        .compile_fds(descriptors)?;
    Ok(())
}
