//! The `chaos` command: arguments, the choice of a world, the registry of built-in programs, exit codes.
//!
//! It is a library so that others can build in what is theirs: a `main` that calls [`main`] with a [`Bundle`] of programs,
//! protocols, checks and reports is the same command with these, in every world.

mod args;
mod bundle;
mod commands;
mod exit;
mod interrupt;
mod machine;
mod paths;
mod state;
mod text_file;

pub use bundle::{Bundle, Program, ProgramError};

use args::{Args, Command};
use clap::{CommandFactory as _, FromArgMatches as _};
use std::process::ExitCode;

/// The command: reads arguments and surroundings of this process, and gives the exit code. It knows what this bundle
/// brings, besides what every `chaos` knows.
#[must_use]
pub fn main(bundle: Bundle) -> ExitCode {
    if let Err(why) = bundle.check() {
        eprintln!("chaos: {why}");
        return ExitCode::from(exit::Exit::Invalid.code());
    }
    // Each connection through a proxy takes two descriptors.
    host::tcp::open_as_many_as_allowed();
    let args = Args::from_arg_matches(&command(bundle).get_matches()).unwrap_or_else(|error| error.exit());
    let machine = machine::Machine::look(args.colour, bundle);
    let exit = match args.command {
        Command::Run(run) => commands::run::run(&machine, &run),
        Command::Prove(prove) => commands::prove::prove(&machine, &prove),
        #[cfg(feature = "init")]
        Command::Init(init) => commands::init::init(&machine, &init),
        Command::Explore(explore) => commands::explore::explore(&machine, &explore),
        Command::Check(check) => commands::check::check(&machine, &check),
        Command::Report(report) => commands::report::report(&machine, &report),
        Command::Rerun(rerun) => commands::rerun::rerun(&machine, &rerun),
        Command::Explain(explain) => commands::explain::explain(&machine, &explain),
        Command::Calibrate(args) => commands::calibrate::calibrate(&machine, &args),
        Command::Doctor(args) => commands::doctor::doctor(&machine, &args),
        Command::Cleanup(cleanup) => commands::cleanup::cleanup(&machine, &cleanup),
        Command::Proxy(proxy) => commands::proxy::proxy(&machine, &proxy),
        Command::Serve(serve) => commands::serve::serve(&machine, &serve),
        Command::Completions(args) => commands::completions::completions(&command(bundle), &args),
        Command::Man(args) => commands::man::man(command(bundle), &args),
        Command::Schema(args) => commands::schema::schema(&machine, &args),
        Command::Supervisor => commands::supervisor::supervisor(),
        Command::Service(service) => commands::supervisor::service(&service),
    };
    ExitCode::from(exit.code())
}

/// The command line, with the programs and the reports that this build brings.
fn command(bundle: Bundle) -> clap::Command {
    let names = bundle.program_names();
    let reports = args::names_of(&bundle.all_reports());
    let command = Args::command();
    let command = command
        .mut_subcommand("report", |report| report.mut_arg(args::Report::NAME, |name| name.value_parser(reports)));
    command.mut_subcommand("serve", |serve| serve.after_help(format!("Programs of this build: {names}")))
}
