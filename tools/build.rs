//! Compiles `proto/` with protox, so that no `protoc` needs to be installed, and writes the enum of all methods.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use prost::Message as _;

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
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let services = descriptors.file.iter().flat_map(|file| {
        let package = file.package();
        (file.service.iter()).map(move |service| (package.to_owned(), service))
    });
    let mut methods = Vec::new();
    for (package, service) in services {
        let short = service.name().trim_end_matches("Service");
        for method in &service.method {
            let path = format!("/{package}.{}/{}", service.name(), method.name());
            methods.push((format!("{short}{}", method.name()), path));
        }
    }
    std::fs::write(out.join("method.rs"), method_enum(&methods)?)?;
    tonic_prost_build::configure()
        // Messages that carry encodings, record refs or entities must not be printable.
        .skip_debug([".musubi.v1"])
        .compile_fds(descriptors)?;
    Ok(())
}

/// Rust text of the enum of all methods: (variant, path) each.
fn method_enum(methods: &[(String, String)]) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "/// A method of a service.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Method {\n",
    );
    for (variant, path) in methods {
        writeln!(text, "    /// `{path}`\n    {variant},")?;
    }
    text += "}\n\nimpl Method {\n    /// All of them.\n    pub const ALL: &'static [Self] = &[\n";
    for (variant, _) in methods {
        writeln!(text, "        Self::{variant},")?;
    }
    text += "    ];\n\n    /// The path of its calls.\n    #[must_use]\n    pub fn path(self) -> &'static str {\n        match self {\n";
    for (variant, path) in methods {
        writeln!(text, "            Self::{variant} => {path:?},")?;
    }
    text += "        }\n    }\n}\n";
    Ok(text)
}
