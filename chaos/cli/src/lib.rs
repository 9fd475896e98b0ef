//! The `chaos` command: arguments, the choice of a world, the registry of built-in programs, exit codes.
//!
//! It is a library so that other programs can be built in: a `main` that calls [`main`] with its own is the same
//! command for its own system, `--world sim` included.

mod args;
mod commands;
mod exit;
mod interrupt;
mod machine;
mod programs;
mod state;

pub use programs::{Program, ProgramError};

use args::{Args, Command};
use clap::{CommandFactory as _, FromArgMatches as _};
use std::process::ExitCode;

/// The command: reads arguments and surroundings of this process, and gives the exit code. Services can run these
/// programs.
#[must_use]
pub fn main(programs: &'static [Program]) -> ExitCode {
    // Each connection through a proxy takes two descriptors.
    host::tcp::open_as_many_as_allowed();
    let programs = programs::Programs(programs);
    let args = Args::from_arg_matches(&command(programs).get_matches()).unwrap_or_else(|error| error.exit());
    let machine = machine::Machine::look(args.colour, programs);
    let exit = match args.command {
        Command::Run(run) => commands::run::run(&machine, &run),
        Command::Prove(prove) => commands::prove::prove(&machine, &prove),
        Command::Check(check) => commands::check::check(&machine, &check),
        Command::Report(report) => commands::report::report(&machine, &report),
        Command::Explain(explain) => commands::explain::explain(&machine, &explain),
        Command::Calibrate(args) => commands::calibrate::calibrate(&machine, &args),
        Command::Cleanup(cleanup) => commands::cleanup::cleanup(&machine, &cleanup),
        Command::Proxy(proxy) => commands::proxy::proxy(&machine, &proxy),
        Command::Serve(serve) => commands::serve::serve(&machine, &serve),
        Command::Completions(args) => commands::completions::completions(&command(programs), &args),
        Command::Man(args) => commands::man::man(command(programs), &args),
        Command::Schema(args) => commands::schema::schema(&args),
        Command::Supervisor => commands::supervisor::supervisor(),
        Command::Service(service) => commands::supervisor::service(&service),
    };
    ExitCode::from(exit.code())
}

/// The command line, with the programs that this build brings.
fn command(programs: programs::Programs) -> clap::Command {
    let names = programs.names();
    Args::command().mut_subcommand("serve", |serve| serve.after_help(format!("Programs of this build: {names}")))
}
