//! The `yaojia` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    yaojia_pipelines::cli::main()
}
