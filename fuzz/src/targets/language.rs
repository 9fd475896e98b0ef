//! The language: any text is a scenario, or mistakes that can be shown.

use super::{Target, file, files};
use chaos_model::{Diagnostics, Protocol, Scenario, language};
use std::{io, path::Path};

pub(super) const TARGET: Target = Target {
    name: "toml",
    about: "files of scenarios, of running systems and of proxies",
    seeds: || {
        let own = ["monitoring/proxies.toml"].map(|path| std::fs::read(file(path)).expect("it is there"));
        files("scenarios", "toml").into_iter().chain(own).collect()
    },
    words: &[
        "\n",
        "\"",
        "'''",
        "=",
        "[[fault]]\n",
        "[load]\n",
        "[set]\n",
        "[[expect]]\n",
        "[[guard]]\n",
        "[[load.request]]\n",
        "[",
        "]",
        "{",
        "}",
        "{user}",
        "{{",
        "#",
        ".",
        "\\u0000",
        "\\",
        "on = \"* -> redis\"\n",
        "effect = \"latency\"\n",
        "delay = \"",
        "share = \"10%\"\n",
        "only.path = \"/a/*\"\n",
        "except.key = \"*\"\n",
        "at = \"",
        "for = \"",
        "during = \"run\"\n",
        "after = \"",
        "within = \"1s\"\n",
        "latency.p99 = \"< 50ms\"\n",
        "status.200 = \">= 100%\"\n",
        "metric.'x{a=\"b\"}' = \"> 0\"\n",
        "body.\"$.a[?@.b == 'c']\" = \"exists\"\n",
        "calls.'a -> b' = \"<= 1 per request\"\n",
        "[service.x]\n",
        "program = \"redis\"\n",
        "command = [\"a\"]\n",
        "ms",
        "s",
        "%",
        "KiB/s",
        "/s",
        "zipf 1..",
        "uniform 1..2",
        "1s..2s",
        "true",
        "1979-05-27",
        "0x10",
        "\u{e9}",
        "\u{202e}",
        "set.\"load.rate\" = \"1/s\"\n",
    ],
    start: || {
        let system = std::fs::read_to_string(file("scenarios/system.toml")).expect("it is there");
        Box::new(move |input| {
            // A file that is no text is refused by whoever reads it.
            if let Ok(text) = std::str::from_utf8(input) {
                load(text, &system);
            }
        })
    },
};

fn load(text: &str, system: &str) {
    let read = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("fuzz.toml") => Ok(text.to_owned()),
        Some("system.toml") => Ok(system.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let own = Path::new("fuzz.toml");
    let scenario = shown(language::load(own, &[], &read));
    if let Some(scenario) = scenario {
        sent(&scenario);
        let _ = shown(language::attach::load(&scenario, Some(own), true, &read));
    }
    let _ = shown(language::proxies::load(own, &[Protocol::HTTP, Protocol::REDIS, Protocol::TCP], &read));
}

/// Mistakes can be shown, on wide terminals and narrow ones.
fn shown<T>(result: Result<T, Diagnostics>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(wrong) => {
            assert!(!wrong.list.is_empty(), "it is refused for nothing");
            for (colour, width) in [(false, 100), (true, 30)] {
                assert!(!wrong.render(colour, width).is_empty());
            }
            None
        }
    }
}

/// Faults of a good scenario go to proxies, and are the same there.
fn sent(scenario: &Scenario) {
    for fault in &scenario.faults {
        let _ = language::json::write_fault(fault);
    }
}
