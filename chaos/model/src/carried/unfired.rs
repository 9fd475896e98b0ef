//! Reasons why a fault did nothing.

use super::Came;
use crate::{
    Fault, Share,
    effect::{
        Level,
        action::{Cut, StreamAction},
    },
    event::Fired,
    quantity::{show_bytes, show_duration},
};

/// `1 request`, `3 requests`.
fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

impl Fault {
    /// The reason why it did nothing, in words that stand behind a colon, where it could read what it met: `fired` is what it
    /// counted, and `came` what its links carried meanwhile, where somebody counted that.
    #[must_use]
    pub fn idle_reason(&self, fired: &Fired, came: Option<Came>) -> String {
        let action = self.effect.action();
        if action.is_of_messages() {
            return self.no_message(came);
        }
        match action.stream {
            Some(stream) if fired.connections > 0 => self.nothing_on(&stream, fired.connections),
            Some(stream) => self.no_connection(&stream, came),
            None => format!("nothing was done to {}", self.on),
        }
    }

    /// The reason where nothing came that it changes: nobody tells of messages that it left as they are.
    fn no_message(&self, came: Option<Came>) -> String {
        let (on, message) = (&self.on, self.thing());
        match came {
            None => format!("no {message} that it changes came on {on} while it was there"),
            Some(Came { messages: 0, connections: 0 }) => self.nothing_came(),
            Some(Came { messages: 0, connections }) => {
                format!("{} of {on} while it was there carried no {message}", counted(connections, "connection"))
            }
            Some(Came { messages, .. }) => {
                format!("{} came on {on} while it was there, and it had nothing to change", counted(messages, message))
            }
        }
    }

    /// The reason where it met connections, and nothing on them that it acts on.
    fn nothing_on(&self, stream: &StreamAction, connections: u64) -> String {
        let met = format!("{} of {}", counted(connections, "connection"), self.on);
        let of_them = |what: &str| format!("of {met} that it met, none {what}");
        match stream.cut {
            Some(Cut::ResetAfterBytes(bytes, _) | Cut::CloseAfterBytes(bytes, _)) => {
                return of_them(&format!("passed {} while it was there", show_bytes(bytes)));
            }
            Some(Cut::ResetAfter(after)) if !after.is_zero() => {
                return of_them(&format!("was open for {}", show_duration(after)));
            }
            Some(Cut::ResetAfter(_)) | None => {}
        }
        if stream.tls.is_of_handshakes() {
            return of_them("began a TLS handshake");
        }
        if stream.close_delay.is_some() {
            return of_them("ended while it was there");
        }
        if let Some((slices, _)) = stream.slices {
            return format!("nothing larger than {} came on {met} that it met", show_bytes(slices.size as u64));
        }
        format!("nothing that it acts on was sent on {met} that it met")
    }

    /// The reason where it met no connection.
    fn no_connection(&self, stream: &StreamAction, came: Option<Came>) -> String {
        let on = &self.on;
        if self.share < Share::ALL {
            return format!("no connection of {on} was among the {} that it is for", self.share);
        }
        if !stream.spares_open {
            return self.nothing_came();
        }
        let opened = format!("no connection of {on} was opened while it was there");
        match came {
            Some(Came { messages, .. }) if messages > 0 => {
                format!("{opened}: {} came on such as were open before", counted(messages, "message"))
            }
            _ => opened,
        }
    }

    fn nothing_came(&self) -> String {
        format!("nothing used {} while it was there", self.on)
    }

    /// The name of what it acts on.
    fn thing(&self) -> &'static str {
        match self.effect.facts().level {
            Level::Commands => "command",
            Level::Requests => "request",
            _ => "message",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Directions, Effect, Endpoint, Link, OpenConnections, Spread, Target,
        effect::{Delay, DialDelay, Hang, Header, Limit, Refuse, SlowClose, Stop},
    };
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn fault(effect: impl Into<Effect>) -> Fault {
        let link = Link { from: Endpoint::Service("a".to_owned()), to: "db".to_owned(), label: None };
        Fault::new("f", Target::Link(link), effect)
    }

    fn connections(connections: u64) -> Fired {
        Fired { connections, ..Fired::default() }
    }

    const USED: Option<Came> = Some(Came { connections: 0, messages: 300 });

    #[test]
    fn a_link_that_was_used_is_not_said_to_be_idle() {
        let limit = fault(Limit { bytes: 1 << 20, direction: Directions::Both });
        let words = "of 3 connections of a -> db that it met, none passed 1MiB while it was there";
        assert_eq!(limit.idle_reason(&connections(3), USED), words);
        let slow = fault(SlowClose::by(SECOND));
        assert_eq!(
            slow.idle_reason(&connections(1), USED),
            "of 1 connection of a -> db that it met, none ended while it was there"
        );
        let dial = fault(DialDelay { delay: SECOND });
        let words =
            "no connection of a -> db was opened while it was there: 300 messages came on such as were open before";
        assert_eq!(dial.idle_reason(&connections(0), USED), words);
        let keeps = fault(Refuse { open: OpenConnections::Keep });
        assert_eq!(keeps.idle_reason(&connections(0), None), "no connection of a -> db was opened while it was there");
        let hang = fault(Hang {});
        assert_eq!(
            hang.idle_reason(&connections(2), USED),
            "nothing that it acts on was sent on 2 connections of a -> db that it met"
        );
        let some = Fault { share: Share { parts: 1, whole: 10 }, ..hang.clone() };
        assert_eq!(
            some.idle_reason(&connections(0), USED),
            "no connection of a -> db was among the 10% that it is for"
        );
        assert_eq!(hang.idle_reason(&connections(0), Some(Came::default())), "nothing used a -> db while it was there");
    }

    #[test]
    fn messages_that_were_left_as_they_are_came_all_the_same() {
        let header = fault(Header { header: "x".to_owned(), value: None });
        let words = "300 requests came on a -> db while it was there, and it had nothing to change";
        assert_eq!(header.idle_reason(&connections(0), USED), words);
        let came = |connections| Some(Came { connections, messages: 0 });
        assert_eq!(
            header.idle_reason(&connections(0), came(1)),
            "1 connection of a -> db while it was there carried no request"
        );
        let delay = fault(Delay { delay: Spread::constant(SECOND) });
        assert_eq!(delay.idle_reason(&connections(0), came(0)), "nothing used a -> db while it was there");
        assert_eq!(
            delay.idle_reason(&connections(0), None),
            "no message that it changes came on a -> db while it was there"
        );
    }

    #[test]
    fn a_service_carries_nothing() {
        let stop = Fault { on: Target::Service("db".to_owned()), ..fault(Stop {}) };
        assert_eq!(stop.idle_reason(&Fired::default(), None), "nothing was done to db");
    }
}
