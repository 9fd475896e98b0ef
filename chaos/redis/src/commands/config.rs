use super::{Call, Command, Refusal, Reply};
use crate::{
    codec::Frame,
    server::{DATABASES, State},
};

/// `CONFIG GET pattern [pattern …] | SET maxmemory bytes`
pub(super) const CONFIG: Command = Command {
    subcommands: &[Command::new("config|get", -3, get), Command::new("config|set", -4, set)],
    // Never run: the word behind it is one of the above, or refused.
    ..Command::new("config", -2, |_| Err(Refusal::SYNTAX))
};

fn get(call: &mut Call<'_>) -> Reply {
    let asked = call.after(2);
    let wanted = parameters(call.state)
        .into_iter()
        .filter(|(name, _)| asked.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), name.as_bytes())));
    Ok(Frame::Map(wanted.map(|(name, value)| (Frame::bulk(name), Frame::bulk(value))).collect()))
}

/// What exporters and clients look for.
fn parameters(state: &State) -> Vec<(&'static str, String)> {
    vec![
        ("appendonly", "no".to_owned()),
        ("databases", DATABASES.to_string()),
        ("maxclients", state.config.max_clients.to_string()),
        ("maxmemory", state.store.max_bytes().to_string()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("port", state.port.to_string()),
        ("requirepass", state.config.password.clone().unwrap_or_default()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ]
}

/// `*` is any text, `?` any byte; that is all that is asked for in practice.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], name) => name.is_empty(),
        ([b'*', pattern @ ..], name) => (0..=name.len()).any(|skipped| matches(pattern, &name[skipped..])),
        ([b'?', pattern @ ..], [_, name @ ..]) => matches(pattern, name),
        ([expected, pattern @ ..], [found, name @ ..]) => expected == found && matches(pattern, name),
        (_, []) => false,
    }
}

fn set(call: &mut Call<'_>) -> Reply {
    let (pairs, odd) = call.after(2).as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Refusal::SYNTAX);
    }
    if let Some([name, _]) = pairs.iter().find(|[name, _]| !name.eq_ignore_ascii_case(b"maxmemory")) {
        return Err(Refusal::repeating("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'"));
    }
    for [name, value] in pairs {
        let bytes = memory(value).ok_or_else(|| {
            let after = "') - argument must be a memory value";
            Refusal::repeating("ERR CONFIG SET failed (possibly related to argument '", name, after)
        })?;
        call.state.store.set_max_bytes(bytes);
    }
    Ok(Frame::OK)
}

/// A number of bytes with a unit of Redis: `k`, `m` and `g` are thousands, `kb`, `mb` and `gb` are multiples of 1024.
fn memory(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_units() {
        for (pattern, name, expected) in [
            ("maxmemory", "maxmemory", true),
            ("maxmemory", "maxmemory-policy", false),
            ("max*", "maxmemory-policy", true),
            ("*", "save", true),
            ("s?ve", "save", true),
            ("*x", "save", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        for (text, bytes) in [("0", Some(0)), ("1mb", Some(1 << 20)), ("2K", Some(2000)), ("x", None), ("1tb", None)] {
            assert_eq!(memory(text.as_bytes()), bytes, "{text}");
        }
    }
}
