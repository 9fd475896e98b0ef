//! The gateway as a program: arguments and environment in, JSON log lines out, an exit code at the end (0 stopped as
//! asked, 1 it can't run, 2 the arguments can't be read).

use gateway::Settings;
use host::tcp;
use std::{hash::BuildHasher as _, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    tcp::open_as_many_as_allowed();
    #[expect(clippy::disallowed_methods, reason = "only here are arguments and environment read")]
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let map = match gateway::settings::from_process(arguments, environment) {
        Ok(map) => map,
        Err(error) => error.exit(),
    };
    match start(map) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(map: host::Settings) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::from_map(&map)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let host = tcp::host(tcp::Config {
            bind: settings.bind(),
            // The standard library's keys are random: no two gateways draw the same ids, or wait in step.
            seed: std::hash::RandomState::new().hash_one("seed"),
            settings: map,
            shutdown: shutdown.clone(),
            ..tcp::Config::loopback("gateway")
        })?;
        tracing::dispatcher::set_global_default(host::logs::json(&host, settings.log(), std::io::stdout)?)?;
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
        Ok(())
    })
}
