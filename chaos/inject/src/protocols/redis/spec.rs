//! The table of commands: where their keys are, and what their replies are like. As `COMMAND INFO` of Redis 7 has it,
//! for the commands in common use. Of others, the first argument counts as the key.

use super::miss::Miss;
use chaos_redis::codec::{RequestScanner, parse_integer};

/// A command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    keys: Keys,
    /// Reply that says that there is nothing; [`Miss::Never`] for writes.
    pub(super) miss: Miss,
    /// True where its reply is the value of one key, or of a part of it.
    pub(super) is_value: bool,
}

/// Places of keys among the arguments, the command's name being number 0.
#[derive(Clone, Copy, Debug)]
enum Keys {
    None,
    /// The argument with this number.
    At(u8),
    /// From this one on in these steps, up to the last but so many.
    From(u8, u8, u8),
    /// So many as the argument with this number says, behind it; and the one before it where this says so.
    Counted(u8, bool),
    /// The first half of what follows the word `STREAMS`.
    Streams,
}

/// Row of a command that isn't in the table.
const UNKNOWN: Spec = write("", Keys::At(1));

const fn write(name: &'static str, keys: Keys) -> Spec {
    Spec { name, keys, miss: Miss::Never, is_value: false }
}

const fn read(name: &'static str, keys: Keys, miss: Miss) -> Spec {
    Spec { name, keys, miss, is_value: false }
}

const fn value(name: &'static str, miss: Miss) -> Spec {
    Spec { name, keys: Keys::At(1), miss, is_value: true }
}

const ONE: Keys = Keys::At(1);
const ALL: Keys = Keys::From(1, 1, 0);

#[rustfmt::skip]
const TABLE: &[Spec] = &[
    write("APPEND", ONE), write("AUTH", Keys::None), read("BITCOUNT", ONE, Miss::Zero), write("BITOP", Keys::From(2, 1, 0)),
    write("BLMOVE", Keys::From(1, 1, 3)), write("BLMPOP", Keys::Counted(2, false)), write("BLPOP", Keys::From(1, 1, 1)),
    write("BRPOP", Keys::From(1, 1, 1)), write("BRPOPLPUSH", Keys::From(1, 1, 1)), write("BZMPOP", Keys::Counted(2, false)),
    write("BZPOPMAX", Keys::From(1, 1, 1)), write("BZPOPMIN", Keys::From(1, 1, 1)), write("CLIENT", Keys::None),
    write("CLUSTER", Keys::None), write("COMMAND", Keys::None), write("CONFIG", Keys::None), write("COPY", Keys::From(1, 1, 0)),
    write("DBSIZE", Keys::None), write("DEBUG", Keys::None), write("DEL", ALL), write("DISCARD", Keys::None),
    value("DUMP", Miss::Null), write("ECHO", Keys::None), write("EVAL", Keys::Counted(2, false)),
    write("EVALSHA", Keys::Counted(2, false)), write("EVALSHA_RO", Keys::Counted(2, false)),
    write("EVAL_RO", Keys::Counted(2, false)), write("EXEC", Keys::None), read("EXISTS", ALL, Miss::Zero),
    read("EXPIRETIME", ONE, Miss::MinusTwo), write("FCALL", Keys::Counted(2, false)), write("FCALL_RO", Keys::Counted(2, false)),
    write("FLUSHALL", Keys::None), write("FLUSHDB", Keys::None), write("FUNCTION", Keys::None), value("GET", Miss::Null),
    read("GETBIT", ONE, Miss::Zero), value("GETEX", Miss::Never), value("GETRANGE", Miss::Text), write("HELLO", Keys::None),
    read("HEXISTS", ONE, Miss::Zero), value("HGET", Miss::Null), read("HGETALL", ONE, Miss::Map), read("HKEYS", ONE, Miss::List),
    read("HLEN", ONE, Miss::Zero), read("HMGET", ONE, Miss::Nulls(2)), read("HRANDFIELD", ONE, Miss::NullOrList(2)),
    read("HSCAN", ONE, Miss::Scan), read("HSTRLEN", ONE, Miss::Zero), read("HVALS", ONE, Miss::List), write("INFO", Keys::None),
    value("JSON.GET", Miss::Null), read("KEYS", Keys::None, Miss::List), write("LASTSAVE", Keys::None), value("LINDEX", Miss::Null),
    read("LLEN", ONE, Miss::Zero), write("LMOVE", Keys::From(1, 1, 2)), write("LMPOP", Keys::Counted(1, false)),
    read("LRANGE", ONE, Miss::List), write("MEMORY", Keys::At(2)), read("MGET", ALL, Miss::Nulls(1)), write("MONITOR", Keys::None),
    write("MSET", Keys::From(1, 2, 0)), write("MSETNX", Keys::From(1, 2, 0)), write("MULTI", Keys::None),
    read("OBJECT", Keys::At(2), Miss::Null), read("PEXPIRETIME", ONE, Miss::MinusTwo), read("PFCOUNT", ALL, Miss::Zero),
    write("PFMERGE", ALL), write("PING", Keys::None), write("PSUBSCRIBE", Keys::None), write("PSYNC", Keys::None),
    read("PTTL", ONE, Miss::MinusTwo), write("PUBLISH", Keys::None), write("PUBSUB", Keys::None), write("PUNSUBSCRIBE", Keys::None),
    write("QUIT", Keys::None), write("RANDOMKEY", Keys::None), write("RENAME", ALL), write("RENAMENX", ALL),
    write("REPLCONF", Keys::None), write("RESET", Keys::None), write("ROLE", Keys::None), write("RPOPLPUSH", ALL),
    read("SCAN", Keys::None, Miss::Scan), read("SCARD", ONE, Miss::Zero), write("SCRIPT", Keys::None), read("SDIFF", ALL, Miss::Set),
    write("SDIFFSTORE", ALL), write("SELECT", Keys::None), read("SINTER", ALL, Miss::Set),
    read("SINTERCARD", Keys::Counted(1, false), Miss::Zero), write("SINTERSTORE", ALL), read("SISMEMBER", ONE, Miss::Zero),
    write("SLOWLOG", Keys::None), read("SMEMBERS", ONE, Miss::Set), read("SMISMEMBER", ONE, Miss::Zeros(2)),
    write("SMOVE", Keys::From(1, 1, 1)), write("SPUBLISH", Keys::None), read("SRANDMEMBER", ONE, Miss::NullOrList(2)),
    read("SSCAN", ONE, Miss::Scan), write("SSUBSCRIBE", Keys::None), read("STRLEN", ONE, Miss::Zero), write("SUBSCRIBE", Keys::None),
    value("SUBSTR", Miss::Text), read("SUNION", ALL, Miss::Set), write("SUNIONSTORE", ALL), write("SUNSUBSCRIBE", Keys::None),
    write("SWAPDB", Keys::None), write("SYNC", Keys::None), write("TIME", Keys::None), read("TOUCH", ALL, Miss::Zero),
    read("TTL", ONE, Miss::MinusTwo), read("TYPE", ONE, Miss::Type), write("UNLINK", ALL), write("UNSUBSCRIBE", Keys::None),
    write("UNWATCH", Keys::None), write("WAIT", Keys::None), write("WATCH", ALL), write("XGROUP", Keys::At(2)),
    write("XINFO", Keys::At(2)), read("XLEN", ONE, Miss::Zero), read("XRANGE", ONE, Miss::List),
    read("XREAD", Keys::Streams, Miss::NullArray), write("XREADGROUP", Keys::Streams), read("XREVRANGE", ONE, Miss::List),
    read("ZCARD", ONE, Miss::Zero), read("ZCOUNT", ONE, Miss::Zero), read("ZDIFF", Keys::Counted(1, false), Miss::List),
    write("ZDIFFSTORE", Keys::Counted(2, true)), read("ZINTER", Keys::Counted(1, false), Miss::List),
    write("ZINTERSTORE", Keys::Counted(2, true)), read("ZLEXCOUNT", ONE, Miss::Zero), write("ZMPOP", Keys::Counted(1, false)),
    read("ZMSCORE", ONE, Miss::Nulls(2)), read("ZRANDMEMBER", ONE, Miss::NullOrList(2)), read("ZRANGE", ONE, Miss::List),
    read("ZRANGEBYLEX", ONE, Miss::List), read("ZRANGEBYSCORE", ONE, Miss::List), write("ZRANGESTORE", Keys::From(1, 1, 2)),
    read("ZRANK", ONE, Miss::Null), read("ZREVRANGE", ONE, Miss::List), read("ZREVRANGEBYSCORE", ONE, Miss::List),
    read("ZREVRANK", ONE, Miss::Null), read("ZSCAN", ONE, Miss::Scan), value("ZSCORE", Miss::Null),
    read("ZUNION", Keys::Counted(1, false), Miss::List), write("ZUNIONSTORE", Keys::Counted(2, true)),
];

impl Spec {
    /// The row of the command with this name, in upper case.
    pub(super) fn of(name: &str) -> Self {
        TABLE.binary_search_by(|spec| spec.name.cmp(name)).map_or(UNKNOWN, |at| TABLE[at])
    }

    /// The count of arguments that a decision on the command takes, its name included; nothing where it takes them all.
    pub(super) fn needed(&self) -> Option<usize> {
        match self.keys {
            Keys::At(at) if self.is_write() => Some(usize::from(at) + 1),
            _ => None,
        }
    }

    fn is_write(&self) -> bool {
        self.miss == Miss::Never && !self.is_value
    }

    /// Tells whether a reply to it can be given again: it reads.
    pub(super) fn reads(&self) -> bool {
        !self.is_write()
    }

    /// The keys among the arguments that have come.
    pub(super) fn keys<'a>(&self, command: &'a RequestScanner) -> Vec<&'a [u8]> {
        let all = command.arguments().collect::<Vec<_>>();
        let announced = usize::try_from(command.announced()).unwrap_or(usize::MAX);
        let some = |from: usize, count: usize| all.iter().skip(from).take(count).copied().collect::<Vec<_>>();
        match self.keys {
            Keys::None => vec![],
            Keys::At(at) => some(usize::from(at), 1),
            Keys::From(first, step, spared) => {
                let end = announced.saturating_sub(usize::from(spared));
                some(0, end).into_iter().skip(usize::from(first)).step_by(usize::from(step)).collect()
            }
            Keys::Counted(at, before) => {
                let at = usize::from(at);
                let count = all.get(at).and_then(|count| parse_integer(count)).and_then(|count| count.try_into().ok());
                let mut keys = if before { some(at - 1, 1) } else { vec![] };
                keys.extend(some(at + 1, count.unwrap_or(0)));
                keys
            }
            Keys::Streams => {
                let word = all.iter().position(|word| word.eq_ignore_ascii_case(b"streams"));
                let first = word.map_or(announced, |word| word + 1);
                some(first, (announced - first.min(announced)) / 2)
            }
        }
    }
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
