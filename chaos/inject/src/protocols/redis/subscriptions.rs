//! Subscriptions of a connection, and what a server sends by itself because of them. In RESP3 that is a push, in RESP2 an
//! array as any other, which its first word tells.

use chaos_redis::codec::parse_integer;

/// No word that tells anything has more bytes.
const WORD_BYTES: usize = 12;

/// The kinds of messages.
const MESSAGES: [&[u8]; 3] = [b"message", b"pmessage", b"smessage"];

/// Channels, patterns and channels of shards that a connection has subscribed to, as the server confirmed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Subscriptions {
    channels: u64,
    patterns: u64,
    shards: u64,
}

/// An array that may be about channels, by its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading<'a> {
    /// More of it must be seen.
    More,
    /// It is none of these.
    Other,
    /// A message.
    Message,
    /// The confirmation of a command with this name.
    Confirmation(&'a [u8]),
}

impl Subscriptions {
    /// Tells whether there are any.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }

    /// The number of confirmations of a command without channels, which ends all subscriptions of its kind.
    pub(super) fn of_all(self, command: &str) -> u64 {
        let count = match command {
            "punsubscribe" => self.patterns,
            "sunsubscribe" => self.shards,
            _ => self.channels,
        };
        count.max(1)
    }

    /// A command with this name was confirmed; `left` is the number of subscriptions that the server told with it.
    pub(super) fn confirm(&mut self, command: &[u8], left: u64) {
        let is_of_shards = matches!(command, b"ssubscribe" | b"sunsubscribe");
        let before = if is_of_shards { self.shards } else { self.channels + self.patterns };
        let kind = match command {
            _ if is_of_shards => &mut self.shards,
            b"psubscribe" | b"punsubscribe" => &mut self.patterns,
            _ => &mut self.channels,
        };
        // One channel at a time. One that there was, or was not, changes nothing.
        match left.cmp(&before) {
            std::cmp::Ordering::Greater => *kind += 1,
            std::cmp::Ordering::Less => *kind = kind.saturating_sub(1),
            std::cmp::Ordering::Equal => {}
        }
    }
}

impl<'a> Heading<'a> {
    /// The heading of a frame that begins with these bytes: an array, or a push.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let Some((first, rest)) = line(bytes) else { return Self::more(bytes.len() <= b"*3\r\n".len()) };
        if !matches!(first, [b'*' | b'>', b'3' | b'4']) {
            return Self::Other;
        }
        let Some((second, rest)) = line(rest) else { return Self::more(rest.len() <= WORD_BYTES + 3) };
        match second {
            [b'+', word @ ..] => Self::of_word(word),
            [b'$', length @ ..] => {
                let length = parse_integer(length).and_then(|length| usize::try_from(length).ok());
                let Some(length) = length.filter(|length| *length <= WORD_BYTES) else { return Self::Other };
                rest.get(..length).map_or(Self::More, Self::of_word)
            }
            _ => Self::Other,
        }
    }

    fn more(is_short: bool) -> Self {
        if is_short { Self::More } else { Self::Other }
    }

    fn of_word(word: &'a [u8]) -> Self {
        match word {
            _ if MESSAGES.contains(&word) => Self::Message,
            b"psubscribe" | b"punsubscribe" | b"ssubscribe" | b"subscribe" | b"sunsubscribe" | b"unsubscribe" => {
                Self::Confirmation(word)
            }
            _ => Self::Other,
        }
    }
}

/// The first line, without its end, and what follows.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_known_as_soon_as_its_word_has_come() {
        let message = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n!\r\n";
        for end in 0..message.len() {
            let expected = if end < 15 { Heading::More } else { Heading::Message };
            assert_eq!(Heading::of(&message[..end]), expected, "{end}");
        }
        for (bytes, heading) in [
            (&b"*4\r\n$8\r\npmessage\r\n"[..], Heading::Message),
            (b">3\r\n$9\r\nsubscribe\r\n", Heading::Confirmation(b"subscribe")),
            (b">3\r\n+subscribe\r\n", Heading::Confirmation(b"subscribe")),
            (b"*3\r\n$12\r\npunsubscribe\r\n", Heading::Confirmation(b"punsubscribe")),
            (b"*2\r\n$4\r\npong\r\n", Heading::Other),
            (b"*3\r\n$100\r\n", Heading::Other),
            (b"*3\r\n:1\r\n", Heading::Other),
            (b"*300000", Heading::Other),
            (b"*3\r\n$7\r\nanother\r\n", Heading::Other),
        ] {
            assert_eq!(Heading::of(bytes), heading, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn subscriptions_are_counted_by_kind() {
        let mut all = Subscriptions::default();
        for (command, left) in [
            (&b"subscribe"[..], 1),
            (b"subscribe", 1),
            (b"subscribe", 2),
            (b"psubscribe", 3),
            (b"ssubscribe", 1),
            (b"unsubscribe", 3),
        ] {
            all.confirm(command, left);
        }
        assert_eq!((all.of_all("unsubscribe"), all.of_all("punsubscribe"), all.of_all("sunsubscribe")), (2, 1, 1));
        for (command, left) in [(&b"unsubscribe"[..], 2), (b"unsubscribe", 1), (b"punsubscribe", 0)] {
            all.confirm(command, left);
        }
        assert!(all.any(), "a shard's");
        all.confirm(b"sunsubscribe", 0);
        assert!(!all.any());
        assert_eq!(all.of_all("unsubscribe"), 1, "of none");
    }
}
