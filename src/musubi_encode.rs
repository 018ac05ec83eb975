//! `musubi-encode`: the program of a source. What it does is in `tools/source`.

use std::process::ExitCode;

fn main() -> ExitCode {
    musubi::tools::source::main()
}
