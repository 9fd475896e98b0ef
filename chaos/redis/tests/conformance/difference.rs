//! The same random requests to both servers: their replies must be the same bytes.

use crate::{
    rows::without_average,
    target::{Connection, Target},
};
use bytes::BytesMut;
use chaos_redis::codec::Request;
use rand::{Rng as _, RngExt as _, seq::IndexedRandom as _};

const BATCHES: usize = 1000;
const BATCH: usize = 20;

const COMMANDS: &[&str] = &[
    "GET",
    "get",
    "SET",
    "SET",
    "SET",
    "SET",
    "SeT",
    "MGET",
    "DEL",
    "EXISTS",
    "PEXPIRE",
    "EXPIRE",
    "PTTL",
    "TTL",
    "PING",
    "ECHO",
    "SELECT",
    "FLUSHALL",
    "FLUSHDB",
    "DBSIZE",
    "HELLO",
    "AUTH",
    "CLIENT",
    "CONFIG",
    "INFO",
    "NONE",
    "SETNX",
    "GETSET",
    "GETEX",
    "GETEX",
    "GETDEL",
    "MSET",
    "UNLINK",
    "TOUCH",
    "TYPE",
    "PERSIST",
    "EXPIREAT",
    "PEXPIREAT",
    "EXPIRETIME",
    "PEXPIRETIME",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "RESET",
];

/// Keys, values, options and nonsense alike.
const WORDS: &[&[u8]] = &[
    b"a",
    b"a",
    b"b",
    b"b",
    b"c",
    b"",
    b"value",
    b"\xff\r\n\0x",
    b"0",
    b"1",
    b"2",
    b"3",
    b"16",
    b"-1",
    b"1000000",
    b"900000000",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"1.5",
    b" 1",
    b"EX",
    b"px",
    b"NX",
    b"xx",
    b"GT",
    b"lt",
    b"GET",
    b"KEEPTTL",
    b"GETNAME",
    b"setname",
    b"PERSIST",
    b"exat",
    b"AUTH",
    b"default",
    b"keyspace",
    b"ASYNC",
    b"databases",
];

pub(crate) async fn run(built_in: Target, real: Target) {
    let mut random = built_in.host.rng("difference");
    let (mut ours, mut theirs) = (built_in.connect().await, real.connect().await);
    for _ in 0..BATCHES {
        let requests = (0..BATCH).map(|_| request(&mut random)).collect::<Vec<_>>();
        let (ours, theirs) = (replies(&mut ours, &requests).await, replies(&mut theirs, &requests).await);
        for ((request, ours), theirs) in requests.iter().zip(ours).zip(theirs) {
            let request = request.iter().map(|word| format!("`{}` ", word.escape_ascii())).collect::<String>();
            assert_eq!(ours, theirs, "built in, real: {request}");
        }
    }
}

fn request(random: &mut host::Random) -> Vec<&'static [u8]> {
    let command = COMMANDS.choose(random).expect("commands");
    let words = 1 + random.next_u32() % 3 + random.next_u32() % 3;
    let mut request = vec![command.as_bytes()];
    request.extend((1..words).filter_map(|_| WORDS.choose(random)));
    // What it says is each server's own.
    if *command == "INFO" && (request.len() == 1 || request.contains(&&b"default"[..])) {
        request = vec![b"INFO", b"keyspace"];
    }
    // Deadlines are far off or past, so that time makes no difference.
    if [&b"set"[..], b"expire", b"pexpire", b"getex"].iter().any(|name| request[0].eq_ignore_ascii_case(name)) {
        request
            .iter_mut()
            .skip(2)
            .filter(|word| [&b"1"[..], b"2", b"3", b"16"].contains(word))
            .for_each(|word| *word = b"900000");
    }
    // Most sets should succeed.
    if command.eq_ignore_ascii_case("set") && random.random_bool(0.5) {
        request.truncate(3);
    }
    request
}

async fn replies(connection: &mut Connection, requests: &[Vec<&[u8]>]) -> Vec<String> {
    let mut bytes = BytesMut::new();
    requests.iter().for_each(|request| Request::encode(request, &mut bytes));
    connection.write(&bytes).await;
    let mut replies = vec![];
    for _ in requests {
        let reply = connection.read().await.escape_ascii().to_string();
        replies.push(anonymous(&without_average(&reply.replace("\\r\\n", "\r\n"))));
    }
    replies
}

/// Takes out what each server has its own of: times, the version and the client's number.
fn anonymous(reply: &str) -> String {
    let mut lines: Vec<String> = vec![];
    for line in reply.split("\r\n") {
        let before = |back: usize| lines.len().checked_sub(back).and_then(|place| lines.get(place)).map(String::as_str);
        let is_own = before(1) == Some("id") || before(1) == Some("version") || before(2) == Some("version");
        let is_time =
            line.strip_prefix(':').and_then(|number| number.parse().ok()).is_some_and(|number: i64| number > 100);
        lines.push(if is_own || is_time { "<own>".to_owned() } else { line.to_owned() });
    }
    lines.join("\r\n")
}
