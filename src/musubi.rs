//! `musubi`: the program of the operator. What it does is in `tools/operator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    musubi::tools::operator::main()
}
