//! Effects: what a fault does. One file an effect: its keys, how they are read, what it says of itself, what it does.
//!
//! To add one: write its file, register it in [`Effect`] below, and regenerate the table in the documentation (a test
//! says how). What it does is an [`Action`]; only an effect that no action can express needs more.

pub mod action;
mod common;
mod elsewhere;
mod explored;
mod keys;
mod redis_state;
mod table;
mod tls;
mod tls_keys;

pub use crate::term::{Term, term};
pub use action::{Action, MessageAction, MessageEnding};
pub use common::{Coding, Direction, Directions, Distribution, OpenConnections, Spread};
pub(crate) use elsewhere::instead_of;
pub use explored::{Explored, Ladder, Strength};
pub(crate) use keys::Keys;
pub use redis_state::RedisState;
pub use table::markdown;
pub use tls::{Alert, CertificateFlaw, Handshake, ProtocolVersion, TlsAction};

use serde::{Deserialize, Serialize};

/// An effect's key, with what it means.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key's name in a fault.
    pub name: &'static str,
    /// The key's meaning, with its default.
    pub about: &'static str,
}

/// The key of effects that change bodies.
pub(crate) const CODING: Key = key(
    "coding",
    "`undone` (the default: the bytes are those that its reader has, without gzip and its like, and the head says what is right for \
     what comes: no `Content-Encoding`, `ETag` or digest of the other body) or `raw` (the bytes as they are sent; the head \
     says what the service said, but for the length)",
);

/// A key.
pub(crate) const fn key(name: &'static str, about: &'static str) -> Key {
    Key { name, about }
}

/// The level of an effect: what kind of thing it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Connections of a link, whatever it speaks.
    Connections,
    /// Requests or commands: on links that speak HTTP or Redis.
    Messages,
    /// Requests: on links that speak HTTP.
    Requests,
    /// Commands: on links that speak Redis.
    Commands,
    /// TLS with the client: on links where it ends.
    Tls,
    /// Services.
    Services,
}

impl Level {
    /// True where effects of this level act on links that carry nothing but their protocol's bytes.
    #[must_use]
    pub fn is_of_plain_links(self) -> bool {
        !matches!(self, Self::Tls | Self::Services)
    }
}

/// Facts of an effect that are known without any fault: what documentation and advice say.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The effect's name in the language.
    pub name: &'static str,
    /// The level that it acts on.
    pub level: Level,
    /// A sentence on what it does.
    pub about: &'static str,
    /// The keys that belong to it.
    pub keys: &'static [Key],
    /// An example, for advice: the lines that a fault needs of it.
    pub example: &'static str,
    /// The way in which an exploration tries it.
    pub explored: Explored,
    /// Words of other tools for it.
    pub others: &'static [Term],
}

/// The part of an effect that grows under a `ramp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grows {
    /// The delay grows from nothing to its whole.
    Delay,
    /// The share of requests or commands that it takes grows from none to its whole.
    Share,
}

/// Keys of an effect with their values, as a file would have them.
pub(crate) type Written = Vec<(&'static str, String)>;

/// A key that is there; for keys that need not be.
fn there((key, value): (&'static str, Option<String>)) -> Option<(&'static str, String)> {
    Some((key, value?))
}

/// One effect.
pub(crate) trait EffectKind: Sized {
    /// Facts that are known without any fault.
    const FACTS: Facts;

    /// Takes its keys. What is wrong is told to `keys`; nothing comes back where that leaves no effect.
    fn read(keys: &mut Keys<'_, '_>) -> Option<Self>;

    /// Its keys, written so that [`EffectKind::read`] takes them for the same effect. Over the wire it goes as these.
    fn written(&self) -> Written {
        Written::new()
    }

    /// A few words for the effect with its settings: `latency 200ms ± 50ms`.
    fn words(&self) -> String {
        Self::FACTS.name.to_owned()
    }

    /// The action, for whoever carries it out.
    fn action(&self) -> Action;
}

/// Declares the effects: a variant, a module and a type for each, in the order in which people are told of them.
macro_rules! effects {
    ($($(#[$about:meta])+ $module:ident :: $Name:ident,)+) => {
        $(pub mod $module; pub use $module::$Name;)+

        /// An effect: what a fault does to a link or to a service.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "effect")]
        pub enum Effect {
            $($(#[$about])+ $Name($Name),)+
        }

        impl Effect {
            /// Facts of each effect, in the order in which people are told of them.
            pub const ALL: &[Facts] = &[$($Name::FACTS),+];

            /// Reads the effect of this name; nothing where there is none, or where its keys make none.
            pub(crate) fn read(name: &str, keys: &mut Keys<'_, '_>) -> Option<Self> {
                $(if name == $Name::FACTS.name { return $Name::read(keys).map(Self::$Name); })+
                None
            }

            /// Facts of this effect that are known without any fault.
            #[must_use]
            pub fn facts(&self) -> Facts {
                match self { $(Self::$Name(_) => $Name::FACTS),+ }
            }

            /// Keys of this effect, as a file would have them.
            pub(crate) fn written(&self) -> Written {
                match self { $(Self::$Name(effect) => effect.written()),+ }
            }

            /// A few words for the effect with its settings: `latency 200ms ± 50ms`.
            #[must_use]
            pub fn words(&self) -> String {
                match self { $(Self::$Name(effect) => effect.words()),+ }
            }

            /// The action, for whoever carries it out.
            #[must_use]
            pub fn action(&self) -> Action {
                match self { $(Self::$Name(effect) => effect.action()),+ }
            }
        }

        $(impl From<$Name> for Effect {
            fn from(effect: $Name) -> Self {
                Self::$Name(effect)
            }
        })+
    };
}

effects! {
    /// Every chunk of bytes arrives later; the order stays.
    latency::Latency,
    /// Bytes come at a limited rate.
    bandwidth::Bandwidth,
    /// Connecting takes longer.
    dial_delay::DialDelay,
    /// Connecting is refused, as when the program is gone: open connections are reset, the port stays bound.
    refuse::Refuse,
    /// Connecting works, and nothing ever comes back: bytes are held in both directions, on open connections too.
    hang::Hang,
    /// Connecting does not complete, as when packets vanish: on open connections bytes are held in both directions.
    blackhole::Blackhole,
    /// One direction of a connection is dead.
    half_open::HalfOpen,
    /// Connections are reset.
    reset::Reset,
    /// Bytes come in small pieces.
    slice::Slice,
    /// The end of a connection is passed on late.
    slow_close::SlowClose,
    /// Connections are closed after some bytes.
    limit::Limit,
    /// Bytes are thrown away, and the connection ends.
    discard::Discard,
    /// A message waits: a request's response or a command's reply comes later.
    delay::Delay,
    /// Another response than the service's.
    status::Status,
    /// A header of the response is wrong or missing.
    header::Header,
    /// A response or a reply ends early.
    truncate::Truncate,
    /// Bytes of the body are wrong.
    garble::Garble,
    /// Another body than the service's.
    replace::Replace,
    /// A body that is far too long.
    oversize::Oversize,
    /// A body that comes slowly.
    trickle::Trickle,
    /// The connection is closed in place of the response or the reply.
    close::Close,
    /// The connection is reset within the body of the response.
    reset_body::ResetBody,
    /// Redis answers with an error.
    error::Error,
    /// Redis has nothing.
    miss::Miss,
    /// Redis answers with an old value.
    stale::Stale,
    /// Redis answers with a value of something else.
    wrong::Wrong,
    /// A reply of Redis is lost, so that later ones are read out of step.
    lose::Lose,
    /// A certificate that careful clients refuse.
    certificate::Certificate,
    /// The TLS handshake takes longer.
    handshake_delay::HandshakeDelay,
    /// The TLS handshake does not go on.
    handshake_hang::HandshakeHang,
    /// Connections are reset within the TLS handshake.
    handshake_reset::HandshakeReset,
    /// The TLS handshake is refused.
    handshake_alert::HandshakeAlert,
    /// One version of TLS alone is spoken.
    tls_version::TlsVersion,
    /// Connections end, and TLS does not say so.
    no_close_notify::NoCloseNotify,
    /// A service's program is asked to end (SIGTERM), and is started again at the end of the fault.
    stop::Stop,
    /// A service's program is ended without being asked (SIGKILL), and is started again at the end of the fault.
    kill::Kill,
    /// A service's program is frozen (SIGSTOP: its kernel still accepts and acknowledges) until the end of the fault.
    pause::Pause,
    /// A service's program is asked to end, and is started again at once; the fault's time is what it takes to get over
    /// it.
    restart::Restart,
    /// A Redis forgets everything; the fault's time is what it takes to get over it.
    flush::Flush,
    /// The share of the machine's CPUs that a service may use is limited until the end of the fault.
    cpu::Cpu,
    /// The memory that a service may use is limited until the end of the fault.
    memory::Memory,
}

/// The example in CONTRIBUTING.md: an effect like the others, but that it is not registered, so that it always
/// compiles.
#[cfg(test)]
#[expect(unreachable_pub, reason = "it is written as it would be if it were registered")]
mod far_away;

impl Effect {
    /// The name that it has in the language.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.facts().name
    }

    /// The part of it that grows from nothing to its whole under a `ramp`; none where it is there or not.
    #[must_use]
    pub fn grows(&self) -> Option<Grows> {
        let Action { stream, message, service, .. } = self.action();
        let stream_delay = stream.as_ref().is_some_and(|act| act.delay.is_some() || !act.dial_delay.is_zero());
        let message_delay = message.is_some_and(|act| act.delay.is_some());
        // A stream or a service is either there or broken: nothing of it can be half so. Messages can be met in part.
        match (stream, service) {
            _ if stream_delay || message_delay => Some(Grows::Delay),
            (None, None) => Some(Grows::Share),
            (Some(_), _) | (_, Some(_)) => None,
        }
    }

    /// True where it acts on a service, rather than on a link.
    #[must_use]
    pub fn is_of_services(&self) -> bool {
        self.facts().level == Level::Services
    }
}

#[cfg(test)]
mod tests {
    use super::{Directions, EffectKind as _, Keys, Level, Spread, far_away::FarAway};
    use std::time::Duration;

    /// The example is whole, does what it says, and stands in the page as it is.
    #[test]
    fn the_example_for_contributors_compiles() {
        let _: fn(&mut Keys<'_, '_>) -> Option<FarAway> = FarAway::read;
        assert_eq!((FarAway::FACTS.name, FarAway::FACTS.level), ("far-away", Level::Connections));
        let effect = FarAway { round_trip: Duration::from_millis(80) };
        assert_eq!(effect.words(), "far-away by 80ms");
        assert_eq!(effect.written(), [("round-trip", "80ms".to_owned())]);
        let action = effect.action().stream.unwrap_or_default();
        assert_eq!(action.delay, Some((Spread::constant(Duration::from_millis(40)), Directions::Both)));
        assert_eq!(action.dial_delay, effect.round_trip);
        let page = include_str!("../../../../CONTRIBUTING.md");
        assert!(
            page.contains(&format!("```rust\n{}```\n", include_str!("far_away.rs"))),
            "copy far_away.rs into the page"
        );
    }
}
