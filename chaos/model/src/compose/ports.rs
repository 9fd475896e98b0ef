//! Ports of a service: those of `ports`, and those of `expose`.

use super::Problem;
use serde_json::{Map, Value};

/// The TCP ports that a file tells of.
#[derive(Debug, Default)]
pub(super) struct NamedPorts {
    /// All of them, published ones first.
    pub(super) ports: Vec<u16>,
    pub(super) published: Vec<u16>,
}

/// A port, or several in a row, of a container.
struct Range {
    first: u16,
    last: u16,
    is_tcp: bool,
}

impl NamedPorts {
    /// Those of a service. What is no TCP, and what can't be read, becomes a problem.
    pub(super) fn of(name: &str, service: &Map<String, Value>, problems: &mut Vec<Problem>) -> Self {
        let mut told = Self::default();
        for (key, published) in [("ports", true), ("expose", false)] {
            for value in service.get(key).and_then(Value::as_array).into_iter().flatten() {
                let Some(range) = range(value) else {
                    let what = format!("service `{name}`: `{value}` of its `{key}` is no port");
                    problems.push(Problem { what, advice: "write it as `\"8080:80\"`" });
                    continue;
                };
                if !range.is_tcp {
                    let what = format!("service `{name}` uses UDP (port {}), which no proxy carries", range.first);
                    let advice = "only TCP can be interposed; leave the port out in a file for chaos (`extends`, or a second file)";
                    problems.push(Problem { what, advice });
                    continue;
                }
                for port in range.first..=range.last {
                    if !told.ports.contains(&port) {
                        told.ports.push(port);
                    }
                    if published && !told.published.contains(&port) {
                        told.published.push(port);
                    }
                }
            }
        }
        told
    }
}

/// The container's side of a port, in each of the forms that Compose writes: `80`, `"8080:80/tcp"`,
/// `"127.0.0.1:9000-9001:9000-9001"`, `{target: 80, published: "8080"}`.
fn range(value: &Value) -> Option<Range> {
    let (text, protocol) = match value {
        Value::Object(long) => {
            let protocol = long.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
            (plain(long.get("target")?)?, protocol.to_owned())
        }
        other => {
            let text = plain(other)?;
            let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
            let inner = ports.rsplit(':').next().unwrap_or(ports);
            (inner.to_owned(), protocol.to_owned())
        }
    };
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let (first, last) = (first.parse().ok().filter(|port| *port > 0)?, last.parse().ok()?);
    (first <= last).then_some(Range { first, last, is_tcp: protocol == "tcp" })
}

/// A text, or a number as one.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
