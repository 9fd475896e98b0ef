//! Rules for names.

use super::{findings::Wrong, quantity};
use crate::{
    phase::{BASELINE, RECOVERY, RUN},
    system::CLIENT,
};

/// Names that mean something already.
const RESERVED: &[(&str, &str)] = &[
    (RUN, "the whole timeline"),
    (BASELINE, "the time before the first fault"),
    (RECOVERY, "the time after the last fault"),
    (CLIENT, "the load"),
];

/// True for a name: lower-case letters, digits, `-` and `_`, beginning with a letter.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

/// The longest name: that of a host (RFC 1035, 2.3.4), as which other services find one in a container, and well within
/// that of a file, as which its log is kept.
const LONGEST: usize = 63;

/// Refuses what is no name; `what` says whose.
pub(crate) fn check(name: &str, what: &str) -> Result<(), Wrong> {
    if is_name(name) && name.len() <= LONGEST {
        return Ok(());
    }
    if is_name(name) {
        let begins: String = name.chars().take(20).collect();
        let wrong = Wrong::new(format!("`{begins}...` is too long for {what}: it has {} characters", name.len()));
        return Err(wrong.advice(format!("at most {LONGEST}, as of the name of a host")));
    }
    let wrong = Wrong::new(format!("`{name}` can't be {what}"));
    let window = name
        .split_once("..")
        .is_some_and(|(from, to)| quantity::duration(from).is_ok() || quantity::duration(to).is_ok());
    if window {
        return Err(wrong.advice("it reads as a window of time"));
    }
    let rule = "a name has lower-case letters, digits, `-` and `_`, and begins with a letter";
    let mended: String = name.trim().to_lowercase().replace([' ', '.', '/'], "-");
    Err(if is_name(&mended) { wrong.advice(format!("{rule}: `{mended}`")) } else { wrong.advice(rule) })
}

/// Refuses what can't name a fault.
pub(crate) fn fault(name: &str) -> Result<String, Wrong> {
    check(name, "a fault's name")?;
    if let Some((_, meaning)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        let wrong = Wrong::new(format!("`{name}` is reserved: it means {meaning}"));
        return Err(wrong.advice("name the fault after what is broken, as `outage`"));
    }
    Ok(name.to_owned())
}

/// Refuses what can't name a service or one of its replicas: `app`, `app.2`.
pub(crate) fn instance(name: &str) -> Result<(), Wrong> {
    let is_number = |text: &str| !text.starts_with('0') && text.parse::<usize>().is_ok();
    match name.rsplit_once('.') {
        Some((of, number)) if is_number(number) => any_service(of),
        _ => any_service(name),
    }
}

/// Refuses what can't name a service.
pub(crate) fn service(name: &str) -> Result<(), Wrong> {
    if name.contains('_') {
        let advice = format!("service names become host names: `{}`", name.replace('_', "-"));
        return Err(Wrong::new(format!("`{name}` can't be a service's name")).advice(advice));
    }
    any_service(name)
}

/// Refuses what can't name a service of any system: those of Compose files may have `_` in their names.
pub(crate) fn any_service(name: &str) -> Result<(), Wrong> {
    if let CLIENT | "self" | "run" = name {
        let meaning = match name {
            CLIENT => "the load",
            "self" => "the service itself",
            _ => "the run, as in `{run.ca}`",
        };
        return Err(
            Wrong::new(format!("`{name}` is reserved: it means {meaning}")).advice("call the service otherwise")
        );
    }
    check(name, "a service's name")
}
