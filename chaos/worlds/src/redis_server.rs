//! The command line of a real `redis-server`: settings of the built-in Redis mean the same there, so that a system is one in
//! every world, whichever Redis runs.

use std::collections::BTreeMap;

/// Settings of the built-in Redis, each with the option that it is.
const OPTIONS: [(&str, &str); 4] = [
    ("REDIS_MAXMEMORY", "--maxmemory"),
    ("REDIS_MAXMEMORY_POLICY", "--maxmemory-policy"),
    ("REDIS_MAXCLIENTS", "--maxclients"),
    ("REDIS_PASSWORD", "--requirepass"),
];

/// The options for a service with these settings: none of it is written to disk, and what is not set is as the server has it.
pub(crate) fn options(port: u16, env: &BTreeMap<String, String>) -> Vec<String> {
    let port = port.to_string();
    let mut words: Vec<String> =
        ["--port", &port, "--save", "", "--appendonly", "no"].into_iter().map(str::to_owned).collect();
    for (setting, option) in OPTIONS {
        words.extend(env.get(setting).into_iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    let users = env.get("REDIS_USERS").map(String::as_str).unwrap_or_default();
    for rule in users.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
        words.push("--user".to_owned());
        words.extend(rule.split_whitespace().map(str::to_owned));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_built_in_redis_are_options_of_a_real_one() {
        let given = |settings: &[(&str, &str)]| {
            let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            options(7, &env)[6..].join(" ")
        };
        assert_eq!(given(&[("LANG", "C")]), "");
        assert_eq!(
            given(&[("REDIS_PASSWORD", "s3cret"), ("REDIS_MAXCLIENTS", "9")]),
            "--maxclients 9 --requirepass s3cret"
        );
        assert_eq!(
            given(&[("REDIS_USERS", "bob on >pw ~* +@all; carl on nopass ~a:* +get")]),
            "--user bob on >pw ~* +@all --user carl on nopass ~a:* +get"
        );
    }
}
