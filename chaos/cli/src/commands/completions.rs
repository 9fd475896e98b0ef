//! `chaos completions SHELL`: a script by which this shell completes the command line.

use crate::{args::Completions, exit::Exit};
use clap::Command;

pub(crate) fn completions(mut command: Command, args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "chaos", &mut script);
    super::print("completions", &script)
}
