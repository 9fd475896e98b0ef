//! Replies that say "nothing there", as each read has them.

use bytes::Bytes;
use chaos_redis::codec::Protocol;

/// The reply by which a read says that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// No such reply: the command is no read, or has none.
    Never,
    /// A null.
    Null,
    /// A null in place of an array.
    NullArray,
    /// 0
    Zero,
    /// -2, which is what lifetimes are for keys that aren't there.
    MinusTwo,
    /// An empty string.
    Text,
    /// `none`
    Type,
    /// An empty array.
    List,
    /// An empty set.
    Set,
    /// An empty map.
    Map,
    /// A null for each argument from this one on.
    Nulls(u8),
    /// A 0 for each argument from this one on.
    Zeros(u8),
    /// The end of a scan, without anything.
    Scan,
    /// A null, or an empty array where there are more arguments than this.
    NullOrList(u8),
}

/// A reply that there is nothing: what it looks like, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nothing {
    miss: Miss,
    arguments: u64,
}

impl Miss {
    /// The reply to a command with so many arguments, its name included.
    pub(super) fn answer(self, arguments: u64) -> Option<Nothing> {
        (self != Self::Never).then_some(Nothing { miss: self, arguments })
    }
}

impl Nothing {
    /// The reply in this version of the protocol.
    pub(super) fn bytes(self, protocol: Protocol) -> Bytes {
        let resp3 = protocol == Protocol::Resp3;
        let null = if resp3 { "_\r\n" } else { "$-1\r\n" };
        let each = |from: u8, one: &str| {
            let count = usize::try_from(self.arguments.saturating_sub(u64::from(from))).unwrap_or(0);
            format!("*{count}\r\n{}", one.repeat(count)).into()
        };
        Bytes::from_static(match self.miss {
            Miss::Nulls(from) => return each(from, null),
            Miss::Zeros(from) => return each(from, ":0\r\n"),
            Miss::Never => return Bytes::new(),
            Miss::NullArray if !resp3 => b"*-1\r\n",
            Miss::NullOrList(most) if self.arguments > u64::from(most) => b"*0\r\n",
            Miss::Null | Miss::NullArray | Miss::NullOrList(_) => null.as_bytes(),
            Miss::Zero => b":0\r\n",
            Miss::MinusTwo => b":-2\r\n",
            Miss::Text => b"$0\r\n\r\n",
            Miss::Type => b"+none\r\n",
            Miss::Set if resp3 => b"~0\r\n",
            Miss::Map if resp3 => b"%0\r\n",
            Miss::List | Miss::Set | Miss::Map => b"*0\r\n",
            Miss::Scan => b"*2\r\n$1\r\n0\r\n*0\r\n",
        })
    }
}
