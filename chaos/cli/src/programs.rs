//! The built-in programs of a command.

use futures_util::future::BoxFuture;
use host::Host;

/// The error of a program that can't go on.
pub type ProgramError = Box<dyn std::error::Error + Send + Sync>;

/// A program that this binary brings: a function of a host.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The name by which services (`program = "gateway"`) and `chaos serve` ask for it.
    pub name: &'static str,
    /// Runs it: until its host is told to shut down, or it can't go on.
    pub run: fn(Host) -> BoxFuture<'static, Result<(), ProgramError>>,
}

/// All programs of this command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Programs(pub(crate) &'static [Program]);

impl Programs {
    /// The program of this name.
    pub(crate) fn find(self, name: &str) -> Option<&'static Program> {
        self.0.iter().find(|program| program.name == name)
    }

    /// Names that services can use. A Redis is a real one where there is one, and can be asked for as either.
    pub(crate) fn known(self) -> Vec<&'static str> {
        let redis: &[&str] = if self.find("redis").is_some() { &["redis-server", "redis-built-in"] } else { &[] };
        self.0.iter().map(|program| program.name).chain(redis.iter().copied()).collect()
    }

    /// All names, as people read them; `none` where there are none.
    pub(crate) fn names(self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
    }

    /// All of them, for a simulation. There `redis` is the built-in one, by whichever name.
    pub(crate) fn simulated(self) -> chaos_sim::Programs {
        let programs =
            self.0.iter().fold(chaos_sim::Programs::new(), |all, program| all.with(program.name, program.run));
        match self.find("redis") {
            Some(redis) => programs.with("redis-built-in", redis.run),
            None => programs,
        }
    }
}
