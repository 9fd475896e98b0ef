//! `chaos doctor`: what this machine can do, world by world, what is missing, and how to get it.

mod looks;

use crate::{args::Doctor, exit::Exit, machine::Machine};
use chaos_report::{
    Style,
    doctor::{World, table},
};
use std::io;

pub(crate) fn doctor(machine: &Machine, args: &Doctor) -> Exit {
    super::in_runtime("doctor", async || {
        let worlds = looks::worlds(machine).await;
        let others = looks::others(machine).await;
        let style = Style { colour: machine.colour, width: machine.width, live: false, verbose: false };
        // A reader that has seen enough changes nothing about what was found.
        let _ = table(&mut io::stdout(), style, &worlds, &others);
        // Not every machine has an engine: whoever needs a world asks for it.
        let asked = |world: &&World| args.worlds.iter().any(|name| name.name() == world.name);
        let unready = worlds.iter().filter(asked).any(|world| !world.is_ready());
        Ok(if unready { Exit::Machine } else { Exit::Pass })
    })
}
