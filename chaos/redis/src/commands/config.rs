use super::{Call, Command, Refusal, Reply, glob};
use crate::{
    codec::{Frame, parse_integer},
    server::{DATABASES, Policy, State, Stats},
};
use bytes::Bytes;

/// `CONFIG GET pattern [pattern …] | SET name value [name value …] | RESETSTAT`
pub(super) const CONFIG: Command = Command {
    subcommands: &[
        Command::new("config|get", get),
        Command::new("config|set", set),
        Command::new("config|resetstat", reset_statistics),
    ],
    // Never run: the word behind it is one of the above, or refused.
    ..Command::new("config", |_| Err(Refusal::SYNTAX))
};

fn get(call: &mut Call<'_>) -> Reply {
    let asked = call.after(2);
    let wanted = parameters(call.state)
        .into_iter()
        .filter(|(name, _)| asked.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), name.as_bytes())));
    Ok(Frame::Map(wanted.map(|(name, value)| (Frame::bulk(name), Frame::bulk(value))).collect()))
}

/// The parameters that exporters and clients look for.
fn parameters(state: &State) -> Vec<(&'static str, String)> {
    vec![
        ("appendonly", "no".to_owned()),
        ("databases", DATABASES.to_string()),
        ("io-threads", "1".to_owned()),
        ("maxclients", state.max_clients.to_string()),
        ("maxmemory", state.store.max_bytes().to_string()),
        ("maxmemory-policy", state.store.policy().to_string()),
        ("port", state.port.to_string()),
        ("requirepass", state.password.clone()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ]
}

/// A parameter with a value that it can have.
enum Change {
    MaxMemory(u64),
    Policy(Policy),
    MaxClients(usize),
    Password(String),
}

fn set(call: &mut Call<'_>) -> Reply {
    let (pairs, odd) = call.after(2).as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Refusal::SYNTAX);
    }
    // All or nothing, and unknown names before all else.
    if let Some([name, _]) = pairs.iter().find(|[name, _]| !is_known(name, call.state)) {
        return Err(Refusal::repeating("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'"));
    }
    for (place, [name, _]) in pairs.iter().enumerate() {
        if pairs.iter().take(place).any(|[before, _]| before.eq_ignore_ascii_case(name)) {
            return Err(failed(name, "duplicate parameter"));
        }
    }
    let changes = pairs.iter().map(|[name, value]| Change::parse(name, value)).collect::<Result<Vec<_>, _>>()?;
    for change in changes {
        match change {
            Change::MaxMemory(bytes) => call.state.store.set_max_bytes(bytes, call.now_ms),
            Change::Policy(policy) => call.state.store.set_policy(policy),
            Change::MaxClients(most) => call.state.max_clients = most,
            Change::Password(password) => call.state.set_password(&password),
        }
    }
    Ok(Frame::OK)
}

fn is_known(name: &Bytes, state: &State) -> bool {
    parameters(state).iter().any(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn failed(name: &[u8], why: &str) -> Refusal {
    let after = format!("') - {why}");
    Refusal::repeating("ERR CONFIG SET failed (possibly related to argument '", name, &after)
}

impl Change {
    fn parse(name: &[u8], value: &[u8]) -> Result<Self, Refusal> {
        let text = String::from_utf8_lossy(value);
        match name.to_ascii_lowercase().as_slice() {
            b"maxmemory" => {
                let bytes = memory(&text).ok_or_else(|| failed(name, "argument must be a memory value"))?;
                Ok(Self::MaxMemory(bytes))
            }
            b"maxmemory-policy" => text.parse().map(Self::Policy).map_err(|_| {
                let names = Policy::ALL.map(|(name, _)| name).join(", ");
                failed(name, &format!("argument(s) must be one of the following: {names}"))
            }),
            b"maxclients" => {
                let number =
                    parse_integer(value).ok_or_else(|| failed(name, "argument couldn't be parsed into an integer"))?;
                let number = u32::try_from(number).ok().filter(|number| *number > 0);
                let number =
                    number.ok_or_else(|| failed(name, "argument must be between 1 and 4294967295 inclusive"))?;
                Ok(Self::MaxClients(usize::try_from(number).unwrap_or(usize::MAX)))
            }
            b"requirepass" => Ok(Self::Password(text.into_owned())),
            _ => Err(failed(name, "can't set immutable config")),
        }
    }
}

/// A number of bytes with a unit of Redis: `k`, `m` and `g` are thousands, `kb`, `mb` and `gb` are multiples of 1024.
fn memory(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
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

/// Forgets what `INFO` counts. Bytes, keys and clients that are there stay.
fn reset_statistics(call: &mut Call<'_>) -> Reply {
    call.state.stats = Stats::default();
    call.state.store.reset_statistics();
    Ok(Frame::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_memory() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1mb", Some(1 << 20)),
            ("2K", Some(2000)),
            ("3b", Some(3)),
            ("4gb", Some(4 << 30)),
            ("x", None),
            ("1tb", None),
            ("-1", None),
            ("1e3", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(memory(text), bytes, "{text}");
        }
    }
}
