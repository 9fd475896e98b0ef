//! `chaos keeper` and `chaos node`: what a local run starts first, and what each of its nodes is before its program.

use crate::{args::Node, exit::Exit};
use chaos_worlds::keeper::{become_node, keep};

pub(crate) fn keeper() -> Exit {
    // One thread: the kernel ties the nodes' death signal to the thread that started them.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("chaos keeper: {error}");
            return Exit::Machine;
        }
    };
    let result = runtime.block_on(keep());
    // Standard input is read on a thread that can't be interrupted.
    runtime.shutdown_background();
    match result {
        Ok(()) => Exit::Pass,
        Err(error) => {
            eprintln!("chaos keeper: {error}");
            Exit::Machine
        }
    }
}

pub(crate) fn node(args: &Node) -> Exit {
    let error = become_node(args.keeper, &args.command);
    eprintln!("{}: {error}", args.command.first().map_or("", String::as_str));
    Exit::Machine
}
