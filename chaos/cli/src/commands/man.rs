//! `chaos man`: manual pages, made from what `--help` says.

use crate::{args::Man, exit::Exit};
use clap::Command;

pub(crate) fn man(mut command: Command, args: &Man) -> Exit {
    if let Some(folder) = &args.to {
        return match clap_mangen::generate_to(command, folder) {
            Ok(()) => Exit::Pass,
            Err(error) => {
                eprintln!("chaos man: can't write to {}: {error}", folder.display());
                Exit::Machine
            }
        };
    }
    // Usage lines name the whole command (`chaos run`) only once it is built.
    command.build();
    let page = match &args.command {
        None => Some(&command),
        Some(name) => command.find_subcommand(name).filter(|found| !found.is_hide_set()),
    };
    let Some(page) = page else {
        let name = args.command.as_deref().unwrap_or_default();
        return super::refuse("man", &format!("there is no command `{name}`; `chaos --help` lists them"));
    };
    let mut text = Vec::new();
    match clap_mangen::Man::new(page.clone()).render(&mut text) {
        Ok(()) => super::print("man", &text),
        Err(error) => super::refuse("man", &error.to_string()),
    }
}
