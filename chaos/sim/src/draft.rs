//! Scenarios that are built in code: the language's own words, without a file.

use std::fmt::Write as _;

/// A scenario that is being written: each method adds to it, values are those of the language (`"50/s"`, `">= 99%"`).
/// It is checked when it is run, like one that stands in a file; diagnostics show the text that it makes
/// ([`Draft::text`]).
///
/// ```
/// # use chaos_sim::{Draft, Simulation};
/// # async fn web(host: host::Host) -> chaos_sim::Outcome {
/// #     use axum::{Router, routing::get};
/// #     let app = Router::new().route("/", get(async || "hello"));
/// #     host::http::serve(&host, host.listen(80)?, app, host::http::ServerConfig::default()).await;
/// #     Ok(())
/// # }
/// # fn main() -> Result<(), chaos_sim::Error> {
/// let draft = Draft::new("a page is late and comes")
///     .entry("web")
///     .service("web", &[("program", "web")])
///     .load("GET /", "50/s", "6s")
///     .fault("late", "client -> web", "latency", ("1s", "4s"), &[("delay", "30ms")])
///     .expect("it comes", "during", "late", &[("status.200", ">= 100%"), ("latency.p50", "29ms..31ms")]);
/// Simulation::new().program("web", web).run_draft(&draft)?.assert_passed();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    head: String,
    tables: String,
}

impl Draft {
    /// A scenario with this title.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { head: format!("title = {}\n", quoted(title)), tables: String::new() }
    }

    /// The service that clients talk to.
    #[must_use]
    pub fn entry(mut self, service: &str) -> Self {
        line(&mut self.head, "entry", service);
        self
    }

    /// A service, with its keys: `program`, `protocol`, `ready`, `metrics`, `env.NAME`.
    #[must_use]
    pub fn service(self, name: &str, keys: &[(&str, &str)]) -> Self {
        self.table(&format!("[service.{name}]"), keys)
    }

    /// The load of clients: a request, how often, for how long.
    #[must_use]
    pub fn load(self, request: &str, rate: &str, duration: &str) -> Self {
        self.load_with(request, rate, duration, &[])
    }

    /// The same, with more keys: `vars.user`, `timeout`, `warmup`, `arrivals`, `headers.NAME`.
    #[must_use]
    pub fn load_with(self, request: &str, rate: &str, duration: &str, keys: &[(&str, &str)]) -> Self {
        let given = [("request", request), ("rate", rate), ("duration", duration)];
        self.table("[load]", &[&given, keys].concat())
    }

    /// A fault: its name, a link or a service, an effect, when it begins and for how long, and the effect's keys.
    #[must_use]
    pub fn fault(self, name: &str, on: &str, effect: &str, (at, lasts): (&str, &str), keys: &[(&str, &str)]) -> Self {
        let given = [("name", name), ("on", on), ("effect", effect), ("at", at), ("for", lasts)];
        self.table("[[fault]]", &[&given, keys].concat())
    }

    /// An expectation: what it says, when (`"during"` a phase, or `"after"` a fault, with `within` among the checks),
    /// and the checks: `status.200`, `latency.p99`, `metric.'name{label="value"}'`.
    #[must_use]
    pub fn expect(self, that: &str, when: &str, phase: &str, checks: &[(&str, &str)]) -> Self {
        self.table("[[expect]]", &[&[("that", that), (when, phase)], checks].concat())
    }

    /// Any other table of the language, with its keys.
    #[must_use]
    pub fn table(mut self, head: &str, keys: &[(&str, &str)]) -> Self {
        self.tables += &format!("\n{head}\n");
        keys.iter().for_each(|(key, value)| line(&mut self.tables, key, value));
        self
    }

    /// More of the language, as it stands in a file: what holds lists (`worlds`, the `breaks` of a guard), several
    /// requests.
    #[must_use]
    pub fn toml(mut self, text: &str) -> Self {
        self.tables += &format!("\n{text}\n");
        self
    }

    /// The scenario as a file would have it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.head, self.tables)
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {}", quoted(value));
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_what_a_file_would_say() {
        let draft = Draft::new("a \"title\"\n").entry("web").service("web", &[("program", "web"), ("env.A", "\\")]);
        let draft = draft.expect("it", "during", "run", &[("metric.'a{b=\"c\"}'", "> 0")]);
        let text = draft.toml("[[guard]]\nbreaks = [\"it\"]").text();
        let wanted = "title = \"a \\\"title\\\"\\u000A\"\nentry = \"web\"\n\n[service.web]\nprogram = \"web\"\nenv.A = \"\\\\\"\n\
                      \n[[expect]]\nthat = \"it\"\nduring = \"run\"\nmetric.'a{b=\"c\"}' = \"> 0\"\n\
                      \n[[guard]]\nbreaks = [\"it\"]\n";
        assert_eq!(text, wanted);
    }
}
