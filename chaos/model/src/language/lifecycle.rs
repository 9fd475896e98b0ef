//! `start-timeout`, `stop-signal` and `stop-grace` of a service.

use super::{
    findings::Wrong,
    nearest::{list, nearest},
    quantity,
    reader::Reader,
};
use crate::lifecycle::{Lifecycle, StopSignal};
use std::time::Duration;

/// The longest time that any of it may take: a run that waits for longer is forgotten rather than watched.
const LONGEST: Duration = Duration::from_secs(3600);

pub(crate) fn read(reader: &mut Reader<'_>) -> Lifecycle {
    Lifecycle {
        start_timeout: reader.parse("start-timeout", |text| time(text, "a start that may take no time always fails")),
        stop_signal: reader.parse("stop-signal", signal),
        stop_grace: reader.parse("stop-grace", |text| time(text, "to end it at once is the effect `kill`")),
    }
}

/// A time of a service's commands or of its program, which is neither nothing nor more than an hour.
pub(crate) fn time(text: &str, why_not_zero: &str) -> Result<Duration, Wrong> {
    match quantity::duration(text)? {
        Duration::ZERO => Err(Wrong::new(format!("`{text}` is no time at all")).advice(why_not_zero)),
        time if time > LONGEST => Err(Wrong::new(format!("`{text}` is more than an hour")).advice("at most `1h`")),
        time => Ok(time),
    }
}

fn signal(text: &str) -> Result<StopSignal, Wrong> {
    let name = text.to_ascii_uppercase();
    let of_name = |signal: &StopSignal| signal.name() == name || signal.name().strip_prefix("SIG") == Some(&name);
    if let Some(signal) = StopSignal::ALL.into_iter().find(of_name) {
        return Ok(signal);
    }
    let names = StopSignal::ALL.map(StopSignal::name);
    let wrong = Wrong::new(format!("`{text}` is no signal that a service can be asked to end by"));
    if matches!(name.trim_start_matches("SIG"), "KILL" | "STOP") {
        return Err(wrong.advice("nobody hears it: `effect = \"kill\"` and `effect = \"pause\"` send those"));
    }
    Err(wrong.advice(match nearest(&name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("those that are known: {}", list(names)),
    }))
}
