//! `chaos completions SHELL`: a script by which this shell completes the command line.

use crate::{args::Completions, exit::Exit};
use clap::Command;

pub(crate) fn completions(command: &Command, args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut visible(command), "chaos", &mut script);
    super::print("completions", &script)
}

/// The command line for people: some shells' scripts would offer the hidden commands too.
fn visible(command: &Command) -> Command {
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    let options = command.get_arguments().filter(|option| !["help", "version"].contains(&option.get_id().as_str()));
    // A command can't be taken out of another one, so it is put together anew.
    let visible = Command::new("chaos").version(env!("CARGO_PKG_VERSION"));
    visible.args(options.cloned()).subcommands(commands.cloned())
}
