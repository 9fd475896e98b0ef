//! The `main` of the three programs: arguments and environment in, exit code out. Nothing else in this crate touches the
//! process.

use crate::{
    Error,
    data::{DEFAULT_SEED, USERS},
    order, product, user,
};
use clap::{Arg, ArgMatches, Command};
use host::{Host, Settings, tcp};
use std::{
    ffi::OsString,
    io,
    net::{IpAddr, Ipv4Addr},
    process::ExitCode,
};
use tokio::signal::unix::{SignalKind, signal};

/// One of the three services as a program of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `user-service`
    User,
    /// `order-service`
    Order,
    /// `product-service`
    Product,
}

impl Program {
    /// The program's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user-service",
            Self::Order => "order-service",
            Self::Product => "product-service",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::User => "The user service of a made-up shop: GET /users/{id}",
            Self::Order => "The order service of a made-up shop: GET /orders/user/{id}",
            Self::Product => "The product service of a made-up shop: GET /products/{id}, POST /products/batch",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::User => user::DEFAULT_PORT,
            Self::Order => order::DEFAULT_PORT,
            Self::Product => product::DEFAULT_PORT,
        }
    }

    async fn run(self, host: Host) -> Result<(), Error> {
        match self {
            Self::User => user::run(host).await,
            Self::Order => order::run(host).await,
            Self::Product => product::run(host).await,
        }
    }

    fn command(self) -> Command {
        let setting = |name: &'static str, flag: &'static str, value: &'static str, help: String| {
            Arg::new(name).long(flag).value_name(value).help(format!("{help} [env: {name}]"))
        };
        let port =
            format!("Where to listen; 0 takes a free port, which the log tells [default: {}]", self.default_port());
        let seed =
            format!("Which shop to serve; the services of one system must agree on it [default: {DEFAULT_SEED}]");
        let users = format!("How many users there are; the services of one system must agree on it [default: {USERS}]");
        let about = "How long a text each user has about themselves [default: 0, none]".to_owned();
        Command::new(self.name())
            .version(env!("CARGO_PKG_VERSION"))
            .about(self.about())
            .arg(setting("PORT", "port", "PORT", port))
            .arg(setting("BIND", "bind", "ADDRESS", format!("The IP address to listen on [default: {DEFAULT_BIND}]")))
            .arg(setting("DATA_SEED", "data-seed", "NUMBER", seed))
            .arg(setting("DATA_USERS", "data-users", "NUMBER", users))
            .arg(setting("DATA_ABOUT_BYTES", "data-about-bytes", "BYTES", about))
            .arg(setting(
                "RUST_LOG",
                "log",
                "FILTER",
                format!("What to log, as `info,hyper=warn` [default: {DEFAULT_LOG}]"),
            ))
            .after_help(
                "Also serves GET /health and GET /metrics. A flag counts before its environment variable. \
                 Logs are JSON lines on stdout.\n\n\
                 SIGTERM and SIGINT stop it: requests under way are finished first (at most 10 s).\n\n\
                 Exit codes: 0 stopped, 1 could not run (the port is taken, …), 2 a setting can't be used.",
            )
    }
}

/// Every name that is read, as flag or from the environment.
const NAMES: [&str; 6] = ["PORT", "BIND", "DATA_SEED", "DATA_USERS", "DATA_ABOUT_BYTES", "RUST_LOG"];
const DEFAULT_BIND: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DEFAULT_LOG: &str = "info";

/// Runs the program until a signal stops it. Messages go to stderr, logs to stdout.
#[must_use]
pub fn main(program: Program) -> ExitCode {
    tcp::open_as_many_as_allowed();
    // clap's own exits: 0 after --help and --version, 2 on a bad argument.
    let arguments = program.command().get_matches();
    #[expect(clippy::disallowed_methods, reason = "this is the main of the three programs")]
    let variable = |name: &str| std::env::var_os(name);
    let result = serve(program, settings(&arguments, variable));
    let Err(failure) = result else { return ExitCode::SUCCESS };
    eprintln!("{}: {failure}", program.name());
    match failure {
        Failure::Service(Error::Setting { .. }) | Failure::Log(_) => ExitCode::from(2),
        Failure::Service(Error::Listen { .. } | Error::Metrics(_)) | Failure::Machine(_) => ExitCode::FAILURE,
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Service(#[from] Error),
    #[error(transparent)]
    Log(#[from] host::logs::BadFilter),
    #[error("the machine gives no runtime, timer, random numbers or signals: {0}")]
    Machine(#[from] io::Error),
}

/// Settings from the command line, else from the environment. Their meaning is decided elsewhere.
fn settings(arguments: &ArgMatches, environment: impl Fn(&str) -> Option<OsString>) -> Settings {
    let value = |name: &str| {
        let argument = arguments.get_one::<String>(name).cloned();
        // What isn't Unicode is no valid value of any setting, and its error shows it as well as can be.
        argument.or_else(|| environment(name).map(|value| value.to_string_lossy().into_owned()))
    };
    NAMES.iter().filter_map(|name| value(name).map(|value| (*name, value))).collect()
}

fn bind(settings: &Settings) -> Result<IpAddr, Error> {
    settings.get("BIND").map_or(Ok(DEFAULT_BIND), |value| {
        let expected = "an IP address, as 127.0.0.1, 0.0.0.0 or ::1";
        value.parse().map_err(|_| Error::Setting { name: "BIND", value: value.to_owned(), expected })
    })
}

fn serve(program: Program, settings: Settings) -> Result<(), Failure> {
    let bind = bind(&settings)?;
    let filter = settings.get("RUST_LOG").unwrap_or(DEFAULT_LOG).to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let seed = entropy()?;
        let host = tcp::host(tcp::Config { bind, seed, settings, ..tcp::Config::loopback(program.name()) })?;
        let logs = host::logs::json(&host, &filter, io::stdout)?;
        // Nothing has set one before: this is the program's start.
        let _ = tracing::dispatcher::set_global_default(logs);
        stop_on_signals(&host)?;
        Ok(program.run(host).await?)
    })
}

/// A seed that no other start has had: request ids are drawn from it, and must not repeat after a restart.
fn entropy() -> io::Result<u64> {
    let mut bytes = [0; 8];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn stop_on_signals(host: &Host) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = host.shutdown().clone();
    drop(host.spawn(async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        shutdown.cancel();
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Settings {
        let line = std::iter::once(&"user-service").chain(arguments);
        let matches = Program::User.command().try_get_matches_from(line).unwrap();
        settings(&matches, |name| environment.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into()))
    }

    #[test]
    fn the_definitions_are_sound() {
        for program in [Program::User, Program::Order, Program::Product] {
            program.command().debug_assert();
        }
    }

    #[test]
    fn help_names_every_setting_with_its_default() {
        let help = Program::Order.command().term_width(200).render_long_help().to_string();
        for name in NAMES {
            assert!(help.contains(&format!("[env: {name}]")), "{help}");
        }
        assert!(help.contains("[default: 8002]") && help.contains("[default: 42]"), "{help}");
    }

    #[test]
    fn flags_count_before_the_environment() {
        let read = read(&["--port", "1", "--data-seed", "7"], &[("PORT", "2"), ("BIND", "::1"), ("HOME", "/")]);
        let expected = [("BIND", "::1"), ("DATA_SEED", "7"), ("PORT", "1")];
        assert!(read.iter().eq(expected), "{read:?}");
    }

    #[test]
    fn a_bad_address_names_its_setting() {
        assert_eq!(bind(&Settings::default()).unwrap(), DEFAULT_BIND);
        let error = bind(&read(&["--bind", "localhost"], &[])).unwrap_err().to_string();
        assert!(error.starts_with("BIND is `localhost`, but must be an IP address"), "{error}");
    }
}
