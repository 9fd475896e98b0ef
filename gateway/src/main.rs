//! The gateway as a program: settings file, environment and arguments in, JSON log lines out, an exit code at the end (0
//! stopped as asked, 1 it can't run, 2 what it was told can't be used).

use gateway::settings::{ProcessSettings, Refused};
use host::tcp;
use std::{hash::BuildHasher as _, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

// Quicker than the system's; it is built from C, so it can be left out.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tcp::open_as_many_as_allowed();
    #[expect(clippy::disallowed_methods, reason = "only here are arguments and environment read")]
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let told = match gateway::settings::from_process(arguments, environment, |path| std::fs::read_to_string(path)) {
        Ok(told) => told,
        Err(Refused::Arguments(error)) => error.exit(),
        Err(error) => {
            eprintln!("gateway: {error}");
            return ExitCode::from(2);
        }
    };
    match start(told) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(ProcessSettings { map, settings }: ProcessSettings) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        // The standard library's keys are random: no two gateways draw the same ids, or wait in step.
        #[expect(clippy::disallowed_types, reason = "this is no simulation, and nothing of it is to be repeated")]
        let seed = std::hash::RandomState::new().hash_one("seed");
        let host = tcp::host(tcp::Config {
            bind: settings.bind(),
            seed,
            settings: map,
            shutdown: shutdown.clone(),
            ..tcp::Config::loopback("gateway")
        })?;
        #[cfg(feature = "otlp")]
        let traces = gateway::traces::Traces::start(&host, &settings)?;
        #[cfg(feature = "otlp")]
        let logs = match &traces {
            Some(traces) => host::logs::json_and(&host, settings.log(), std::io::stdout, traces.layer())?,
            None => host::logs::json(&host, settings.log(), std::io::stdout)?,
        };
        #[cfg(not(feature = "otlp"))]
        let logs = host::logs::json(&host, settings.log(), std::io::stdout)?;
        tracing::dispatcher::set_global_default(logs)?;
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        drop(host.spawn(async move {
            tokio::select! {
                biased;
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            shutdown.cancel();
        }));
        gateway::run(host).await?;
        #[cfg(feature = "otlp")]
        traces.iter().for_each(gateway::traces::Traces::stop);
        Ok(())
    })
}
