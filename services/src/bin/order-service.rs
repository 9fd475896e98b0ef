//! The order service as a program; see `--help`.

use services::program::{Program, main as run};
use std::process::ExitCode;

// Quicker than the system's; it is built from C, so it can be left out.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Program::Order)
}
