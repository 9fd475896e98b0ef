//! From a map that reads like an environment to settings. The clap command that declares them reads it, so that a value
//! means the same wherever it was written.

use super::Settings;
use clap::{CommandFactory as _, FromArgMatches as _, error::ContextKind, error::ContextValue};
use std::error::Error as _;

/// The variable that names the settings file, as `--config` does.
pub(super) const CONFIG: &str = "GATEWAY_CONFIG";

/// Settings that name a file, and the secret that it has. Only a process reads files: what comes here has the secret itself.
pub(super) const SECRET_FILES: [(&str, &str); 2] = [("auth_key_file", "auth_key"), ("redis_url_file", "redis_url")];

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The value can't be read.
    #[error("{variable} can't be `{value}`: {reason}")]
    Value {
        /// The variable.
        variable: String,
        /// The value that it was set to; masked where it may hold a password.
        value: String,
        /// The values that would be right, in words.
        reason: String,
    },
    /// No setting of that name.
    #[error("{variable} is no setting of the gateway: did you mean {nearest}? (`gateway --help` lists them)")]
    Unknown {
        /// The variable.
        variable: String,
        /// The setting whose name is most like it.
        nearest: String,
    },
    /// Values that can't work together.
    #[error("{problem}: {advice}")]
    Together {
        /// The mistake, in words.
        problem: String,
        /// The way to mend it, in words.
        advice: String,
    },
}

/// The variable of the argument with this id: what all programs of the system have is named alike in all of them.
pub(super) fn variable(id: &str) -> String {
    let name = id.to_uppercase();
    match id {
        "port"
        | "bind"
        | "user_service_url"
        | "order_service_url"
        | "product_service_url"
        | "redis_url"
        | "redis_url_file" => name,
        "log" => "RUST_LOG".to_owned(),
        _ => format!("GATEWAY_{name}"),
    }
}

/// The flag of that argument, without its dashes; also its name in a settings file.
pub(super) fn flag(id: &str) -> String {
    id.replace('_', "-")
}

/// The argument of that flag.
pub(super) fn id(flag: &str) -> String {
    flag.replace('-', "_")
}

/// The command with each setting's variable in its help.
pub(super) fn command() -> clap::Command {
    Settings::command().mut_args(|argument| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = variable(argument.get_id().as_str());
        if argument.get_long().is_some() { argument.help(format!("{help} [env: {variable}]")) } else { argument }
    })
}

/// Declarations of all settings, in the order of the help.
pub(super) fn arguments() -> Vec<clap::Arg> {
    Settings::command().get_arguments().cloned().collect()
}

/// Ids of all settings, in the order of the help.
pub(super) fn ids() -> Vec<String> {
    arguments().iter().map(|argument| argument.get_id().to_string()).collect()
}

/// The name of `known` that is most like `name`.
pub(super) fn nearest(name: &str, known: &[String]) -> String {
    let likeness = |known: &String| strsim::jaro_winkler(known, name);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.cloned().unwrap_or_default()
}

/// Masks a value that is a secret, or may have one: in a URL, a password is before an `@`.
fn masked(id: &str, value: &str) -> String {
    let is_secret = SECRET_FILES.iter().any(|(_, secret)| *secret == id);
    if is_secret || value.contains('@') { "…".to_owned() } else { value.to_owned() }
}

pub(super) fn parse(map: &host::Settings) -> Result<Settings, Invalid> {
    let ids = ids();
    let known: Vec<String> = ids.iter().map(|id| variable(id)).collect();
    for (name, _) in map.iter().filter(|(name, _)| name.starts_with("GATEWAY_")) {
        if name == CONFIG {
            return Err(names_a_file(CONFIG, "set what it says one by one".to_owned()));
        }
        if !known.iter().any(|known| known == name) {
            return Err(Invalid::Unknown { variable: name.to_owned(), nearest: nearest(name, &known) });
        }
    }
    for (file, secret) in SECRET_FILES.map(|(file, secret)| (variable(file), variable(secret))) {
        if map.get(&file).is_some() {
            return Err(names_a_file(&file, format!("set {secret} itself")));
        }
    }
    let flags = ids
        .iter()
        .zip(&known)
        .filter_map(|(id, variable)| map.get(variable).map(|value| format!("--{}={value}", flag(id))));
    let arguments = std::iter::once("gateway".to_owned()).chain(flags);
    command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Settings::from_arg_matches(&matches))
        .map_err(|error| explain(&error, map))
}

fn names_a_file(variable: &str, advice: String) -> Invalid {
    let problem = format!("{variable} names a file, which the program `gateway` reads and nothing else does");
    Invalid::Together { problem, advice }
}

/// Says it in terms of the variable: whoever set it has seen no flag.
fn explain(error: &clap::Error, map: &host::Settings) -> Invalid {
    let said = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(said)) => said.clone(),
        _ => String::new(),
    };
    let id = id(said.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default());
    let variable = variable(&id);
    let value = masked(&id, map.get(&variable).unwrap_or_default());
    let reason = error.source().map_or_else(|| error.kind().to_string(), ToString::to_string);
    Invalid::Value { variable, value, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn from(pairs: &[(&str, &str)]) -> Result<Settings, Invalid> {
        Settings::from_map(&pairs.iter().copied().collect())
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        from(pairs).expect_err("it should be refused").to_string()
    }

    #[test]
    fn an_empty_map_gives_the_defaults() {
        let settings = from(&[]).unwrap();
        assert_eq!((settings.port, settings.deadline), (8000, Duration::from_millis(1500)));
        assert!(settings.cache && settings.cache_memory && settings.partial);
    }

    #[test]
    fn variables_are_read() {
        let settings = from(&[
            ("PORT", "9000"),
            ("GATEWAY_CACHE_MEMORY", "off"),
            ("GATEWAY_ORDER_TIMEOUT", "10s"),
            ("GATEWAY_DEADLINE", "20s"),
            ("PATH", "/bin"),
            ("GATEWAY_PARTIAL", ""),
        ]);
        let settings = settings.unwrap();
        assert_eq!((settings.port, settings.order_timeout), (9000, Duration::from_secs(10)));
        assert!(!settings.cache_memory && settings.partial);
    }

    #[test]
    fn refusals_name_the_variable_and_what_is_right() {
        assert_eq!(
            refusal(&[("GATEWAY_DEADLINE", "1500")]),
            "GATEWAY_DEADLINE can't be `1500`: it is a duration with a unit, as `200ms` or `2s`"
        );
        assert_eq!(refusal(&[("GATEWAY_CACHE", "no")]), "GATEWAY_CACHE can't be `no`: it is `on` or `off`");
        assert!(refusal(&[("PORT", "70000")]).starts_with("PORT can't be `70000`: "));
        assert!(refusal(&[("USER_SERVICE_URL", "ftp://x")]).starts_with("USER_SERVICE_URL can't be `ftp://x`: "));
        assert!(!refusal(&[("REDIS_URL", "http://:secret@x")]).contains("secret"));
    }

    #[cfg(not(feature = "planted"))]
    #[test]
    fn a_gateway_that_is_handed_out_has_no_mistakes_to_plant() {
        let map: host::Settings = [("GATEWAY_PLANTED".to_owned(), "ttl-restarts".to_owned())].into_iter().collect();
        let refused = parse(&map).unwrap_err().to_string();
        assert!(refused.starts_with("GATEWAY_PLANTED is no setting of the gateway"), "{refused}");
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest() {
        assert!(refusal(&[("GATEWAY_CACHE_MEMROY", "off")]).contains("did you mean GATEWAY_CACHE_MEMORY?"));
    }

    #[test]
    fn what_cannot_work_together_comes_with_advice() {
        assert!(refusal(&[("GATEWAY_ORDER_TIMEOUT", "10s")]).contains("raise GATEWAY_DEADLINE"));
        let tiers = [("GATEWAY_CACHE_REDIS", "off"), ("GATEWAY_CACHE_MEMORY", "off")];
        assert!(refusal(&tiers).contains("set GATEWAY_CACHE=off"));
    }

    #[test]
    fn a_breaker_that_could_not_work_is_refused() {
        assert!(refusal(&[("GATEWAY_BREAKER_MINIMUM", "101")]).contains("raise GATEWAY_BREAKER_CALLS"));
        assert!(refusal(&[("GATEWAY_BREAKER_CALLS", "0")]).contains("set GATEWAY_BREAKER=off"));
        assert!(refusal(&[("GATEWAY_BREAKER_FAILURES", "0%")]).starts_with("GATEWAY_BREAKER_FAILURES is 0%"));
        let off = from(&[("GATEWAY_BREAKER", "off"), ("GATEWAY_BULKHEAD", "0")]).unwrap().upstream;
        assert_eq!((off.breaker, off.bulkhead), (false, 0));
    }

    #[test]
    fn a_file_is_not_read_here() {
        for file in ["GATEWAY_CONFIG", "GATEWAY_AUTH_KEY_FILE", "REDIS_URL_FILE"] {
            assert!(refusal(&[(file, "g.toml")]).starts_with(&format!("{file} names a file")));
        }
    }

    #[test]
    fn the_help_shows_every_variable_and_default() {
        // The terminal's width decides where it wraps.
        let help = command().render_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        for id in ids() {
            assert!(help.contains(&format!("[env: {}]", variable(&id))), "{id} in {help}");
        }
        assert!(help.contains("[default: 1500ms]"), "{help}");
    }
}
