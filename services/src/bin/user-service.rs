//! The user service as a program; see `--help`.

use services::program::{Program, main as run};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(Program::User)
}
