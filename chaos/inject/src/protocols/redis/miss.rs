//! Replies that say "nothing there", as each read has them.

use bytes::{Bytes, BytesMut};
use chaos_redis::{
    codec::{Frame, Protocol, RequestScanner},
    table::Spec,
};

/// A reply in RESP2 and in RESP3.
type Both = (&'static str, &'static str);

const NULL: Both = ("$-1\r\n", "_\r\n");
const NULL_ARRAY: Both = ("*-1\r\n", "_\r\n");
const ZERO: Both = (":0\r\n", ":0\r\n");
/// No such bit.
const MINUS_ONE: Both = (":-1\r\n", ":-1\r\n");
/// The lifetime of what isn't there.
const MINUS_TWO: Both = (":-2\r\n", ":-2\r\n");
const TEXT: Both = ("$0\r\n\r\n", "$0\r\n\r\n");
const NO_TYPE: Both = ("+none\r\n", "+none\r\n");
const LIST: Both = ("*0\r\n", "*0\r\n");
const SET: Both = ("*0\r\n", "~0\r\n");
const MAP: Both = ("*0\r\n", "%0\r\n");
const MATCHES: Both =
    ("*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n", "%2\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n");
/// The end of a scan, without anything.
const SCAN: Both = ("*2\r\n$1\r\n0\r\n*0\r\n", "*2\r\n$1\r\n0\r\n*0\r\n");

/// A reply that there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// This one.
    One(Both),
    /// A list with this so many times.
    Each(Both, u64),
    /// The error that says so.
    Error(String),
}

/// The reply to a read of what isn't there; none for commands that read nothing, and for scripts, whose replies are their own.
pub(super) fn nothing(command: &RequestScanner, spec: &Spec) -> Option<Nothing> {
    let arguments = command.announced();
    let from = |first: u64| arguments.saturating_sub(first);
    let has = |word: &str| command.arguments().any(|argument| argument.eq_ignore_ascii_case(word.as_bytes()));
    let one = match spec.name {
        "dump" | "geodist" | "get" | "hget" | "json.get" | "lindex" | "memory|usage" | "object|encoding"
        | "object|freq" | "object|idletime" | "object|refcount" | "randomkey" | "zrank" | "zrevrank" | "zscore" => NULL,
        "xread" => NULL_ARRAY,
        "bitcount" | "dbsize" | "exists" | "getbit" | "hexists" | "hlen" | "hstrlen" | "llen" | "pfcount" | "scard"
        | "sintercard" | "sismember" | "strlen" | "touch" | "xlen" | "zcard" | "zcount" | "zintercard"
        | "zlexcount" => ZERO,
        "expiretime" | "pexpiretime" | "pttl" | "ttl" => MINUS_TWO,
        "getrange" | "substr" => TEXT,
        "type" => NO_TYPE,
        "georadius_ro"
        | "georadiusbymember_ro"
        | "geosearch"
        | "hkeys"
        | "hvals"
        | "keys"
        | "lrange"
        | "sort_ro"
        | "xrange"
        | "xrevrange"
        | "zdiff"
        | "zinter"
        | "zrange"
        | "zrangebylex"
        | "zrangebyscore"
        | "zrevrange"
        | "zrevrangebylex"
        | "zrevrangebyscore"
        | "zunion" => LIST,
        "sdiff" | "sinter" | "smembers" | "sunion" => SET,
        "hgetall" => MAP,
        "hscan" | "scan" | "sscan" | "zscan" => SCAN,
        "bitpos" if command.argument(2) == Some(b"1") => MINUS_ONE,
        "bitpos" => ZERO,
        "lcs" if has("idx") => MATCHES,
        "lcs" if has("len") => ZERO,
        "lcs" => TEXT,
        "lpos" if has("count") => LIST,
        "lpos" => NULL,
        "hrandfield" | "srandmember" | "zrandmember" if arguments > 2 => LIST,
        "hrandfield" | "srandmember" | "zrandmember" => NULL,
        "mget" => return Some(Nothing::Each(NULL, from(1))),
        "geohash" | "hmget" | "zmscore" => return Some(Nothing::Each(NULL, from(2))),
        "geopos" => return Some(Nothing::Each(NULL_ARRAY, from(2))),
        "smismember" => return Some(Nothing::Each(ZERO, from(2))),
        // `GET`, an encoding and an offset each.
        "bitfield_ro" => return Some(Nothing::Each(ZERO, from(2) / 3)),
        // `FIELDS`, a count, and so many fields.
        "hexpiretime" | "hpexpiretime" | "hpttl" | "httl" => return Some(Nothing::Each(MINUS_TWO, from(4))),
        "xinfo|consumers" | "xinfo|groups" | "xinfo|stream" => {
            return Some(Nothing::Error("ERR no such key".to_owned()));
        }
        "xpending" => {
            let [key, group] = [1, 2].map(|place| String::from_utf8_lossy(command.argument(place).unwrap_or_default()));
            return Some(Nothing::Error(format!("NOGROUP No such key '{key}' or consumer group '{group}'")));
        }
        _ => return None,
    };
    Some(Nothing::One(one))
}

impl Nothing {
    /// The reply in this version of the protocol.
    pub(super) fn bytes(&self, protocol: Protocol) -> Bytes {
        let of = |both: &Both| if protocol == Protocol::Resp3 { both.1 } else { both.0 };
        match self {
            Self::One(both) => Bytes::from_static(of(both).as_bytes()),
            Self::Each(both, count) => {
                let count = usize::try_from(*count).unwrap_or(0);
                format!("*{count}\r\n{}", of(both).repeat(count)).into()
            }
            Self::Error(text) => {
                let mut out = BytesMut::new();
                Frame::error(text).encode(protocol, &mut out);
                out.freeze()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wire::scanned;
    use super::*;
    use chaos_redis::table::{self, Flag};

    /// Reads whose replies are what their scripts say, or a picture.
    const OTHERS: [&str; 4] = ["eval_ro", "evalsha_ro", "fcall_ro", "lolwut"];

    #[test]
    fn every_read_has_a_reply_that_there_is_nothing_and_nothing_else_has() {
        for spec in table::all() {
            let words = usize::try_from(spec.arity.unsigned_abs()).unwrap();
            let line = vec!["1"; words].join(" ");
            let has_one = nothing(&scanned(&line), spec).is_some();
            let is_read = spec.has(Flag::ReadOnly) && !OTHERS.contains(&spec.name);
            assert_eq!(has_one, is_read, "{}", spec.name);
        }
    }
}
