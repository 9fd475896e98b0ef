//! Decisions on messages: the faults on a link and one request or command.
//!
//! Order-free: whether a fault takes a message is a pure function of the seed, the fault's name, the link and the
//! message's key. The key of a request with a number of the load is (number, method, target, attempt), of one without
//! (method, target, hash of the body, occurrence), of a command (name, keys, occurrence). Attempts and occurrences are
//! counted for each fault since it began, so that no fault changes what another decides.

use super::{Active, Interpreter};
use crate::{
    filter::{Command, Decide, HttpPlan, Injected, RedisPlan, Request},
    http, redis,
};
use chaos_model::{KeyKind, Share, Spread};
use std::{sync::Arc, time::Duration};

/// The strength of a fault that is there in full.
const WHOLE: u32 = 1_000_000;

/// Decides for one connection at one moment.
pub(crate) struct Decider<'a> {
    pub(crate) interpreter: &'a Interpreter,
    /// Counted as the interpreter's times are.
    pub(crate) now: Duration,
}

/// The key that a message is drawn by.
struct Key {
    /// Hash of all that tells it from others, but for how often it came.
    hash: u64,
    kind: KeyKind,
    subject: String,
    arrival: Option<u64>,
}

/// A fault that takes the message.
struct Drawn<'a> {
    fault: &'a Arc<Active>,
    attempt: u64,
    key: u64,
    strength: u32,
}

impl Decider<'_> {
    /// The faults that take a message, in the order in which they were applied.
    fn drawn<'f>(
        faults: impl Iterator<Item = &'f Arc<Active>>,
        key: &Key,
        now: Duration,
    ) -> impl Iterator<Item = Drawn<'f>> {
        let hash = key.hash;
        faults.filter_map(move |fault| {
            let number = fault.count_match();
            if fault.fault.only.nth.is_some_and(|nth| !nth.has(number)) {
                return None;
            }
            let attempt = fault.counts.next(hash);
            let strength = fault.fault.strength(now.saturating_sub(fault.applied));
            let grows_by_delay = fault.message_delay().is_some();
            let share = if grows_by_delay { fault.fault.share } else { scaled(fault.fault.share, strength) };
            let parts: [&[u8]; 3] = [b"message", &hash.to_le_bytes(), &attempt.to_le_bytes()];
            fault.draws.takes_key(share, &parts).then_some(Drawn { fault, attempt, key: hash, strength })
        })
    }
}

impl Drawn<'_> {
    fn injected(&self, key: &Key) -> Injected {
        Injected {
            fault: Arc::clone(self.fault),
            subject: key.subject.clone(),
            arrival: key.arrival,
            attempt: self.attempt,
            key: key.kind,
            bystanders: 0,
        }
    }

    /// The wait of its message, of a delay that is spread like this.
    fn delay(&self, spread: &Spread) -> Duration {
        let parts: [&[u8]; 3] = [b"delay", &self.key.to_le_bytes(), &self.attempt.to_le_bytes()];
        let whole = self.fault.draws.delay_of(&parts, spread);
        whole.mul_f64(f64::from(self.strength) / f64::from(WHOLE))
    }

    /// For what chance decides within its message.
    fn seed(&self, nth: usize) -> u64 {
        let nth = nth as u64;
        self.fault.draws.hash(&[b"body", &self.key.to_le_bytes(), &self.attempt.to_le_bytes(), &nth.to_le_bytes()])
    }
}

impl Decide for Decider<'_> {
    fn is_armed(&self) -> bool {
        self.interpreter.faults.iter().any(|fault| fault.is_of_messages())
    }

    fn traces(&self) -> bool {
        self.interpreter.faults.iter().any(|fault| !fault.is_of_messages())
    }

    fn wants_body(&self) -> bool {
        self.interpreter.faults.iter().any(|fault| fault.is_of_messages() && fault.fault.share < Share::ALL)
    }

    fn on_request(&mut self, request: &Request<'_>) -> HttpPlan {
        let mut plan = HttpPlan::default();
        let matching = |fault: &&Arc<Active>| fault.http.is_some() && http::matches(&fault.fault.only, request);
        let mut matching = self.interpreter.faults.iter().filter(matching).peekable();
        if matching.peek().is_none() {
            return plan;
        }
        let key = request_key(request);
        for drawn in Self::drawn(matching, &key, self.now) {
            let Some(action) = &drawn.fault.http else { continue };
            if let Some(spread) = &action.delay {
                plan.delay.get_or_insert_default().add(drawn.fault, drawn.delay(spread));
            }
            if plan.response.is_none() {
                plan.response.clone_from(&action.response);
            }
            plan.head.extend(action.head.iter().cloned());
            let edit = action.body.clone().map(|edit| (edit, drawn.seed(plan.body.len())));
            plan.body.extend(edit);
            plan.ending = plan.ending.or(action.ending);
            plan.injected.push(drawn.injected(&key));
            plan.faults.push(Arc::clone(drawn.fault));
        }
        plan
    }

    fn on_command(&mut self, command: &Command<'_>) -> RedisPlan {
        let mut plan = RedisPlan::default();
        if self.traces() {
            plan.attribution.subject = Some(command_subject(command).into());
        }
        let matching = |fault: &&Arc<Active>| fault.redis.is_some() && redis::matches(&fault.fault.only, command);
        let mut matching = self.interpreter.faults.iter().filter(matching).peekable();
        if matching.peek().is_none() {
            return plan;
        }
        let key = command_key(command);
        for drawn in Self::drawn(matching, &key, self.now) {
            let Some(action) = &drawn.fault.redis else { continue };
            if let Some(spread) = &action.delay {
                plan.delay.get_or_insert_default().add(drawn.fault, drawn.delay(spread));
            }
            if plan.reply.is_none() {
                plan.reply.clone_from(&action.reply);
                plan.values = Some(Arc::clone(&drawn.fault.values));
            }
            plan.injected.push(drawn.injected(&key));
        }
        plan
    }
}

/// A part of a share.
fn scaled(share: Share, strength: u32) -> Share {
    if strength >= WHOLE {
        return share;
    }
    // Exact as long as it fits, which all that people write does.
    match (share.parts.checked_mul(u64::from(strength)), share.whole.checked_mul(u64::from(WHOLE))) {
        (Some(parts), Some(whole)) => Share { parts, whole },
        _ => Share { parts: share.parts / u64::from(WHOLE) * u64::from(strength), whole: share.whole },
    }
}

fn request_key(request: &Request<'_>) -> Key {
    let (method, target) = (request.method.as_bytes(), request.target.as_bytes());
    let arrival = http::arrival(request.headers.iter().copied());
    let (kind, hash) = match arrival {
        Some(number) => {
            (KeyKind::NumberedRequest, host::hash(0, &[b"numbered", &number.to_le_bytes(), method, target]))
        }
        None => (KeyKind::Request, host::hash(0, &[b"request", method, target, request.body.unwrap_or_default()])),
    };
    Key { hash, kind, subject: request_subject(request.method, request.target), arrival }
}

fn command_key(command: &Command<'_>) -> Key {
    let parts: Vec<&[u8]> = std::iter::once(b"command".as_slice()).chain(redis::key_parts(command)).collect();
    Key { hash: host::hash(0, &parts), kind: KeyKind::Command, subject: command_subject(command), arrival: None }
}

pub(crate) fn command_subject(command: &Command<'_>) -> String {
    let keys: Vec<String> = command.keys.iter().take(3).map(|key| shortened(key)).collect();
    format!("{} {}", command.name, keys.join(" ")).trim_end().to_owned()
}

/// The subject of a request, for people.
pub(crate) fn request_subject(method: &str, target: &str) -> String {
    format!("{method} {}", shortened(target.as_bytes()))
}

/// Text for people, cut where it is long.
fn shortened(text: &[u8]) -> String {
    const LONGEST: usize = 120;
    let shown = String::from_utf8_lossy(&text[..text.len().min(LONGEST)]);
    if text.len() > LONGEST { format!("{shown}…") } else { shown.into_owned() }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
