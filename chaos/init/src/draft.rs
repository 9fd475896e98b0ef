//! The draft of a system: what runs, and what was seen of it, as the text of its file.

use crate::{
    lines::{Lines, key, list, remark},
    seen::{Seen, Spoken},
};

/// The system that a file is to describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The service that clients use.
    pub entry: String,
    /// Services, in the order in which they are written.
    pub services: Vec<ServiceDraft>,
    /// The Compose file that they are of, as seen from the folder of the system's file.
    pub compose: Option<String>,
    /// The folder that commands run in, as seen from there.
    pub working_dir: Option<String>,
    /// True where all responses were below 400, so that others are none that a client is served by.
    pub serves_below_400: bool,
}

/// A service of the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDraft {
    /// The service's name.
    pub name: String,
    /// The command, or where it runs already.
    pub runs: Runs,
    /// The protocol that is spoken with it, once that was seen.
    pub spoken: Option<Spoken>,
    /// The path by whose success it shows that it is ready, where one was found.
    pub ready: Option<String>,
}

/// The place where a service comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// A command.
    Command {
        /// Settings, in the order in which they are written.
        env: Vec<(String, String)>,
        /// The program and its arguments.
        words: Vec<String>,
    },
    /// Others have started it, and it is at this address.
    Already(String),
    /// The Compose file says it.
    Compose,
}

impl ServiceDraft {
    /// A service of which nothing was seen yet.
    #[must_use]
    pub fn new(name: impl Into<String>, runs: Runs) -> Self {
        Self { name: name.into(), runs, spoken: None, ready: None }
    }
}

impl Draft {
    /// A system with this entry, and no services yet.
    #[must_use]
    pub fn new(entry: impl Into<String>) -> Self {
        Self { entry: entry.into(), services: Vec::new(), compose: None, working_dir: None, serves_below_400: false }
    }

    /// Takes in what is spoken on the links to each service.
    pub fn hear(&mut self, seen: &Seen) {
        for service in &mut self.services {
            let spoken = seen.spoken_with(&service.name);
            if spoken.is_some() {
                service.spoken = spoken;
            }
        }
    }

    /// The names of services and what is spoken with each, for people; of those alone with which something is.
    #[must_use]
    pub fn spoken_words(&self) -> String {
        let known = self.services.iter().filter_map(|service| Some((&service.name, service.spoken.as_ref()?)));
        known.map(|(name, spoken)| format!("{name} speaks {}", spoken.words())).collect::<Vec<_>>().join(", ")
    }

    /// The text of the system's file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = remark("The system that the scenarios in this folder break: what runs, and who uses whom.");
        text += &remark("Written by `chaos init` from what it saw; it is yours to change from now on.");
        if matches!(self.services.as_slice(), [ServiceDraft { runs: Runs::Already(_), .. }]) {
            text += "#\n";
            text += &remark(
                "What it uses in turn is out of sight: only where that is told, by its settings, to go by a proxy can its \
                 links be broken. Services that are started here can (`command`), and so can those of a Compose file.",
            );
        }
        text.push('\n');
        let mut head = Lines::default();
        if let Some(compose) = &self.compose {
            head = head.text("compose", compose).remark("all services, networks and settings stand there");
        }
        head = head.text("entry", &self.entry).remark("the service that clients use");
        text += &head.written();
        for service in self.services.iter().filter(|service| self.has_words(service)) {
            text += &format!("\n[service.{}]\n{}", key(&service.name), self.lines(service).written());
        }
        if self.serves_below_400 {
            text += "\n# All responses were such when nothing was broken.\n[responses]\ngood.status = \"< 400\"\n";
        }
        text
    }

    /// True where there is something to say of a service: of one in a Compose file, what that doesn't say.
    fn has_words(&self, service: &ServiceDraft) -> bool {
        service.runs != Runs::Compose || self.spoken(service).is_some() || service.ready.is_some()
    }

    /// The protocol of a service, as far as it is known: clients speak HTTP with the entry, whatever was seen.
    fn spoken(&self, service: &ServiceDraft) -> Option<Spoken> {
        if service.name == self.entry { Some(Spoken::http()) } else { service.spoken.clone() }
    }

    fn lines(&self, service: &ServiceDraft) -> Lines {
        let mut lines = Lines::default();
        match &service.runs {
            Runs::Command { words, .. } => lines = lines.raw("command", &list(words), None),
            Runs::Already(address) => {
                lines = lines.text("address", address).remark("it runs already: a run neither starts nor ends it");
            }
            Runs::Compose => {}
        }
        if let (Some(folder), Runs::Command { .. }) = (&self.working_dir, &service.runs) {
            lines = lines.text("working-dir", folder);
        }
        if let Some(spoken) = self.spoken(service) {
            lines = lines.text("protocol", spoken.protocol());
            if spoken.protocol() == "tcp" {
                lines = lines.remark(spoken.remark());
            }
        }
        if let Some(ready) = &service.ready {
            lines = lines.text("ready", &format!("GET {ready}"));
        }
        if let Runs::Command { env, .. } = &service.runs {
            for (name, value) in env {
                lines = lines.text(&format!("env.{}", key(name)), value);
            }
        }
        lines
    }
}
