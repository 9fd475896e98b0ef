//! The `chaos` command: arguments, the choice of a world, the registry of built-in programs, exit codes.

mod args;
mod commands;
mod exit;
mod interrupt;
mod machine;
mod programs;
mod state;

use args::{Args, Command};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Each connection through a proxy takes two descriptors.
    host::tcp::open_as_many_as_allowed();
    let args = Args::parse();
    let machine = machine::Machine::look(args.colour);
    let exit = match args.command {
        Command::Run(run) => commands::run::run(&machine, &run),
        Command::Prove(prove) => commands::prove::prove(&machine, &prove),
        Command::Check(check) => commands::check::check(&machine, &check),
        Command::Explain(explain) => commands::explain::explain(&machine, &explain),
        Command::Calibrate(args) => commands::calibrate::calibrate(&machine, &args),
        Command::Serve(serve) => commands::serve::serve(&machine, &serve),
        Command::Keeper => commands::keeper::keeper(),
        Command::Node(node) => commands::keeper::node(&node),
    };
    ExitCode::from(exit.code())
}
