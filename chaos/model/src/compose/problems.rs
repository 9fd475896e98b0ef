//! Things of a Compose file that no proxy can be put before, or that a run has no place for.

use super::Problem;
use serde_json::{Map, Value};

/// Advice on what a file for chaos can leave out.
const OWN_FILE: &str = "leave it out in a file for chaos, which `extends` the service or is given beside it";

/// Adds those of a service.
pub(super) fn of_service(name: &str, service: &Map<String, Value>, problems: &mut Vec<Problem>) {
    let mut add = |what: String, advice| problems.push(Problem { what: format!("service `{name}` {what}"), advice });
    match service.get("network_mode").and_then(Value::as_str) {
        None | Some("none") => {}
        Some("host") => {
            let what = "is on its machine's own network (`network_mode: host`): no proxy can stand before what it uses";
            add(what.to_owned(), "give it a network of its own");
        }
        Some(mode) => {
            let what = format!("shares a network that has no names (`network_mode: {mode}`), which is not supported");
            add(what, "put it into a network of the file");
        }
    }
    let image = service.get("image").and_then(Value::as_str).unwrap_or_default();
    if image.is_empty() && !service.contains_key("build") {
        add("has no image".to_owned(), "name one in the Compose file, or set the variable that names it");
    }
    for (network, config) in service.get("networks").and_then(Value::as_object).into_iter().flatten() {
        for key in ["ipv4_address", "ipv6_address", "link_local_ips"] {
            if config.get(key).is_some_and(|value| !value.is_null()) {
                let what = format!("has a fixed address in `{network}` (`{key}`): others may use it past any proxy");
                add(what, "services find each other by name; take the address away");
            }
        }
    }
    if service.get("external_links").is_some_and(|links| !links.is_null()) {
        add("uses containers of others (`external_links`): no proxy can stand before them".to_owned(), OWN_FILE);
    }
}

/// Adds those of the whole.
pub(super) fn of_document(document: &Value, problems: &mut Vec<Problem>) {
    let all = |key: &str| document.get(key).and_then(Value::as_object).into_iter().flatten();
    let is_external = |config: &Value| config.get("external").is_some_and(|value| !matches!(value, Value::Bool(false)));
    let driver = |config: &Value| config.get("driver").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, config) in all("networks") {
        if is_external(config) {
            let what =
                format!("the network `{name}` is of others (`external`): no proxy can stand before who is in it");
            problems.push(Problem { what, advice: OWN_FILE });
        } else if !matches!(driver(config).as_str(), "" | "bridge" | "default") {
            let what = format!("the network `{name}` has the driver `{}`, and proxies need bridges", driver(config));
            problems.push(Problem { what, advice: "take `driver` away" });
        }
    }
    for (name, config) in all("volumes") {
        let device = config.get("driver_opts").and_then(|options| options.get("device")).and_then(Value::as_str);
        if is_external(config) {
            let what = format!("the volume `{name}` is of others (`external`), and each run begins with fresh ones");
            problems
                .push(Problem { what, advice: "let Compose make it (take `external` away), and fill it by a service" });
        } else if !matches!(driver(config).as_str(), "" | "local") || device.is_some_and(|device| device != "tmpfs") {
            let what = format!("the volume `{name}` is kept elsewhere, and each run begins with fresh ones");
            problems.push(Problem { what, advice: "take `driver` and `driver_opts` away in a file for chaos" });
        }
    }
}
