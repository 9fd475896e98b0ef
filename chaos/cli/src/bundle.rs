//! The bundle of a command: programs, protocols, checks and reports of whoever builds it.

use chaos_links::has_filter;
use chaos_model::{
    Protocol,
    check::{CHECKS, Row as Check},
};
use chaos_report::reports::{REPORTS, Row as Report};
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

/// Programs, protocols, checks and reports that a command has besides what every `chaos` has. They are known everywhere: to files,
/// `chaos check`, schemas, and runs in each world.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    /// Programs that services can run.
    pub programs: &'static [Program],
    /// Protocols that services can speak, beside [`Protocol::ALL`]. A row brings its own filter.
    pub protocols: &'static [Protocol],
    /// Checks that expectations can have, beside [`CHECKS`].
    pub checks: &'static [&'static Check],
    /// Reports of recordings, beside [`REPORTS`]: `chaos report --as NAME`.
    pub reports: &'static [Report],
}

impl Bundle {
    /// Nothing besides.
    pub const NONE: Self = Self { programs: &[], protocols: &[], checks: &[], reports: &[] };

    /// All protocols, in the order in which people are told of them: those of `chaos` first. Pages of reference are made
    /// of these ([`chaos_model::protocol::markdown`]).
    #[must_use]
    pub fn all_protocols(&self) -> Vec<Protocol> {
        Protocol::ALL.iter().chain(self.protocols).copied().collect()
    }

    /// All checks, in the order in which people are told of them: those of `chaos` first. Pages of reference are made of
    /// these ([`chaos_model::check::markdown`]).
    #[must_use]
    pub fn all_checks(&self) -> Vec<&'static Check> {
        CHECKS.iter().chain(self.checks).copied().collect()
    }

    /// All reports, in the order in which people are told of them: those of `chaos` first, and the usual one before all.
    #[must_use]
    pub fn all_reports(&self) -> Vec<Report> {
        REPORTS.iter().chain(self.reports).copied().collect()
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

    /// Refuses a bundle whose protocols could not do what their rows say, or in which a name stands for two things: files
    /// could mean the first alone.
    ///
    /// # Errors
    /// In words, for whoever built it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let programs: Vec<&str> = self.programs.iter().map(|program| program.name).collect();
        let protocols: Vec<&str> = self.all_protocols().iter().map(|protocol| protocol.name).collect();
        let checks: Vec<&str> = self.all_checks().iter().map(|row| row.key).collect();
        let reports: Vec<&str> = self.all_reports().iter().map(|row| row.name).collect();
        let all = [("programs", programs), ("protocols", protocols), ("checks", checks), ("reports", reports)];
        for (kind, names) in all {
            let twice = names.iter().enumerate().find(|(nth, name)| names[..*nth].contains(name));
            if let Some((_, name)) = twice {
                return Err(format!("this build brings two {kind} called `{name}`"));
            }
        }
        // Without a filter, faults on messages would be taken and never fire.
        let unread = self.protocols.iter().find(|protocol| protocol.words.is_some() && !has_filter(**protocol));
        if let Some(protocol) = unread {
            return Err(format!(
                "the protocol `{protocol}` has messages, and no filter (`chaos_inject::filter!`) for them"
            ));
        }
        self.protocols.iter().try_for_each(|protocol| protocol.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        effect::Level,
        protocol::{Ready, Recognised, Row, Words},
    };

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
        let ours = Bundle { reports: &REPORTS[..1], ..Bundle::NONE };
        assert_eq!(wrong(ours), "this build brings two reports called `text`");
    }

    /// HTTP by another name, of which `chaos` has no filter.
    static UNREAD: Row = Row { name: "unread", filter: Some(&"no filter"), ..HTTP };
    static WORDLESS: Row = Row { name: "wordless", words: None, ..HTTP };
    const HTTP: Row = Row {
        name: "http",
        about: "",
        usual_port: 80,
        unprivileged_port: 80,
        schemes: &[],
        programs: &[],
        ready: Ready::Connection,
        words: Some(Words { message: "", messages: "", response: "" }),
        levels: &[Level::Connections, Level::Messages],
        only: &["path"],
        alpn: &[],
        takes_password: false,
        elsewhere: &[],
        limits: &[],
        recognise: |_| Recognised::No,
        filter: None,
    };

    #[test]
    fn a_protocol_can_do_what_its_row_says() {
        const BROUGHT: &[Protocol] = &[Protocol::new(&UNREAD), Protocol::new(&WORDLESS)];
        let wrong = |protocols| Bundle { protocols, ..Bundle::NONE }.check().unwrap_err();
        let unread = wrong(&BROUGHT[..1]);
        assert!(unread.starts_with("the protocol `unread` has messages, and no filter"), "{unread}");
        let wordless = wrong(&BROUGHT[1..]);
        assert!(wordless.starts_with("the protocol `wordless`: its levels have `Messages`"), "{wordless}");
    }
}
