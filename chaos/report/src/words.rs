//! Faults in words.

use chaos_model::{
    Distribution, Effect, OpenConnections, Share, Target,
    event::{FaultPlan, Fired},
    fault::Direction,
    quantity::show_duration,
};

/// A number of things: `1 connection`, `3 connections`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// What it does: `latency 200ms ± 50ms`.
pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Latency { delay, jitter, distribution, direction } => {
            let mut words = format!("latency {}", show_duration(*delay));
            if !jitter.is_zero() {
                words += &format!(" ± {}", show_duration(*jitter));
                words += if *distribution == Distribution::Normal { " (normal)" } else { "" };
            }
            words += match direction {
                Direction::Upstream => " on what is sent",
                Direction::Downstream => "",
                Direction::Both => " each way",
            };
            words
        }
        Effect::Refuse { open: OpenConnections::Reset } => "refuse".to_owned(),
        Effect::Refuse { open: OpenConnections::Keep } => "refuse (open connections are kept)".to_owned(),
        Effect::Hang => "hang".to_owned(),
        Effect::Blackhole => "blackhole".to_owned(),
        Effect::Reset { after } if after.is_zero() => "reset".to_owned(),
        Effect::Reset { after } => format!("reset after {}", show_duration(*after)),
        Effect::Stop | Effect::Kill | Effect::Pause | Effect::Restart | Effect::Flush => effect.name().to_owned(),
    }
}

/// What it does, where, and for how many: `refuse on gateway -> redis, 10% of connections`.
#[must_use]
pub fn fault(what: &Effect, on: &Target, share: Share) -> String {
    let share = if share == Share::ALL { String::new() } else { format!(", {share} of connections") };
    format!("{} on {on}{share}", effect(what))
}

/// When it acts: `4s..8s`.
pub(crate) fn window(plan: &FaultPlan) -> String {
    format!("{}..{}", show_duration(plan.at), show_duration(plan.at + plan.lasts))
}

/// How often it fired: `3 connections reset, at most 41 refused` (see [`Fired::refused`]). `None` where it never did.
pub(crate) fn fired(effect: &Effect, fired: &Fired) -> Option<String> {
    if !fired.any() {
        return None;
    }
    let held = if matches!(effect, Effect::Latency { .. }) { "delayed" } else { "held" };
    let mut words = Vec::new();
    if fired.resets > 0 {
        words.push(format!("{} reset", count(fired.resets, "connection")));
    }
    if fired.refused > 0 && fired.resets > 0 {
        words.push(format!("at most {} refused", fired.refused));
    } else if fired.refused > 0 {
        words.push(format!("at most {} refused", count(fired.refused, "connection")));
    }
    if fired.dropped > 0 {
        words.push(format!("{} to connect dropped", count(fired.dropped, "attempt")));
    }
    if fired.chunks > 0 {
        words.push(format!("{} {held} on {}", count(fired.chunks, "chunk"), count(fired.connections, "connection")));
    }
    if fired.nodes > 0 {
        words.push(node_did(effect).to_owned());
    }
    Some(words.join(", "))
}

/// What was done to a node.
fn node_did(effect: &Effect) -> &'static str {
    match effect {
        Effect::Stop => "stopped, and started again",
        Effect::Kill => "killed, and started again",
        Effect::Pause => "frozen, and let go on",
        Effect::Restart => "restarted",
        _ => "flushed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn effects_in_words() {
        let ms = Duration::from_millis;
        let latency = |jitter, distribution, direction| {
            effect(&Effect::Latency { delay: ms(200), jitter: ms(jitter), distribution, direction })
        };
        assert_eq!(latency(0, Distribution::Uniform, Direction::Downstream), "latency 200ms");
        assert_eq!(latency(50, Distribution::Uniform, Direction::Both), "latency 200ms ± 50ms each way");
        assert_eq!(
            latency(50, Distribution::Normal, Direction::Upstream),
            "latency 200ms ± 50ms (normal) on what is sent"
        );
        assert_eq!(effect(&Effect::Reset { after: ms(5000) }), "reset after 5s");
        assert_eq!(effect(&Effect::Refuse { open: OpenConnections::Keep }), "refuse (open connections are kept)");
    }

    #[test]
    fn how_often_in_words() {
        let refuse = Effect::Refuse { open: OpenConnections::Reset };
        let some = Fired { connections: 3, resets: 3, refused: 41, ..Fired::default() };
        assert_eq!(fired(&refuse, &some).unwrap(), "3 connections reset, at most 41 refused");
        let held = Fired { connections: 1, chunks: 7, dropped: 1, ..Fired::default() };
        assert_eq!(
            fired(&Effect::Blackhole, &held).unwrap(),
            "1 attempt to connect dropped, 7 chunks held on 1 connection"
        );
        assert_eq!(fired(&Effect::Hang, &Fired { connections: 5, ..Fired::default() }), None);
    }
}
