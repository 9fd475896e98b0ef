//! The bundle of a command: programs, protocols and checks of whoever builds it.

use chaos_model::{
    Protocol,
    check::{CHECKS, Row},
};
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

/// Programs, protocols and checks that a command has besides what every `chaos` has. They are known everywhere: to files,
/// `chaos check`, schemas, and runs in each world.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    /// Programs that services can run.
    pub programs: &'static [Program],
    /// Protocols that services can speak, beside [`Protocol::ALL`]. A row brings its own filter.
    pub protocols: &'static [Protocol],
    /// Checks that expectations can have, beside [`CHECKS`].
    pub checks: &'static [&'static Row],
}

impl Bundle {
    /// Nothing besides.
    pub const NONE: Self = Self { programs: &[], protocols: &[], checks: &[] };

    /// All protocols, in the order in which people are told of them: those of `chaos` first. Pages of reference are made
    /// of these ([`chaos_model::protocol::markdown`]).
    #[must_use]
    pub fn all_protocols(&self) -> Vec<Protocol> {
        Protocol::ALL.iter().chain(self.protocols).copied().collect()
    }

    /// All checks, in the order in which people are told of them: those of `chaos` first. Pages of reference are made of
    /// these ([`chaos_model::check::markdown`]).
    #[must_use]
    pub fn all_checks(&self) -> Vec<&'static Row> {
        CHECKS.iter().chain(self.checks).copied().collect()
    }

    /// The program of this name.
    pub(crate) fn program(&self, name: &str) -> Option<&'static Program> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// Names of programs that services can use. A Redis is a real one where there is one, and can be asked for as either.
    pub(crate) fn known_programs(&self) -> Vec<&'static str> {
        let redis: &[&str] = if self.program("redis").is_some() { &["redis-server", "redis-built-in"] } else { &[] };
        self.programs.iter().map(|program| program.name).chain(redis.iter().copied()).collect()
    }

    /// Names of all programs, as people read them; `none` where there are none.
    pub(crate) fn program_names(&self) -> String {
        if self.programs.is_empty() {
            return "none".to_owned();
        }
        self.programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
    }

    /// All programs, for a simulation. There `redis` is the built-in one, by whichever name.
    pub(crate) fn simulated(&self) -> chaos_sim::Programs {
        let programs =
            self.programs.iter().fold(chaos_sim::Programs::new(), |all, program| all.with(program.name, program.run));
        match self.program("redis") {
            Some(redis) => programs.with("redis-built-in", redis.run),
            None => programs,
        }
    }

    /// Refuses a bundle in which a name stands for two things: files could mean the first alone.
    ///
    /// # Errors
    /// In words, for whoever built it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let programs: Vec<&str> = self.programs.iter().map(|program| program.name).collect();
        let protocols: Vec<&str> = self.all_protocols().iter().map(|protocol| protocol.name).collect();
        let checks: Vec<&str> = self.all_checks().iter().map(|row| row.key).collect();
        for (kind, names) in [("programs", programs), ("protocols", protocols), ("checks", checks)] {
            let twice = names.iter().enumerate().find(|(nth, name)| names[..*nth].contains(name));
            if let Some((_, name)) = twice {
                return Err(format!("this build brings two {kind} called `{name}`"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_thing() {
        const QUIET: Program = Program { name: "quiet", run: |_| Box::pin(async { Ok(()) }) };
        let wrong = |bundle: Bundle| bundle.check().unwrap_err();
        assert_eq!(Bundle { programs: &[QUIET], ..Bundle::NONE }.check(), Ok(()));
        let twice = Bundle { programs: &[QUIET, QUIET], ..Bundle::NONE };
        assert_eq!(wrong(twice), "this build brings two programs called `quiet`");
        let ours = Bundle { protocols: &[Protocol::REDIS], ..Bundle::NONE };
        assert_eq!(wrong(ours), "this build brings two protocols called `redis`");
        let ours = Bundle { checks: &CHECKS[..1], ..Bundle::NONE };
        assert!(wrong(ours).starts_with("this build brings two checks called `"));
    }
}
