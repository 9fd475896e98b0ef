//! Faults in words.

use chaos_model::{
    Effect, Fault, Pulse, Share,
    effect::{
        Level,
        action::{ServiceAction, ServiceLimit, StreamAction},
    },
    event::{Fired, JudgedCheck},
    quantity::show_duration,
};
use std::time::{Duration, UNIX_EPOCH};

/// The last second that RFC 3339 can write, in milliseconds since the Unix epoch: years have four digits.
const LAST_MS: u64 = 253_402_300_799_000;

/// A moment as RFC 3339 has it, from milliseconds since the Unix epoch; what is beyond the year 9999 as its end.
pub(crate) fn moment(unix_ms: u64) -> String {
    let since_epoch = Duration::from_millis(unix_ms.min(LAST_MS));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
}

/// A number of things: `1 connection`, `3 connections`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The value that was seen, and how much of the bound's room it used: `12.4ms, at 24.8% of its bound`.
pub(crate) fn seen(check: &JudgedCheck) -> String {
    check.margin.map_or_else(|| check.seen.clone(), |margin| format!("{}, {margin}", check.seen))
}

/// Words for a fault: its effect, where, and for which: `refuse on gateway -> redis, 10% of connections`.
#[must_use]
pub fn fault(fault: &Fault) -> String {
    let mut words = format!("{} on {}", fault.effect.words(), fault.on);
    if let Some(instances) = fault.instances {
        words += &format!(" (drawn: {instances})");
    }
    if !fault.only.is_all() {
        words += &format!(", only {}", fault.only);
    }
    if let Some(except) = &fault.except {
        words += &format!(", except {except}");
    }
    if fault.share != Share::ALL {
        let of = match fault.effect.facts().level {
            Level::Connections | Level::Tls | Level::Services => "connections",
            // It turns new ones away.
            Level::Commands if fault.effect.action().stream.is_some() => "connections",
            Level::Requests => "requests",
            Level::Commands => "commands",
            Level::Messages => "messages",
        };
        words += &format!(", {} of {of}", fault.share);
    }
    if !fault.ramp.is_zero() {
        words += &format!(", growing for {}", show_duration(fault.ramp));
    }
    if let Some(Pulse { on, every }) = fault.pulse {
        words += &format!(", {} of each {}", show_duration(on), show_duration(every));
    }
    words
}

/// The time in which a fault acts: `4s..8s`.
pub(crate) fn window(plan: &Fault) -> String {
    format!("{}..{}", show_duration(plan.at), show_duration(plan.at + plan.lasts))
}

/// Counts of what a fault did, in words: `3 connections reset, at most 41 refused` (see [`Fired::refused`]). `None`
/// where it never fired.
pub(crate) fn fired(effect: &Effect, fired: &Fired) -> Option<String> {
    if !fired.any() {
        return None;
    }
    let stream = effect.action().stream.unwrap_or_default();
    let thing = if stream.close_delay.is_none() { "chunk" } else { "end" };
    let held = match stream {
        StreamAction { holds: Some(_), .. } => "held",
        StreamAction { discards: Some(_), .. } => "thrown away",
        StreamAction { slices: Some(_), .. } => "cut up",
        _ => "delayed",
    };
    let mut words = Vec::new();
    if fired.resets > 0 {
        words.push(format!("{} reset", count(fired.resets, "connection")));
    }
    if fired.closes > 0 {
        words.push(format!("{} closed", count(fired.closes, "connection")));
    }
    // "At most": the kernel does not count refused connects by socket, so that the count is the machine's.
    if fired.refused > 0 && fired.resets > 0 {
        words.push(format!("at most {} refused", fired.refused));
    } else if fired.refused > 0 {
        words.push(format!("at most {} refused", count(fired.refused, "connection")));
    }
    if fired.dropped > 0 {
        words.push(format!("{} to connect dropped", count(fired.dropped, "attempt")));
    }
    if fired.chunks > 0 {
        words.push(format!("{} {held} on {}", count(fired.chunks, thing), count(fired.connections, "connection")));
    }
    if fired.messages > 0 {
        let thing = match effect.facts().level {
            Level::Commands => "command",
            Level::Requests => "request",
            Level::Tls => "handshake",
            _ => "message",
        };
        words.push(format!("{} on {}", count(fired.messages, thing), count(fired.connections, "connection")));
    }
    if fired.bystanders > 0 {
        words.push(format!("{} behind them", count(fired.bystanders, "bystander")));
    }
    if fired.throttled > 0 {
        let on = count(fired.throttled, "connection");
        words.push(format!("senders on {on} held up too, since no more may be under way (`in-flight`)"));
    }
    if !fired.spared.is_none() {
        words.push(spared(fired));
    }
    if fired.services > 0 {
        let times = if fired.services > 1 { format!(", {} times", fired.services) } else { String::new() };
        words.push(format!("{}{times}", service_did(effect)));
    }
    Some(words.join(", "))
}

/// Words for what could not be acted on: `41 connections not read (TLS), 3 messages spared (transaction)`.
pub(crate) fn spared(fired: &Fired) -> String {
    let spared = &fired.spared;
    let connections = (spared.connections() > 0)
        .then(|| format!("{} not read ({})", count(spared.connections(), "connection"), spared.connection_words()));
    let messages = (spared.messages() > 0)
        .then(|| format!("{} spared ({})", count(spared.messages(), "message"), spared.message_words()));
    connections.into_iter().chain(messages).collect::<Vec<_>>().join(", ")
}

/// Words for what was done to a service.
fn service_did(effect: &Effect) -> &'static str {
    match effect.action().service {
        Some(ServiceAction::Stop) => "stopped, and started again",
        Some(ServiceAction::Kill) => "killed, and started again",
        Some(ServiceAction::Pause) => "frozen, and let go on",
        Some(ServiceAction::Restart) => "restarted",
        Some(ServiceAction::Limit(ServiceLimit::Cpu { .. })) => "CPU limited, and given back",
        Some(ServiceAction::Limit(ServiceLimit::Memory { .. })) => "memory limited, and given back",
        Some(ServiceAction::Flush) | None => "flushed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        Directions, Link, Only, OpenConnections, Pattern, Spread, Target,
        effect::{Blackhole, Cpu, Delay, Hang, Limit, Refuse, SlowClose, Stop},
        event::{Spared, Unreadable},
        system::Endpoint,
    };
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn moments_that_no_calendar_has_are_the_last_of_it() {
        assert_eq!(moment(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!([moment(LAST_MS), moment(u64::MAX)], ["9999-12-31T23:59:59Z"; 2]);
    }

    #[test]
    fn faults_in_words() {
        let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None };
        let on = Target::Link(link);
        let refuse = Fault::new("outage", on.clone(), Refuse { open: OpenConnections::Reset });
        assert_eq!(fault(&refuse), "refuse on gateway -> redis");
        let some = Fault { share: Share { parts: 1, whole: 10 }, ..refuse };
        assert_eq!(fault(&some), "refuse on gateway -> redis, 10% of connections");
        let only = Only { commands: vec!["GET".to_owned()], key: Some(Pattern("a*".to_owned())), ..Only::default() };
        let except = Only { key: Some(Pattern("ab*".to_owned())), ..Only::default() };
        let slow = Fault {
            only,
            except: Some(except),
            share: Share { parts: 1, whole: 2 },
            ramp: SECOND,
            pulse: Some(Pulse { on: SECOND, every: 3 * SECOND }),
            ..Fault::new("slow", on, Delay { delay: Spread::constant(SECOND) })
        };
        let words = "delay 1s on gateway -> redis, only GET, key a*, except key ab*, 50% of messages, growing for 1s, 1s of each 3s";
        assert_eq!(fault(&slow), words);
    }

    #[test]
    fn how_often_in_words() {
        let refuse = Refuse { open: OpenConnections::Reset }.into();
        let some = Fired { connections: 3, resets: 3, refused: 41, ..Fired::default() };
        assert_eq!(fired(&refuse, &some).unwrap(), "3 connections reset, at most 41 refused");
        let held = Fired { connections: 1, chunks: 7, dropped: 1, ..Fired::default() };
        assert_eq!(
            fired(&Blackhole {}.into(), &held).unwrap(),
            "1 attempt to connect dropped, 7 chunks held on 1 connection"
        );
        let closed = Fired { connections: 3, closes: 2, ..Fired::default() };
        let limit = Limit { bytes: 9, direction: Directions::Both }.into();
        assert_eq!(fired(&limit, &closed).unwrap(), "2 connections closed");
        let late = Fired { connections: 3, chunks: 2, ..Fired::default() };
        assert_eq!(fired(&SlowClose::by(SECOND).into(), &late).unwrap(), "2 ends delayed on 3 connections");
        assert_eq!(fired(&Hang {}.into(), &Fired { connections: 5, ..Fired::default() }), None);
        let delayed = Fired { connections: 2, messages: 9, bystanders: 4, ..Fired::default() };
        let services = |services| fired(&Stop {}.into(), &Fired { services, ..Fired::default() }).unwrap();
        assert_eq!(services(1), "stopped, and started again");
        assert_eq!(services(3), "stopped, and started again, 3 times");
        let some = Fired { spared: Spared::default().with(Unreadable::Tls, 2), ..delayed };
        let words = fired(&Delay { delay: Spread::constant(SECOND) }.into(), &some).unwrap();
        assert!(words.ends_with("behind them, 2 connections not read (TLS)"), "{words}");
        let spared = some.spared.with_messages(Unreadable::Transaction, 1);
        let words = super::spared(&Fired { spared, ..Fired::default() });
        assert_eq!(words, "2 connections not read (TLS), 1 message spared (transaction)");
        let limited = fired(&Cpu { thousandths: 100 }.into(), &Fired { services: 1, ..Fired::default() }).unwrap();
        assert_eq!(limited, "CPU limited, and given back");
        let delay = Delay { delay: Spread::constant(SECOND) }.into();
        assert_eq!(fired(&delay, &delayed).unwrap(), "9 messages on 2 connections, 4 bystanders behind them");
    }
}
