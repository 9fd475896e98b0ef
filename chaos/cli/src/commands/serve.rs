//! `chaos serve PROGRAM`: one built-in program in the foreground, settings from the environment, logs on standard
//! output.

use crate::{
    args::Serve,
    bundle::{Program, ProgramError},
    exit::Exit,
    interrupt::Interrupts,
    machine::Machine,
};
use host::{logs, tcp};
use std::net::{IpAddr, Ipv4Addr};
use tokio_util::sync::CancellationToken;

pub(crate) fn serve(machine: &Machine, args: &Serve) -> Exit {
    let Some(program) = machine.bundle.program(&args.program) else {
        let known = machine.bundle.program_names();
        eprintln!("chaos serve: this build brings no program called `{}`; it brings: {known}", args.program);
        return Exit::Invalid;
    };
    match run(machine, program) {
        Ok(()) => Exit::Pass,
        Err(error) => {
            eprintln!("{}: {error}", program.name);
            Exit::Failed
        }
    }
}

fn run(machine: &Machine, program: &Program) -> Result<(), ProgramError> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let config = tcp::Config {
            name: program.name.to_owned(),
            bind: setting(machine, "BIND", "an IP address, as 127.0.0.1", IpAddr::V4(Ipv4Addr::LOCALHOST))?,
            seed: setting(machine, "CHAOS_SEED", "a whole number", 0)?,
            settings: machine.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            shutdown: CancellationToken::new(),
            reserve: 0,
        };
        let host = tcp::host(config)?;
        let filter = machine.env.get("RUST_LOG").map_or("info", String::as_str);
        tracing::dispatcher::set_global_default(logs::json(&host, filter, std::io::stdout)?)?;
        let interrupts = Interrupts::listen(&host)?;
        let shutdown = host.shutdown().clone();
        drop(host.spawn(async move {
            interrupts.first().await;
            shutdown.cancel();
        }));
        (program.run)(host).await
    })
}

fn setting<T: std::str::FromStr>(machine: &Machine, name: &str, wanted: &str, default: T) -> Result<T, String> {
    let Some(value) = machine.env.get(name).filter(|value| !value.is_empty()) else { return Ok(default) };
    value.parse().map_err(|_| format!("{name} is `{value}`, and must be {wanted}"))
}
