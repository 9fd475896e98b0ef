//! The `chaos` command without any built-in program: for systems that are commands, images, or that run already. A build
//! without the feature `bundled` has the built-in Redis alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    chaos_cli::main(chaos_cli::Bundle::NONE)
}
