//! Effects and matchers on Redis commands, over TCP and in memory alike, before the built-in Redis: one case each.

use super::support::{MS, World, apply, fault, remove, removed};
use chaos_inject::Proxy;
use chaos_model::{
    Fault, KeyKind, Only, Pattern, Protocol, Spread,
    effect::{
        Close, Coding, Delay, Effect, Error, Hang, Lose, Miss, Stale, Truncate, Wrong,
        truncate::{Framing, Kept},
    },
};
use host::Stream;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

conformance!(
    answers_with_an_error,
    misses_reads_alone,
    gives_stale_and_wrong_values,
    loses_a_reply,
    truncates_and_closes,
    delays_one_connection_alone,
    takes_only_those_that_match,
    makes_transactions_fail,
    turns_new_clients_away,
    turns_away_whom_it_holds_up,
    answers_more_at_once_than_it_keeps,
);

fn proxy(world: &World) -> Proxy {
    let proxy = world.proxy_of(Protocol::REDIS);
    let listener = world.service.listen(0).unwrap();
    let port = listener.port();
    let service = world.service.clone();
    drop(world.service.spawn(chaos_redis::serve(service, listener, chaos_redis::Config::default())));
    proxy.point_at(world.service_name(), port);
    proxy
}

/// Sends commands and reads so many bytes of replies.
async fn ask(stream: &mut Stream, commands: &str, replies: &str) {
    stream.write_all(commands.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let wanted = replies.replace('\n', "\r\n");
    let mut seen = vec![0; wanted.len()];
    stream.read_exact(&mut seen).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), wanted, "to {commands:?}");
}

async fn at_its_end(stream: &mut Stream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    rest
}

async fn open(world: &World, proxy: &Proxy) -> Stream {
    let mut stream = world.dial(proxy).await.unwrap();
    ask(&mut stream, "SET a one\nSET b two\n", "+OK\n+OK\n").await;
    stream
}

async fn answers_with_an_error(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    let loading = Error { reply: "LOADING it is".to_owned() };
    apply(&proxy, fault("loading", loading.into())).await;
    ask(&mut stream, "GET a\nSET a x\n", "-LOADING it is\n-LOADING it is\n").await;
    assert_eq!(remove(&proxy, "loading").await.messages, 2);
    ask(&mut stream, "GET a\n", "$3\none\n").await;
}

async fn misses_reads_alone(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    apply(&proxy, fault("miss", Miss {}.into())).await;
    ask(&mut stream, "GET a\nSET a three\nMGET a b\n", "$-1\n+OK\n*2\n$-1\n$-1\n").await;
    assert_eq!(remove(&proxy, "miss").await.messages, 2, "a write is not missed");
    ask(&mut stream, "GET a\n", "$5\nthree\n").await;
}

async fn gives_stale_and_wrong_values(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    apply(&proxy, fault("lag", Stale {}.into())).await;
    ask(&mut stream, "GET a\nSET a new\nGET a\n", "$3\none\n+OK\n$3\none\n").await;
    let mut other = world.dial(&proxy).await.unwrap();
    ask(&mut other, "GET a\n", "$3\none\n").await;
    remove(&proxy, "lag").await;
    ask(&mut stream, "GET a\n", "$3\nnew\n").await;
    apply(&proxy, fault("wrong", Wrong { value: Some("else".to_owned()) }.into())).await;
    ask(&mut stream, "GET a\nGET b\n", "$4\nelse\n$4\nelse\n").await;
    remove(&proxy, "wrong").await;
}

async fn loses_a_reply(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    let only = Only { key: Some(Pattern("a".to_owned())), ..Only::default() };
    apply(&proxy, Fault { only, ..fault("lost", Lose {}.into()) }).await;
    // Whoever counts reads the second reply as the first one's.
    ask(&mut stream, "GET a\nGET b\n", "$3\ntwo\n").await;
    assert_eq!(remove(&proxy, "lost").await.messages, 1);
}

async fn truncates_and_closes(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    let half = Truncate { keep: Kept::Bytes(5), framing: Framing::Whole, coding: Coding::Undone };
    apply(&proxy, fault("half", half.into())).await;
    ask(&mut stream, "GET a\n", "$3\no").await;
    assert_eq!(at_its_end(&mut stream).await, b"");
    remove(&proxy, "half").await;
    let mut stream = open(world, &proxy).await;
    apply(&proxy, fault("away", Close {}.into())).await;
    ask(&mut stream, "GET a\n", "").await;
    assert_eq!(at_its_end(&mut stream).await, b"");
}

fn delay(delay: Duration) -> Effect {
    Delay { delay: Spread::constant(delay) }.into()
}

async fn delays_one_connection_alone(world: &World) {
    let proxy = proxy(world);
    let (mut slow, mut other) = (open(world, &proxy).await, open(world, &proxy).await);
    let only = || Only { key: Some(Pattern("a".to_owned())), ..Only::default() };
    apply(&proxy, Fault { only: only(), ..fault("slow", delay(40 * MS)) }).await;
    let asked = Instant::now();
    slow.write_all(b"GET a\r\nGET b\r\n").await.unwrap();
    ask(&mut other, "GET b\n", "$3\ntwo\n").await;
    ask(&mut slow, "", "$3\none\n$3\ntwo\n").await;
    assert!(asked.elapsed() >= 40 * MS);
    let (fired, injections, _) = removed(&proxy, "slow").await;
    assert_eq!((fired.messages, fired.bystanders, fired.connections), (1, 1, 1));
    let [one] = injections.as_slice() else { panic!("{injections:?}") };
    assert_eq!((one.key, one.subject.as_str(), one.bystanders), (KeyKind::Command, "GET a", 1));
    assert!(one.asked == Some(40 * MS) && one.achieved.unwrap() >= 40 * MS, "{one:?}");
    // What it holds is let go of with it.
    apply(&proxy, Fault { only: only(), ..fault("endless", delay(Duration::from_secs(100_000))) }).await;
    slow.write_all(b"GET a\r\n").await.unwrap();
    world.assert_silent(&mut slow).await;
    remove(&proxy, "endless").await;
    ask(&mut slow, "", "$3\none\n").await;
}

async fn takes_only_those_that_match(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    let down = || fault("down", Error { reply: "ERR no".to_owned() }.into());
    let only = Only { commands: vec!["SET".to_owned()], ..Only::default() };
    apply(&proxy, Fault { only, ..down() }).await;
    ask(&mut stream, "GET a\nSET a x\n", "$3\none\n-ERR no\n").await;
    remove(&proxy, "down").await;
    let only = Only { key: Some(Pattern("b*".to_owned())), ..Only::default() };
    apply(&proxy, Fault { only, ..down() }).await;
    ask(&mut stream, "GET a\nGET b\nMGET a b\n", "$3\none\n-ERR no\n-ERR no\n").await;
}

async fn makes_transactions_fail(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    let only = Only { commands: vec!["SET".to_owned()], ..Only::default() };
    apply(&proxy, Fault { only, ..fault("down", Error { reply: "ERR no".to_owned() }.into()) }).await;
    let replies = "+OK\n-ERR no\n+QUEUED\n-EXECABORT Transaction discarded because of previous errors.\n";
    ask(&mut stream, "MULTI\nSET a x\nGET a\nEXEC\n", replies).await;
    assert_eq!(remove(&proxy, "down").await.messages, 1);
    ask(&mut stream, "GET a\nMULTI\nSET a x\nEXEC\n", "$3\none\n+OK\n+QUEUED\n*1\n+OK\n").await;
}

async fn turns_new_clients_away(world: &World) {
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    apply(&proxy, fault("full", Error { reply: "ERR max number of clients reached".to_owned() }.into())).await;
    // Before it has said anything.
    let mut other = world.dial(&proxy).await.unwrap();
    assert_eq!(at_its_end(&mut other).await, b"-ERR max number of clients reached\r\n");
    ask(&mut stream, "GET a\n", "$3\none\n").await;
    let (fired, injections, _) = removed(&proxy, "full").await;
    assert_eq!((fired.connections, fired.closes, fired.messages), (1, 1, 0));
    assert!(injections.iter().all(|one| one.key == KeyKind::Connection) && injections.len() == 1, "{injections:?}");
    open(world, &proxy).await;
}

async fn turns_away_whom_it_holds_up(world: &World) {
    let proxy = world.proxy_of(Protocol::REDIS);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    apply(&proxy, fault("full", Error { reply: "ERR max number of clients reached".to_owned() }.into())).await;
    apply(&proxy, fault("held", Hang {}.into())).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    world.assert_silent(&mut stream).await;
    // A server that has no room for a client never learns of it.
    let reached = tokio::time::timeout(MS, listener.accept()).await;
    assert!(reached.is_err(), "it was reached");
    remove(&proxy, "held").await;
    assert_eq!(at_its_end(&mut stream).await, b"-ERR max number of clients reached\r\n");
}

async fn answers_more_at_once_than_it_keeps(world: &World) {
    const MANY: usize = 20_000;
    let proxy = proxy(world);
    let mut stream = open(world, &proxy).await;
    apply(&proxy, fault("loading", Error { reply: "LOADING it is".to_owned() }.into())).await;
    let (commands, replies) = ("GET a\r\n".repeat(MANY), "-LOADING it is\r\n".repeat(MANY));
    let (mut read, mut write) = stream.split();
    let mut got = vec![0; replies.len()];
    let both = async { tokio::join!(write.write_all(commands.as_bytes()), read.read_exact(&mut got)) };
    let (sent, received) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("all are answered");
    sent.and(received.map(|_| ())).unwrap();
    assert!(got == replies.as_bytes());
}
