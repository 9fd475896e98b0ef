//! The question by which a service shows that it is ready, where its file says which.

use crate::{Pattern, Template};
use std::fmt;

/// The question that a service is asked until it is ready, past any proxy.
#[derive(Clone, Debug, PartialEq)]
pub enum Readiness {
    /// A request that it answers with a success.
    Http(HttpProbe),
    /// A connection that it accepts: on the port of this name, or on its own.
    Connection(Option<String>),
    /// A command that ends well: exit status 0.
    Command(Vec<Template>),
    /// A line of its output, since it was started last, that is like this.
    Log(Pattern),
}

/// A GET to a service, past any proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// The name of the port that it goes to; the service's own where there is none.
    pub port: Option<String>,
    /// The path, with its slash.
    pub path: String,
    /// It goes over TLS, where the world has that.
    pub is_tls: bool,
}

impl Readiness {
    /// The words by which a line of the output is looked for, as the file has them.
    const LOG: &'static str = "log ";

    /// The text of a line that is looked for, where a file's word says one.
    pub(crate) fn line_of(word: &str) -> Option<&str> {
        word.strip_prefix(Self::LOG).map(str::trim)
    }

    /// The commands that it runs: texts that may name other services.
    #[must_use]
    pub fn command(&self) -> &[Template] {
        match self {
            Self::Command(words) => words,
            Self::Http(_) | Self::Connection(_) | Self::Log(_) => &[],
        }
    }
}

impl fmt::Display for HttpProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            Some(port) => write!(f, "GET :{port}{}", self.path),
            None => write!(f, "GET {}", self.path),
        }?;
        f.write_str(if self.is_tls { " over TLS" } else { "" })
    }
}

impl fmt::Display for Readiness {
    /// Shows it as people read it; a command by its words, with the places where addresses go.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(probe) => probe.fmt(f),
            Self::Connection(None) => f.write_str("a connection"),
            Self::Connection(Some(port)) => write!(f, "a connection to :{port}"),
            Self::Command(words) => {
                let words: Vec<String> = words.iter().map(ToString::to_string).collect();
                write!(f, "the command {}", words.join(" "))
            }
            Self::Log(line) => write!(f, "a line like `{}` in its output", line.0.trim_matches('*')),
        }
    }
}
